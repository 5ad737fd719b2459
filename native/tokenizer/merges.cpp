#include "tokenizer/merges.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <stdexcept>

namespace gt::tokenizer {

namespace {

int bits_for(size_t values) {
  int bits = 1;
  while ((size_t{1} << bits) < values) bits++;
  return bits;
}

}  // namespace

Merges::Merges(size_t end_id, size_t count) : id_bits_(bits_for(end_id + 1)), rank_bits_(64 - 2 * id_bits_) {
  if (rank_bits_ < bits_for(count + 1)) throw std::length_error("too many merges for so large ids");
  rank_bits_ = std::min(rank_bits_, 31);
  rank_mask_ = (1ull << rank_bits_) - 1;
  size_t capacity = 8;
  while (capacity < count * 3 / 2) capacity *= 2;
  shift_ = 64 - bits_for(capacity);
  mask_ = static_cast<uint32_t>(capacity - 1);
  slots_.assign(capacity, kEmpty);
  results_.reserve(count);
}

Merges::Merges(size_t end_id, TableReader& tables) : Merges(end_id, 0) {
  results_ = tables.array<int32_t>();
  slots_ = tables.array<uint64_t>();
  rank_bits_ = static_cast<int>(tables.number());
  tables.check(slots_.size() >= 8 && slots_.size() <= UINT32_MAX && (slots_.size() & (slots_.size() - 1)) == 0);
  tables.check(rank_bits_ >= 1 && rank_bits_ <= 31 && rank_bits_ + 2 * id_bits_ <= 64);
  rank_mask_ = (1ull << rank_bits_) - 1;
  mask_ = static_cast<uint32_t>(slots_.size() - 1);
  shift_ = 64 - bits_for(slots_.size());
  const uint64_t id_mask = (1ull << id_bits_) - 1;
  bool has_room = false, leads_outside = false;  // a search ends at an empty slot
  for (const uint64_t slot : slots_) {
    const uint64_t pair = slot >> rank_bits_;
    has_room |= slot == kEmpty;
    leads_outside |= slot != kEmpty && ((slot & rank_mask_) >= results_.size() || (pair & id_mask) >= end_id || pair >> id_bits_ >= end_id);
  }
  for (const int32_t result : results_) leads_outside |= static_cast<uint32_t>(result) >= end_id;
  tables.check(has_room && !leads_outside);
}

void Merges::write(TableWriter& tables) const {
  tables.array(results_);
  tables.array(slots_);
  tables.number(static_cast<uint64_t>(rank_bits_));
}

void Merges::add(uint32_t a, uint32_t b, uint32_t result) {
  const uint64_t key = static_cast<uint64_t>(a) << id_bits_ | b;
  uint32_t i = hash(key);
  while (slots_[i] != kEmpty && slots_[i] >> rank_bits_ != key) i = (i + 1) & mask_;
  slots_[i] = key << rank_bits_ | results_.size();
  results_.push_back(static_cast<int32_t>(result));
}

std::vector<std::pair<uint32_t, uint32_t>> Merges::list() const {
  std::vector<std::pair<uint64_t, uint64_t>> by_rank;
  for (const uint64_t slot : slots_) {
    if (slot != kEmpty) by_rank.emplace_back(slot & rank_mask_, slot >> rank_bits_);
  }
  std::sort(by_rank.begin(), by_rank.end());
  std::vector<std::pair<uint32_t, uint32_t>> result;
  for (const auto& [rank, key] : by_rank) {
    result.emplace_back(static_cast<uint32_t>(key >> id_bits_), static_cast<uint32_t>(key & ((1ull << id_bits_) - 1)));
  }
  return result;
}

// The ranks beside the symbols, searched again after each merge.
size_t Merges::apply(int32_t* symbols, size_t n, std::vector<uint32_t>& scratch) const {
  if (scratch.size() < n) scratch.resize(n * 2);
  uint32_t* ranks = scratch.data();
  uint32_t least = kNone;
  size_t at = 0;
  for (size_t i = 0; i + 1 < n; i++) {
    ranks[i] = rank(symbols[i], symbols[i + 1]);
    if (ranks[i] < least) least = ranks[i], at = i;
  }
  while (least != kNone) {
    symbols[at] = results_[least];
    if (const size_t behind = n - at - 2; behind > 0) {
      std::memmove(symbols + at + 1, symbols + at + 2, behind * sizeof(int32_t));
      std::memmove(ranks + at + 1, ranks + at + 2, behind * sizeof(uint32_t));
    }
    n--;
    ranks[at] = at + 1 < n ? rank(symbols[at], symbols[at + 1]) : kNone;
    if (at > 0) ranks[at - 1] = rank(symbols[at - 1], symbols[at]);
    least = kNone;
    for (size_t i = 0; i + 1 < n; i++) {
      if (ranks[i] < least) least = ranks[i], at = i;
    }
  }
  return n;
}

namespace {

constexpr uint32_t kEnd = UINT32_MAX;
constexpr size_t kLong = 1024;  // symbols for which a table of all ranks is worth while

// Places in ascending order: most come in it.
class Places {
 public:
  void push(uint32_t place) {
    if (from_ == list_.size()) list_.clear(), from_ = 0;
    if (list_.empty() || place >= list_.back()) return list_.push_back(place);
    others_.push_back(place);
    std::push_heap(others_.begin(), others_.end(), std::greater<>());
  }
  bool is_empty() const { return from_ == list_.size() && others_.empty(); }
  uint32_t pop() {
    if (others_.empty() || (from_ < list_.size() && list_[from_] < others_.front())) return list_[from_++];
    std::pop_heap(others_.begin(), others_.end(), std::greater<>());
    const uint32_t place = others_.back();
    others_.pop_back();
    return place;
  }

