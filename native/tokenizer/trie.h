// A set of byte strings, searched leftmost and longest first.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "errors.h"

namespace gt::tokenizer {

class Trie {
 public:
  Trie() { root_.fill(0); }

  // The first value stands if a string comes twice. The empty string is never found.
  // Throws Error{"tokenizer_invalid"} beyond 2^24 nodes.
  void insert(std::string_view text, uint32_t value) {
    if (text.empty()) return;
    uint32_t node = 0;
    for (const char c : text) node = child_or_new(node, static_cast<uint8_t>(c));
    if (values_[node] == kNone) values_[node] = value;
  }

  // Makes room for about this many nodes.
  void reserve(size_t nodes) {
    values_.reserve(nodes);
    while (nodes * 2 > edges_.size()) grow();
  }

  bool is_empty() const { return values_.size() == 1; }

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
      if (values_[node] != kNone) visit(i + 1, values_[node]);
    }
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;

  // From a node by a byte to the next; none has `next` 0.
  struct Edge {
    uint32_t key, next;
  };
  static uint32_t key_of(uint32_t node, uint8_t byte) { return node << 8 | byte; }

  size_t longest(std::string_view text, size_t from, uint32_t& value) const {
    size_t end = 0;
    prefixes(text, from, [&](size_t stop, uint32_t found) { end = stop, value = found; });
    return end;
  }

  // 0, the root, if there is none.
  uint32_t child(uint32_t node, uint8_t byte) const {
    return node == 0 ? root_[byte] : edges_[place_of(key_of(node, byte))].next;
  }

  uint32_t child_or_new(uint32_t node, uint8_t byte) {
    if (const uint32_t next = child(node, byte)) return next;
    if (values_.size() == 1u << 24) throw Error("tokenizer_invalid", "The vocabulary is too large");
    const auto next = static_cast<uint32_t>(values_.size());
    values_.push_back(kNone);
    if (values_.size() * 2 > edges_.size()) grow();
    if (node == 0) root_[byte] = next;
    else edges_[place_of(key_of(node, byte))] = {key_of(node, byte), next};
    return next;
  }

  // Where the edge is, or where it would be put.
  size_t place_of(uint32_t key) const {
    const size_t mask = edges_.size() - 1;
    size_t i = (key * 0x9E3779B97F4A7C15ull >> 32) & mask;
    while (edges_[i].next != 0 && edges_[i].key != key) i = (i + 1) & mask;
    return i;
  }

  void grow() {
    std::vector<Edge> old(edges_.size() * 2);
    old.swap(edges_);
    for (const Edge& edge : old) {
      if (edge.next != 0) edges_[place_of(edge.key)] = edge;
    }
  }

  std::vector<uint32_t> values_{kNone};
  std::vector<Edge> edges_ = std::vector<Edge>(16);  // open addressing
  std::array<uint32_t, 256> root_;
};

}  // namespace gt::tokenizer
