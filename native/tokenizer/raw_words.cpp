#include "tokenizer/raw_words.h"

#include <algorithm>

namespace gt::tokenizer {

namespace {

// A word behind any other, and how much of the other tells whether both stay apart: all of a character that is written in
// several code points.
constexpr std::string_view kNext = " a";
constexpr size_t kTail = 64;

std::string_view tail(std::string_view text) {
  size_t at = text.size() - std::min(text.size(), kTail);
  while (at < text.size() && unicode::is_continuation(static_cast<uint8_t>(text[at]))) at++;
  return text.substr(at);
}

}  // namespace

std::shared_ptr<const RawWords> RawWords::of(std::shared_ptr<const Normalizer> normalizer, std::shared_ptr<const PreTokenizer> pre_tokenizer,
                                             std::shared_ptr<const Model> model) {
  const bool has_kinds = pre_tokenizer && pre_tokenizer->kind('a') != Kind::unknown;
  const bool is_per_character = has_kinds && (!normalizer || normalizer->is_per_character());
  const bool are_pieces = pre_tokenizer && pre_tokenizer->cuts_before(' ');
  const bool keeps_words = !pre_tokenizer || pre_tokenizer->keeps_words();
  const bool is_by_parts = !normalizer || normalizer->by_parts() != ByParts::no;
  if (!is_per_character && !(is_by_parts && (are_pieces || (keeps_words && model->cuts())))) return nullptr;
  std::shared_ptr<RawWords> words(new RawWords(std::move(normalizer), std::move(pre_tokenizer), std::move(model)));
  words->have_blanks_ = !is_per_character;
  words->are_pieces_ = are_pieces;
  if (words->have_blanks_) words->study_blanks();
  return words;
}

std::string RawWords::normalized(std::string_view text, Pieces& scratch) const {
  scratch.reset(text, false, Start::inside);
  if (normalizer_) normalizer_->normalize(scratch);
  return std::string(scratch.list().empty() ? std::string_view() : scratch.text());
}

void RawWords::study_blanks() {
  Pieces pieces;
  keeps_ascii_ = !normalizer_ || normalizer_->keeps_ascii_words();
  next_ = normalized(kNext, pieces);
  spans_follow_ids_ = true;
  for (char c = 1; c < 0x7f; c++) spans_follow_ids_ = spans_follow_ids_ && unicode::count(normalized({&c, 1}, pieces)) <= 1;
  // Whether the blanks in front of an "a" come to one character more, which stands where the last of them does; so does one
  // that is put in front of a text.
  const auto comes_to_one = [&](std::string word, Start start) {
    pieces.reset(word += 'a', true, start);
    if (normalizer_) normalizer_->normalize(pieces);
    if (pre_tokenizer_) pre_tokenizer_->split(pieces);
    const bool is_one = pieces.list().size() == 1 && unicode::count(pieces.text()) == 2;
    return is_one && pieces.origin(0).end == std::max<size_t>(word.size() - 1, 1);
  };
  const auto adds_at_most_one = [&](Start start) {
    pieces.reset("a", false, start);
    if (normalizer_) normalizer_->normalize(pieces);
    if (pre_tokenizer_) pre_tokenizer_->split(pieces);
    return unicode::count(pieces.text()) <= 2;
  };
  spans_follow_ids_ = spans_follow_ids_ && comes_to_one(" ", Start::inside) && adds_at_most_one(Start::text) && adds_at_most_one(Start::part);
  joins_blanks_ = true;
  for (const char a : {' ', '\n', '\t'}) {
    for (const char b : {' ', '\n', '\t'}) joins_blanks_ = joins_blanks_ && comes_to_one({a, b}, Start::inside);
  }
}

bool RawWords::can_align(std::string_view text, Pieces& scratch) const {
  if (!have_blanks_ || is_blank(text[0]) || (text[0] > ' ' && text[0] < 0x7f)) return true;
  return !normalized(text.substr(0, unicode::length(static_cast<uint8_t>(text[0]))), scratch).empty();
}

bool RawWords::is_apart(std::string_view word, const Pieces& normalized, Pieces& scratch) const {
  const std::string_view text = normalized.list().empty() ? std::string_view() : normalized.text();
  if (text.empty()) return is_blank(word.back());
  if (are_pieces_ && normalized.start() == Start::inside) {
    size_t width;
    if (!pre_tokenizer_->cuts_before(unicode::decode(text.data(), width))) return false;
  }
  if (is_blank(word.back())) return true;  // nothing follows
  const auto is_kept = [](char c) { return (c > ' ' && c < 0x7f) || is_blank(c); };
  if (keeps_ascii_ && std::all_of(word.begin(), word.end(), is_kept)) return true;
  const std::string end(tail(word));
  return this->normalized(end + std::string(kNext), scratch) == this->normalized(end, scratch) + next_;
}

bool RawWords::is_kept(std::string_view word, const Pieces& pieces) const {
  if (are_pieces_ || pieces.list().empty()) return true;
  if (pieces.list().size() > 1) return false;
  return model_->stands_alone(pieces.text(pieces.list()[0]), pieces.start() == Start::inside, !is_blank(word.back()));
}

RawWords::~RawWords() {
  for (const auto& page : pages_) delete page.load(std::memory_order_relaxed);
}

const RawWords::Page& RawWords::fill(uint32_t number) const {
  auto made = std::make_unique<Page>();
  Pieces pieces;
  for (uint32_t i = 0; i < kPageSize; i++) {
    const char32_t c = number << kPageBits | i;
    const bool is_surrogate = c >= 0xd800 && c < 0xe000;
    (*made)[i] = is_surrogate ? static_cast<uint8_t>(kMixed) : kind_of(c, pieces);
  }
  const Page* before = nullptr;
  if (pages_[number].compare_exchange_strong(before, made.get(), std::memory_order_acq_rel)) return *made.release();
  return *before;  // another thread was faster
}

// What a character becomes: nothing, spaces, one kind of piece, or pieces with a border on both sides.
uint8_t RawWords::kind_of(char32_t c, Pieces& pieces) const {
  char bytes[4];
  pieces.reset({bytes, unicode::encode(c, bytes)}, false);
  if (normalizer_) normalizer_->normalize(pieces);
  const std::string_view text = pieces.text();
  if (pieces.list().empty() || text.empty()) return kRemoved;
  if (text.size() > kMostBytes * unicode::length(static_cast<uint8_t>(bytes[0]))) return kMixed;
  Kind first = Kind::unknown, last = Kind::unknown;
  bool is_uniform = true;
  for (size_t i = 0, width; i < text.size(); i += width) {
    last = pre_tokenizer_->kind(unicode::decode(text.data() + i, width));
    if (i == 0) first = last;
    is_uniform = is_uniform && last == first;
  }
  const auto is_border = [](Kind kind) { return kind == Kind::space || kind == Kind::alone; };
  if (is_uniform && first == Kind::space) return kSpace;
  if (is_border(first) && is_border(last)) return kAlone;
  if (!is_uniform) return kMixed;
  return first == Kind::word ? kWord : kOther;
}

}  // namespace gt::tokenizer
