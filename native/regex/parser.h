// The syntax tree of a regular expression in Oniguruma's dialect: https://github.com/kkos/oniguruma/blob/master/doc/RE
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "regex/char_set.h"

namespace gt::regex {

// What is wrong with a pattern.
struct SyntaxError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Outside classes \w also has the superscripts and fractions of Latin 1, by a table of Oniguruma.
constexpr char32_t kLatin1WordNumbers[] = {0xb2, 0xb3, 0xb9, 0xbc, 0xbd, 0xbe};

struct Node {
  enum class Kind : uint8_t {
    empty, set, concatenation, alternation, repeat, group, atomic, look, back_reference,
    line_begin, line_end, text_begin, text_end, text_end_newline, word_boundary, no_word_boundary, search_begin, keep
  };

  Kind kind = Kind::empty;
  std::vector<std::unique_ptr<Node>> children;
  CharSet set;                         // set
  uint32_t min = 0, max = 0;           // repeat; max kUnlimited
  bool lazy = false;                   // repeat
  bool behind = false, negative = false;  // look
  int number = 0;                      // group (0: not captured), back_reference
  bool ignores_case = false;           // back_reference

  static constexpr uint32_t kUnlimited = UINT32_MAX;
};

struct Tree {
  std::unique_ptr<Node> root;
  int groups = 0;          // captured ones
  bool has_references = false;
};

// Throws SyntaxError.
Tree parse(std::string_view pattern);

}  // namespace gt::regex
