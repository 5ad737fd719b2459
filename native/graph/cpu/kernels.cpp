#include "graph/cpu/kernels.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "graph/cpu/processor.h"
#include "graph/cpu/variant.h"

namespace gt::graph::cpu {

const Variant& variant() {
  static const Variant& best = best_variant();
  return best;
}

Range share(int64_t n, int64_t unit, int64_t i, int64_t parts) {
  const int64_t units = (n + unit - 1) / unit;
  const int64_t begin = units * i / parts * unit, end = units * (i + 1) / parts * unit;
  return {begin < n ? begin : n, end < n ? end : n};
}

// Threads stand in a grid of token groups by output groups; the grid whose largest part is the smallest is the best,
// of equals the one with fewest token groups, for each of those reads the whole weight.
Tile share_linear(int64_t n, int64_t token_unit, int64_t out, int64_t output_unit, int ith, int nth) {
  const auto largest = [](int64_t count, int64_t unit, int64_t parts) {
    const int64_t units = (count + unit - 1) / unit;
    return (units + parts - 1) / parts;
  };
  int groups = 1;
  int64_t least = INT64_MAX;
  for (int g = 1; g <= nth; ++g) {
    if (nth % g) continue;
    const int64_t part = largest(n, token_unit, g) * largest(out, output_unit, nth / g);
    if (part < least) least = part, groups = g;
  }
  return {share(n, token_unit, ith % groups, groups), share(out, output_unit, ith / groups, nth / groups)};
}

int64_t Turns::take() { return next_.fetch_add(1, std::memory_order_relaxed); }

void Turns::leave(int nth) {
  if (left_.fetch_add(1, std::memory_order_acq_rel) + 1 < nth) return;
  next_.store(0, std::memory_order_relaxed);
  left_.store(0, std::memory_order_relaxed);
}

void* thread_memory(size_t bytes) {
  thread_local std::vector<char> memory;
  if (memory.size() < bytes + 63) memory.resize(bytes + 63);
  return reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64);
}

size_t prepared_size(int64_t n, int64_t in) { return variant().prepared_size(n, in); }
void prepare(const float* x, int64_t n, int64_t in, int64_t x_stride, void* prepared, int ith, int nth) {
  variant().prepare(x, n, in, x_stride, prepared, ith, nth);
}

namespace {

// A thread for less would cost more than it saves.
constexpr int64_t thread_values = 1 << 18;
constexpr size_t huge_page = size_t{1} << 21;

}  // namespace

bool lays_out(WeightType type, int64_t out, int64_t in) { return variant().packed_size({nullptr, type, out, in}) > 0; }

Linear::Memory::Memory(size_t size) : size(size), alignment(size >= huge_page ? huge_page : 64) {
  if (size) data = ::operator new(size, std::align_val_t(alignment));
#ifdef __linux__
  if (size >= huge_page) madvise(data, size, MADV_HUGEPAGE);  // fewer faults and table look-ups
#endif
}
Linear::Memory::~Memory() {
  if (data) ::operator delete(data, std::align_val_t(alignment));
}

Linear::Linear(const void* weight, WeightType type, int64_t out, int64_t in, bool transposed, int n_threads)
    : weight_(weight), type_(type), out_(out), in_(in), turns_(std::make_unique<Turns>()), packed_(variant().packed_size({weight, type, out, in})) {
  if (packed_.size) {
    pack(transposed, n_threads);
    weight_ = packed_.data;
  } else if (transposed) {
    lay_down_columns();
    weight_ = rows_.data();
  }
}

Linear::~Linear() = default;

void Linear::pack(bool transposed, int n_threads) {
  const Weight from{weight_, type_, out_, in_};
  const int nth = static_cast<int>(std::clamp<int64_t>(out_ * in_ / thread_values, 1, n_threads));
  std::vector<std::thread> others;
  for (int ith = 1; ith < nth; ++ith) {
    const auto part = [&, ith] { variant().pack(from, transposed, packed_.data, ith, nth); };
    try {
      others.emplace_back(part);
    } catch (const std::system_error&) {  // no more threads to be had
      part();
    }
  }
  variant().pack(from, transposed, packed_.data, 0, nth);
  for (std::thread& other : others) other.join();
}

// In squares, so that both sides stay in the cache.
void Linear::lay_down_columns() {
  const size_t size = type_ == WeightType::f32 ? 4 : 2;
  const size_t out = static_cast<size_t>(out_), in = static_cast<size_t>(in_);
  rows_.resize(out * in * size);
  const char* from = static_cast<const char*>(weight_);
  constexpr size_t square = 32;
  for (size_t row = 0; row < in; row += square)
    for (size_t column = 0; column < out; column += square)
      for (size_t o = column; o < out && o < column + square; ++o)
        for (size_t i = row; i < in && i < row + square; ++i)
          std::memcpy(&rows_[(o * in + i) * size], from + (i * out + o) * size, size);
}

void Linear::run(const LinearArgs& args, int ith, int nth) const {
  variant().packed_linear({weight_, type_, out_, in_}, args, *turns_, ith, nth);
}

size_t attention_scratch_size(const AttentionArgs& args, int nth) {
  return variant().attention_scratch_size(args, nth);
}
void attention(const AttentionArgs& args, void* scratch, Turns& turns, int ith, int nth) {
  variant().attention(args, scratch, turns, ith, nth);
}
void attention_weights(const AttentionArgs& args, float* probs, int64_t width, int ith, int nth) {
  variant().attention_weights(args, probs, width, ith, nth);
}
void layer_norm(const float* x, int64_t rows, int64_t cols, float eps, const float* weight, const float* bias, float* y,
                int ith, int nth) {
  variant().layer_norm(x, rows, cols, eps, weight, bias, y, ith, nth);
}
void rms_norm(const float* x, int64_t rows, int64_t cols, float eps, const float* weight, float* y, int ith, int nth) {
  variant().rms_norm(x, rows, cols, eps, weight, y, ith, nth);
}
void activate(const float* x, int64_t n, Activation activation, float* y, int ith, int nth) {
  variant().activate(x, n, activation, y, ith, nth);
}

void group_norm(const GroupNormArgs& args, int ith, int nth) { variant().group_norm(args, ith, nth); }
void windows(const WindowArgs& args, int ith, int nth) { variant().windows(args, ith, nth); }

}  // namespace gt::graph::cpu
