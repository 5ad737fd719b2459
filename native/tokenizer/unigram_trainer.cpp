#include "tokenizer/unigram_trainer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <unordered_set>

#include "errors.h"
#include "tokenizer/json.h"
#include "tokenizer/unigram_lattice.h"
#include "tokenizer/unigram_seeds.h"
#include "unicode/utf8.h"

namespace gt::tokenizer {

namespace {

constexpr double kUnknownPenalty = 10;
constexpr double kLeastExpected = 0.5;  // pieces that are used less often go

// The derivative of the logarithm of the gamma function: an asymptotic series, after steps up to where it holds.
double digamma(double x) {
  double result = 0;
  for (; x < 7; x++) result -= 1 / x;
  x -= 0.5;
  const double xx = 1 / x, xx2 = xx * xx, xx4 = xx2 * xx2;
  return result + std::log(x) + (1.0 / 24) * xx2 - 7.0 / 960 * xx4 + (31.0 / 8064) * xx4 * xx2 - (127.0 / 30720) * xx4 * xx4;
}

class UnigramTrainer {
 public:
  UnigramTrainer(const WordCounts& words, const UnigramOptions& options) : options_(options) {
    for (const auto& [word, count] : words) words_.emplace_back(word, static_cast<double>(count));
    std::sort(words_.begin(), words_.end());
  }

  TrainedUnigram train() {
    const std::set<std::string> characters = required_characters();
    check_room(characters.size());
    // Id 0 stands for what is unknown; it has no text.
    pieces_.emplace_back("", std::numeric_limits<double>::quiet_NaN());
    for (auto& piece : seed_pieces(words_, options_)) pieces_.push_back(std::move(piece));
    const size_t enough = options_.vocab_size * 11 / 10;
    use_pieces();
    for (size_t before = 0; pieces_.size() != before;) {
      before = pieces_.size();
      for (size_t i = 0; i < options_.n_sub_iterations; i++) estimate();
      if (pieces_.size() <= enough) break;
      prune(std::max(enough, static_cast<size_t>(static_cast<double>(pieces_.size()) * options_.shrinking_factor)));
      use_pieces();
    }
    return result(characters);
  }

 private:
  std::set<std::string> required_characters() const {
    std::set<std::string> characters;
    size_t width;
    for (const auto& [word, count] : words_) {
      for (size_t at = 0; at < word.size(); at += width) {
        unicode::decode(word.data() + at, width);
        characters.insert(word.substr(at, width));
      }
    }
    for (const char32_t c : options_.initial_alphabet) {
      std::string text;
      unicode::append(text, c);
      characters.insert(text);
    }
    return characters;
  }

  size_t special_count() const {
    const auto& tokens = options_.special_tokens;
    const bool adds_unk = options_.unk_token && std::find(tokens.begin(), tokens.end(), *options_.unk_token) == tokens.end();
    return tokens.size() + (adds_unk ? 1 : 0);
  }

  void check_room(size_t characters) const {
    const auto number = [](size_t value) { return std::to_string(value); };
    const size_t least = std::max(characters, special_count());
    if (options_.vocab_size >= least) return;
    throw RangeError("Expected at least " + number(least) + " for vocab_size but received " + number(options_.vocab_size) +
                     ": the texts have " + number(characters) + " characters, and there are " + number(special_count()) +
                     " special tokens");
  }

  void use_pieces() {
    vocabulary_ = {};
    double least = std::numeric_limits<double>::infinity();
    std::vector<Trie::Entry> entries;
    for (uint32_t id = 0; id < pieces_.size(); id++) {
      entries.push_back({pieces_[id].first, id});
      vocabulary_.scores.push_back(pieces_[id].second);
      if (pieces_[id].second < least) least = pieces_[id].second;
    }
    vocabulary_.trie = Trie(entries);
    least_score_ = least;
    vocabulary_.unknown_score = least - kUnknownPenalty;
  }

  // One round of expectation maximisation. Digamma in place of the logarithm makes rare pieces rarer.
  void estimate() {
    std::vector<double> expected(pieces_.size());
    for (const auto& [word, count] : words_) {
      lattice_.build(word, vocabulary_);
      lattice_.add_expected(count, expected);
    }
    ScoredPieces kept{pieces_[0]};
    double sum = 0;
    for (size_t id = 1; id < pieces_.size(); id++) {
      if (expected[id] < kLeastExpected) continue;
      kept.emplace_back(std::move(pieces_[id].first), expected[id]);
      sum += expected[id];
    }
    const double all = digamma(sum);
    for (size_t i = 1; i < kept.size(); i++) kept[i].second = digamma(kept[i].second) - all;
    pieces_ = std::move(kept);
    use_pieces();
  }

