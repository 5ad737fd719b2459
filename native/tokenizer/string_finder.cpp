#include "tokenizer/string_finder.h"

#include <algorithm>
#include <cstring>

namespace gt::tokenizer {

StringFinder::StringFinder(const std::vector<std::string_view>& strings) : states_(1) {
  std::vector<std::vector<std::pair<uint8_t, uint32_t>>> edges(1);
  for (uint32_t number = 0; number < strings.size(); number++) {
    uint32_t state = 0;
    for (const char c : strings[number]) {
      const auto byte = static_cast<uint8_t>(c);
      const auto found = std::find_if(edges[state].begin(), edges[state].end(), [&](const auto& edge) { return edge.first == byte; });
      if (found != edges[state].end()) {
        state = found->second;
        continue;
      }
      const auto added = static_cast<uint32_t>(states_.size());
      edges[state].emplace_back(byte, added);
      edges.emplace_back();
      states_.emplace_back();
      state = added;
    }
    if (state == 0 || states_[state].string != kNone) continue;
    states_[state].string = number;
    states_[state].length = static_cast<uint32_t>(strings[number].size());
  }
  for (size_t state = 0; state < states_.size(); state++) {
    states_[state].edges = static_cast<uint32_t>(bytes_.size());
    states_[state].edge_count = static_cast<uint32_t>(edges[state].size());
    for (const auto& [byte, target] : edges[state]) {
      bytes_.push_back(byte);
      targets_.push_back(target);
      if (state == 0) first_[byte] = target;
    }
  }
  if (states_[0].edge_count == 1) only_first_ = bytes_[0];
  link();
}

// Breadth first.
void StringFinder::link() {
  std::vector<uint32_t> queue;
  for (uint32_t i = 0; i < states_[0].edge_count; i++) {
    State& state = states_[targets_[i]];
    if (state.string == kNone) state.fail = 0;
    queue.push_back(targets_[i]);
  }
  for (size_t head = 0; head < queue.size(); head++) {
    const State& parent = states_[queue[head]];
    for (uint32_t i = parent.edges; i < parent.edges + parent.edge_count; i++) {
      State& state = states_[targets_[i]];
      queue.push_back(targets_[i]);
      if (state.string != kNone) continue;
      uint32_t fail = parent.fail, target = kNone;
      for (; fail != kNone; fail = states_[fail].fail) {
        target = fail == 0 ? first_[bytes_[i]] : next(fail, bytes_[i]);
        if (target != kNone) break;
      }
      if (fail == kNone) continue;
      state.fail = target;
      state.string = states_[target].string;
      state.length = states_[target].length;
    }
  }
}

bool StringFinder::find(std::string_view text, size_t from, size_t& begin, size_t& end, uint32_t& number) const {
  if (is_empty()) return false;
  bool found = false;
  uint32_t state = 0;
  for (size_t i = from; i < text.size();) {
    if (state == 0) {
      if (only_first_ >= 0) {
        const void* at = std::memchr(text.data() + i, only_first_, text.size() - i);
        if (!at) return false;
        i = static_cast<size_t>(static_cast<const char*>(at) - text.data());
      }
      state = first_[static_cast<uint8_t>(text[i++])];
      if (state == 0) continue;
    } else {
      const uint32_t target = next(state, static_cast<uint8_t>(text[i]));
      if (target == kNone) {
        state = states_[state].fail;
        if (state == kNone) return found;
        continue;
      }
      state = target;
      i++;
    }
    const State& now = states_[state];
    if (now.string == kNone) continue;
    found = true;
    number = now.string;
    end = i;
    begin = end - now.length;
  }
  return found;
}

}  // namespace gt::tokenizer
