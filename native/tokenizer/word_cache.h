// Remembers the ids of words. Direct-mapped: a word takes the place of the one that was there.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "tokenizer/vocabulary.h"

namespace gt::tokenizer {

class WordCache {
 public:
  // Writes the ids of the word of `n` bytes at `p` to `out` (with room for `n` and 2 more) and returns their end.
  // `text_end` is the end of readable memory. `miss()` returns {ids, count} for a word that is not there.
  template <class Miss>
  int32_t* get(const char* p, size_t n, const char* text_end, int32_t* out, Miss&& miss) {
    if (!words_) allocate();
    if (n <= kShort) return get_short(p, n, text_end, out, miss);
    if (n <= kLong) return get_long(p, n, out, miss);
    const auto [ids, count] = miss();
    return copy(ids, count, out);
  }

 private:
  struct Word {
    uint64_t low, high;
    uint32_t length, count;
    int32_t ids[2];  // up to two, else ids[0] is their place in the arena
  };
  struct LongWord {
    uint64_t hash;
    uint32_t bytes, length, ids, count;
  };
  static constexpr size_t kShort = 16, kLong = 256;
  static constexpr int kWordBits = 16, kLongBits = 13;
  static constexpr size_t kArena = 1 << 19;

  static int32_t* copy(const int32_t* ids, size_t count, int32_t* out) {
    std::memcpy(out, ids, count * sizeof(int32_t));
    return out + count;
  }

  // The first `n` bytes at `p`, zeros behind them.
  static void load(const char* p, size_t n, const char* text_end, uint64_t& low, uint64_t& high) {
    static constexpr uint64_t kMask[9] = {
        0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff, ~0ull};
    low = high = 0;
    if (text_end - p >= 16) {
      std::memcpy(&low, p, 8);
      if (n <= 8) {
        low &= kMask[n];
      } else {
        std::memcpy(&high, p + 8, 8);
        high &= kMask[n - 8];
      }
    } else {
      std::memcpy(&low, p, n < 8 ? n : 8);
      if (n > 8) std::memcpy(&high, p + 8, n - 8);
    }
  }

  template <class Miss>
  int32_t* get_short(const char* p, size_t n, const char* text_end, int32_t* out, Miss& miss) {
    uint64_t low, high;
    load(p, n, text_end, low, high);
    uint64_t hash = (low * 0x9E3779B97F4A7C15ull) ^ (high * 0xC2B2AE3D27D4EB4Full) ^ n;
    hash *= 0xff51afd7ed558ccdull;
    Word& word = words_[hash >> (64 - kWordBits)];
    if (word.low == low && word.high == high && word.length == n) {
      if (word.count > 2) return copy(&arena_[word.ids[0]], word.count, out);
      out[0] = word.ids[0];
      out[1] = word.ids[1];
      return out + word.count;
    }
    const auto [ids, count] = miss();
    const int32_t place = count > 2 ? store(ids, count) : 0;
    word = {low, high, static_cast<uint32_t>(n), static_cast<uint32_t>(count), {place, 0}};
    if (count <= 2) std::memcpy(word.ids, ids, count * sizeof(int32_t));
    return copy(ids, count, out);
  }

  template <class Miss>
  int32_t* get_long(const char* p, size_t n, int32_t* out, Miss& miss) {
    const uint64_t hash = hash_bytes(p, n);
    LongWord& word = long_words_[hash & ((1u << kLongBits) - 1)];
    if (word.hash == hash && word.length == n && std::memcmp(&bytes_[word.bytes], p, n) == 0) {
      return copy(&arena_[word.ids], word.count, out);
    }
    const auto [ids, count] = miss();
    if (bytes_.size() + n > kArena) clear();
    const auto place = static_cast<uint32_t>(store(ids, count));
    word = {hash, static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(n), place, static_cast<uint32_t>(count)};
    bytes_.insert(bytes_.end(), p, p + n);
    return copy(ids, count, out);
  }

  int32_t store(const int32_t* ids, size_t count) {
    if (arena_.size() + count > kArena) clear();
    const auto place = static_cast<int32_t>(arena_.size());
    arena_.insert(arena_.end(), ids, ids + count);
    return place;
  }

  void allocate();
  void clear();

  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<Word[], Free> words_;  // zeroed pages that the system gives on first touch
  std::unique_ptr<LongWord[], Free> long_words_;
  std::vector<int32_t> arena_;
  std::vector<char> bytes_;
};

}  // namespace gt::tokenizer
