#include "tokenizer/encoding.h"

#include <algorithm>
#include <functional>

#include "errors.h"

namespace gt::tokenizer {

std::vector<int32_t> Encoding::sequence_ids() const {
  std::vector<int32_t> ids(size(), Token::kNone);
  for (size_t sequence = 0; sequence < n_sequences(); sequence++) {
    const auto found = sequences.find(sequence);
    const auto [begin, end] = found == sequences.end() ? std::make_pair(size_t{0}, size()) : found->second;
    std::fill(ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.begin() + static_cast<std::ptrdiff_t>(end), static_cast<int32_t>(sequence));
  }
  return ids;
}

std::string_view Encoding::token_text(const Token& token) const {
  if (token.text != Token::kNone) return texts_->tokens[static_cast<size_t>(token.text)];
  return texts_->vocabulary->has(token.id) ? texts_->vocabulary->token(static_cast<uint32_t>(token.id)) : std::string_view();
}

std::vector<int32_t> Encoding::offsets(OffsetUnit unit) const {
  std::vector<UnitCounter> counters;
  for (const std::string& source : texts_->sources) counters.emplace_back(source, unit);
  std::vector<int32_t> result(2 * size());
  int32_t* out = result.data();
  for (const Token& token : tokens) {
    for (const uint32_t byte : {token.span.begin, token.span.end}) {
      const bool has_source = token.source != Token::kNone;
      *out++ = has_source ? counters[static_cast<size_t>(token.source)].before(byte) : static_cast<int32_t>(byte);
    }
  }
  return result;
}

std::shared_ptr<Encoding> Encoding::part(size_t begin, size_t end) const {
  auto result = std::make_shared<Encoding>(texts_);
  result->tokens.assign(tokens.begin() + static_cast<std::ptrdiff_t>(begin), tokens.begin() + static_cast<std::ptrdiff_t>(end));
  return result;
}

void Encoding::truncate(size_t max_length, size_t stride, Direction direction) {
  const size_t n = size();
  if (max_length >= n) return;
  if (max_length == 0) {
    auto whole = std::make_shared<Encoding>(std::move(*this));
    texts_ = whole->texts_;
    tokens.clear();
    sequences.clear();
    overflowing = {std::move(whole)};
    return;
  }
  if (stride >= max_length) {
    throw RangeError("Expected a stride below the room for tokens, which is " + std::to_string(max_length) +
                     " (max_length less the special tokens), but received " + std::to_string(stride));
  }
  const size_t step = max_length - stride;
  std::vector<std::shared_ptr<Encoding>> parts;
  if (direction == Direction::right) {
    for (size_t begin = 0;; begin += step) {
      const size_t end = std::min(begin + max_length, n);
      parts.push_back(part(begin, end));
      if (end == n) break;
    }
  } else {
    for (size_t end = n;; end -= step) {
      const size_t begin = end > max_length ? end - max_length : 0;
      parts.push_back(part(begin, end));
      if (begin == 0 || end <= step) break;
    }
  }
  tokens = std::move(parts[0]->tokens);
  sequences.clear();
  overflowing.assign(parts.begin() + 1, parts.end());
}

void Encoding::pad(size_t length, int32_t id, int32_t type_id, const std::string& token, Direction direction) {
  for (const auto& other : overflowing) other->pad(length, id, type_id, token, direction);
  if (size() >= length) return;
  Token padding;
  padding.id = id;
  padding.type_id = type_id;
  padding.text = texts_->add_token(token);
  padding.is_special = true;
  padding.is_attended = false;
  const size_t n = length - size();
  tokens.insert(direction == Direction::left ? tokens.begin() : tokens.end(), n, padding);
  if (direction == Direction::right) return;
  for (auto& [sequence, range] : sequences) range = {range.first + n, range.second + n};
}

// What the offsets count until the end of the last token.
std::string Encoding::text_until_end() const {
  if (tokens.empty() || tokens.back().source == Token::kNone) return {};
  return texts_->sources[static_cast<size_t>(tokens.back().source)].substr(0, tokens.back().span.end);
}

void Encoding::append(const Encoding& other, bool growing_offsets) {
  std::vector<std::shared_ptr<Encoding>> combined;
  const auto join = [&](const Encoding& a, const Encoding& b) {
    auto both = std::make_shared<Encoding>(a);
    both->overflowing.clear();
    Encoding second(b);
    second.overflowing.clear();
    both->append(second, growing_offsets);
    combined.push_back(std::move(both));
  };
  for (const auto& mine : overflowing) {
    join(*mine, other);
    for (const auto& theirs : other.overflowing) join(*mine, *theirs);
  }
  for (const auto& theirs : other.overflowing) join(*this, *theirs);
  const size_t n = size();
  for (const auto& [sequence, range] : other.sequences) sequences[sequence] = {n + range.first, n + range.second};
  // Rust adds to the numbers; here they stay bytes of a text, which gets the text before it in front.
  const std::string before = growing_offsets ? text_until_end() : std::string();
  tokens.insert(tokens.end(), other.tokens.begin(), other.tokens.end());
  overflowing = std::move(combined);
  if (before.empty()) return;
  std::map<int32_t, int32_t> longer;
  for (size_t i = n; i < size(); i++) {
    Token& token = tokens[i];
    const auto [found, is_new] = longer.try_emplace(token.source, static_cast<int32_t>(texts_->sources.size()));
    if (is_new) texts_->sources.push_back(token.source == Token::kNone ? before : before + texts_->sources[static_cast<size_t>(token.source)]);
    token.source = found->second;
    const auto shift = static_cast<uint32_t>(before.size());
    token.span = {token.span.begin + shift, token.span.end + shift};
  }
}

std::vector<Encoding> gather(const std::vector<const Encoding*>& encodings, std::shared_ptr<const Vocabulary> vocabulary) {
  const auto texts = std::make_shared<Texts>();
  texts->vocabulary = std::move(vocabulary);
  std::map<const Texts*, int32_t> first_source;
  const std::function<Encoding(const Encoding&)> copy = [&](const Encoding& encoding) {
    const auto [first, is_new] = first_source.try_emplace(&encoding.texts(), static_cast<int32_t>(texts->sources.size()));
    if (is_new) texts->sources.insert(texts->sources.end(), encoding.texts().sources.begin(), encoding.texts().sources.end());
    Encoding result(texts);
    result.sequences = encoding.sequences;
    result.tokens = encoding.tokens;
    for (Token& token : result.tokens) {
      token.text = texts->add_token(std::string(encoding.token_text(token)));
      if (token.source != Token::kNone) token.source += first->second;
    }
    for (const auto& other : encoding.overflowing) result.overflowing.push_back(std::make_shared<Encoding>(copy(*other)));
    return result;
  };
  std::vector<Encoding> result;
  for (const Encoding* encoding : encodings) result.push_back(copy(*encoding));
  return result;
}

Encoding merge(const std::vector<const Encoding*>& encodings, bool growing_offsets) {
  const std::vector<Encoding> parts = gather(encodings, std::make_shared<Vocabulary>());
  Encoding result = parts.empty() ? Encoding(std::make_shared<Texts>()) : Encoding(parts[0].shared_texts());
  for (const Encoding& part : parts) result.append(part, growing_offsets);
  return result;
}

void truncate(Encoding& first, Encoding* second, const Truncation& truncation) {
  const size_t max = truncation.max_length;
  const auto shorten = [&](Encoding& encoding, size_t length) { encoding.truncate(length, truncation.stride, truncation.direction); };
  if (max == 0) {
    shorten(first, 0);
    if (second) shorten(*second, 0);
    return;
  }
  const size_t total = first.size() + (second ? second->size() : 0);
  if (total <= max) return;
  const size_t excess = total - max;
  if (truncation.strategy == Truncation::Strategy::longest_first) {
    if (!second) return shorten(first, max);
    // The shorter one stays whole if it leaves the longer one at least as much; else they halve the room.
    const bool swap = first.size() > second->size();
    size_t n1 = std::min(first.size(), second->size()), n2;
    n2 = n1 > max ? n1 : std::max(n1, max - n1);
    if (n1 + n2 > max) {
      n1 = max / 2;
      n2 = n1 + max % 2;
    }
    if (swap) std::swap(n1, n2);
    shorten(first, n1);
    shorten(*second, n2);
    return;
  }
  const bool is_first = truncation.strategy == Truncation::Strategy::only_first;
  Encoding* target = is_first ? &first : second;
  if (!target) throw Error("truncation", "Truncation error: Second sequence not provided");
  if (target->size() <= excess) {
    throw Error("truncation", "Truncation error: Sequence to truncate too short to respect the provided max_length");
  }
  shorten(*target, target->size() - excess);
}

}  // namespace gt::tokenizer
