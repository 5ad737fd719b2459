#include "tokenizer/unigram_seeds.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "unicode/utf8.h"

namespace gt::tokenizer {

namespace {

constexpr char32_t kEnd = 0;  // of a word

// A substring by one of its places.
struct Substring {
  uint32_t score;
  uint32_t at, length;
};

// Substrings that are in several places and cannot be made longer without losing one of them: the inner nodes of the
// suffix tree. Places are sorted by what follows, as far as a piece may reach; neighbours share prefixes.
class RepeatedSubstrings {
 public:
  RepeatedSubstrings(const std::u32string& text, size_t max_length) : text_(text), reach_(max_length + 1) {
    places_.resize(text.size());
    for (uint32_t i = 0; i < places_.size(); i++) places_[i] = i;
    std::sort(places_.begin(), places_.end(), [&](uint32_t a, uint32_t b) {
      const size_t same = shared(a, b);
      return same < reach_ && !ends(a, same) && text_[a + same] < text_[b + same];
    });
  }

  // An open node: the substring of this depth that starts at places_[first].
  struct Open {
    size_t first, depth;
  };

  std::vector<Substring> find() const {
    std::vector<Substring> found;
    std::vector<Open> open{{0, 0}};
    for (size_t i = 1; i <= places_.size(); i++) {
      const size_t depth = i == places_.size() ? 0 : shared(places_[i - 1], places_[i]);
      size_t first = i - 1;
      while (open.back().depth > depth) {
        add(open.back(), i, found);
        first = open.back().first;
        open.pop_back();
      }
      if (open.back().depth < depth) open.push_back({first, depth});
    }
    return found;
  }

 private:
  bool ends(uint32_t at, size_t length) const { return length > 0 && text_[at + length - 1] == kEnd; }

  // How many characters are the same at both places: at most `reach_`, none behind the end of a word.
  size_t shared(uint32_t a, uint32_t b) const {
    size_t length = 0;
    while (length < reach_ && !ends(a, length) && text_[a + length] == text_[b + length]) length++;
    return length;
  }

  void add(const Open& node, size_t last, std::vector<Substring>& found) const {
    const uint32_t at = places_[node.first];
    if (node.depth < 2 || node.depth >= reach_ || ends(at, node.depth)) return;
    const auto length = static_cast<uint32_t>(node.depth);
    found.push_back({static_cast<uint32_t>(last - node.first) * length, at, length});
  }

  const std::u32string& text_;
  const size_t reach_;
  std::vector<uint32_t> places_;
};

std::string to_utf8(std::u32string_view characters) {
  std::string text;
  for (const char32_t c : characters) unicode::append(text, c);
  return text;
}

}  // namespace

ScoredPieces seed_pieces(const CountedWords& words, const UnigramOptions& options) {
  std::u32string text;
  std::map<char32_t, uint64_t> counts;
  for (const auto& [word, count] : words) {
    size_t width;
    for (size_t at = 0; at < word.size(); at += width) {
      text.push_back(unicode::decode(word.data() + at, width));
      if (text.back() != kEnd) counts[text.back()] += static_cast<uint64_t>(count);
    }
    text.push_back(kEnd);
  }
  std::vector<std::pair<uint64_t, char32_t>> characters;
  for (const auto& [c, count] : counts) characters.emplace_back(count, c);
  std::sort(characters.rbegin(), characters.rend());

  std::vector<Substring> substrings = RepeatedSubstrings(text, options.max_piece_length).find();
  const std::u32string_view all = text;
  std::sort(substrings.begin(), substrings.end(), [&](const Substring& a, const Substring& b) {
    if (a.score != b.score) return a.score > b.score;
    return all.substr(a.at, a.length) > all.substr(b.at, b.length);
  });

  ScoredPieces pieces;
  double sum = 0;
  const auto add = [&](std::u32string_view piece, double score) {
    pieces.emplace_back(to_utf8(piece), score);
    sum += score;
  };
  for (const auto& [count, c] : characters) add({&c, 1}, static_cast<double>(count));
  for (const Substring& substring : substrings) {
    add(all.substr(substring.at, substring.length), substring.score);
    if (pieces.size() >= options.seed_size) break;
  }
  for (auto& piece : pieces) piece.second = std::log(piece.second) - std::log(sum);
  return pieces;
}

}  // namespace gt::tokenizer
