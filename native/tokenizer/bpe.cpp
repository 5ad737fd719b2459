#include "tokenizer/bpe.h"

#include <algorithm>

#include "errors.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/merges_reader.h"

namespace gt::tokenizer {

namespace {

constexpr int kPairBits = 20;
constexpr size_t kPairWords = (size_t{1} << kPairBits) / 64;
constexpr size_t kShort = 128;  // symbols of a word that is merged without a heap

std::string fallback_token(uint8_t byte) {
  const char* digits = "0123456789ABCDEF";
  return std::string("<0x") + digits[byte >> 4] + digits[byte & 15] + ">";
}

std::optional<std::string> text_of(const json::Node& node, std::string_view key) {
  const std::optional<json::Node> member = node.find(key);
  return member ? std::optional(member->string()) : std::nullopt;
}

}  // namespace

std::unique_ptr<Model> BPE::read(const json::Node& node, TableReader* tables) {
  const auto vocabulary = tables ? std::make_shared<const Vocabulary>(*tables) : std::make_shared<const Vocabulary>(node.at("vocab"));
  const std::optional<std::string> prefix = text_of(node, "continuing_subword_prefix");
  Merges merges = tables ? Merges(vocabulary->end_id(), *tables) : read_merges(node.at("merges"), *vocabulary, prefix ? prefix->size() : 0);
  std::unique_ptr<BPE> model(new BPE(vocabulary, std::move(merges)));
  if (const std::optional<json::Node> dropout = node.find("dropout")) {
    model->dropout_ = dropout->number();
    if (!(*model->dropout_ >= 0 && *model->dropout_ <= 1)) dropout->fail("a number from 0 to 1");
  }
  model->unk_token_ = text_of(node, "unk_token");
  model->prefix_ = prefix;
  model->suffix_ = text_of(node, "end_of_word_suffix");
  model->fuse_unk_ = node.boolean("fuse_unk", false);
  model->byte_fallback_ = node.boolean("byte_fallback", false);
  model->ignore_merges_ = node.boolean("ignore_merges", false);
  if (tables) {
    model->byte_widths_ = tables->array<uint8_t>();
    model->pairs_ = tables->array<uint64_t>();
    model->before_blanks_ = tables->array<char32_t>();
  }
  model->prepare();
  return model;
}

void BPE::prepare() {
  has_all_bytes_ = true;
  bool has_all_fallbacks = true;
  for (int byte = 0; byte < 256; byte++) {
    std::string character;
    unicode::append(character, byte_level_character(static_cast<uint8_t>(byte)));
    byte_ids_[byte] = vocabulary_->find(character);
    fallback_ids_[byte] = vocabulary_->find(fallback_token(static_cast<uint8_t>(byte)));
    has_all_bytes_ = has_all_bytes_ && byte_ids_[byte] >= 0;
    has_all_fallbacks = has_all_fallbacks && fallback_ids_[byte] >= 0;
  }
  if (unk_token_) unk_id_ = vocabulary_->find(*unk_token_);

  is_random_ = dropout_ && *dropout_ > 0;
  if (takes_bytes() && byte_widths_.size() != vocabulary_->end_id()) {
    byte_widths_.resize(vocabulary_->end_id());
    for (uint32_t id = 0; id < byte_widths_.size(); id++) {
      const size_t width = vocabulary_->has(id) ? unicode::count(vocabulary_->token(id)) : 0;
      byte_widths_[id] = width < 256 ? static_cast<uint8_t>(width) : 0;
    }
  }
  // Each byte of a prefix or suffix may fall back.
  ids_per_byte_ = prefix_ ? prefix_->size() + 1 : 1;
  more_ids_ = suffix_ ? suffix_->size() : 0;

  // What is unknown must leave a token in its place: if it vanishes, its neighbours may merge.
  const bool is_replaced = byte_fallback_ ? has_all_fallbacks : unk_id_ >= 0;
  cuts_ = !prefix_ && !suffix_ && !ignore_merges_ && is_replaced && !has_all_bytes_;
  if (cuts_ && pairs_.size() != kPairWords) note_pairs();
}

namespace {

uint32_t pair_bit(char32_t a, char32_t b) {
  const uint64_t hash = (static_cast<uint64_t>(a) << 21 | b) * 0x9E3779B97F4A7C15ull;
  return static_cast<uint32_t>(hash >> (64 - kPairBits));
}

// What becomes of blanks, but for '\r': in Llama's vocabulary it follows on much else.
bool is_mapped_blank(char32_t c) { return c == 0x2581 || c == '\n' || c == '\t'; }

}  // namespace

void BPE::note_pairs() {
  pairs_.assign(kPairWords, 0);
  before_blanks_.clear();
  for (uint32_t id = 0; id < vocabulary_->end_id(); id++) {
    if (!vocabulary_->has(id)) continue;
    const std::string_view token = vocabulary_->token(id);
    char32_t last = 0;
    for (size_t i = 0, width; i < token.size(); i += width) {
      const char32_t c = unicode::decode(token.data() + i, width);
      if (i > 0) {
        const uint32_t bit = pair_bit(last, c);
        pairs_[bit / 64] |= 1ull << bit % 64;
        if (is_mapped_blank(c)) before_blanks_.push_back(last);
      }
      last = c;
    }
  }
  std::sort(before_blanks_.begin(), before_blanks_.end());
  before_blanks_.erase(std::unique(before_blanks_.begin(), before_blanks_.end()), before_blanks_.end());
}

bool BPE::stands_alone(std::string_view piece, bool follows, bool is_followed) const {
  // Neighbours that are unknown both may fuse.
  if (!cuts_ || (fuse_unk_ && !byte_fallback_)) return false;
  size_t width;
  if (follows && !is_mapped_blank(unicode::decode(piece.data(), width))) return false;
  const char32_t last = unicode::decode(unicode::previous(piece.data(), piece.data() + piece.size()), width);
  return !is_followed || !std::binary_search(before_blanks_.begin(), before_blanks_.end(), last);
}

bool BPE::may_join(char32_t a, char32_t b) const {
  const uint32_t bit = pair_bit(a, b);
  return pairs_[bit / 64] >> bit % 64 & 1;
}

size_t BPE::next_cut(std::string_view text, size_t from) const {
  size_t width;
  char32_t last = unicode::decode(text.data() + from, width);
  for (size_t i = from + width; i < text.size(); i += width) {
    const char32_t c = unicode::decode(text.data() + i, width);
    if (!may_join(last, c)) {
      // Neighbours that are unknown both may fuse.
      const auto is_unknown = [&](size_t begin, size_t end) { return vocabulary_->find(text.substr(begin, end - begin)) < 0; };
      if (!fuse_unk_ || byte_fallback_) return i;
      const size_t before = static_cast<size_t>(unicode::previous(text.data(), text.data() + i) - text.data());
      if (!is_unknown(before, i) || !is_unknown(i, i + width)) return i;
    }
    last = c;
  }
  return text.size();
}

void BPE::start(std::string_view word, Workspace& workspace) const {
  workspace.symbols.clear();
  workspace.lengths.clear();
  const auto add = [&](int32_t id, uint32_t length) {
    workspace.symbols.push_back(id);
    workspace.lengths.push_back(length);
  };
  if (workspace.pieces.is_bytes()) {
    for (const char byte : word) add(byte_ids_[static_cast<uint8_t>(byte)], 1);
    return;
  }
  int32_t unknown = -1;
  uint32_t unknown_length = 0;
  std::string& spelled = workspace.spelled;
  const auto flush = [&] {
    if (unknown >= 0) add(unknown, unknown_length);
    unknown = -1;
  };
  for (size_t i = 0, width; i < word.size(); i += width) {
    width = unicode::length(static_cast<uint8_t>(word[i]));
    const auto length = static_cast<uint32_t>(width);
    std::string_view character = word.substr(i, width);
    if ((i > 0 && prefix_) || (i + width == word.size() && suffix_)) {
      spelled.clear();
      if (i > 0 && prefix_) spelled.append(*prefix_);
      spelled.append(character);
      if (i + width == word.size() && suffix_) spelled.append(*suffix_);
      character = spelled;
    }
    const int32_t id = vocabulary_->find(character);
    if (id >= 0) {
      flush();
      add(id, length);
      continue;
    }
    if (byte_fallback_) {
      const auto has_byte = [&](char c) { return fallback_ids_[static_cast<uint8_t>(c)] >= 0; };
      if (std::all_of(character.begin(), character.end(), has_byte)) {
        for (const char c : character) add(fallback_ids_[static_cast<uint8_t>(c)], 1);
        continue;
      }
    }
    if (!unk_token_) continue;
    if (unk_id_ < 0) throw Error("tokenizer_invalid", "The unk_token \"" + *unk_token_ + "\" is not in the vocabulary");
    if (!fuse_unk_) flush();
    unknown_length = unknown >= 0 ? unknown_length + length : length;
    unknown = unk_id_;
  }
  flush();
}

int32_t BPE::whole(std::string_view word, Workspace& workspace) const {
  if (!ignore_merges_) return -1;
  if (!workspace.pieces.is_bytes()) return vocabulary_->find(word);
  workspace.spelled.clear();
  for (const char byte : word) unicode::append(workspace.spelled, byte_level_character(static_cast<uint8_t>(byte)));
  return vocabulary_->find(workspace.spelled);
}

Model::Found BPE::word(std::string_view word, Workspace& workspace) const {
  std::vector<int32_t>& symbols = workspace.symbols;
  if (const int32_t id = whole(word, workspace); id >= 0) {
    symbols.assign(1, id);
    return {symbols.data(), 1};
  }
  start(word, workspace);
  const size_t n = symbols.size();
  if (n <= kShort) return {symbols.data(), merges_.apply(symbols.data(), n, workspace.ranks)};
  return {symbols.data(), merges_.apply(symbols.data(), nullptr, n, 0, workspace.random)};
}

void BPE::word_tokens(std::string_view word, Workspace& workspace) const {
  std::vector<ModelToken>& tokens = workspace.tokens;
  const int32_t id = is_random_ ? -1 : whole(word, workspace);
  if (id >= 0) {
    tokens.push_back({id, 0, static_cast<uint32_t>(word.size())});
    return;
  }
  start(word, workspace);
  std::vector<int32_t>& symbols = workspace.symbols;
  std::vector<uint32_t>& lengths = workspace.lengths;
  const size_t count = merges_.apply(symbols.data(), lengths.data(), symbols.size(), dropout_.value_or(0), workspace.random);
  uint32_t at = 0;
  for (size_t i = 0; i < count; i++) {
    tokens.push_back({symbols[i], at, at + lengths[i]});
    at += lengths[i];
  }
}

size_t BPE::width(int32_t id, bool, bool is_bytes) const {
  if (prefix_ || suffix_ || id == unk_id_) return 0;
  if (is_bytes) return byte_widths_[static_cast<size_t>(id)];
  const std::string_view token = vocabulary_->token(static_cast<uint32_t>(id));
  const bool is_byte = byte_fallback_ && token.size() == 6 && token.substr(0, 3) == "<0x" && token.back() == '>';
  return is_byte ? 1 : token.size();
}

bool BPE::write_tables(TableWriter& tables) const {
  vocabulary_->write(tables);
  merges_.write(tables);
  tables.array(byte_widths_);
  tables.array(pairs_);
  tables.array(before_blanks_);
  return true;
}

void BPE::write(json::Writer& writer) const {
  const auto optional = [&](const char* key, const std::optional<std::string>& text) {
    writer.key(key);
    text ? writer.string(*text) : writer.null();
  };
  writer.begin_object();
  writer.field("type", "BPE");
  writer.key("dropout");
  dropout_ ? writer.number(*dropout_) : writer.null();
  optional("unk_token", unk_token_);
  optional("continuing_subword_prefix", prefix_);
  optional("end_of_word_suffix", suffix_);
  writer.field("fuse_unk", fuse_unk_);
  writer.field("byte_fallback", byte_fallback_);
  writer.field("ignore_merges", ignore_merges_);
  writer.key("vocab");
  vocabulary_->write(writer);
  writer.key("merges").begin_array();
  const auto merges = writer.with_vocabulary() ? merges_.list() : std::vector<std::pair<uint32_t, uint32_t>>();
  for (const auto& [a, b] : merges) {
    writer.begin_array();
    writer.string(vocabulary_->token(a));
    writer.string(vocabulary_->token(b));
    writer.end_array();
  }
  writer.end_array();
  writer.end_object();
}

}  // namespace gt::tokenizer
