#include "tokenizer/trie.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <thread>

#include "errors.h"
#include "tokenizer/parallel.h"
#include "tokenizer/prefetch.h"
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

// Builds the nodes below some, in units of its own. Several can build at once: they share the entries, of which each node
// has a range, and are put one behind the other in the end.
class TrieBuilder {
 public:
  // The bytes of a string are far away; the next few are kept here.
  struct Entry {
    uint64_t window;
    uint32_t number, size;

    uint8_t at(size_t depth) const { return static_cast<uint8_t>(window >> 8 * (depth % kWindow)); }
    // 0 for a string that ends, else above its byte.
    uint32_t key(size_t depth) const { return size == depth ? 0 : 1u + at(depth); }
  };
  // Entries that share their first `depth` bytes; `unit` is of this builder, unless it is kRoot.
  struct Node {
    size_t begin, end, depth;
    uint32_t unit;

    size_t size() const { return end - begin; }
  };
  struct Strings {
    const std::vector<Trie::Entry>& list;
    std::vector<Entry> entries, sorted;  // sorted: scratch
  };

  static constexpr uint32_t kRoot = UINT32_MAX;

  // `origin` is the number of its first unit.
  TrieBuilder(Strings& strings, uint32_t origin) : strings_(strings), origin_(origin) {}

  // Adds the children of a node, those with several entries to `nodes`. Returns their base, kNoChild if there are none.
  uint32_t add_children(const Node& node, std::vector<Node>& nodes) {
    std::vector<Entry>& entries = strings_.entries;
    if (node.depth % kWindow == 0) {
      for (size_t i = node.begin; i < node.end; i++) move_window(entries[i], node.depth);
    }
    sort(node);
    size_t begin = node.begin;
    while (begin < node.end && entries[begin].key(node.depth) == 0) begin++;
    if (begin == node.end) return Trie::kNoChild;
    labels_.clear();
    ends_.clear();
    for (size_t i = begin; i < node.end; i++) {
      const uint8_t label = entries[i].at(node.depth);
      if (labels_.empty() || labels_.back() != label) labels_.push_back(label), ends_.push_back(i);
    }
    ends_.push_back(node.end);
    const uint32_t base = node.unit == kRoot ? take_root() : place();
    for (size_t i = 0; i < labels_.size(); i++) {
      Unit& child = unit(base ^ labels_[i]);
      child.link = 0x100u | labels_[i];
      if (ends_[i + 1] - ends_[i] > 1) nodes.push_back({ends_[i], ends_[i + 1], node.depth + 1, base ^ labels_[i]});
      else rests_.push_back({base ^ labels_[i], entries[ends_[i]].number, static_cast<uint32_t>(node.depth) + 1});
    }
    return base;
  }

  // The value of the string that ends at a node, which is sorted.
  uint32_t value_of(const Node& node) const {
    const Entry& first = strings_.entries[node.begin];
    return first.size == node.depth && node.depth > 0 ? strings_.list[first.number].value : Trie::kNone;
  }

  // Adds all that is below the nodes, and what add_children() left of strings.
  void run(std::vector<Node> nodes) {
    while (!nodes.empty()) {
      const Node node = nodes.back();
      nodes.pop_back();
      const uint32_t base = add_children(node, nodes);
      unit(node.unit).link |= base << 9;
      if (const uint32_t value = value_of(node); value != Trie::kNone) unit(node.unit).value = value;
    }
    add_rests();
  }

  uint32_t end() const { return origin_ + static_cast<uint32_t>(units_.size()); }
  Trie::Unit& unit(uint32_t number) { return units_[number - origin_]; }

  // Puts what was built behind what the trie has.
  void move_to(Trie& trie) {
    const auto shift = static_cast<uint32_t>(trie.units_.size()) - origin_;
    const auto tails = static_cast<uint32_t>(trie.tails_.size()), bytes = static_cast<uint32_t>(trie.tail_bytes_.size());
    for (Unit& unit : units_) {
      if (unit.base() == Trie::kTail) unit.value += tails;
      else if (unit.base() != Trie::kNoChild) unit.link += shift << 9;
    }
    for (Trie::Tail& tail : tails_) tail.begin += bytes;
    trie.units_.insert(trie.units_.end(), units_.begin(), units_.end());
    trie.tails_.insert(trie.tails_.end(), tails_.begin(), tails_.end());
    trie.tail_bytes_.append(tail_bytes_);
  }

