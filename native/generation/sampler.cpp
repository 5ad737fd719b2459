#include "generation/sampler.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "errors.h"
#include "generation/math.h"

namespace gt::generation {

namespace {

constexpr int32_t block = 512;

// Weights in blocks with a sum each, so that a draw looks into one block alone.
struct Blocks {
  float* weights;
  int32_t count;
  std::vector<double> sums;

  Blocks(float* weights, int32_t count) : weights(weights), count(count) {
    for (int32_t i = 0; i < count; i += block) sums.push_back(sum(i));
  }
  double sum(int32_t first) const {
    double result = 0;
    for (int32_t i = first; i < std::min(count, first + block); i++) result += static_cast<double>(weights[i]);
    return result;
  }
  double total() const {
    double result = 0;
    for (double s : sums) result += s;
    return result;
  }
  // The first position whose cumulative weight exceeds `target`; if rounding leaves none, the last one with a weight.
  int32_t find(double target) const {
    double cumulative = 0;
    for (size_t b = 0; b < sums.size(); b++) {
      if (cumulative + sums[b] <= target) {
        cumulative += sums[b];
        continue;
      }
      const int32_t first = static_cast<int32_t>(b) * block;
      for (int32_t i = first; i < std::min(count, first + block); i++) {
        cumulative += static_cast<double>(weights[i]);
        if (cumulative > target) return i;
      }
    }
    int32_t last = count - 1;
    while (last > 0 && !(weights[last] > 0)) last--;
    return last;
  }
  void take_out(int32_t position) {
    weights[position] = 0;
    sums[static_cast<size_t>(position / block)] = sum(position / block * block);
  }
};

void check(double total) {
  if (!std::isfinite(total) || !(total > 0))
    throw Error("invalid_scores", "probability tensor contains either `inf`, `nan` or element < 0");
}

uint64_t seed_of(const GenerationOptions& options) {
  if (options.seed) return *options.seed;
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

}  // namespace

Uniforms::Uniforms(const GenerationOptions& options, std::shared_ptr<HostHooks> hooks)
    : list_(options.uniforms),
      hooks_(hooks && hooks->has_uniforms ? std::move(hooks) : nullptr),
      random_(options.do_sample ? seed_of(options) : 0) {}

std::vector<double> Uniforms::next(size_t count) {
  if (ahead_.empty()) return draw(count);
  const auto known = static_cast<std::ptrdiff_t>(std::min(count, ahead_.size()));
  std::vector<double> result(ahead_.begin(), ahead_.begin() + known);
  ahead_.erase(ahead_.begin(), ahead_.begin() + known);
  const std::vector<double> more = draw(count - result.size());
  result.insert(result.end(), more.begin(), more.end());
  return result;
}

std::vector<double> Uniforms::peek(size_t count) {
  size_t missing = count - std::min(count, ahead_.size());
  if (is_list()) missing = std::min(missing, list_.size() - used_);
  const std::vector<double> more = draw(missing);
  ahead_.insert(ahead_.end(), more.begin(), more.end());
  return {ahead_.begin(), ahead_.begin() + static_cast<std::ptrdiff_t>(std::min(count, ahead_.size()))};
}

std::vector<double> Uniforms::draw(size_t count) {
  std::vector<double> result;
  if (count == 0) return result;
  if (hooks_) {
    result = hooks_->uniforms(count);
  } else if (is_list()) {
    if (list_.size() - used_ < count)
      throw RangeError("Expected one number in `generator` for each row and step but the " +
                       std::to_string(list_.size()) + " given are used up");
    const auto first = list_.begin() + static_cast<std::ptrdiff_t>(used_);
    result.assign(first, first + static_cast<std::ptrdiff_t>(count));
    used_ += count;
  } else {
    for (size_t i = 0; i < count; i++) result.push_back(random_.uniform());
    return result;
  }
  for (double uniform : result)
    if (!(uniform >= 0 && uniform < 1))
      throw RangeError("Expected numbers from 0 to below 1 from `generator` but received " + std::to_string(uniform));
  return result;
}

int32_t Sampler::draw(const ScoresRow& row, double uniform) {
  const int32_t count = row.count();
  const float* scores = row.scores;
  if (row.narrowed) {
    gathered_.resize(row.kept.size());
    for (size_t i = 0; i < row.kept.size(); i++) gathered_[i] = row.scores[row.kept[i]];
    scores = gathered_.data();
  }
  weights_.resize(static_cast<size_t>(count));
  exponentials(scores, count, maximum(scores, count), weights_.data());
  return row.token(draw_weights(weights_.data(), count, uniform));
}

int32_t Sampler::draw_weights(float* weights, int32_t count, double uniform) {
  const Blocks blocks(weights, count);
  check(blocks.total());
  return blocks.find(uniform * blocks.total());
}

std::vector<int32_t> Sampler::draw_several(const float* scores, int32_t count, const std::vector<double>& uniforms,
                                            bool may_be_fewer) {
  weights_.resize(static_cast<size_t>(count));
  exponentials(scores, count, maximum(scores, count), weights_.data());
  Blocks blocks(weights_.data(), count);
  check(blocks.total());
  std::vector<int32_t> result;
  for (double uniform : uniforms) {
    const double total = blocks.total();
    if (total > 0) {
      result.push_back(blocks.find(uniform * total));
      blocks.take_out(result.back());
      continue;
    }
    if (may_be_fewer) break;
    // What has a probability is used up, as after a forced token: torch takes any others, here the first ones.
    int32_t rest = 0;
    while (std::find(result.begin(), result.end(), rest) != result.end()) rest++;
    result.push_back(rest);
  }
  return result;
}

}  // namespace gt::generation
