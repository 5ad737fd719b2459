#include "tokenizer/added_vocabulary.h"

#include <algorithm>
#include <deque>

#include "unicode/unicode.h"

namespace gt::tokenizer {

namespace {

bool ends_with_word(std::string_view text) {
  if (text.empty()) return false;
  size_t width;
  return unicode::is_word_or_joiner(unicode::decode(unicode::previous(text.data(), text.data() + text.size()), width));
}

bool starts_with_word(std::string_view text) {
  size_t width;
  return !text.empty() && unicode::is_word_or_joiner(unicode::decode(text.data(), width));
}

// Where the white space at the end of `text` starts.
size_t trailing_space(std::string_view text) {
  const char *p = text.data() + text.size(), *begin = text.data();
  while (p > begin) {
    const char* last = unicode::previous(begin, p);
    size_t width;
    if (!unicode::is_white_space(unicode::decode(last, width))) break;
    p = last;
  }
  return static_cast<size_t>(p - begin);
}

// Bytes of the white space at the start of `text`.
size_t leading_space(std::string_view text) {
  size_t i = 0, width;
  while (i < text.size() && unicode::is_white_space(unicode::decode(text.data() + i, width))) i += width;
  return i;
}

}  // namespace

size_t AddedVocabulary::add(const std::vector<AddedToken>& tokens, const Vocabulary& vocabulary, const Normalizer* normalizer) {
  for (const AddedToken& token : tokens) {
    if (token.special && !token.content.empty() && special_contents_.insert(token.content).second) special_.push_back(token);
  }
  const auto size = static_cast<uint32_t>(vocabulary.size());
  uint32_t next_id = size;
  if (!by_id_.empty()) {
    const uint32_t last = by_id_.rbegin()->first;
    if (last >= size) next_id = last + 1;
  }
  std::unordered_map<std::string, std::vector<AddedToken>> existing;
  for (const auto& [id, token] : by_id_) existing[token.content].push_back(token);
  size_t ignored = 0;
  for (const AddedToken& token : tokens) {
    std::vector<AddedToken>& same = existing[token.content];
    if (token.content.empty() || std::find(same.begin(), same.end(), token) != same.end()) {
      ignored++;
      continue;
    }
    const auto known = ids_.find(token.content);
    const int32_t in_model = vocabulary.find(token.content);
    const uint32_t id = known != ids_.end() ? known->second : in_model >= 0 ? static_cast<uint32_t>(in_model) : next_id++;
    ids_[token.content] = id;
    by_id_[id] = token;
    if (!is_special(token.content)) ordinary_.push_back(token);
    same.push_back(token);
  }
  refresh(vocabulary, normalizer);
  return tokens.size() - ignored;
}

void AddedVocabulary::refresh(const Vocabulary& vocabulary, const Normalizer* normalizer) {
  original_ = normalized_ = Patterns();
  normalized_contents_.clear();
  Pieces pieces;
  std::deque<std::string> contents;  // they stay where they are
  std::vector<std::string_view> originals, normals;
  const auto insert = [&](const AddedToken& token) {
    const auto known = ids_.find(token.content);
    const auto id = known != ids_.end() ? known->second : static_cast<uint32_t>(vocabulary.find(token.content));
    Patterns& patterns = token.normalized ? normalized_ : original_;
    std::string_view content = token.content;
    if (token.normalized && normalizer) {
      pieces.reset(content, false);
      normalizer->normalize(pieces);
      content = pieces.text();
      if (content != token.content) normalized_contents_[id] = content;
    }
    (token.normalized ? normals : originals).push_back(contents.emplace_back(content));
    patterns.ids.push_back(id);
  };
  for (const AddedToken& token : special_) insert(token);
  for (const AddedToken& token : ordinary_) insert(token);
  original_.finder = StringFinder(originals);
  const bool has_empty = std::any_of(normals.begin(), normals.end(), [](std::string_view text) { return text.empty(); });
  if (has_empty) normalized_.with_empty.emplace(normals);
  else normalized_.finder = StringFinder(normals);
}

const std::string* AddedVocabulary::text(uint32_t id) const {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return nullptr;
  const auto normalized = decode_normalized_ ? normalized_contents_.find(id) : normalized_contents_.end();
  return normalized != normalized_contents_.end() ? &normalized->second : &found->second.content;
}

// AddedVocabulary::find_matches in Rust.
void AddedVocabulary::split(Pieces& pieces, const Patterns& patterns) const {
  // Without any, Rust still looks where the pieces stand now.
  if (patterns.ids.empty() && !pieces.is_aligned()) return;
  pieces.split([&](std::string_view text, auto&& emit) {
    size_t done = 0, begin, end, from = 0, last_end = text.size() + 1;
    size_t space_end = 0;  // of the last white space that went with a token
    uint32_t pattern;
    const auto find = [&] {
      return patterns.with_empty ? patterns.with_empty->find(text, from, last_end, begin, end, pattern)
                                 : patterns.finder.find(text, from, begin, end, pattern);
    };
    while (find()) {
      from = last_end = end;
      const uint32_t id = patterns.ids[pattern];
      const AddedToken& token = by_id_.at(id);
      if (encode_special_tokens_ && is_special(token.content)) continue;
      if (token.single_word && (ends_with_word(text.substr(0, begin)) || starts_with_word(text.substr(end)))) continue;
      if (token.lstrip) begin = begin > done ? done + trailing_space(text.substr(done, begin - done)) : done;
      if (token.rstrip) {
        if (end >= space_end) space_end = end + leading_space(text.substr(end));
        end = space_end;
      }
      if (done < begin) emit(done, begin, -1);
      emit(begin, end, static_cast<int32_t>(id));
      done = end;
    }
    if (done != text.size()) emit(done, text.size(), -1);
  });
}

void AddedVocabulary::write(json::Writer& writer) const {
  writer.begin_array();
  for (const auto& [id, token] : by_id_) {
    writer.begin_object();
    writer.field("id", id);
    writer.field("content", token.content);
    writer.field("single_word", token.single_word);
    writer.field("lstrip", token.lstrip);
    writer.field("rstrip", token.rstrip);
    writer.field("normalized", token.normalized);
    writer.field("special", token.special);
    writer.end_object();
  }
  writer.end_array();
}

}  // namespace gt::tokenizer
