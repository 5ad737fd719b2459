// Norms over rows, and activations over everything.
#pragma once

#include <math.h>

#include "graph/cpu/vector_math.h"
#include "graph/cpu/variant.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

// Calls f(first, lanes) for each vector of a row; the last one may be short of lanes.
template <class F>
GT_INLINE void for_vectors(int64_t n, F f) {
  int64_t i = 0;
  for (; i + width <= n; i += width) f(i, width);
  if (i < n) f(i, static_cast<int>(n - i));
}

// The first n lanes, and zeros.
GT_INLINE Vec first_of(Vec a, int n) {
  if (n == width) return a;
  float lanes[width] = {};
  store_part(lanes, a, n);
  return load(lanes);
}

// The mean is taken out first and what rounding left of it after that, so that a large one does not drown the variance.
inline void layer_norm(const float* x, int64_t rows, int64_t cols, float eps, const float* weight, const float* bias,
                       float* y, int ith, int nth) {
  const Range range = share(rows, 1, ith, nth);
  const float count = static_cast<float>(cols);
  for (int64_t r = range.begin; r < range.end; ++r) {
    const float* in = x + r * cols;
    float* out = y + r * cols;
    Vec total = set(0.0f);
    for_vectors(cols, [&](int64_t i, int n) { total = total + load_lanes(in + i, n); });
    const Vec mean = set(sum(total) / count);
    Vec left = set(0.0f), squares = set(0.0f);
    for_vectors(cols, [&](int64_t i, int n) {
      const Vec d = first_of(load_lanes(in + i, n) - mean, n);
      left = left + d;
      squares = fma(d, d, squares);
    });
    const float shift = sum(left) / count;
    const Vec factor = set(1.0f / sqrtf(sum(squares) / count - shift * shift + eps));
    for_vectors(cols, [&](int64_t i, int n) {
      Vec v = (load_lanes(in + i, n) - mean - set(shift)) * factor;
      if (weight) v = v * load_lanes(weight + i, n);
      if (bias) v = v + load_lanes(bias + i, n);
      store_lanes(out + i, v, n);
    });
  }
}

inline void rms_norm(const float* x, int64_t rows, int64_t cols, float eps, const float* weight, float* y, int ith,
                     int nth) {
  const Range range = share(rows, 1, ith, nth);
  for (int64_t r = range.begin; r < range.end; ++r) {
    const float* in = x + r * cols;
    float* out = y + r * cols;
    Vec squares = set(0.0f);
    for_vectors(cols, [&](int64_t i, int n) {
      const Vec v = load_lanes(in + i, n);
      squares = fma(v, v, squares);
    });
    const Vec factor = set(1.0f / sqrtf(sum(squares) / static_cast<float>(cols) + eps));
    for_vectors(cols, [&](int64_t i, int n) {
      const Vec v = load_lanes(in + i, n) * factor;
      store_lanes(out + i, weight ? v * load_lanes(weight + i, n) : v, n);
    });
  }
}

inline void activate(const float* x, int64_t n, Activation activation, float* y, int ith, int nth) {
  const Range range = share(n, width, ith, nth);
  for_vectors(range.end - range.begin, [&](int64_t i, int lanes) {
    const int64_t at = range.begin + i;
    store_lanes(y + at, activated(load_lanes(x + at, lanes), activation), lanes);
  });
}

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
