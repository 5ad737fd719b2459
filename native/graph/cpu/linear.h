// A linear layer for few tokens, as dot products: blocks of a few tokens by four rows of the weight, along the input, so
// that the weight is read where it lies, in its own order, and nothing is packed.
#pragma once

#include "graph/cpu/vector_math.h"
#include "graph/cpu/variant.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

// Tokens of a block: as many as leave a register for each sum, each token and one row.
constexpr int block_tokens = registers == 32 ? 6 : 3;
// Inputs and rows of one pass: a block's rows stay in the first cache, a pass's in the second.
constexpr int64_t pass_inputs = 1024;
constexpr int64_t pass_rows = 64;

GT_INLINE Vec load_weight(const float* p) { return load(p); }
GT_INLINE Vec load_weight(const uint16_t* p) { return load_bf16(p); }
GT_INLINE float weight_value(const float* p) { return *p; }
GT_INLINE float weight_value(const uint16_t* p) {
  const uint32_t bits = static_cast<uint32_t>(*p) << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

// y[t][r] (+)= x[t] . w[r] over n inputs, for T tokens and four rows (`rows` of them wanted).
template <int T, class W>
void dot_block(const float* x, int64_t x_stride, const W* const* w, int64_t n, float* y, int64_t y_stride, int rows,
               bool add) {
  Vec sums[T][4];
  for (int t = 0; t < T; ++t)
    for (int r = 0; r < 4; ++r) sums[t][r] = set(0.0f);
  const W *w0 = w[0], *w1 = w[1], *w2 = w[2], *w3 = w[3];
  int64_t i = 0;
  for (; i + width <= n; i += width) {
    const Vec a = load_weight(w0 + i), b = load_weight(w1 + i), c = load_weight(w2 + i), d = load_weight(w3 + i);
    for (int t = 0; t < T; ++t) {
      const Vec v = load(x + t * x_stride + i);
      sums[t][0] = fma(v, a, sums[t][0]);
      sums[t][1] = fma(v, b, sums[t][1]);
      sums[t][2] = fma(v, c, sums[t][2]);
      sums[t][3] = fma(v, d, sums[t][3]);
    }
  }
  for (int t = 0; t < T; ++t) {
    float total[4];
    store_sums(total, sums[t][0], sums[t][1], sums[t][2], sums[t][3]);
    for (int r = 0; r < rows; ++r) {
      for (int64_t j = i; j < n; ++j) total[r] += x[t * x_stride + j] * weight_value(w[r] + j);
      float& out = y[t * y_stride + r];
      out = add ? out + total[r] : total[r];
    }
  }
}

template <class W>
void dot_blocks(int tokens, const float* x, int64_t x_stride, const W* const* w, int64_t n, float* y, int64_t y_stride,
                int rows, bool add) {
  switch (tokens) {
    case 1: return dot_block<1>(x, x_stride, w, n, y, y_stride, rows, add);
    case 2: return dot_block<2>(x, x_stride, w, n, y, y_stride, rows, add);
    case 3: return dot_block<3>(x, x_stride, w, n, y, y_stride, rows, add);
    case 4: return dot_block<4>(x, x_stride, w, n, y, y_stride, rows, add);
    case 5: return dot_block<5>(x, x_stride, w, n, y, y_stride, rows, add);
    default: return dot_block<6>(x, x_stride, w, n, y, y_stride, rows, add);
  }
}

GT_INLINE Vec finished(Vec sum, const LinearArgs& a, int64_t token, int64_t o) {
  if (a.bias) sum = sum + load(a.bias + o);
  const float* residual = a.residual ? a.residual + token * a.residual_stride + o : nullptr;
  if (residual && a.residual_first) sum = sum + load(residual);
  sum = activated(sum, a.activation);
  return residual && !a.residual_first ? sum + load(residual) : sum;
}
GT_INLINE Vec finished_part(Vec sum, const LinearArgs& a, int64_t token, int64_t o, int n) {
  if (a.bias) sum = sum + load_part(a.bias + o, n);
  const float* residual = a.residual ? a.residual + token * a.residual_stride + o : nullptr;
  if (residual && a.residual_first) sum = sum + load_part(residual, n);
  sum = activated(sum, a.activation);
  return residual && !a.residual_first ? sum + load_part(residual, n) : sum;
}

// Bias, activation and residual for sums that lie in y.
inline void finish(const LinearArgs& a, int64_t token, Range outputs) {
  if (!a.bias && !a.residual && a.activation == Activation::none) return;
  float* y = a.y + token * a.y_stride;
  int64_t o = outputs.begin;
  for (; o + width <= outputs.end; o += width) store(y + o, finished(load(y + o), a, token, o));
  if (const int rest = static_cast<int>(outputs.end - o))
    store_part(y + o, finished_part(load_part(y + o, rest), a, token, o, rest), rest);
}

template <class W>
void dot_linear(const W* weight, int64_t in, const LinearArgs& a, Tile tile) {
  for (int64_t first = tile.outputs.begin; first < tile.outputs.end; first += pass_rows) {
    const int64_t last = first + pass_rows < tile.outputs.end ? first + pass_rows : tile.outputs.end;
    for (int64_t i = 0; i < in; i += pass_inputs) {
      const int64_t n = in - i < pass_inputs ? in - i : pass_inputs;
      for (int64_t t = tile.tokens.begin; t < tile.tokens.end; t += block_tokens) {
        const int64_t left = tile.tokens.end - t;
        const int tokens = left < block_tokens ? static_cast<int>(left) : block_tokens;
        for (int64_t o = first; o < last; o += 4) {
          const int rows = last - o < 4 ? static_cast<int>(last - o) : 4;
          const W* w[4];
          for (int r = 0; r < 4; ++r) w[r] = weight + (o + (r < rows ? r : 0)) * in + i;
          dot_blocks(tokens, a.x + t * a.x_stride + i, a.x_stride, w, n, a.y + t * a.y_stride + o, a.y_stride, rows,
                     i > 0);
        }
        if (i + n == in)
          for (int64_t token = t; token < t + tokens; ++token) finish(a, token, {first, last});
      }
    }
  }
}

inline size_t nothing_prepared(int64_t, int64_t) { return 0; }
inline void prepare_nothing(const float*, int64_t, int64_t, int64_t, void*, int, int) {}

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
