// Processors that shape the distribution that sampling draws from. Those that remove tokens keep at least
// `min_tokens_to_keep` of the best ones and give the others the score `filter_value`.
#pragma once

#include <cstring>
#include <limits>

#include "generation/logits_processor.h"

namespace gt::generation {

constexpr float removed = -std::numeric_limits<float>::infinity();

class TemperatureLogitsWarper final : public LogitsProcessor {
 public:
  // Throws RangeError unless temperature > 0.
  explicit TemperatureLogitsWarper(float temperature);
  const char* name() const override { return "TemperatureLogitsWarper"; }
  void process(ScoresRow& row) override;

 private:
  float temperature_;
};

// A warper that removes tokens: the scores that may still be drawn, gathered, and the removal.
class FilterWarper : public LogitsProcessor {
 public:
  // Throws RangeError unless min_tokens_to_keep > 0.
  FilterWarper(int32_t min_tokens_to_keep, float filter_value);

 protected:
  // row.count() scores, in ascending order of ids.
  const float* gather(const ScoresRow& row);
  // Their softmax.
  const float* probabilities(const ScoresRow& row);
  // The score of the min_tokens_to_keep-th best of `count`.
  float kth_best(const float* scores, int32_t count) const;
  // Removes the tokens for whose position `keep` says false; called once for each, ascending.
  template <class Keep>
  void remove(ScoresRow& row, Keep keep) const {
    std::vector<int32_t> kept;
    const int32_t count = row.count();
    for (int32_t i = 0; i < count; i++) {
      const int32_t token = row.token(i);
      if (keep(i)) kept.push_back(token);
      else row.scores[token] = filter_value_;
    }
    if (filter_value_ != removed) return;
    row.kept = std::move(kept);
    row.narrowed = true;
  }

  const int32_t min_tokens_to_keep_;
  const float filter_value_;

 private:
  std::vector<float> gathered_;
  std::vector<float> probabilities_;
};

// Probability mass by the size of a key, so that a cumulative sum over sorted keys needs one bin of them sorted.
class MassBins {
 public:
  // Bins of non-negative keys, in the order of the keys; 32 for each doubling.
  static size_t of(float key) {
    uint32_t bits;
    std::memcpy(&bits, &key, sizeof bits);
    return (bits & 0x7fffffff) >> 18;
  }

  void clear() {
    masses_.assign(size_t{1} << 13, 0);
    counts_.assign(size_t{1} << 13, 0);
  }
  void add(float key, float mass) {
    masses_[of(key)] += static_cast<double>(mass);
    counts_[of(key)]++;
  }
  size_t size() const { return masses_.size(); }
  double mass(size_t bin) const { return masses_[bin]; }
  int32_t count(size_t bin) const { return counts_[bin]; }

 private:
  std::vector<double> masses_;
  std::vector<int32_t> counts_;
};

class TopKLogitsWarper final : public FilterWarper {
 public:
  // Throws RangeError unless top_k > 0. Ties with the k-th score all stay.
  explicit TopKLogitsWarper(int32_t top_k, int32_t min_tokens_to_keep = 1, float filter_value = removed);
  const char* name() const override { return "TopKLogitsWarper"; }
  void process(ScoresRow& row) override;

 private:
  int32_t top_k_;
};

class TopPLogitsWarper final : public FilterWarper {
 public:
  // Throws RangeError unless 0 <= top_p <= 1.
  explicit TopPLogitsWarper(double top_p, int32_t min_tokens_to_keep = 1, float filter_value = removed);
  const char* name() const override { return "TopPLogitsWarper"; }
  void process(ScoresRow& row) override;

 private:
  float tail_;  // probability that may go
  MassBins bins_;
  std::vector<int32_t> order_;
  std::vector<char> keep_;
};

class MinPLogitsWarper final : public FilterWarper {
 public:
  // Throws RangeError unless 0 <= min_p <= 1.
  explicit MinPLogitsWarper(double min_p, int32_t min_tokens_to_keep = 1, float filter_value = removed);
  const char* name() const override { return "MinPLogitsWarper"; }
  void process(ScoresRow& row) override;

 private:
  float min_p_;
  std::vector<int32_t> order_;
  std::vector<char> keep_;
};

class TypicalLogitsWarper final : public FilterWarper {
 public:
  // Throws RangeError unless 0 < mass < 1.
  explicit TypicalLogitsWarper(double mass, int32_t min_tokens_to_keep = 1, float filter_value = removed);
  const char* name() const override { return "TypicalLogitsWarper"; }
  void process(ScoresRow& row) override;

 private:
  float mass_;
  MassBins bins_;
  std::vector<int32_t> order_;
  std::vector<float> normalized_;
  std::vector<float> shifted_;
};

class EpsilonLogitsWarper final : public FilterWarper {
 public:
  // Throws RangeError unless 0 < epsilon < 1.
  explicit EpsilonLogitsWarper(double epsilon, int32_t min_tokens_to_keep = 1, float filter_value = removed);
  const char* name() const override { return "EpsilonLogitsWarper"; }
  void process(ScoresRow& row) override;

 private:
  float epsilon_;
};

class EtaLogitsWarper final : public FilterWarper {
 public:
  // Throws RangeError unless 0 < epsilon < 1.
  explicit EtaLogitsWarper(double epsilon, int32_t min_tokens_to_keep = 1, float filter_value = removed);
  const char* name() const override { return "EtaLogitsWarper"; }
  void process(ScoresRow& row) override;

 private:
  float epsilon_;
};

class LogitNormalization final : public LogitsProcessor {
 public:
  const char* name() const override { return "LogitNormalization"; }
  void process(ScoresRow& row) override;
};

}  // namespace gt::generation
