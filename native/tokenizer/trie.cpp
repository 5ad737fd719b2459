#include "tokenizer/trie.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "errors.h"
#include "unicode/utf8.h"

namespace gt::tokenizer {

namespace {

// 256 bits.
using Bits = std::array<uint64_t, 4>;

bool is_zero(const Bits& bits) { return (bits[0] | bits[1] | bits[2] | bits[3]) == 0; }

uint32_t lowest(const Bits& bits) {
  uint32_t word = 0;
  while (bits[word] == 0) word++;
  return word * 64 + static_cast<uint32_t>(unicode::trailing_zeros(bits[word]));
}

// Bit i of the result is bit i XOR `label`.
Bits exchanged(const Bits& bits, uint8_t label) {
  constexpr uint64_t kLow[6] = {0x5555555555555555ull, 0x3333333333333333ull, 0x0f0f0f0f0f0f0f0full,
                                0x00ff00ff00ff00ffull, 0x0000ffff0000ffffull, 0x00000000ffffffffull};
  Bits result;
  for (uint32_t i = 0; i < 4; i++) {
    uint64_t word = bits[i ^ label >> 6];
    for (uint32_t k = 0; k < 6; k++) {
      const uint32_t n = 1u << k;
      if (label & n) word = (word & kLow[k]) << n | (word >> n & kLow[k]);
    }
    result[i] = word;
  }
  return result;
}

}  // namespace

class TrieBuilder {
 public:
  TrieBuilder(Trie& trie, const std::vector<Trie::Entry>& entries) : trie_(trie), entries_(entries.size()), sorted_(entries.size()) {
    for (size_t i = 0; i < entries.size(); i++) entries_[i] = {0, entries[i].text, entries[i].value};
  }

  void run() {
    if (entries_.empty()) return;
    grow();
    // The root has the first 256 units to itself, so that no other node has its base.
    nodes_.push_back({0, entries_.size(), 0, kRoot});
    while (!nodes_.empty()) {
      const Node node = nodes_.back();
      nodes_.pop_back();
      add_children(node);
    }
  }

 private:
  using Unit = Trie::Unit;

  // The bytes of a string are far away; the next few are kept here.
  struct Entry {
    uint64_t window;
    std::string_view text;
    uint32_t value;

    void move_window(size_t depth) {
      window = 0;
      std::memcpy(&window, text.data() + depth, std::min(text.size() - depth, kWindow));
    }
    uint8_t at(size_t depth) const { return static_cast<uint8_t>(window >> 8 * (depth % kWindow)); }
    // 0 for a string that ends, else above its byte.
    uint32_t key(size_t depth) const { return text.size() == depth ? 0 : 1u + at(depth); }
  };

  static constexpr uint32_t kRoot = UINT32_MAX;
  static constexpr size_t kFew = 16, kWindow = 8;
  static constexpr int kMostFailures = 8;     // of a block, before it is left as it is
  static constexpr size_t kMostOpenBlocks = 16;

  // Entries that share their first `depth` bytes.
  struct Node {
    size_t begin, end, depth;
    uint32_t unit;
  };
  // 256 units.
  struct Block {
    Bits free, bases;  // units without a node; bases that no node has
  };
  struct OpenBlock {
    uint32_t number;
    int failures;
  };

  void grow() {
    if (trie_.units_.size() + 256 > Trie::kTail) throw Error("tokenizer_invalid", "The vocabulary is too large");
    const auto number = static_cast<uint32_t>(blocks_.size());
    trie_.units_.resize(trie_.units_.size() + 256);
    const Bits all = {~0ull, ~0ull, ~0ull, ~0ull};
    blocks_.push_back({all, all});
    if (open_.size() == kMostOpenBlocks) open_.erase(open_.begin());
    if (number > 0) open_.push_back({number, 0});
  }

  // By their keys; those with the same key stay in their order.
  void sort(size_t begin, size_t end, size_t depth) {
    if (end - begin <= kFew) {
      for (size_t i = begin + 1; i < end; i++) {
        const Entry entry = entries_[i];
        size_t k = i;
        for (; k > begin && entries_[k - 1].key(depth) > entry.key(depth); k--) entries_[k] = entries_[k - 1];
        entries_[k] = entry;
      }
      return;
    }
    std::array<size_t, 258> places{};
    for (size_t i = begin; i < end; i++) places[entries_[i].key(depth) + 1]++;
    for (size_t i = 1; i < places.size(); i++) places[i] += places[i - 1];
    for (size_t i = begin; i < end; i++) sorted_[places[entries_[i].key(depth)]++] = entries_[i];
    std::copy_n(sorted_.begin(), end - begin, entries_.begin() + static_cast<std::ptrdiff_t>(begin));
  }

