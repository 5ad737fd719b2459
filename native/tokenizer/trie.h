// A set of byte strings, searched leftmost and longest first: a double array, in which the rest of a string that
// shares no more with others stands by itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tables.h"

namespace gt::tokenizer {

class Trie {
 public:
  struct Entry {
    std::string_view text;
    uint32_t value;
  };

  Trie() = default;
  // The first value stands if a string comes twice. The empty string is never found.
  // Throws Error{"tokenizer_invalid"} beyond 2^23 nodes.
  explicit Trie(const std::vector<Entry>& entries);

  // Of tables that hold values below `end_value`.
  Trie(TableReader& tables, size_t end_value);
  void write(TableWriter& tables) const;

  bool is_empty() const { return units_.empty(); }

  // Calls visit(end, value) for every string that starts at `from`, shortest first.
  template <class Visit>
  void prefixes(std::string_view text, size_t from, Visit&& visit) const {
    if (is_empty()) return;
    uint32_t base = 0;
    for (size_t i = from; i < text.size();) {
      const Unit& unit = units_[base ^ static_cast<uint8_t>(text[i])];
      if (!unit.is(text[i++])) return;
      base = unit.base();
      if (base == kTail) {
        const Tail& tail = tails_[unit.value];
        const std::string_view rest = std::string_view(tail_bytes_).substr(tail.begin, tail.size);
        if (text.substr(i, rest.size()) == rest) visit(i + rest.size(), tail.value);
        return;
      }
      if (unit.value != kNone) visit(i, unit.value);
      if (base == kNoChild) return;
    }
  }

 private:
  friend class TrieBuilder;
  static constexpr uint32_t kNone = UINT32_MAX;
  // Of a unit's base. The children of a node are at its base XOR their byte; 0 is the base of the root.
  static constexpr uint32_t kNoChild = 0, kTail = (1u << 23) - 1;

  struct Unit {
    uint32_t link = 0;       // base, whether it is used, byte
    uint32_t value = kNone;  // of the string that ends here; of a tail, its number

    bool is(char byte) const { return (link & 0x1ff) == (0x100u | static_cast<uint8_t>(byte)); }
    uint32_t base() const { return link >> 9; }
  };
  struct Tail {
    uint32_t begin, size, value;
  };

  std::vector<Unit> units_;
  std::vector<Tail> tails_;
  std::string tail_bytes_;
};

}  // namespace gt::tokenizer
