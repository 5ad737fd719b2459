#include "tokenizer/pieces.h"

#include <algorithm>

#include "tokenizer/byte_level.h"

namespace gt::tokenizer {

void Pieces::reset(std::string_view original, bool aligned, Start start) {
  original_ = text_ = original;
  start_ = start;
  aligned_ = aligned;
  changed_ = bytes_ = false;
  is_ascii_ = aligned && unicode::is_ascii(original);
  pieces_.clear();
  if (!original.empty()) pieces_.push_back({0, static_cast<uint32_t>(original.size()), 0, -1});
}

Span Pieces::origin(uint32_t byte) const {
  if (changed_) return alignment_[byte];
  uint32_t begin = byte;
  while (unicode::is_continuation(static_cast<uint8_t>(text_[begin]))) begin--;
  return {begin, begin + static_cast<uint32_t>(unicode::length(static_cast<uint8_t>(text_[begin])))};
}

void Pieces::Rewriter::copy(size_t n) {
  Pieces& p = pieces_;
  p.next_buffer_.append(p.text_.substr(position_, n));
  const uint32_t stop = position_ + static_cast<uint32_t>(n);
  if (p.is_aligned()) {
    p.next_alignment_.insert(p.next_alignment_.end(), p.alignment_.begin() + position_, p.alignment_.begin() + stop);
  } else if (p.aligned_) {
    const size_t before = p.next_alignment_.size();
    p.next_alignment_.resize(before + n);
    Span* out = p.next_alignment_.data() + before;
    for (uint32_t i = position_; i < stop;) {
      const auto width = static_cast<uint32_t>(unicode::length(static_cast<uint8_t>(p.text_[i])));
      out = std::fill_n(out, width, Span{i, i + width});
      i += width;
    }
  }
  position_ = stop;
}

void Pieces::spell_bytes() {
  if (!bytes_) return;
  bytes_ = false;
  rewrite([](std::string_view) { return true; },
          [](std::string_view text, Rewriter& out) {
            for (size_t i = 0; i < text.size(); i++) {
              const auto byte = static_cast<uint8_t>(text[i]);
              out.put(byte_level_character(byte), unicode::is_continuation(byte) ? 1 : 0);
            }
          });
}

}  // namespace gt::tokenizer
