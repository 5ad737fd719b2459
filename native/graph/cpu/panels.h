// A weight laid out in panels: of each input, the values for some neighbouring outputs stand side by side, so that a
// vector holds them, no sum over lanes is left, and memory is read in its own order.
#pragma once

#include "graph/cpu/linear.h"
#include "graph/cpu/transpose.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

// Vectors and tokens of a block: as many as leave registers for its sums, the panel's vectors and one input.
constexpr int panel_vectors = width == 4 && registers == 32 ? 4 : 2;
constexpr int panel_tokens = (registers == 32 ? 24 : 12) / panel_vectors;
constexpr int panel_outputs = panel_vectors * width;
// Inputs between which memory is asked for what comes next.
constexpr int64_t ahead_inputs = 16;

GT_INLINE int64_t panels_of(int64_t out) { return (out + panel_outputs - 1) / panel_outputs; }

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

// What a block asks memory for while it multiplies: what is to be in the second cache next.
struct Ahead {
  const char* at = nullptr;
  const char* end = nullptr;
  int64_t lines = 0;  // at a time

  GT_INLINE void ask() {
#if defined(__GNUC__)
    for (int64_t i = 0; i < lines && at < end; ++i, at += 64) __builtin_prefetch(at, 0, 2);
#endif
  }
};

// The inputs and outputs that a block works on. `begins` and `ends`: the first and the last inputs of the layer are
// among its `n`.
struct PanelPart {
  int64_t first_input, n;
  Range outputs;
  bool begins, ends;
};

// `T` tokens by a panel.
template <int T, class W>
void panel_block(const LinearArgs& a, int64_t token, const W* panel, const PanelPart& part, Ahead ahead) {
  // Few sums would wait for each other: then two inputs at a time.
  constexpr int chains = T * panel_vectors < 8 ? 2 : 1;
  Vec sums[chains][T][panel_vectors];
  for (int c = 0; c < chains; ++c)
    for (int t = 0; t < T; ++t)
      for (int v = 0; v < panel_vectors; ++v) sums[c][t][v] = set(0.0f);
  const float* x = a.x + token * a.x_stride + part.first_input;
  const auto multiply = [&](int64_t i, int c) {
    Vec w[panel_vectors];
    for (int v = 0; v < panel_vectors; ++v) w[v] = load_weight(panel + i * panel_outputs + v * width);
    for (int t = 0; t < T; ++t) {
      const Vec value = set(x[t * a.x_stride + i]);
      for (int v = 0; v < panel_vectors; ++v) sums[c][t][v] = fma(value, w[v], sums[c][t][v]);
    }
  };
  int64_t i = 0;
  while (i + ahead_inputs <= part.n) {
    ahead.ask();
    for (const int64_t last = i + ahead_inputs; i < last; i += chains)
      for (int c = 0; c < chains; ++c) multiply(i + c, c);
  }
  for (; i < part.n; ++i) multiply(i, 0);

  for (int t = 0; t < T; ++t) {
    float* y = a.y + (token + t) * a.y_stride;
    for (int v = 0; v < panel_vectors; ++v) {
      const int64_t o = part.outputs.begin + v * width;
      const int wanted = static_cast<int>(part.outputs.end - o);
      Vec sum = sums[0][t][v];
      if constexpr (chains == 2) sum = sum + sums[1][t][v];
      if (wanted >= width) {
        if (!part.begins) sum = sum + load(y + o);
        store(y + o, part.ends ? finished(sum, a, token + t, o) : sum);
      } else if (wanted > 0) {
        if (!part.begins) sum = sum + load_part(y + o, wanted);
        store_part(y + o, part.ends ? finished_part(sum, a, token + t, o, wanted) : sum, wanted);
      }
    }
  }
}

// As many tokens as there are, up to `T`.
template <int T = panel_tokens, class W>
void panel_tokens_at(const LinearArgs& a, Range tokens, const W* panel, const PanelPart& part, Ahead ahead = {}) {
  if constexpr (T > 1) {
    if (tokens.end - tokens.begin < T) return panel_tokens_at<T - 1>(a, tokens, panel, part, ahead);
  }
  panel_block<T>(a, tokens.begin, panel, part, ahead);
}

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