 private:
  std::vector<uint32_t> list_, others_;  // others_: a heap
  size_t from_ = 0;
};

// Symbols as a linked list, in which two that are merged become one.
struct Links {
  Links(int32_t* symbols, uint32_t* lengths, size_t n) : symbols(symbols), lengths(lengths), previous(n), next(n), current(n, Merges::kNone) {
    for (size_t i = 0; i < n; i++) {
      previous[i] = i == 0 ? kEnd : static_cast<uint32_t>(i - 1);
      next[i] = i + 1 == n ? kEnd : static_cast<uint32_t>(i + 1);
    }
  }

  // Place `i` and the one behind it become `symbol`; push(place) then looks at each place whose merge is another now.
  template <class Push>
  void join(uint32_t i, int32_t symbol, Push&& push) {
    const uint32_t right = next[i];
    symbols[i] = symbol;
    if (lengths) lengths[i] += lengths[right];
    current[right] = Merges::kNone;
    next[i] = next[right];
    if (next[i] != kEnd) previous[next[i]] = i;
    push(i);
    if (previous[i] != kEnd) push(previous[i]);
  }

  // Moves what is left to the front, and tells how much that is.
  size_t gather() {
    size_t count = 0;
    for (uint32_t i = 0; i != kEnd && !next.empty(); i = next[i]) {
      symbols[count] = symbols[i];
      if (lengths) lengths[count] = lengths[i];
      count++;
    }
    return count;
  }

  int32_t* symbols;
  uint32_t* lengths;  // may be null
  std::vector<uint32_t> previous, next;
  std::vector<uint32_t> current;  // the merge of each place with the next
};

}  // namespace

// As apply(), with a heap of the ranks alone; each has its places.
size_t Merges::apply_long(int32_t* symbols, uint32_t* lengths, size_t n) const {
  Links links(symbols, lengths, n);
  std::vector<uint32_t> ranks, places_of(results_.size(), 0), free;
  std::vector<Places> places(1);  // that of number 0 is nobody's
  const auto push = [&](uint32_t i) {
    const uint32_t found = links.current[i] = links.next[i] == kEnd ? kNone : rank(symbols[i], symbols[links.next[i]]);
    if (found == kNone) return;
    uint32_t& number = places_of[found];
    if (number == 0) {
      if (free.empty()) {
        number = static_cast<uint32_t>(places.size());
        places.emplace_back();
      } else {
        number = free.back();
        free.pop_back();
      }
      ranks.push_back(found);
      std::push_heap(ranks.begin(), ranks.end(), std::greater<>());
    }
    places[number].push(i);
  };
  for (uint32_t i = 0; i + 1 < n; i++) push(i);
  while (!ranks.empty()) {
    const uint32_t merge = ranks.front();
    Places& mine = places[places_of[merge]];
    if (mine.is_empty()) {
      free.push_back(places_of[merge]);
      places_of[merge] = 0;
      std::pop_heap(ranks.begin(), ranks.end(), std::greater<>());
      ranks.pop_back();
      continue;
    }
    const uint32_t i = mine.pop();
    if (links.current[i] != merge) continue;
    links.join(i, results_[merge], push);
  }
  return links.gather();
}

// A heap of merges by rank and place over a linked list; entries that are out of date are dropped.
size_t Merges::apply(int32_t* symbols, uint32_t* lengths, size_t n, double dropout, std::minstd_rand& random) const {
  if (n >= kLong && dropout == 0) return apply_long(symbols, lengths, n);
  Links links(symbols, lengths, n);
  std::vector<uint64_t> heap, skipped;
  heap.reserve(n);
  const auto entry_of = [&](uint32_t i) {
    links.current[i] = links.next[i] == kEnd ? kNone : rank(symbols[i], symbols[links.next[i]]);
    return static_cast<uint64_t>(links.current[i]) << 32 | i;
  };
  const auto push = [&](uint32_t i) {
    const uint64_t entry = entry_of(i);
    if (links.current[i] == kNone) return;
    heap.push_back(entry);
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  for (uint32_t i = 0; i + 1 < n; i++) {
    const uint64_t entry = entry_of(i);
    if (links.current[i] != kNone) heap.push_back(entry);
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const uint64_t top = heap.back();
    heap.pop_back();
    if (dropout > 0 && std::uniform_real_distribution<>()(random) < dropout) {
      skipped.push_back(top);
      continue;
    }
    for (const uint64_t entry : skipped) {
      heap.push_back(entry);
      std::push_heap(heap.begin(), heap.end(), std::greater<>());
    }
    skipped.clear();
    const auto i = static_cast<uint32_t>(top), merge = static_cast<uint32_t>(top >> 32);
    if (links.current[i] != merge) continue;
    links.join(i, results_[merge], push);
  }
  return links.gather();
}

}  // namespace gt::tokenizer