  void add_children(const Node& node) {
    if (node.depth % kWindow == 0) {
      for (size_t i = node.begin; i < node.end; i++) entries_[i].move_window(node.depth);
    }
    sort(node.begin, node.end, node.depth);
    size_t begin = node.begin;
    while (begin < node.end && entries_[begin].key(node.depth) == 0) begin++;
    if (begin > node.begin && node.unit != kRoot) trie_.units_[node.unit].value = entries_[node.begin].value;
    if (begin == node.end) return;
    labels_.clear();
    for (size_t i = begin; i < node.end; i++) {
      const uint8_t label = entries_[i].at(node.depth);
      if (labels_.empty() || labels_.back() != label) labels_.push_back(label);
    }
    const uint32_t base = node.unit == kRoot ? 0 : place();
    if (node.unit != kRoot) trie_.units_[node.unit].link |= base << 9;
    for (const uint8_t label : labels_) {
      size_t end = begin + 1;
      while (end < node.end && entries_[end].key(node.depth) == 1u + label) end++;
      trie_.units_[base ^ label].link = 0x100u | label;
      if (end - begin > 1) nodes_.push_back({begin, end, node.depth + 1, base ^ label});
      else add_rest(trie_.units_[base ^ label], entries_[begin], node.depth + 1);
      begin = end;
    }
  }

  // What follows `depth` in an entry that is alone.
  void add_rest(Unit& unit, const Entry& entry, size_t depth) {
    const std::string_view rest = entry.text.substr(depth);
    unit.value = entry.value;
    if (rest.empty()) return;
    unit.link |= Trie::kTail << 9;
    unit.value = static_cast<uint32_t>(trie_.tails_.size());
    trie_.tails_.push_back({static_cast<uint32_t>(trie_.tail_bytes_.size()), static_cast<uint32_t>(rest.size()), entry.value});
    trie_.tail_bytes_.append(rest);
  }

  // A new base from which the units of all labels are free; they no longer are.
  uint32_t place() {
    for (size_t i = 0; i < open_.size(); i++) {
      const Block& block = blocks_[open_[i].number];
      Bits fits = block.bases;
      for (const uint8_t label : labels_) {
        const Bits free = exchanged(block.free, label);
        for (size_t word = 0; word < 4; word++) fits[word] &= free[word];
      }
      if (!is_zero(fits)) return take(open_[i].number, lowest(fits));
      if (++open_[i].failures == kMostFailures) open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i--));
    }
    grow();
    return take(static_cast<uint32_t>(blocks_.size() - 1), 0);
  }

  uint32_t take(uint32_t number, uint32_t base) {
    Block& block = blocks_[number];
    block.bases[base / 64] &= ~(1ull << base % 64);
    for (const uint8_t label : labels_) {
      const uint32_t i = base ^ label;
      block.free[i / 64] &= ~(1ull << i % 64);
    }
    return number * 256 + base;
  }

  Trie& trie_;
  std::vector<Entry> entries_, sorted_;
  std::vector<Node> nodes_;
  std::vector<Block> blocks_;
  std::vector<OpenBlock> open_;
  std::vector<uint8_t> labels_;
};

Trie::Trie(const std::vector<Entry>& entries) {
  TrieBuilder(*this, entries).run();
  units_.shrink_to_fit();
}

Trie::Trie(TableReader& tables, size_t end_value)
    : units_(tables.array<Unit>()), tails_(tables.array<Tail>()), tail_bytes_(tables.bytes()) {
  bool leads_outside = units_.size() % 256 != 0;  // a base and a byte stay within their 256 units
  for (const Unit& unit : units_) {
    if (unit.base() == kTail) leads_outside |= unit.value >= tails_.size();
    else leads_outside |= unit.base() >= units_.size() || (unit.value != kNone && unit.value >= end_value);
  }
  for (const Tail& tail : tails_) {
    leads_outside |= tail.begin > tail_bytes_.size() || tail.size > tail_bytes_.size() - tail.begin || tail.value >= end_value;
  }
  tables.check(!leads_outside);
}

void Trie::write(TableWriter& tables) const {
  tables.array(units_);
  tables.array(tails_);
  tables.bytes(tail_bytes_);
}

}  // namespace gt::tokenizer
