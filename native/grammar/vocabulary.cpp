#include "grammar/vocabulary.h"

#include <algorithm>

#include "errors.h"

namespace gt::grammar {

Vocabulary::Vocabulary(std::string bytes, std::vector<uint32_t> ends, const std::vector<int32_t>& special)
    : bytes_(std::move(bytes)), ends_(std::move(ends)), special_(ends_.size(), false) {
  uint32_t last = 0;
  for (uint32_t end : ends_) {
    if (end < last || end > bytes_.size()) throw RangeError("Expected ascending ends inside the bytes for the tokens of a grammar");
    last = end;
  }
  for (int32_t token : special)
    if (token >= 0 && token < size()) special_[static_cast<size_t>(token)] = true;
  for (int32_t token = 0; token < size(); token++)
    if (!text(token).empty()) tokens_.push_back(token);
  std::sort(tokens_.begin(), tokens_.end(), [&](int32_t a, int32_t b) {
    const int order = this->bytes(a).compare(this->bytes(b));
    return order < 0 || (order == 0 && a < b);
  });

  std::vector<uint32_t> open;  // the nodes from the root to the token before
  std::string_view before;
  const auto close = [&](size_t depth) {
    for (; open.size() > depth; open.pop_back()) trie_[open.back()].next = static_cast<uint32_t>(trie_.size());
  };
  for (uint32_t i = 0; i < tokens_.size(); i++) {
    const std::string_view text = this->bytes(tokens_[i]);
    size_t common = 0;
    while (common < std::min(text.size(), before.size()) && text[common] == before[common]) common++;
    close(common);
    for (size_t depth = common; depth < text.size(); depth++) {
      open.push_back(static_cast<uint32_t>(trie_.size()));
      trie_.push_back({static_cast<uint8_t>(text[depth]), static_cast<uint32_t>(depth) + 1, 0, i, i});
    }
    trie_[open.back()].token_end = i + 1;
    deepest_ = std::max(deepest_, static_cast<uint32_t>(text.size()));
    before = text;
  }
  close(0);
}

int32_t Vocabulary::find(std::string_view wanted) const {
  for (int32_t token = 0; token < size(); token++)
    if (bytes(token) == wanted) return token;
  return -1;
}

}  // namespace gt::grammar
