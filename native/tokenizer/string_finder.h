// Finds the strings of a set in a text: leftmost, of those longest, in one pass, whatever they have in common (Aho-Corasick).
// Rust: https://github.com/BurntSushi/aho-corasick/blob/1.1.3/src/nfa/noncontiguous.rs (MatchKind::LeftmostLongest)
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace gt::tokenizer {

class StringFinder {
 public:
  StringFinder() = default;
  // Of equal strings the first is found; empty ones are not.
  explicit StringFinder(const std::vector<std::string_view>& strings);

  bool is_empty() const { return states_.size() <= 1; }
  // The next string in `text` from `from` on, by its number.
  bool find(std::string_view text, size_t from, size_t& begin, size_t& end, uint32_t& number) const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  // What was read last, as far as a string begins with it.
  struct State {
    uint32_t edges = 0, edge_count = 0;
    uint32_t fail = kNone;  // the longest end of it that a string begins with; none if that can only find what stands later
    uint32_t string = kNone, length = 0;  // that ends here
  };

  void link();
  uint32_t next(uint32_t state, uint8_t byte) const {
    const State& from = states_[state];
    for (uint32_t i = from.edges; i < from.edges + from.edge_count; i++) {
      if (bytes_[i] == byte) return targets_[i];
    }
    return kNone;
  }

  std::vector<State> states_;  // the first is the root
  std::vector<uint8_t> bytes_;  // of the edges
  std::vector<uint32_t> targets_;
  std::array<uint32_t, 256> first_{};  // the root's, 0 where there is none
  int only_first_ = -1;                // the byte that all strings begin with, if they do
};

}  // namespace gt::tokenizer