 private:
  using Unit = Trie::Unit;

  static constexpr size_t kFew = 16, kWindow = 8;
  static constexpr int kMostFailures = 8;     // of a block, before it is left as it is
  static constexpr size_t kMostOpenBlocks = 16;

  // 256 units.
  struct Block {
    Bits free, bases;  // units without a node; bases that no node has
  };
  struct OpenBlock {
    uint32_t number;
    int failures;
  };
  // A string of which no other has more than its first `depth` bytes.
  struct Rest {
    uint32_t unit, number, depth;
  };

  void move_window(Entry& entry, size_t depth) const {
    entry.window = 0;
    std::memcpy(&entry.window, strings_.list[entry.number].text.data() + depth, std::min(entry.size - depth, kWindow));
  }

  void grow() {
    if (end() + 256 > Trie::kTail) throw Error("tokenizer_invalid", "The vocabulary is too large");
    const auto number = static_cast<uint32_t>(blocks_.size());
    units_.resize(units_.size() + 256);
    const Bits all = {~0ull, ~0ull, ~0ull, ~0ull};
    blocks_.push_back({all, all});
    if (open_.size() == kMostOpenBlocks) open_.erase(open_.begin());
    open_.push_back({number, 0});
  }

  // By their keys; those with the same key stay in their order.
  void sort(const Node& node) {
    const size_t begin = node.begin, end = node.end, depth = node.depth;
    std::vector<Entry>& entries = strings_.entries;
    if (end - begin <= kFew) {
      for (size_t i = begin + 1; i < end; i++) {
        const Entry entry = entries[i];
        size_t k = i;
        for (; k > begin && entries[k - 1].key(depth) > entry.key(depth); k--) entries[k] = entries[k - 1];
        entries[k] = entry;
      }
      return;
    }
    std::array<uint32_t, 258> places{};
    for (size_t i = begin; i < end; i++) places[entries[i].key(depth) + 1]++;
    if (places[entries[begin].key(depth) + 1] == end - begin) return;
    for (size_t i = 1; i < places.size(); i++) places[i] += places[i - 1];
    std::vector<Entry>& sorted = strings_.sorted;
    for (size_t i = begin; i < end; i++) sorted[begin + places[entries[i].key(depth)]++] = entries[i];
    std::copy(sorted.begin() + static_cast<std::ptrdiff_t>(begin), sorted.begin() + static_cast<std::ptrdiff_t>(end),
              entries.begin() + static_cast<std::ptrdiff_t>(begin));
  }

  // What follows in strings that are alone. They lie far apart: the memory of some is asked for ahead.
  void add_rests() {
    constexpr size_t kAhead = 16;
    const auto string_of = [&](size_t i) -> const Trie::Entry& { return strings_.list[rests_[i].number]; };
    for (size_t i = 0; i < rests_.size(); i++) {
      if (i + 2 * kAhead < rests_.size()) prefetch(&string_of(i + 2 * kAhead));
      if (i + kAhead < rests_.size()) prefetch(string_of(i + kAhead).text.data() + rests_[i + kAhead].depth);
      const Trie::Entry& string = string_of(i);
      Unit& unit = this->unit(rests_[i].unit);
      unit.value = string.value;
      if (string.text.size() == rests_[i].depth) continue;
      const std::string_view rest = string.text.substr(rests_[i].depth);
      unit.link |= Trie::kTail << 9;
      unit.value = static_cast<uint32_t>(tails_.size());
      tails_.push_back({static_cast<uint32_t>(tail_bytes_.size()), static_cast<uint32_t>(rest.size()), string.value});
      tail_bytes_.append(rest);
    }
    rests_.clear();
  }

