// A linear layer for many tokens: the weight is laid out anew, a panel of some outputs at a time, so that a vector holds
// one input's values for neighbouring outputs; no sum over lanes is left, and a panel stays in the first cache.
#pragma once

#include "graph/cpu/linear.h"
#include "graph/cpu/transpose.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

// Vectors and tokens of a block: as many as leave registers for its sums, the panel's vectors and one input.
constexpr int panel_vectors = width == 4 && registers == 32 ? 4 : 2;
constexpr int panel_tokens = (registers == 32 ? 24 : 12) / panel_vectors;
constexpr int panel_outputs = panel_vectors * width;
constexpr int64_t panel_inputs = 16 * 1024 / sizeof(float) / panel_outputs < 192 ? 192 : 16 * 1024 / sizeof(float) / panel_outputs;
// Panels that are laid out together, and tokens that meet them all while they are in the second cache.
constexpr int64_t panel_group = 4;
constexpr int64_t panel_reuse = 8 * panel_tokens;
// Below it, laying out costs more than it saves.
constexpr int64_t panel_pays = 48;

// panel[i][o] = w[o][i] for `n` inputs and the outputs of a panel, of which there are `rows`; the others are zeros.
template <class W>
void lay_out_panel(const W* w, int64_t in, int64_t n, int rows, float* panel) {
  for (int first = 0; first < panel_outputs; first += width) {
    float* to = panel + first;
    int64_t i = 0;
    for (; i + width <= n; i += width) {
      Vec square[width];
      for (int r = 0; r < width; ++r) square[r] = first + r < rows ? load_weight(w + (first + r) * in + i) : set(0.0f);
      transpose(square);
      for (int r = 0; r < width; ++r) store(to + (i + r) * panel_outputs, square[r]);
    }
    for (; i < n; ++i)
      for (int r = 0; r < width; ++r) to[i * panel_outputs + r] = first + r < rows ? weight_value(w + (first + r) * in + i) : 0.0f;
  }
}

// One block: `T` tokens by a panel. `begins` and `ends`: the first and the last inputs of the layer are among the `n`.
template <int T>
void panel_block(const LinearArgs& a, int64_t token, int64_t first_input, const float* panel, int64_t n, Range outputs, bool begins,
                 bool ends) {
  Vec sums[T][panel_vectors];
  for (int t = 0; t < T; ++t)
    for (int v = 0; v < panel_vectors; ++v) sums[t][v] = set(0.0f);
  const float* x = a.x + token * a.x_stride + first_input;
  for (int64_t i = 0; i < n; ++i) {
    Vec w[panel_vectors];
    for (int v = 0; v < panel_vectors; ++v) w[v] = load(panel + i * panel_outputs + v * width);
    for (int t = 0; t < T; ++t) {
      const Vec value = set(x[t * a.x_stride + i]);
      for (int v = 0; v < panel_vectors; ++v) sums[t][v] = fma(value, w[v], sums[t][v]);
    }
  }
  for (int t = 0; t < T; ++t) {
    float* y = a.y + (token + t) * a.y_stride;
    for (int v = 0; v < panel_vectors; ++v) {
      const int64_t o = outputs.begin + v * width;
      const int wanted = static_cast<int>(outputs.end - o);
      if (wanted >= width) {
        const Vec sum = begins ? sums[t][v] : sums[t][v] + load(y + o);
        store(y + o, ends ? finished(sum, a, token + t, o) : sum);
      } else if (wanted > 0) {
        const Vec sum = begins ? sums[t][v] : sums[t][v] + load_part(y + o, wanted);
        store_part(y + o, ends ? finished_part(sum, a, token + t, o, wanted) : sum, wanted);
      }
    }
  }
}

template <int T>
void panel_rest(int tokens, const LinearArgs& a, int64_t token, int64_t first_input, const float* panel, int64_t n, Range outputs,
                bool begins, bool ends) {
  if constexpr (T > 1) {
    if (tokens < T) return panel_rest<T - 1>(tokens, a, token, first_input, panel, n, outputs, begins, ends);
  }
  panel_block<T>(a, token, first_input, panel, n, outputs, begins, ends);
}

// Some tokens by one panel.
inline void panel_blocks(const LinearArgs& a, Range tokens, int64_t first_input, const float* panel, int64_t n, Range outputs, bool begins,
                         bool ends) {
  int64_t t = tokens.begin;
  for (; t + panel_tokens <= tokens.end; t += panel_tokens)
    panel_block<panel_tokens>(a, t, first_input, panel, n, outputs, begins, ends);
  if (t < tokens.end)
    panel_rest<panel_tokens>(static_cast<int>(tokens.end - t), a, t, first_input, panel, n, outputs, begins, ends);
}

template <class W>
void panel_linear(const W* weight, int64_t in, const LinearArgs& a, Tile tile) {
  const auto at_most = [](int64_t value, int64_t most) { return value < most ? value : most; };
  auto* panels = static_cast<float*>(thread_memory(panel_group * panel_inputs * panel_outputs * sizeof(float)));
  for (int64_t first = tile.outputs.begin; first < tile.outputs.end; first += panel_group * panel_outputs) {
    const int64_t last = at_most(first + panel_group * panel_outputs, tile.outputs.end);
    for (int64_t i = 0; i < in; i += panel_inputs) {
      const int64_t n = at_most(in - i, panel_inputs);
      for (int64_t o = first; o < last; o += panel_outputs)
        lay_out_panel(weight + o * in + i, in, n, static_cast<int>(at_most(last - o, panel_outputs)), panels + (o - first) * panel_inputs);
      for (int64_t t = tile.tokens.begin; t < tile.tokens.end; t += panel_reuse)
        for (int64_t o = first; o < last; o += panel_outputs)
          panel_blocks(a, {t, at_most(t + panel_reuse, tile.tokens.end)}, i, panels + (o - first) * panel_inputs, n,
                       {o, at_most(o + panel_outputs, last)}, i == 0, i + n == in);
    }
  }
}

template <class W>
void linear_of(const W* weight, const Weight& w, const LinearArgs& a, int ith, int nth) {
  if (a.n >= panel_pays) return panel_linear(weight, w.in, a, share_linear(a.n, panel_tokens, w.out, panel_outputs, ith, nth));
  dot_linear(weight, w.in, a, share_linear(a.n, block_tokens, w.out, 4, ith, nth));
}

inline void linear(const Weight& w, const LinearArgs& a, int ith, int nth) {
  if (w.type == WeightType::f32) return linear_of(static_cast<const float*>(w.data), w, a, ith, nth);
  return linear_of(static_cast<const uint16_t*>(w.data), w, a, ith, nth);
}

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
