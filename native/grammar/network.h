// A grammar as a recursive transition network over bytes: nodes with edges that read a byte, read nothing, or go
// through another rule and come back.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "grammar/gbnf.h"

namespace gt::grammar {

struct Edge {
  enum class Kind : uint8_t { bytes, token, empty, call };
  Kind kind;
  uint8_t low = 0, high = 0;  // bytes
  uint32_t target = 0;        // for call: where to go on after the rule
  uint32_t value = 0;         // call: the rule; token: its place in Network::tokens
};

struct Network {
  struct Place {
    uint32_t first = 0, count = 0;  // of edges
    bool reads = false;             // an edge reads a byte or a token
    bool is_end = false;            // the end of its rule
  };
  struct Rule {
    uint32_t start = 0;
    uint32_t rank = 0;       // above that of all rules that can begin with it
    bool can_be_empty = false;
  };

  std::vector<Place> places;  // place 0: behind the root rule
  std::vector<Edge> edges;
  std::vector<Rule> rules;
  uint32_t root = 0;
  std::vector<int32_t> tokens;  // ids that the grammar names

  // Bytes that no edge tells apart are one class; behind them one class for each token.
  std::array<uint8_t, 256> class_of{};
  std::vector<uint8_t> representative;  // a byte of each class
  size_t classes() const { return representative.size() + tokens.size(); }
};

// The id of a token by its text; -1: there is none.
using TokenLookup = std::function<int32_t(std::string_view)>;

// Throws RangeError for grammars that are too large, left-recursive, or match no finite text.
Network build(const Syntax& syntax, const TokenLookup& find_token);

}  // namespace gt::grammar
