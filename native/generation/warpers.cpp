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

TopKLogitsWarper::TopKLogitsWarper(int32_t top_k, int32_t min_tokens_to_keep, float filter_value)
    : FilterWarper(min_tokens_to_keep, filter_value), top_k_(std::max(top_k, min_tokens_to_keep)) {
  checked(top_k > 0, top_k, "`top_k` has to be a strictly positive integer");
}

void TopKLogitsWarper::process(ScoresRow& row) {
  const float* scores = gather(row);
  const int32_t count = row.count();
  if (top_k_ >= count) return;
  const float kth = kth_largest(scores, count, top_k_);
  remove(row, [&](int32_t i) { return !(scores[i] < kth); });
}

TopPLogitsWarper::TopPLogitsWarper(double top_p, int32_t min_tokens_to_keep, float filter_value)
    : FilterWarper(min_tokens_to_keep, filter_value),
      tail_(static_cast<float>(1 - checked(top_p >= 0 && top_p <= 1, top_p, "`top_p` has to be a float > 0 and < 1"))) {}

// Goes through the tokens from the least probable one up. Bins that go as a whole are not sorted, and from where the
// tail is full on all tokens stay.
void TopPLogitsWarper::process(ScoresRow& row) {
  const float* p = probabilities(row);
  const float* scores = gather(row);
  const int32_t count = row.count();
  const auto in_tail = [&](double cumulative) { return static_cast<float>(cumulative) <= tail_; };
  bins_.clear();
  for (int32_t i = 0; i < count; i++) bins_.add(p[i], p[i]);
  double cumulative = 0;
  int32_t rank = 0;
  const int32_t may_go = std::max(0, count - min_tokens_to_keep_);
  size_t first = 0;
  for (; first + 1 < bins_.size(); first++) {
    if (!in_tail(cumulative + bins_.mass(first)) || rank + bins_.count(first) > may_go) break;
    cumulative += bins_.mass(first);
    rank += bins_.count(first);
  }
  size_t last = first;
  for (double sum = cumulative + bins_.mass(first); last + 1 < bins_.size() && in_tail(sum);) sum += bins_.mass(++last);

  order_.clear();
  keep_.resize(static_cast<size_t>(count));
  for (int32_t i = 0; i < count; i++) {
    const size_t bin = MassBins::of(p[i]);
    keep_[static_cast<size_t>(i)] = bin > last;
    if (bin >= first && bin <= last) order_.push_back(i);
  }
  std::stable_sort(order_.begin(), order_.end(), [&](int32_t a, int32_t b) { return scores[a] < scores[b]; });
  for (int32_t position : order_) {
    cumulative += static_cast<double>(p[position]);
    keep_[static_cast<size_t>(position)] = rank++ >= may_go || !in_tail(cumulative);
  }
  remove(row, [&](int32_t i) { return keep_[static_cast<size_t>(i)] != 0; });
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
  remove(row, [&](int32_t i) { return keep_[static_cast<size_t>(i)] != 0; });
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
  const auto shift = [&](int32_t position) { return shifted_[static_cast<size_t>(position)]; };
  const auto nearer = [&](int32_t a, int32_t b) { return shift(a) < shift(b) || (shift(a) == shift(b) && a < b); };

  // The nearest tokens until their mass is reached; the last bin of them is sorted to see where.
  bins_.clear();
  for (int32_t i = 0; i < count; i++) bins_.add(shift(i), p[i]);
  double cumulative = 0;
  int32_t rank = 0;
  size_t bin = 0;
  const auto reaches = [&](double sum) { return !(static_cast<float>(sum) < mass_); };
  for (; bin + 1 < bins_.size() && rank + bins_.count(bin) < count && !reaches(cumulative + bins_.mass(bin)); bin++) {
    cumulative += bins_.mass(bin);
    rank += bins_.count(bin);
  }
  order_.clear();
  for (int32_t i = 0; i < count; i++)
    if (MassBins::of(shift(i)) == bin) order_.push_back(i);
  std::sort(order_.begin(), order_.end(), nearer);
  size_t last = 0;
  cumulative += static_cast<double>(p[order_[0]]);
  while (last + 1 < order_.size() && !reaches(cumulative)) cumulative += static_cast<double>(p[order_[++last]]);
  float furthest = shift(order_[last]);
  if (rank + static_cast<int32_t>(last) + 1 < min_tokens_to_keep_) {
    order_.resize(static_cast<size_t>(count));
    std::iota(order_.begin(), order_.end(), 0);
    const auto kept = order_.begin() + std::min(count, min_tokens_to_keep_) - 1;
    std::nth_element(order_.begin(), kept, order_.end(), nearer);
    furthest = shift(*kept);
  }
  remove(row, [&](int32_t i) { return !(shift(i) > furthest); });
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
  remove(row, [&](int32_t i) { return !(p[i] < epsilon_ && scores[i] < best); });
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
  remove(row, [&](int32_t i) { return !(p[i] < eta && scores[i] < best); });
}

void LogitNormalization::process(ScoresRow& row) { log_softmax(row.scores, row.vocab_size, row.scores); }

}  // namespace gt::generation
