#include "generation/watermark.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "errors.h"

namespace gt::generation {

namespace {

constexpr int32_t table_size = 1000003;

// The first `drawn` numbers of torch.randperm(size) on the CPU, for sizes below 2^32.
void randperm(uint64_t seed, int32_t size, int32_t drawn, std::vector<int32_t>& out) {
  std::mt19937 generator(static_cast<uint32_t>(seed));
  out.resize(static_cast<size_t>(size));
  std::iota(out.begin(), out.end(), 0);
  for (int32_t i = 0; i < std::min(drawn, size - 1); i++) {
    const auto j = static_cast<size_t>(i) + generator() % static_cast<uint32_t>(size - i);
    std::swap(out[static_cast<size_t>(i)], out[j]);
  }
}

}  // namespace

WatermarkLogitsProcessor::WatermarkLogitsProcessor(const Watermarking& config, int32_t vocab_size)
    : config_(config),
      greenlist_size_(static_cast<int32_t>(vocab_size * static_cast<double>(config.greenlist_ratio))) {
  if (!(config.greenlist_ratio > 0 && config.greenlist_ratio < 1))
    throw RangeError("greenlist_ratio has be in range between 0.0 and 1.0, exclusively. but found " +
                     std::to_string(config.greenlist_ratio));
  if (config.context_width < 1)
    throw RangeError("Expected context_width of at least 1 but received " + std::to_string(config.context_width));
  if (config.self_hash) randperm(static_cast<uint64_t>(config.hashing_key), table_size, table_size, fixed_table_);
}

void WatermarkLogitsProcessor::draw(const Ids& ids) {
  const auto key = static_cast<uint64_t>(config_.hashing_key);
  const auto last = static_cast<uint64_t>(ids.back());
  uint64_t seed = key * last;
  if (config_.self_hash) {
    const auto entry = [&](int32_t token) {
      return static_cast<uint64_t>(fixed_table_[static_cast<size_t>(token) % table_size]) + 1;
    };
    const uint64_t b = entry(ids.back());
    auto least = std::numeric_limits<int64_t>::max();  // the product wraps around, as in int64
    for (size_t i = ids.size() - std::min(ids.size(), static_cast<size_t>(config_.context_width)); i < ids.size(); i++)
      least = std::min(least, static_cast<int64_t>(key * entry(ids[i]) * b));
    // seed % (2^64 - 1), as Python's sign rule has it
    seed = least < 0 ? static_cast<uint64_t>(least) - 1 : static_cast<uint64_t>(least);
  }
  randperm(seed, static_cast<int32_t>(permutation_.size()), greenlist_size_, permutation_);
}

void WatermarkLogitsProcessor::process(ScoresRow& row) {
  if (row.length() < config_.context_width) return;
  permutation_.resize(static_cast<size_t>(row.vocab_size));
  std::vector<int32_t> green;
  if (config_.self_hash) {
    // The best 40 tokens, each of those that are on the list they would themselves cause.
    std::vector<int32_t> best(static_cast<size_t>(row.vocab_size));
    std::iota(best.begin(), best.end(), 0);
    const auto tried = std::min<std::ptrdiff_t>(40, row.vocab_size);
    std::partial_sort(best.begin(), best.begin() + tried, best.end(), [&](int32_t a, int32_t b) {
      return row.scores[a] > row.scores[b] || (row.scores[a] == row.scores[b] && a < b);
    });
    best.resize(static_cast<size_t>(tried));
    Ids ids = *row.ids;
    ids.push_back(0);
    for (int32_t token : best) {
      ids.back() = token;
      draw(ids);
      if (std::find(permutation_.begin(), permutation_.begin() + greenlist_size_, token) !=
          permutation_.begin() + greenlist_size_)
        green.push_back(token);
    }
  } else {
    draw(*row.ids);
    green.assign(permutation_.begin(), permutation_.begin() + greenlist_size_);
  }
  for (int32_t token : green) row.scores[token] += config_.bias;
}

}  // namespace gt::generation
