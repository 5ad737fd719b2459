// Words found in a text as it is: only those that are new need to be normalised and split. There are two ways.
// Where a normalizer changes each character by itself and a pre-tokenizer cuts at kinds of characters, the ids of a word follow
// from its own bytes. Where nothing depends on what stands before a blank (SentencePiece), a word takes the blanks in front of it.
#pragma once

#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <string_view>

#include "tokenizer/model.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/pre_tokenizer.h"
#include "unicode/utf8.h"

namespace gt::tokenizer {

class RawWords {
 public:
  // Null where words cannot be told apart before they are normalised. `normalizer` and `pre_tokenizer` may be null.
  static std::shared_ptr<const RawWords> of(std::shared_ptr<const Normalizer> normalizer, std::shared_ptr<const PreTokenizer> pre_tokenizer,
                                            std::shared_ptr<const Model> model);

  // A word of which more than this many times its bytes is left when it is normalised is none.
  static constexpr size_t kMostBytes = 4;

  ~RawWords();
  RawWords(const RawWords&) = delete;
  RawWords& operator=(const RawWords&) = delete;

  // True if words take the blanks in front of them: then the first of a text is not as the others.
  bool have_blanks() const { return have_blanks_; }

  // Calls emit(begin, end) for each word, until it is false. False then, and if the text has a character that is neither
  // inside nor outside of a word.
  template <class Emit>
  bool scan(std::string_view text, Emit&& emit) const {
    return have_blanks_ ? scan_blanks(text, emit) : scan_kinds(text, emit);
  }

  // Where words have blanks: whether the ids of one are the same wherever it stands, by what the normalizer made of it, and
  // then the pre-tokenizer; `scratch` may be used.
  bool is_apart(std::string_view word, const Pieces& normalized, Pieces& scratch) const;
  bool is_kept(std::string_view word, const Pieces& pieces) const;
  // Whether a text's words have the offsets that they have in it; and whether the ids of one in ASCII tell them.
  bool can_align(std::string_view text, Pieces& scratch) const;
  bool spans_follow_ids() const { return spans_follow_ids_; }
  // Whether of several blanks, none of them '\r', one is left.
  bool joins_blanks() const { return joins_blanks_; }

 private:
  enum : uint8_t { kRemoved, kSpace, kAlone, kWord, kOther, kMixed };
  static constexpr uint32_t kPageBits = 8, kPageSize = 1 << kPageBits;
  using Page = std::array<uint8_t, kPageSize>;

  RawWords(std::shared_ptr<const Normalizer> normalizer, std::shared_ptr<const PreTokenizer> pre_tokenizer, std::shared_ptr<const Model> model)
      : normalizer_(std::move(normalizer)), pre_tokenizer_(std::move(pre_tokenizer)), model_(std::move(model)) {}

  template <class Emit>
  bool scan_kinds(std::string_view text, Emit&& emit) const {
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
      if (!emit(static_cast<size_t>(begin - text.data()), static_cast<size_t>(p - text.data()))) return false;
    }
    return true;
  }

  template <class Emit>
  bool scan_blanks(std::string_view text, Emit&& emit) const {
    const char *p = text.data(), *end = p + text.size();
    while (p < end) {
      const char* begin = p;
      while (p < end && is_blank(*p)) p++;
      p = next_blank(p, end);
      if (!emit(static_cast<size_t>(begin - text.data()), static_cast<size_t>(p - text.data()))) return false;
    }
    return true;
  }

  static const char* next_blank(const char* p, const char* end) {
    constexpr uint64_t kEach = 0x0101010101010101ull, kHigh = 0x80 * kEach;
    while (end - p >= 8) {
      uint64_t bytes;
      std::memcpy(&bytes, p, 8);
      const uint64_t low = (bytes - 0x21 * kEach) & ~bytes & kHigh;  // the first of these bytes is below '!'
      if (low == 0) {
        p += 8;
        continue;
      }
      p += unicode::trailing_zeros(low) / 8;
      if (is_blank(*p)) return p;
      p++;
    }
    while (p < end && !is_blank(*p)) p++;
    return p;
  }

  const Page& page(uint32_t number) const {
    const Page* known = pages_[number].load(std::memory_order_acquire);
    return known ? *known : fill(number);
  }
  const Page& fill(uint32_t number) const;
  uint8_t kind_of(char32_t c, Pieces& pieces) const;
  std::string normalized(std::string_view text, Pieces& scratch) const;
  void study_blanks();

  std::shared_ptr<const Normalizer> normalizer_;
  std::shared_ptr<const PreTokenizer> pre_tokenizer_;
  std::shared_ptr<const Model> model_;
  bool have_blanks_ = false;
  bool spans_follow_ids_ = false, joins_blanks_ = false;
  bool keeps_ascii_ = false;  // of words of printable ASCII the normalizer changes the blanks alone
  bool are_pieces_ = false;  // the pre-tokenizer cuts before the blanks, so that the model need not
  std::string next_;         // what the normalizer makes of kNext
  // Filled when a text first needs them; threads share them.
  mutable std::array<std::atomic<const Page*>, (0x110000 >> kPageBits)> pages_{};
};

}  // namespace gt::tokenizer
