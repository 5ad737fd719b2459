// The bytes that each token of a tokenizer adds to a text, as a trie, so that tokens with a common beginning are looked at together.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace gt::grammar {

class Vocabulary {
 public:
  // `bytes` are those of all ids, one after another, those of id i up to ends[i]. Ids in `special` are control tokens: no
  // text has them, but a grammar may name them.
  Vocabulary(std::string bytes, std::vector<uint32_t> ends, const std::vector<int32_t>& special);

  int32_t size() const { return static_cast<int32_t>(ends_.size()); }
  // Nothing for ids that stand for no text.
  std::string_view text(int32_t token) const { return is_text(token) ? bytes(token) : std::string_view(); }
  // The id of a token with these bytes, control tokens included; -1: none.
  int32_t find(std::string_view bytes) const;

  struct Node {
    uint32_t next;          // the node after all that are below
    uint32_t tokens_end;    // those that end here, in Trie::tokens, begin where those of the node before end
    uint16_t depth;         // 1 for the first byte
    uint8_t byte;
  };
  struct Trie {
    std::vector<Node> nodes;  // each before those below it; the root is not among them
    std::vector<int32_t> tokens;
    uint32_t deepest = 0;
  };
  // Made when it is first asked for, by the thread that asks: that takes some time for a large vocabulary.
  const Trie& trie() const;

 private:
  bool is_text(int32_t token) const { return token >= 0 && token < size() && !special_[static_cast<size_t>(token)]; }
  std::string_view bytes(int32_t token) const {
    const auto i = static_cast<size_t>(token);
    const uint32_t begin = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(begin, ends_[i] - begin);
  }

  Trie build() const;

  std::string bytes_;
  std::vector<uint32_t> ends_;
  std::vector<bool> special_;
  mutable std::once_flag built_;
  mutable Trie trie_;
};

}  // namespace gt::grammar
