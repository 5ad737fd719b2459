#include "generation/assistant_strategy.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace gt::generation {

void AssistantStrategy::add(const std::vector<float>& probabilities) {
  for (float probability : probabilities) probabilities_.push_back(static_cast<double>(probability));
}

// Reference: AssistedCandidateGenerator.update_candidate_strategy, with scikit-learn at hand.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/candidate_generator.py
void AssistantStrategy::update(size_t candidates, size_t matches) {
  if (heuristic_)
    state_.num_assistant_tokens = matches == candidates ? state_.num_assistant_tokens + 2 : std::max(1.0, state_.num_assistant_tokens - 1);
  if (state_.confidence_threshold == 0) return;
  matches_.insert(matches_.end(), matches, true);
  if (probabilities_.size() > matches_.size()) matches_.push_back(false);
  if (probabilities_.size() > matches_.size()) probabilities_.resize(matches_.size());
  const bool both = std::count(matches_.begin(), matches_.end(), true) > 0 && std::count(matches_.begin(), matches_.end(), false) > 0;
  if (probabilities_.size() > 5 && probabilities_.size() == matches_.size() && both)
    state_.confidence_threshold = best_threshold(probabilities_, matches_);
}

// Reference: sklearn.metrics.roc_curve: one point for each distinct probability, from the largest down, less those that
// lie on a line between their neighbours; the first of the cheapest wins.
double best_threshold(const std::vector<double>& probabilities, const std::vector<bool>& matches) {
  std::vector<size_t> order(probabilities.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return probabilities[a] > probabilities[b]; });
  struct Point {
    double threshold, right, wrong;  // … so many tokens at or above the threshold were right, and wrong
  };
  std::vector<Point> points;
  double right = 0, wrong = 0;
  for (size_t i = 0; i < order.size(); i++) {
    (matches[order[i]] ? right : wrong) += 1;
    const double probability = probabilities[order[i]];
    if (i + 1 == order.size() || probabilities[order[i + 1]] != probability) points.push_back({probability, right, wrong});
  }
  std::vector<Point> kept = {{std::numeric_limits<double>::infinity(), 0, 0}};
  for (size_t i = 0; i < points.size(); i++) {
    const bool inside = points.size() > 2 && i > 0 && i + 1 < points.size();
    if (inside && points[i - 1].right - 2 * points[i].right + points[i + 1].right == 0 &&
        points[i - 1].wrong - 2 * points[i].wrong + points[i + 1].wrong == 0)
      continue;
    kept.push_back(points[i]);
  }
  const auto cost = [&](const Point& point) { return point.wrong / wrong + 3 * (1 - point.right / right); };
  return std::min_element(kept.begin(), kept.end(), [&](const Point& a, const Point& b) { return cost(a) < cost(b); })->threshold;
}

}  // namespace gt::generation
