// Remembers the ids of words. Each has two places, in one cache line for short words; the new one takes the older's.
// It grows with the words that it meets, up to kMostBits.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.h"

namespace gt::tokenizer {

class WordCache {
 public:
  // What `get` may write behind the ids.
  static constexpr size_t kSlack = 2;

  // A word with what it is looked up by.
  struct Key {
    const char* begin;
    size_t size;
    uint64_t low, high;  // of a short word its bytes
    uint64_t hash;

    std::string_view word() const { return {begin, size}; }
  };

  // The key of a word, which must stay until get(); asks the processor for the memory that get() will need.
  // `text_end` is the end of readable memory.
  Key key(std::string_view word, const char* text_end) {
    if (!words_) allocate(kFirstBits);
    const size_t n = word.size();
    if (n > kShort) return {word.data(), n, 0, 0, n > kLong ? 0 : hash_bytes(word.data(), n)};
    Key key{word.data(), n, 0, 0, 0};
    load(word.data(), n, text_end, key.low, key.high);
    key.hash = hash_short(key.low, key.high, n);
    prefetch(place_of(key.hash));
    return key;
  }

  // Writes the ids of the key's word to `out`, with room for them and kSlack more, and returns their end.
  // `miss(word)` returns {ids, count} for a word that is not there, or {null, 0} for one that is not to be kept.
  template <class Miss>
  int32_t* get(const Key& key, int32_t* out, Miss&& miss) {
    if (key.size <= kShort) return get_short(key, out, miss);
    if (key.size <= kLong) return get_long(key, out, miss);
    const auto [ids, count] = miss(key.word());
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
  static constexpr int kFirstBits = 12, kMostBits = 16, kLongBits = 13;
  static constexpr size_t kArena = 1 << 19;

  static int32_t* copy(const int32_t* ids, size_t count, int32_t* out) {
    if (count > 0) std::memcpy(out, ids, count * sizeof(int32_t));
    return out + count;
  }

  // The first `n` bytes at `p`, zeros behind them.
  static void load(const char* p, size_t n, const char* text_end, uint64_t& low, uint64_t& high) {
    static constexpr uint64_t kMask[9] = {
        0, 0xff, 0xffff, 0xffffff, 0xffffffff, 0xffffffffff, 0xffffffffffff, 0xffffffffffffff, ~0ull};
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

  static uint64_t hash_short(uint64_t low, uint64_t high, size_t n) {
    const uint64_t hash = (low * 0x9E3779B97F4A7C15ull) ^ (high * 0xC2B2AE3D27D4EB4Full) ^ n;
    return hash * 0xff51afd7ed558ccdull;
  }
  // Two words.
  Word* place_of(uint64_t hash) const { return words_ + (hash >> (65 - bits_)) * 2; }

  template <class Miss>
  int32_t* get_short(const Key& key, int32_t* out, Miss& miss) {
    Word* words = place_of(key.hash);
    const size_t n = key.size;
    for (int way = 0; way < 2; way++) {
      const Word& word = words[way];
      if (word.low != key.low || word.high != key.high || word.length != n) continue;
      if (word.count > 2) return copy(&arena_[static_cast<size_t>(word.ids[0])], word.count, out);
      out[0] = word.ids[0];
      out[1] = word.ids[1];
      return out + word.count;
    }
    const auto [ids, count] = miss(key.word());
    if (!ids) return out;
    const int32_t place = count > 2 ? static_cast<int32_t>(store(ids, count)) : 0;
    if (++met_ > size_t{1} << (bits_ - 1) && bits_ < kMostBits) {
      allocate(bits_ + 2);
      words = place_of(key.hash);
    }
    words[1] = words[0];
    words[0] = {key.low, key.high, static_cast<uint32_t>(n), static_cast<uint32_t>(count), {place, 0}};
    if (count <= 2) std::memcpy(words[0].ids, ids, count * sizeof(int32_t));
    return copy(ids, count, out);
  }

  template <class Miss>
  int32_t* get_long(const Key& key, int32_t* out, Miss& miss) {
    LongWord* words = long_words_.get() + (key.hash >> (65 - kLongBits)) * 2;
    const size_t n = key.size;
    for (int way = 0; way < 2; way++) {
      const LongWord& word = words[way];
      if (word.hash != key.hash || word.length != n || std::memcmp(&bytes_[word.bytes], key.begin, n) != 0) continue;
      return copy(&arena_[word.ids], word.count, out);
    }
    const auto [ids, count] = miss(key.word());
    if (!ids) return out;
    if (bytes_.size() + n > kArena) clear();
    const uint32_t place = store(ids, count);
    words[1] = words[0];
    words[0] = {key.hash, static_cast<uint32_t>(bytes_.size()), static_cast<uint32_t>(n), place, static_cast<uint32_t>(count)};
    bytes_.insert(bytes_.end(), key.begin, key.begin + n);
    return copy(ids, count, out);
  }

  uint32_t store(const int32_t* ids, size_t count) {
    if (arena_.size() + count > kArena) clear();
    const auto place = static_cast<uint32_t>(arena_.size());
    arena_.insert(arena_.end(), ids, ids + count);
    return place;
  }

  // Makes room for 2^bits words, those of before among them.
  void allocate(int bits);
  void clear();

  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> memory_;  // zeroed pages that the system gives on first touch
  Word* words_ = nullptr;               // in it, at the start of a cache line
  int bits_ = 0;
  size_t met_ = 0;                      // words that were new
  std::unique_ptr<LongWord[], Free> long_words_;
  std::vector<int32_t> arena_;
  std::vector<char> bytes_;
};

}  // namespace gt::tokenizer
