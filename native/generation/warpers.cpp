#include "generation/warpers.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "errors.h"
#include "generation/math.h"

namespace gt::generation {

namespace {

double checked(bool valid, double value, const char* what) {
  if (valid) return value;
  throw RangeError(std::string(what) + ", but is " + std::to_string(value));
}

// The k-th largest of `count` values, 1 <= k <= count.
float kth_largest(const float* values, int32_t count, int32_t k) {
  if (k == 1) return maximum(values, count);
  if (k > count / 8) {
    std::vector<float> all(values, values + count);
    std::nth_element(all.begin(), all.begin() + (k - 1), all.end(), std::greater<>());
    return all[static_cast<size_t>(k - 1)];
  }
  // A heap of the best so far, the worst of them on top: few values of a large vocabulary ever enter it.
  std::vector<float> best(values, values + k);
  std::make_heap(best.begin(), best.end(), std::greater<>());
  for (int32_t i = k; i < count; i++) {
    if (!(values[i] > best.front())) continue;
    std::pop_heap(best.begin(), best.end(), std::greater<>());
    best.back() = values[i];
    std::push_heap(best.begin(), best.end(), std::greater<>());
  }
  return best.front();
}

}  // namespace

TemperatureLogitsWarper::TemperatureLogitsWarper(float temperature) : temperature_(temperature) {
  if (!(temperature > 0))
    throw RangeError("`temperature` (=" + std::to_string(temperature) +
                     ") has to be a strictly positive float, otherwise your next token scores will be invalid." +
                     (temperature == 0 ? " If you're looking for greedy decoding strategies, set `do_sample=False`." : ""));
}

void TemperatureLogitsWarper::process(ScoresRow& row) {
  if (row.narrowed)
    for (int32_t token : row.kept) row.scores[token] /= temperature_;
  else
    for (int32_t i = 0; i < row.vocab_size; i++) row.scores[i] /= temperature_;
}

FilterWarper::FilterWarper(int32_t min_tokens_to_keep, float filter_value)
    : min_tokens_to_keep_(min_tokens_to_keep), filter_value_(filter_value) {
  checked(min_tokens_to_keep > 0, min_tokens_to_keep, "`min_tokens_to_keep` has to be a positive integer");
}

const float* FilterWarper::gather(const ScoresRow& row) {
  if (!row.narrowed) return row.scores;
  gathered_.resize(row.kept.size());
  for (size_t i = 0; i < row.kept.size(); i++) gathered_[i] = row.scores[row.kept[i]];
  return gathered_.data();
}

const float* FilterWarper::probabilities(const ScoresRow& row) {
  probabilities_.resize(static_cast<size_t>(row.count()));
  softmax(gather(row), row.count(), probabilities_.data());
  return probabilities_.data();
}

float FilterWarper::kth_best(const float* scores, int32_t count) const {
  return kth_largest(scores, count, std::min(min_tokens_to_keep_, count));
}

void FilterWarper::remove(ScoresRow& row) {
  const int32_t count = row.count();
  std::vector<int32_t> kept;
  for (int32_t i = 0; i < count; i++) {
    const int32_t token = row.token(i);
    if (keep_[static_cast<size_t>(i)]) kept.push_back(token);
    else row.scores[token] = filter_value_;
  }
  if (filter_value_ != removed) return;
  row.kept = std::move(kept);
  row.narrowed = true;
}

TopKLogitsWarper::TopKLogitsWarper(int32_t top_k, int32_t min_tokens_to_keep, float filter_value)
    : FilterWarper(min_tokens_to_keep, filter_value), top_k_(std::max(top_k, min_tokens_to_keep)) {
  checked(top_k > 0, top_k, "`top_k` has to be a strictly positive integer");
}

void TopKLogitsWarper::process(ScoresRow& row) {
  const float* scores = gather(row);
  const int32_t count = row.count();
  if (top_k_ >= count) return;
  const float kth = kth_largest(scores, count, top_k_);
  keep_.resize(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; i++) keep_[static_cast<size_t>(i)] = !(scores[i] < kth);
  remove(row);
}

TopPLogitsWarper::TopPLogitsWarper(double top_p, int32_t min_tokens_to_keep, float filter_value)
    : FilterWarper(min_tokens_to_keep, filter_value),
      tail_(static_cast<float>(1 - checked(top_p >= 0 && top_p <= 1, top_p, "`top_p` has to be a float > 0 and < 1"))) {}

// Sorts the upper part alone: tokens below half the tail's mean probability cannot together fill the tail.
void TopPLogitsWarper::process(ScoresRow& row) {
  const float* p = probabilities(row);
  const float* scores = gather(row);
  const int32_t count = row.count();
  float cut = tail_ / static_cast<float>(count) * 0.5f;
  double cumulative = 0;
  for (;; cut = 0) {
    order_.clear();
    cumulative = 0;
    for (int32_t i = 0; i < count; i++) {
      if (p[i] >= cut) order_.push_back(i);
      else cumulative += static_cast<double>(p[i]);
    }
    if (static_cast<int32_t>(order_.size()) >= std::min(count, min_tokens_to_keep_) || cut == 0) break;
  }
  std::stable_sort(order_.begin(), order_.end(), [&](int32_t a, int32_t b) { return scores[a] < scores[b]; });
  keep_.assign(static_cast<size_t>(count), 0);
  const auto first_kept = static_cast<int32_t>(order_.size()) - min_tokens_to_keep_;
  for (int32_t i = 0; i < static_cast<int32_t>(order_.size()); i++) {
    const int32_t position = order_[static_cast<size_t>(i)];
    cumulative += static_cast<double>(p[position]);
    keep_[static_cast<size_t>(position)] = i >= first_kept || !(static_cast<float>(cumulative) <= tail_);
  }
  remove(row);
}

MinPLogitsWarper::MinPLogitsWarper(double min_p, int32_t min_tokens_to_keep, float filter_value)
    : FilterWarper(min_tokens_to_keep, filter_value),
      min_p_(static_cast<float>(
          checked(min_p >= 0 && min_p <= 1, min_p, "`min_p` has to be a float in the [0, 1] interval"))) {}

void MinPLogitsWarper::process(ScoresRow& row) {
  const float* p = probabilities(row);
  const int32_t count = row.count();
  const float least = min_p_ * maximum(p, count);
  keep_.resize(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; i++) keep_[static_cast<size_t>(i)] = !(p[i] < least);
  if (min_tokens_to_keep_ > 1) {
    const float* scores = gather(row);
    order_.resize(static_cast<size_t>(count));
    std::iota(order_.begin(), order_.end(), 0);
    const int32_t best = std::min(count, min_tokens_to_keep_);
    std::partial_sort(order_.begin(), order_.begin() + best, order_.end(), [&](int32_t a, int32_t b) {
      return scores[a] > scores[b] || (scores[a] == scores[b] && a < b);
    });
    for (int32_t i = 0; i < best; i++) keep_[static_cast<size_t>(order_[static_cast<size_t>(i)])] = 1;
  }
  remove(row);
}

TypicalLogitsWarper::TypicalLogitsWarper(double mass, int32_t min_tokens_to_keep, float filter_value)
    : FilterWarper(min_tokens_to_keep, filter_value),
      mass_(static_cast<float>(checked(mass > 0 && mass < 1, mass, "`typical_p` has to be a float > 0 and < 1"))) {}

void TypicalLogitsWarper::process(ScoresRow& row) {
  const int32_t count = row.count();
  const float* p = probabilities(row);
  const float* scores = gather(row);
  normalized_.resize(static_cast<size_t>(count));
  log_softmax(scores, count, normalized_.data());
  double entropy = 0;
  for (int32_t i = 0; i < count; i++)
    if (p[i] > 0) entropy -= static_cast<double>(normalized_[static_cast<size_t>(i)] * p[i]);
  shifted_.resize(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; i++)
    shifted_[static_cast<size_t>(i)] = std::abs(-normalized_[static_cast<size_t>(i)] - static_cast<float>(entropy));
  order_.resize(static_cast<size_t>(count));
  std::iota(order_.begin(), order_.end(), 0);
  const auto shift = [&](int32_t position) { return shifted_[static_cast<size_t>(position)]; };
  std::stable_sort(order_.begin(), order_.end(), [&](int32_t a, int32_t b) { return shift(a) < shift(b); });
  size_t last = 0;
  double cumulative = static_cast<double>(p[order_[0]]);
  while (last + 1 < order_.size() && static_cast<float>(cumulative) < mass_)
    cumulative += static_cast<double>(p[order_[++last]]);
  const float furthest = shift(order_[last]);
  keep_.resize(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; i++) {
    const int32_t position = order_[static_cast<size_t>(i)];
    keep_[static_cast<size_t>(position)] = i < min_tokens_to_keep_ || !(shift(position) > furthest);
  }
  remove(row);
}

EpsilonLogitsWarper::EpsilonLogitsWarper(double epsilon, int32_t min_tokens_to_keep, float filter_value)
    : FilterWarper(min_tokens_to_keep, filter_value),
      epsilon_(static_cast<float>(
          checked(epsilon > 0 && epsilon < 1, epsilon, "`epsilon_cutoff` has to be a float > 0 and < 1"))) {}

void EpsilonLogitsWarper::process(ScoresRow& row) {
  const float* p = probabilities(row);
  const float* scores = gather(row);
  const int32_t count = row.count();
  const float best = kth_best(scores, count);
  keep_.resize(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; i++) keep_[static_cast<size_t>(i)] = !(p[i] < epsilon_ && scores[i] < best);
  remove(row);
}

EtaLogitsWarper::EtaLogitsWarper(double epsilon, int32_t min_tokens_to_keep, float filter_value)
    : FilterWarper(min_tokens_to_keep, filter_value),
      epsilon_(static_cast<float>(
          checked(epsilon > 0 && epsilon < 1, epsilon, "`eta_cutoff` has to be a float > 0 and < 1"))) {}

void EtaLogitsWarper::process(ScoresRow& row) {
  const float* p = probabilities(row);
  const float* scores = gather(row);
  const int32_t count = row.count();
  double entropy = 0;
  for (int32_t i = 0; i < count; i++)
    if (p[i] > 0) entropy -= static_cast<double>(p[i]) * std::log(static_cast<double>(p[i]));
  const float eta = std::min(epsilon_, std::sqrt(epsilon_) * std::exp(static_cast<float>(-entropy)));
  const float best = kth_best(scores, count);
  keep_.resize(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; i++) keep_[static_cast<size_t>(i)] = !(p[i] < eta && scores[i] < best);
  remove(row);
}

void LogitNormalization::process(ScoresRow& row) { log_softmax(row.scores, row.vocab_size, row.scores); }

}  // namespace gt::generation
