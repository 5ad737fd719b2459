#include "tokenizer/raw_words.h"

namespace gt::tokenizer {

std::shared_ptr<const RawWords> RawWords::of(std::shared_ptr<const Normalizer> normalizer,
                                             std::shared_ptr<const PreTokenizer> pre_tokenizer) {
  const bool fits = (!normalizer || normalizer->is_per_character()) && pre_tokenizer && pre_tokenizer->kind('a') != Kind::unknown;
  return fits ? std::shared_ptr<const RawWords>(new RawWords(std::move(normalizer), std::move(pre_tokenizer))) : nullptr;
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
