// A set of byte strings, searched leftmost and longest first.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace gt::tokenizer {

class Trie {
 public:
  Trie() { root_.fill(0); }

  // The first value stands if a string comes twice. The empty string is never found.
  void insert(std::string_view text, uint32_t value) {
    if (text.empty()) return;
    uint32_t node = 0;
    for (const char c : text) node = child_or_new(node, static_cast<uint8_t>(c));
    if (nodes_[node].value == kNone) nodes_[node].value = value;
  }

  bool is_empty() const { return nodes_.size() == 1; }

  // Finds the next string in `text` from `from` on; of those that start there, the longest.
  bool find(std::string_view text, size_t from, size_t& begin, size_t& end, uint32_t& value) const {
    for (size_t i = from; i < text.size(); i++) {
      if (root_[static_cast<uint8_t>(text[i])] == 0) continue;
      end = longest(text, i, value);
      if (end == 0) continue;
      begin = i;
      return true;
    }
    return false;
  }

  // Calls visit(end, value) for every string that starts at `from`, shortest first.
  template <class Visit>
  void prefixes(std::string_view text, size_t from, Visit&& visit) const {
    uint32_t node = 0;
    for (size_t i = from; i < text.size(); i++) {
      node = child(node, static_cast<uint8_t>(text[i]));
      if (node == 0) return;
      if (nodes_[node].value != kNone) visit(i + 1, nodes_[node].value);
    }
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  struct Node {
    uint32_t value = kNone;
    std::vector<std::pair<uint8_t, uint32_t>> children;
  };

  size_t longest(std::string_view text, size_t from, uint32_t& value) const {
    size_t end = 0;
    prefixes(text, from, [&](size_t stop, uint32_t found) { end = stop, value = found; });
    return end;
  }

  // 0, the root, if there is none.
  uint32_t child(uint32_t node, uint8_t byte) const {
    if (node == 0) return root_[byte];
    for (const auto& [key, next] : nodes_[node].children) {
      if (key == byte) return next;
    }
    return 0;
  }

  uint32_t child_or_new(uint32_t node, uint8_t byte) {
    if (const uint32_t next = child(node, byte)) return next;
    const auto next = static_cast<uint32_t>(nodes_.size());
    nodes_.emplace_back();
    if (node == 0) root_[byte] = next;
    else nodes_[node].children.emplace_back(byte, next);
    return next;
  }

  std::vector<Node> nodes_{1};
  std::array<uint32_t, 256> root_;
};

}  // namespace gt::tokenizer
