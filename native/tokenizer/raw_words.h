// Words found in a text as it is. Where a normalizer changes each character by itself and a pre-tokenizer cuts at kinds of
// characters, the ids of a word follow from its own bytes: only words that are new need to be normalised.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string_view>

#include "tokenizer/normalizer.h"
#include "tokenizer/pre_tokenizer.h"
#include "unicode/utf8.h"

namespace gt::tokenizer {

class RawWords {
 public:
  // Null where words cannot be told apart before they are normalised. `normalizer` may be null.
  static std::shared_ptr<const RawWords> of(std::shared_ptr<const Normalizer> normalizer, std::shared_ptr<const PreTokenizer> pre_tokenizer);

  // A word has at most this many times its bytes when it is normalised.
  static constexpr size_t kMostBytes = 4;

  ~RawWords();
  RawWords(const RawWords&) = delete;
  RawWords& operator=(const RawWords&) = delete;

  // Calls emit(begin, end) for each word. False if the text has a character that is neither inside nor outside of a word.
  template <class Emit>
  bool scan(std::string_view text, Emit&& emit) const {
    const char *p = text.data(), *end = p + text.size();
    const Page& ascii = page(0);
    size_t width;
    const auto kind_at = [&](const char* at) -> uint8_t {
      const auto byte = static_cast<uint8_t>(*at);
      if (byte < 0x80) return width = 1, ascii[byte];
      const char32_t c = unicode::decode(at, width);
      return page(c >> kPageBits)[c & (kPageSize - 1)];
    };
    while (p < end) {
      const uint8_t kind = kind_at(p);
      if (kind == kMixed) return false;
      const char* begin = p;
      p += width;
      if (kind <= kSpace) continue;
      if (kind != kAlone) {
        for (; p < end; p += width) {
          const uint8_t next = kind_at(p);
          if (next != kind && next != kRemoved) break;
        }
      }
      emit(static_cast<size_t>(begin - text.data()), static_cast<size_t>(p - text.data()));
    }
    return true;
  }

 private:
  enum : uint8_t { kRemoved, kSpace, kAlone, kWord, kOther, kMixed };
  static constexpr uint32_t kPageBits = 8, kPageSize = 1 << kPageBits;
  using Page = std::array<uint8_t, kPageSize>;

  RawWords(std::shared_ptr<const Normalizer> normalizer, std::shared_ptr<const PreTokenizer> pre_tokenizer)
      : normalizer_(std::move(normalizer)), pre_tokenizer_(std::move(pre_tokenizer)) {}

  const Page& page(uint32_t number) const {
    const Page* known = pages_[number].load(std::memory_order_acquire);
    return known ? *known : fill(number);
  }
  const Page& fill(uint32_t number) const;
  uint8_t kind_of(char32_t c, Pieces& pieces) const;

  std::shared_ptr<const Normalizer> normalizer_;
  std::shared_ptr<const PreTokenizer> pre_tokenizer_;
  // Filled when a text first needs them; threads share them.
  mutable std::array<std::atomic<const Page*>, (0x110000 >> kPageBits)> pages_{};
};

}  // namespace gt::tokenizer
