#include "tokenizer/empty_pattern.h"

#include <queue>

#include "unicode/utf8.h"

namespace gt::tokenizer {

EmptyPatternAutomaton::EmptyPatternAutomaton(const std::vector<std::string_view>& patterns) : states_(1) {
  for (uint32_t i = 0; i < patterns.size(); i++) {
    uint32_t state = 0;
    for (const char c : patterns[i]) {
      const auto [found, is_new] = states_[state].next.emplace(static_cast<uint8_t>(c), static_cast<uint32_t>(states_.size()));
      state = found->second;
      if (is_new) states_.emplace_back();
    }
    if (states_[state].pattern) continue;
    states_[state].pattern = i;
    states_[state].length = patterns[i].size();
  }
  link();
}

// Breadth first; the root stands for all bytes that it has no state for.
void EmptyPatternAutomaton::link() {
  std::queue<uint32_t> queue;
  for (const auto& [byte, state] : states_[0].next) {
    if (!states_[state].pattern) states_[state].fail = 0;
    queue.push(state);
  }
  for (; !queue.empty(); queue.pop()) {
    const uint32_t parent = queue.front();
    for (const auto& [byte, state] : states_[parent].next) {
      queue.push(state);
      if (states_[state].pattern) continue;
      std::optional<uint32_t> fail = states_[parent].fail;
      while (fail && *fail != 0 && !states_[*fail].next.count(byte)) fail = states_[*fail].fail;
      if (!fail) continue;
      const auto found = states_[*fail].next.find(byte);
      const State& target = states_[found == states_[*fail].next.end() ? 0 : found->second];
      states_[state].fail = static_cast<uint32_t>(&target - states_.data());
      states_[state].pattern = target.pattern;
      states_[state].length = target.length;
    }
  }
}

std::optional<uint32_t> EmptyPatternAutomaton::follow(std::optional<uint32_t> state, uint8_t byte) const {
  for (; state; state = states_[*state].fail) {
    const auto found = states_[*state].next.find(byte);
    if (found != states_[*state].next.end()) return found->second;
  }
  return std::nullopt;
}

bool EmptyPatternAutomaton::find(std::string_view text, size_t from, size_t last_end, size_t& begin, size_t& end,
                                 uint32_t& pattern) const {
  for (; from <= text.size(); from++) {
    begin = end = from;
    pattern = *states_[0].pattern;
    std::optional<uint32_t> state = 0;
    for (size_t at = from; at < text.size(); at++) {
      state = follow(state, static_cast<uint8_t>(text[at]));
      if (!state) break;
      if (!states_[*state].pattern) continue;
      pattern = *states_[*state].pattern;
      end = at + 1;
      begin = end - states_[*state].length;
    }
    // Rust panics where it finds nothing within a character.
    const bool is_whole = begin == text.size() || !unicode::is_continuation(static_cast<uint8_t>(text[begin]));
    if ((begin < end || end != last_end) && is_whole) return true;
  }
  return false;
}

}  // namespace gt::tokenizer
