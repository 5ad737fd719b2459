// Patterns of which one is empty, as the Rust crate aho-corasick finds them leftmost and longest: what it finds beside the
// empty one follows its failure links, and passes over places.
// https://github.com/BurntSushi/aho-corasick/blob/1.1.3/src/nfa/noncontiguous.rs (fill_failure_transitions)
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace gt::tokenizer {

class EmptyPatternAutomaton {
 public:
  EmptyPatternAutomaton() = default;
  // The first of those that are the same is found. One of them is empty.
  explicit EmptyPatternAutomaton(const std::vector<std::string_view>& patterns);

  // The next match in `text` from `from` on: none that is empty at `last_end`, where the match before ended.
  bool find(std::string_view text, size_t from, size_t last_end, size_t& begin, size_t& end, uint32_t& pattern) const;

 private:
  struct State {
    std::map<uint8_t, uint32_t> next;
    std::optional<uint32_t> fail;     // none: nothing more can be found
    std::optional<uint32_t> pattern;  // that ends here
    size_t length = 0;                // of the pattern
  };

  void link();
  std::optional<uint32_t> follow(std::optional<uint32_t> state, uint8_t byte) const;

  std::vector<State> states_;  // the first is the root
};

}  // namespace gt::tokenizer