  // The root has the first 256 units to itself, so that no other node has its base.
  uint32_t take_root() {
    grow();
    open_.clear();
    return 0;
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
    return origin_ + number * 256 + base;
  }

  Strings& strings_;
  const uint32_t origin_;
  std::vector<Unit> units_;
  std::vector<Trie::Tail> tails_;
  std::string tail_bytes_;
  std::vector<Block> blocks_;
  std::vector<OpenBlock> open_;
  std::vector<uint8_t> labels_;
  std::vector<size_t> ends_;
  std::vector<Rest> rests_;
};

// The largest nodes are opened first; what is left is shared out among builders, always as many, for the same trie everywhere.
Trie::Trie(const std::vector<Entry>& entries) {
  if (entries.empty()) return;
  constexpr size_t kBuilders = 4, kWorth = 4096;  // entries
  using Node = TrieBuilder::Node;
  TrieBuilder::Strings strings{entries, std::vector<TrieBuilder::Entry>(entries.size()), std::vector<TrieBuilder::Entry>(entries.size())};
  for (uint32_t i = 0; i < entries.size(); i++) strings.entries[i] = {0, i, static_cast<uint32_t>(entries[i].text.size())};
  TrieBuilder top(strings, 0);
  std::vector<Node> nodes;
  top.add_children({0, entries.size(), 0, TrieBuilder::kRoot}, nodes);
  const auto is_smaller = [](const Node& a, const Node& b) { return a.size() < b.size(); };
  const size_t most = std::max(entries.size() / (4 * kBuilders), kWorth);
  for (;;) {
    const auto largest = std::max_element(nodes.begin(), nodes.end(), is_smaller);
    if (largest == nodes.end() || largest->size() <= most) break;
    const Node node = *largest;
    nodes.erase(largest);
    const uint32_t base = top.add_children(node, nodes);
    top.unit(node.unit).link |= base << 9;
    if (const uint32_t value = top.value_of(node); value != kNone) top.unit(node.unit).value = value;
  }
  if (entries.size() < kWorth) {
    top.run(std::move(nodes));
    if (top.end() > 0) top.move_to(*this);
    return;
  }
  // Each builder has nodes of the top, whose children it places itself.
  struct Part {
    TrieBuilder builder;
    std::vector<Node> tops;
    std::vector<uint32_t> bases;
    size_t size = 0;
  };
  std::vector<Part> parts;
  for (size_t i = 0; i < kBuilders; i++) parts.push_back({TrieBuilder(strings, 256), {}, {}, 0});
  std::sort(nodes.begin(), nodes.end(), [](const Node& a, const Node& b) { return a.size() != b.size() ? a.size() > b.size() : a.unit < b.unit; });
  for (const Node& node : nodes) {
    Part& part = *std::min_element(parts.begin(), parts.end(), [](const Part& a, const Part& b) { return a.size < b.size; });
    part.tops.push_back(node);
    part.size += node.size();
  }
  top.run({});
  parallel_for(kBuilders, std::min<size_t>(std::thread::hardware_concurrency(), kBuilders), 1, [&](size_t, size_t i) {
    Part& part = parts[i];
    std::vector<Node> below;
    for (const Node& node : part.tops) part.bases.push_back(part.builder.add_children(node, below));
    part.builder.run(std::move(below));
  });
  uint32_t shift = top.end();
  for (Part& part : parts) {
    for (size_t i = 0; i < part.tops.size(); i++) {
      Unit& unit = top.unit(part.tops[i].unit);
      if (part.bases[i] != kNoChild) unit.link |= (part.bases[i] - 256 + shift) << 9;
      if (const uint32_t value = part.builder.value_of(part.tops[i]); value != kNone) unit.value = value;
    }
    shift += part.builder.end() - 256;
    if (shift > kTail) throw Error("tokenizer_invalid", "The vocabulary is too large");
  }
  units_.reserve(shift);
  top.move_to(*this);
  for (Part& part : parts) part.builder.move_to(*this);
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
