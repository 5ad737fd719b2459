// The tokens of a model by id and by string, flat: one arena, one table of offsets, one hash table.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/json.h"
#include "tokenizer/prefetch.h"
#include "tokenizer/tables.h"

namespace gt::tokenizer {

inline uint64_t hash_bytes(const char* p, size_t n) {
  uint64_t h = n * 0x9E3779B97F4A7C15ull, word;
  for (; n >= 8; p += 8, n -= 8) {
    std::memcpy(&word, p, 8);
    h = (h ^ word) * 0xff51afd7ed558ccdull;
    h ^= h >> 32;
  }
  word = 0;
  std::memcpy(&word, p, n);
  h = (h ^ word) * 0xff51afd7ed558ccdull;
  return h ^ (h >> 29);
}

class Vocabulary {
 public:
  Vocabulary() = default;
  // Reads an object of token: id. Ids may have gaps; one beyond 2^24 is an error. Of tokens with
  // one id the last is the id's token, and all of them are found.
  explicit Vocabulary(const json::Node& node);
  // Tokens in the order of their ids: their bytes, where each begins and, at last, the end.
  Vocabulary(std::string bytes, std::vector<uint32_t> offsets);

  explicit Vocabulary(TableReader& tables);
  void write(TableWriter& tables) const;

  // Number of tokens, and one more than the largest id.
  size_t size() const { return size_; }
  size_t end_id() const { return offsets_.empty() ? 0 : offsets_.size() - 1; }

  bool has(int64_t id) const { return id >= 0 && id < static_cast<int64_t>(end_id()) && (present_[static_cast<size_t>(id) / 64] >> id % 64 & 1); }
  // The token of an id that it has.
  std::string_view token(uint32_t id) const {
    return std::string_view(bytes_.data() + offsets_[id], offsets_[id + 1] - offsets_[id]);
  }
  // -1 if there is none.
  int32_t find(std::string_view token) const { return find(token, hash_bytes(token.data(), token.size())); }
  // The same for `count` tokens, at most kMostTokens: they wait for memory together.
  static constexpr size_t kMostTokens = 64;
  void find(const std::string_view* tokens, size_t count, int32_t* ids) const;

  // Tokens whose id has another token.
  const std::unordered_map<std::string, uint32_t>& aliases() const { return aliases_; }

  // An object of token: id in ascending ids, as Rust's OrderedVocabIter writes it.
  void write(json::Writer& writer) const;

 private:
  static constexpr uint32_t kIdMask = (1u << 24) - 1, kMarkMask = ~kIdMask, kEmpty = UINT32_MAX;

  void set_all_present(size_t count);
  void index();
  uint32_t place_of(uint64_t hash) const { return static_cast<uint32_t>(hash) & mask_; }
  void insert(uint32_t id, uint64_t hash);
  int32_t find_alias(std::string_view token) const;
  int32_t find(std::string_view token, uint64_t hash) const {
    if (slots_.empty()) return -1;
    const uint32_t mark = static_cast<uint32_t>(hash >> 56) << 24;
    for (uint32_t i = place_of(hash);; i = (i + 1) & mask_) {
      const uint32_t slot = slots_[i];
      if (slot == kEmpty) return aliases_.empty() ? -1 : find_alias(token);
      if ((slot & kMarkMask) == mark && this->token(slot & kIdMask) == token) return static_cast<int32_t>(slot & kIdMask);
    }
  }

  std::string bytes_;
  std::vector<uint32_t> offsets_;
  std::vector<uint64_t> present_;  // a bit for each id
  std::vector<uint32_t> slots_;  // 8 bits of the hash, 24 of the id
  uint32_t mask_ = 0;
  size_t size_ = 0;
  std::unordered_map<std::string, uint32_t> aliases_;
};

}  // namespace gt::tokenizer
