#include <algorithm>
#include <limits>
#include <map>
#include <queue>

#include "tokenizer/json.h"
#include "tokenizer/trainer.h"
#include "unicode/utf8.h"

namespace gt::tokenizer {

namespace {

using Pair = std::pair<uint32_t, uint32_t>;

struct PairHash {
  size_t operator()(const Pair& pair) const { return std::hash<uint64_t>()(static_cast<uint64_t>(pair.first) << 32 | pair.second); }
};

struct Symbol {
  uint32_t id;
  size_t length;  // in characters
};

struct Word {
  std::vector<Symbol> symbols;
  int64_t count;
};

// A pair that may be merged next, with the words that have it.
struct Candidate {
  uint64_t count;
  Pair pair;
  std::vector<uint32_t> words;

  // The most frequent one is on top of the queue; of those the one with the smallest ids.
  bool operator<(const Candidate& other) const { return count != other.count ? count < other.count : pair > other.pair; }
};

class BpeTrainer {
 public:
  explicit BpeTrainer(const TrainerOptions& options) : options_(options) {}

  Trained train(const WordCounts& counts) {
    for (const std::string& token : options_.special_tokens) id_of(token);
    std::vector<const WordCounts::value_type*> ordered;
    for (const auto& word : counts) ordered.push_back(&word);
    std::sort(ordered.begin(), ordered.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    add_alphabet(ordered);
    for (const auto* word : ordered) words_.push_back(spell(word->first, static_cast<int64_t>(word->second)));
    count_pairs();
    merge_all();
    return result();
  }

 private:
  uint32_t id_of(const std::string& token) {
    const auto [found, is_new] = ids_.emplace(token, static_cast<uint32_t>(tokens_.size()));
    if (is_new) tokens_.push_back(token);
    return found->second;
  }

  void add_alphabet(const std::vector<const WordCounts::value_type*>& words) {
    std::map<char32_t, uint64_t> counts;
    for (const auto* word : words) {
      each_character(word->first, [&](char32_t c, size_t, size_t) { counts[c] += word->second; });
    }
    for (const char32_t c : options_.initial_alphabet) counts[c] = std::numeric_limits<uint64_t>::max();
    std::vector<std::pair<char32_t, uint64_t>> kept(counts.begin(), counts.end());
    if (options_.limit_alphabet && kept.size() > *options_.limit_alphabet) {
      std::stable_sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
      kept.erase(kept.begin(), kept.end() - static_cast<ptrdiff_t>(*options_.limit_alphabet));
      std::sort(kept.begin(), kept.end());
    }
    for (const auto& [c, count] : kept) {
      std::string token;
      unicode::append(token, c);
      id_of(token);
    }
  }

  // The characters that are in the vocabulary, with prefix and suffix; the others are left out.
  Word spell(const std::string& text, int64_t count) {
    Word word{{}, count};
    each_character(text, [&](char32_t, size_t begin, size_t end) {
      std::string token = text.substr(begin, end - begin);
      if (ids_.find(token) == ids_.end()) return;
      if (begin > 0) token.insert(0, options_.continuing_subword_prefix);
      if (end == text.size()) token += options_.end_of_word_suffix;
      word.symbols.push_back({id_of(token), 1});
    });
    return word;
  }

  template <class Visit>
  static void each_character(const std::string& text, Visit&& visit) {
    size_t width;
    for (size_t at = 0; at < text.size(); at += width) {
      const char32_t c = unicode::decode(text.data() + at, width);
      visit(c, at, at + width);
    }
  }

  void count_pairs() {
    for (uint32_t i = 0; i < words_.size(); i++) {
      const std::vector<Symbol>& symbols = words_[i].symbols;
      for (size_t k = 0; k + 1 < symbols.size(); k++) change({symbols[k].id, symbols[k + 1].id}, 1, i);
    }
    queue_changed();
  }

  void change(const Pair& pair, int sign, uint32_t word) {
    counts_[pair] += sign * words_[word].count;
    if (sign < 0) return;
    std::vector<uint32_t>& list = changed_[pair];
    if (list.empty() || list.back() != word) list.push_back(word);
  }

  // A pair can stand in the queue several times, each time with the words that got it since.
  void queue_changed() {
    for (auto& [pair, words] : changed_) {
      const int64_t count = counts_[pair];
      if (count > 0) queue_.push({static_cast<uint64_t>(count), pair, std::move(words)});
    }
    changed_.clear();
  }

  void merge_all() {
    while (ids_.size() < options_.vocab_size && !queue_.empty()) {
      Candidate top = queue_.top();
      queue_.pop();
      // With max_token_length a count can fall below zero; Rust then reads it as a very large one.
      const auto count = static_cast<uint64_t>(counts_[top.pair]);
      if (top.count != count) {
        top.count = count;
        queue_.push(std::move(top));
        continue;
      }
      if (count < 1 || count < options_.min_frequency) break;
      std::string right = tokens_[top.pair.second];
      const std::string& prefix = options_.continuing_subword_prefix;
      if (right.compare(0, prefix.size(), prefix) == 0) right.erase(0, prefix.size());
      const uint32_t id = id_of(tokens_[top.pair.first] + right);
      merges_.push_back(top.pair);
      for (const uint32_t word : top.words) merge(word, top.pair, id);
      queue_changed();
    }
  }

  // https://github.com/huggingface/tokenizers/blob/v0.22.2/tokenizers/src/models/bpe/word.rs (Word::merge)
  void merge(uint32_t word, const Pair& pair, uint32_t id) {
    std::vector<Symbol>& symbols = words_[word].symbols;
    const size_t longest = options_.max_token_length.value_or(std::numeric_limits<size_t>::max());
    size_t out = 0;
    for (size_t in = 0; in < symbols.size(); in++) {
      if (symbols[in].id != pair.first || in + 1 >= symbols.size() || symbols[in + 1].id != pair.second) {
        symbols[out++] = symbols[in];
        continue;
      }
      const Symbol merged{id, symbols[in].length + symbols[in + 1].length};
      if (out > 0) {
        const Symbol before = symbols[out - 1];
        change({before.id, pair.first}, -1, word);
        if (before.length + merged.length < longest) change({before.id, id}, 1, word);
      }
      if (in + 2 < symbols.size()) {
        const Symbol after = symbols[in + 2];
        change({pair.second, after.id}, -1, word);
        if (after.length + merged.length < longest) change({id, after.id}, 1, word);
      }
      symbols[out++] = merged;
      in++;
    }
    symbols.resize(out);
  }

  Trained result() const {
    Trained trained;
    for (uint32_t id = 0; id < tokens_.size(); id++) trained.vocab.emplace_back(tokens_[id], id);
    std::unordered_map<Pair, size_t, PairHash> last;  // of a pair that was merged again, the last rank counts
    for (size_t i = 0; i < merges_.size(); i++) last[merges_[i]] = i;
    for (size_t i = 0; i < merges_.size(); i++) {
      if (last[merges_[i]] == i) trained.merges.emplace_back(tokens_[merges_[i].first], tokens_[merges_[i].second]);
    }
    return trained;
  }

  const TrainerOptions& options_;
  std::unordered_map<std::string, uint32_t> ids_;
  std::vector<std::string> tokens_;
  std::vector<Word> words_;
  std::unordered_map<Pair, int64_t, PairHash> counts_;
  std::unordered_map<Pair, std::vector<uint32_t>, PairHash> changed_;
  std::priority_queue<Candidate> queue_;
  std::vector<Pair> merges_;
};

}  // namespace

Trained train_bpe(const WordCounts& words, const TrainerOptions& options) { return BpeTrainer(options).train(words); }

std::string Trained::to_json() const {
  json::Writer writer(false);
  writer.begin_object();
  writer.key("vocab").begin_object();
  for (const auto& [token, id] : vocab) writer.field(token, id);
  writer.end_object();
  writer.key("merges").begin_array();
  for (const auto& [left, right] : merges) {
    writer.begin_array();
    writer.string(left);
    writer.string(right);
    writer.end_array();
  }
  writer.end_array();
  writer.end_object();
  return writer.take();
}

}  // namespace gt::tokenizer
