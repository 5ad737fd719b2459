// A linear layer whose weight is used as it lies: for many tokens, panels of it are laid out on the way, and stay in the
// first cache.
#pragma once

#include "graph/cpu/panels.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

constexpr int64_t panel_inputs = 16 * 1024 / sizeof(float) / panel_outputs < 192 ? 192 : 16 * 1024 / sizeof(float) / panel_outputs;
// Panels that are laid out together, and tokens that meet them all while they are in the second cache.
constexpr int64_t panel_group = 4;
constexpr int64_t panel_reuse = 8 * panel_tokens;
// Below it, laying out costs more than it saves.
constexpr int64_t panel_pays = 48;

template <class W>
void panel_linear(const W* weight, int64_t in, const LinearArgs& a, Tile tile) {
  auto* panels = static_cast<float*>(thread_memory(panel_group * panel_inputs * panel_outputs * sizeof(float)));
  for (int64_t first = tile.outputs.begin; first < tile.outputs.end; first += panel_group * panel_outputs) {
    const int64_t last = at_most(first + panel_group * panel_outputs, tile.outputs.end);
    for (int64_t i = 0; i < in; i += panel_inputs) {
      const int64_t n = at_most(in - i, panel_inputs);
      for (int64_t o = first; o < last; o += panel_outputs)
        lay_out_panel(weight + o * in + i, in, n, static_cast<int>(at_most(last - o, panel_outputs)), panels + (o - first) * panel_inputs);
      for (int64_t reused = tile.tokens.begin; reused < tile.tokens.end; reused += panel_reuse)
        for (int64_t o = first; o < last; o += panel_outputs)
          for (int64_t t = reused, end = at_most(reused + panel_reuse, tile.tokens.end); t < end; t += panel_tokens)
            panel_tokens_at(a, {t, end}, panels + (o - first) * panel_inputs,
                            {i, n, {o, at_most(o + panel_outputs, last)}, i == 0, i + n == in});
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
