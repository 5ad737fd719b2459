#include "tokenizer/unigram_lattice.h"

#include <algorithm>
#include <cmath>

#include "unicode/utf8.h"

namespace gt::tokenizer {

namespace {

// log(exp(x) + exp(y))
double log_sum(double x, double y) {
  const double low = std::min(x, y), high = std::max(x, y);
  return high > low + 50 ? high : high + std::log(std::exp(low - high) + 1);
}

}  // namespace

void Lattice::build(std::string_view text, const ScoredVocabulary& vocabulary) {
  size_ = text.size();
  nodes_.clear();
  for (uint32_t begin = 0; begin < size_;) {
    const auto width = static_cast<uint32_t>(unicode::length(static_cast<uint8_t>(text[begin])));
    bool has_single = false;
    vocabulary.trie.prefixes(text, begin, [&](size_t end, uint32_t id) {
      nodes_.push_back({id, begin, static_cast<uint32_t>(end), vocabulary.scores[id]});
      has_single = has_single || end == begin + width;
    });
    if (!has_single) nodes_.push_back({0, begin, begin + width, vocabulary.unknown_score});
    begin += width;
  }
}

const std::vector<uint32_t>& Lattice::best(uint32_t but_not) {
  steps_.assign(size_ + 1, {0, 0, false});
  steps_[0].is_reached = true;
  for (uint32_t i = 0; i < nodes_.size(); i++) {
    const Node& node = nodes_[i];
    if (node.id == but_not || !steps_[node.begin].is_reached) continue;
    const double score = steps_[node.begin].score + node.score;
    Step& step = steps_[node.end];
    if (!step.is_reached || score > step.score) step = {i, score, true};
  }
  ids_.clear();
  if (!steps_[size_].is_reached) return ids_;
  for (size_t end = size_; end > 0; end = nodes_[steps_[end].node].begin) ids_.push_back(nodes_[steps_[end].node].id);
  std::reverse(ids_.begin(), ids_.end());
  return ids_;
}

double Lattice::add_expected(double count, std::vector<double>& expected) {
  const auto add = [&](double& sum, size_t at, double value) {
    sum = seen_[at] ? log_sum(sum, value) : value;
    seen_[at] = 1;
  };
  before_.assign(size_ + 1, 0);
  seen_.assign(size_ + 1, 0);
  for (const Node& node : nodes_) add(before_[node.end], node.end, before_[node.begin] + node.score);
  after_.assign(size_ + 1, 0);
  seen_.assign(size_ + 1, 0);
  for (size_t i = nodes_.size(); i-- > 0;) {
    const Node& node = nodes_[i];
    add(after_[node.begin], node.begin, after_[node.end] + node.score);
  }
  const double likelihood = before_[size_];
  for (const Node& node : nodes_)
    expected[node.id] += count * std::exp(before_[node.begin] + node.score + after_[node.end] - likelihood);
  return count * likelihood;
}

}  // namespace gt::tokenizer
