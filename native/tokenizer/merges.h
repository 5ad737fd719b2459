// The merges of a BPE model: pair -> rank and result, in one flat table of 8 bytes a slot.
#pragma once

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "tokenizer/vocabulary.h"

namespace gt::tokenizer {

class Merges {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // `end_id` is above all ids. Throws std::length_error if ids and ranks do not fit a slot together.
  Merges(size_t end_id, size_t count);

  Merges(size_t end_id, TableReader& tables);
  void write(TableWriter& tables) const;

  // Asks the processor for the memory that add() of this pair will need.
  void ask_for(uint32_t a, uint32_t b) const { prefetch(&slots_[hash(static_cast<uint64_t>(a) << id_bits_ | b)]); }
  // Adds the next merge, in the order of ranks. A pair that was there takes the new rank.
  void add(uint32_t a, uint32_t b, uint32_t result);

  // The rank of a pair, kNone if it is not merged.
  uint32_t rank(int32_t a, int32_t b) const {
    const uint64_t key = static_cast<uint64_t>(a) << id_bits_ | static_cast<uint64_t>(b);
    for (uint32_t i = hash(key);; i = (i + 1) & mask_) {
      const uint64_t slot = slots_[i];
      if (slot >> rank_bits_ == key) return static_cast<uint32_t>(slot & rank_mask_);
      if (slot == kEmpty) return kNone;
    }
  }
  int32_t result(uint32_t rank) const { return results_[rank]; }

  // The pairs by rank, for writing them out.
  std::vector<std::pair<uint32_t, uint32_t>> list() const;

  // Merges the symbols in place until no pair is left, lowest rank and then leftmost first; returns how many stay.
  // For words: `ranks` is scratch, and the time grows with the square of `n`.
  size_t apply(int32_t* symbols, size_t n, std::vector<uint32_t>& ranks) const;
  // The same; `lengths` of merged symbols add up, unless null. With `dropout` a merge is passed over with that probability.
  size_t apply(int32_t* symbols, uint32_t* lengths, size_t n, double dropout, std::minstd_rand& random) const;

 private:
  static constexpr uint64_t kEmpty = UINT64_MAX;

  // For very long words, without dropout: takes time with `n` where a heap of all places waits for memory.
  size_t apply_long(int32_t* symbols, uint32_t* lengths, size_t n) const;

  uint32_t hash(uint64_t key) const {
    return static_cast<uint32_t>(key * 0x9E3779B97F4A7C15ull >> shift_);
  }

  int id_bits_, rank_bits_, shift_;
  uint64_t rank_mask_;
  uint32_t mask_;
  std::vector<uint64_t> slots_;  // a, b, rank
  std::vector<int32_t> results_;
};

}  // namespace gt::tokenizer
