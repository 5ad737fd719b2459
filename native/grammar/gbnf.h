// Grammars in llama.cpp's notation (GBNF): https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gt::grammar {

using Ranges = std::vector<std::pair<char32_t, char32_t>>;  // ascending, apart

struct Node {
  enum class Kind : uint8_t { literal, set, rule, token, sequence, alternation, repeat };

  Kind kind = Kind::sequence;
  uint32_t depth = 1;              // of the tree below
  std::vector<uint32_t> children;  // sequence, alternation, repeat
  std::u32string text;             // literal
  Ranges ranges;                   // set
  uint32_t rule = 0;               // rule
  int64_t token = -1;              // token: its id, or -1 and its text in `name`
  std::string name;
  uint32_t min = 0, max = 0;       // repeat; max kUnlimited

  static constexpr uint32_t kUnlimited = UINT32_MAX;
};

struct Syntax {
  struct Rule {
    std::string name;
    uint32_t body = UINT32_MAX;  // a node; UINT32_MAX: not defined
    size_t line = 0;             // of its first mention
  };

  std::vector<Node> nodes;
  std::vector<Rule> rules;
  uint32_t root = 0;
};

// Throws RangeError that names the line. `text` is UTF-8.
Syntax parse(std::string_view text);

}  // namespace gt::grammar
