// A linear layer on tiles: the weight stands on the left, 32 rows at a time, split just before it is used; the tokens
// on the right, split once by `prepare`; sums come out with tokens in columns and are turned on the way to y.
#pragma once

#include "graph/cpu/linear.h"
#include "graph/cpu/tiles.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

// Below this the weight takes longer to split than to multiply.
constexpr int64_t least_tokens = 9;
// A thread's block: its tokens stay in the second cache while its panels of 32 rows pass, 8 steps of input at a time.
constexpr int panel_rows = 2 * tile_rows;
constexpr int block_panels = 4;
constexpr int block_pairs = 8;
constexpr int block_steps = 8;
constexpr int pair_tokens = 2 * tile_rows;

GT_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Tiles in order of tokens, then inputs, then planes.
inline size_t prepared_size(int64_t n, int64_t in) {
  if (n < least_tokens) return 0;
  return static_cast<size_t>(ceil_div(n, tile_rows) * ceil_div(in, tile_inputs) * planes * tile_bytes);
}

inline void prepare(const float* x, int64_t n, int64_t in, int64_t x_stride, void* prepared, int ith, int nth) {
  if (n < least_tokens) return;
  const int64_t steps = ceil_div(in, tile_inputs);
  const Range range = share(ceil_div(n, tile_rows) * steps, 1, ith, nth);
  for (int64_t i = range.begin; i < range.end; ++i) {
    const int64_t token = i / steps * tile_rows, input = i % steps * tile_inputs;
    const int columns = n - token < tile_rows ? static_cast<int>(n - token) : tile_rows;
    split_columns(x + token * x_stride + input, x_stride, columns, in - input,
                  static_cast<char*>(prepared) + i * planes * tile_bytes);
  }
}

template <class W>
constexpr int weight_planes = sizeof(W) == 4 ? planes : 1;

// 32 rows of the weight from `row` on, and how they are split step by step.
template <class W>
struct Panel {
  const W* weight;
  int64_t in;
  int rows;  // that exist

  GT_INLINE void split(int64_t step, char* out) const {
    const int64_t input = step * tile_inputs;
    for (int half = 0; half < 2; ++half) {
      const int first = half * tile_rows < rows ? half * tile_rows : 0;
      const int left = rows - first < tile_rows ? rows - first : tile_rows;
      split_rows(weight + first * in + input, in, left, in - input, out + half * tile_bytes, 2 * tile_bytes);
    }
  }
};

// Sums over `steps` steps for a panel and one or two tiles of tokens, added to `sums` unless they are the first.
// With `panel`, the weight is split along the way, one step ahead, while the matrix unit multiplies.
template <class W, int R>
void multiply_panel(const Panel<W>* panel, int64_t first_step, int steps, char* left, const char* first,
                    const char* second, bool add, float* sums) {
  constexpr int P = weight_planes<W>;
  constexpr int64_t left_step = P * 2 * tile_bytes, right_step = planes * tile_bytes;
  if (add) load_sums<R>(sums);
  else zero_sums();
  if (panel) panel->split(first_step, left);
  for (int s = 0; s < steps; ++s) {
    if (panel && s + 1 < steps) panel->split(first_step + s + 1, left + (s + 1) * left_step);
    multiply_step<P, R>(left + s * left_step, first + s * right_step, second + s * right_step);
  }
  store_tile_sums<R>(sums);
}

// Turns the sums of a panel and a tile of tokens, and finishes them in y.
inline void finish_tile(const LinearArgs& a, const float* sums, int64_t token, int64_t o, int64_t out) {
  if (o >= out) return;
  const int rows = a.n - token < tile_rows ? static_cast<int>(a.n - token) : tile_rows;
  Vec square[width];
  for (int i = 0; i < width; ++i) square[i] = load(sums + i * width);
  transpose(square);
  const int n = out - o < width ? static_cast<int>(out - o) : width;
  for (int t = 0; t < rows; ++t) {
    float* y = a.y + (token + t) * a.y_stride + o;
    if (n == width) store(y, finished(square[t], a, token + t, o));
    else store_part(y, finished_part(square[t], a, token + t, o, n), n);
  }
}

template <class W>
void tile_block(const W* weight, int64_t in, const LinearArgs& a, Range tokens, Range outputs) {
  alignas(64) char left[block_steps * weight_planes<W> * 2 * tile_bytes];
  alignas(64) float sums[block_panels][block_pairs][4 * tile_rows * tile_rows];
  const int64_t steps = ceil_div(in, tile_inputs), token_bytes = steps * planes * tile_bytes;
  const char* x = static_cast<const char*>(a.prepared) + tokens.begin / tile_rows * token_bytes;
  for (int64_t step = 0; step < steps; step += block_steps) {
    const int count = steps - step < block_steps ? static_cast<int>(steps - step) : block_steps;
    for (int64_t o = outputs.begin; o < outputs.end; o += panel_rows) {
      const int rows = outputs.end - o < panel_rows ? static_cast<int>(outputs.end - o) : panel_rows;
      const Panel<W> panel{weight + o * in, in, rows};
      for (int64_t t = tokens.begin; t < tokens.end; t += pair_tokens) {
        const bool two = tokens.end - t > tile_rows;
        float* c = sums[(o - outputs.begin) / panel_rows][(t - tokens.begin) / pair_tokens];
        const char* first = x + (t - tokens.begin) / tile_rows * token_bytes + step * planes * tile_bytes;
        const Panel<W>* split = t == tokens.begin ? &panel : nullptr;
        if (two) multiply_panel<W, 2>(split, step, count, left, first, first + token_bytes, step > 0, c);
        else multiply_panel<W, 1>(split, step, count, left, first, first, step > 0, c);
        if (step + count < steps) continue;
        finish_tile(a, c, t, o, outputs.end);
        finish_tile(a, c + 512, t, o + tile_rows, outputs.end);
        if (!two) continue;
        finish_tile(a, c + 256, t + tile_rows, o, outputs.end);
        finish_tile(a, c + 768, t + tile_rows, o + tile_rows, outputs.end);
      }
    }
  }
}

template <class W>
void tile_linear(const W* weight, int64_t in, const LinearArgs& a, Tile tile) {
  if (tile.tokens.begin >= tile.tokens.end || tile.outputs.begin >= tile.outputs.end) return;
  const TileRegisters registers_in_use;
  const auto end = [](int64_t begin, int64_t size, int64_t limit) { return begin + size < limit ? begin + size : limit; };
  for (int64_t t = tile.tokens.begin; t < tile.tokens.end; t += block_pairs * pair_tokens)
    for (int64_t o = tile.outputs.begin; o < tile.outputs.end; o += block_panels * panel_rows)
      tile_block(weight, in, a, {t, end(t, block_pairs * pair_tokens, tile.tokens.end)},
                 {o, end(o, block_panels * panel_rows, tile.outputs.end)});
}

inline void linear_on_tiles(const Weight& w, const LinearArgs& a, int ith, int nth) {
  if (a.n < least_tokens) return linear(w, a, ith, nth);
  const Tile tile = share_linear(a.n, tile_rows, w.out, panel_rows, ith, nth);
  if (w.type == WeightType::f32) return tile_linear(static_cast<const float*>(w.data), w.in, a, tile);
  return tile_linear(static_cast<const uint16_t*>(w.data), w.in, a, tile);
}

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
