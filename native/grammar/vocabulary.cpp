#include "grammar/vocabulary.h"

#include <algorithm>

#include "errors.h"

namespace gt::grammar {

Vocabulary::Vocabulary(std::string bytes, std::vector<uint32_t> ends, const std::vector<int32_t>& special)
    : bytes_(std::move(bytes)), ends_(std::move(ends)), special_(ends_.size(), false) {
  uint32_t last = 0;
  for (uint32_t end : ends_) {
    if (end < last || end > bytes_.size()) throw RangeError("Expected ascending ends inside the bytes for the tokens of a grammar");
    if (end - last > UINT16_MAX) throw RangeError("Expected tokens of at most 65535 bytes for a grammar");
    last = end;
  }
  for (int32_t token : special)
    if (token >= 0 && token < size()) special_[static_cast<size_t>(token)] = true;
}

const Vocabulary::Trie& Vocabulary::trie() const {
  std::call_once(built_, [this] { trie_ = build(); });
  return trie_;
}

Vocabulary::Trie Vocabulary::build() const {
  Trie trie;
  for (int32_t token = 0; token < size(); token++)
    if (!text(token).empty()) trie.tokens.push_back(token);
  std::sort(trie.tokens.begin(), trie.tokens.end(), [&](int32_t a, int32_t b) {
    const int order = bytes(a).compare(bytes(b));
    return order < 0 || (order == 0 && a < b);
  });

  std::vector<uint32_t> open;  // the nodes from the root to the token before
  std::string_view before;
  const auto close = [&](size_t depth) {
    for (; open.size() > depth; open.pop_back()) trie.nodes[open.back()].next = static_cast<uint32_t>(trie.nodes.size());
  };
  for (uint32_t i = 0; i < trie.tokens.size(); i++) {
    const std::string_view text = bytes(trie.tokens[i]);
    size_t common = 0;
    while (common < std::min(text.size(), before.size()) && text[common] == before[common]) common++;
    close(common);
    for (size_t depth = common; depth < text.size(); depth++) {
      open.push_back(static_cast<uint32_t>(trie.nodes.size()));
      trie.nodes.push_back({0, i, static_cast<uint16_t>(depth + 1), static_cast<uint8_t>(text[depth])});
    }
    trie.nodes[open.back()].tokens_end = i + 1;
    trie.deepest = std::max(trie.deepest, static_cast<uint32_t>(text.size()));
    before = text;
  }
  close(0);
  return trie;
}

int32_t Vocabulary::find(std::string_view wanted) const {
  for (int32_t token = 0; token < size(); token++)
    if (bytes(token) == wanted) return token;
  return -1;
}

}  // namespace gt::grammar
