// The split patterns of the known byte-level tokenizers, written by hand: 10 to 50 times a regex engine's speed.
#pragma once

#include <optional>
#include <string_view>

#include "tokenizer/pieces.h"

namespace gt::tokenizer {

// A known pattern. Each of them matches all of any text, one piece after another.
class Scanner {
 public:
  // The scanner of a regular expression, if it is one of the known ones.
  static std::optional<Scanner> of(std::string_view regex);
  static Scanner gpt2() { return Scanner(Family::gpt2); }

  // Appends the pieces of `text` to `out`.
  void scan(std::string_view text, std::vector<Span>& out) const;

 private:
  enum class Family : uint8_t { gpt2, cl100k, o200k };

  explicit Scanner(Family family) : family_(family) {}

  Family family_;
  bool marks_ = false;          // \p{M} counts as a letter (Qwen3.5)
  bool contractions_ = false;   // o200k: a word takes its 's
  uint32_t digits_ = 3;         // the longest number
};

}  // namespace gt::tokenizer