  // Leaves `size` pieces: those that cannot be made of others, then those without which the texts would be least likely.
  void prune(size_t size) {
    std::vector<std::vector<uint32_t>> alternatives(pieces_.size());
    std::vector<bool> always_keep(pieces_.size(), true);
    for (uint32_t id = 1; id < pieces_.size(); id++) {
      lattice_.build(pieces_[id].first, vocabulary_);
      always_keep[id] = lattice_.best().size() < 2;
      if (always_keep[id]) alternatives[id] = lattice_.best(id);
    }
    std::vector<double> used(pieces_.size());
    double all_words = 0;
    for (const auto& [word, count] : words_) {
      lattice_.build(word, vocabulary_);
      all_words += count;
      for (const uint32_t id : lattice_.best()) used[id] += count;
    }
    double all_used = 0;
    for (const double count : used) all_used += count;

    ScoredPieces kept{pieces_[0]};
    std::vector<std::pair<double, uint32_t>> candidates;
    for (uint32_t id = 1; id < pieces_.size(); id++) {
      if (used[id] == 0 && !always_keep[id]) continue;
      if (alternatives[id].empty()) kept.push_back(pieces_[id]);
      else if (used[id] > 0) candidates.emplace_back(used[id] / all_words * loss(id, alternatives[id], used, all_used), id);
    }
    std::stable_sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    for (const auto& [lost, id] : candidates) {
      if (kept.size() == size) break;
      kept.push_back(pieces_[id]);
    }
    pieces_ = std::move(kept);
  }

  // How much less likely a piece's text gets where `alternatives` stand for it. Rust divides by the sum of all uses with
  // the piece's own counted once for every piece of the model, not for every alternative.
  static double loss(uint32_t id, const std::vector<uint32_t>& alternatives, const std::vector<double>& used, double all_used) {
    const double all = std::log(all_used + used[id] * static_cast<double>(used.size() - 1));
    double others = 0;
    for (const uint32_t other : alternatives) others += std::log(used[other] + used[id]) - all;
    return std::log(used[id]) - std::log(all_used) - others;
  }

  // The special tokens, then all characters and as many of the other pieces as there is room for, the best first.
  TrainedUnigram result(const std::set<std::string>& characters) const {
    ScoredPieces chosen;
    std::unordered_map<std::string, double> known;
    for (const auto& [piece, score] : pieces_) known.emplace(piece, score);
    double penalty = 0;
    for (const std::string& character : characters) {
      const auto found = known.find(character);
      chosen.emplace_back(character, found != known.end() ? found->second : least_score_ + penalty);
      if (found == known.end()) penalty += 0.0001;
    }
    const size_t room = options_.vocab_size - special_count();
    for (size_t id = 1; id < pieces_.size(); id++) {
      if (characters.count(pieces_[id].first)) continue;
      chosen.push_back(pieces_[id]);
      if (chosen.size() == room) break;  // never true if the characters alone are more
    }
    std::stable_sort(chosen.begin(), chosen.end(), [](const auto& a, const auto& b) { return a.second > b.second; });

    TrainedUnigram trained;
    const auto& special = options_.special_tokens;
    for (const std::string& token : special) trained.vocab.emplace_back(token, 0);
    if (options_.unk_token) {
      const auto found = std::find(special.begin(), special.end(), *options_.unk_token);
      trained.unk_id = found != special.end() ? static_cast<size_t>(found - special.begin()) : 0;
      if (found == special.end()) trained.vocab.insert(trained.vocab.begin(), {*options_.unk_token, 0});
    }
    trained.vocab.insert(trained.vocab.end(), chosen.begin(), chosen.end());
    return trained;
  }

  const UnigramOptions& options_;
  CountedWords words_;
  ScoredPieces pieces_;
  ScoredVocabulary vocabulary_;
  double least_score_ = 0;
  Lattice lattice_;
};

}  // namespace

TrainedUnigram train_unigram(const WordCounts& words, const UnigramOptions& options) { return UnigramTrainer(words, options).train(); }

std::string TrainedUnigram::to_json() const {
  json::Writer writer(false);
  writer.begin_object();
  writer.key("unk_id");
  unk_id ? writer.integer(static_cast<int64_t>(*unk_id)) : writer.null();
  writer.key("vocab").begin_array();
  for (const auto& [piece, score] : vocab) {
    writer.begin_array();
    writer.string(piece);
    writer.number(score);
    writer.end_array();
  }
  writer.end_array();
  writer.end_object();
  return writer.take();
}

}  // namespace gt::tokenizer
