// The split patterns of the known byte-level tokenizers, written by hand: 10 to 50 times a regex engine's speed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gt::tokenizer {

// A known pattern. Each of them matches all of any text, one piece after another.
class Scanner {
 public:
  // The scanner of a regular expression, if it is one of the known ones.
  static std::optional<Scanner> of(std::string_view regex);
  static Scanner gpt2() { return Scanner(Family::gpt2); }

  // Calls emit(end) for each piece of `text`; the next one starts there.
  template <class Emit>
  void scan(std::string_view text, Emit&& emit) const {
    uint32_t ends[kChunk];
    for (size_t from = 0; from < text.size();) {
      const size_t count = scan(text, from, ends);
      for (size_t i = 0; i < count; i++) emit(ends[i]);
      from = ends[count - 1];
    }
  }

 private:
  enum class Family : uint8_t { gpt2, cl100k, o200k };

  static constexpr size_t kChunk = 64;

  explicit Scanner(Family family) : family_(family) {}

  // The ends of the next pieces, at most kChunk, from `from` on.
  size_t scan(std::string_view text, size_t from, uint32_t* ends) const;

  Family family_;
  bool marks_ = false;          // \p{M} counts as a letter (Qwen3.5)
  bool contractions_ = false;   // o200k: a word takes its 's
  uint32_t digits_ = 3;         // the longest number
};

}  // namespace gt::tokenizer
