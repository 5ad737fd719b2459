// A linear layer on tiles: the weight stands on the left, 32 rows at a time, split just before it is used; the tokens
// on the right, split once by `prepare`; sums come out with tokens in columns and are turned on the way to y.
#pragma once

#include "graph/cpu/panel_linear.h"
#include "graph/cpu/tiles.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

// Below this the weight takes longer to split than to multiply.
constexpr int64_t least_tokens = 9;
// A thread's block: its tokens stay in the second cache while its panels of 32 rows pass, 24 steps of input at a time.
constexpr int panel_rows = 2 * tile_rows;
constexpr int pair_tokens = 2 * tile_rows;
constexpr int block_panels = 12;
constexpr int block_pairs = 6;
constexpr int block_steps = 24;
constexpr int all_steps = 31;
constexpr size_t left_bytes = block_steps * planes * 2 * tile_bytes;
constexpr size_t sums_bytes = block_panels * block_pairs * 4 * tile_bytes;

GT_INLINE int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
GT_INLINE int64_t lesser(int64_t a, int64_t b) { return a < b ? a : b; }

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
    split_columns(x + token * x_stride + input, x_stride, static_cast<int>(lesser(n - token, tile_rows)), in - input,
                  static_cast<char*>(prepared) + i * planes * tile_bytes);
  }
}

template <class W>
constexpr int weight_planes = sizeof(W) == 4 ? planes : 1;

// 32 rows of a weight, to be split. Later rows than exist repeat the last.
template <class W>
struct Panel {
  const W* weight;
  int64_t in;
  int rows;

  GT_INLINE void split(int64_t step, int first, int last, char* out) const {
    const int64_t input = step * tile_inputs;
    const uint32_t mask = inputs_mask(in - input);
    for (int r = first; r < last; ++r) {
      split_row(weight + lesser(r, rows - 1) * in + input, mask, out + r / tile_rows * tile_bytes + r % tile_rows * 64, 2 * tile_bytes);
    }
  }
};

// Sums of a panel and a pair of tiles of tokens, on their way to y: first turned, then, where there is an activation,
// finished row by row, in pieces that fit between products.
class Finisher {
 public:
  explicit Finisher(const LinearArgs& args) : args_(args), in_rows_(args.activation != Activation::none) {}

  void start(const float* sums, Range tokens, Range outputs) {
    drain();
    sums_ = sums;
    token_ = tokens.begin;
    tokens_ = static_cast<int>(lesser(tokens.end - tokens.begin, pair_tokens));
    outputs_ = {outputs.begin, lesser(outputs.begin + panel_rows, outputs.end)};
    rows_ = in_rows_ ? tokens_ : 0;
    left_ = 4 + rows_;
  }
  GT_INLINE void work() {
    if (left_ == 0) return;
    --left_;
    if (left_ >= rows_) turn(left_ - rows_);
    else finish(args_, token_ + left_, outputs_);
  }
  void drain() {
    while (left_) work();
  }

 private:
  // Tile i of: first and second rows by first and second tokens.
  void turn(int i) {
    const int64_t token = token_ + i % 2 * tile_rows, o = outputs_.begin + i / 2 * tile_rows;
    const int n = static_cast<int>(lesser(outputs_.end - o, width));
    if (n <= 0 || token >= token_ + tokens_) return;
    Vec square[width];
    for (int r = 0; r < width; ++r) square[r] = load(sums_ + (i / 2 * tile_rows + r) * pair_tokens + i % 2 * tile_rows);
    transpose(square);
    for (int64_t t = token; t < lesser(token + tile_rows, token_ + tokens_); ++t) {
      float* y = args_.y + t * args_.y_stride + o;
      const Vec sum = square[t - token];
      if (in_rows_) n == width ? store(y, sum) : store_part(y, sum, n);
      else if (n == width) store(y, finished(sum, args_, t, o));
      else store_part(y, finished_part(sum, args_, t, o, n), n);
    }
  }

  const LinearArgs& args_;
  const bool in_rows_;
  const float* sums_ = nullptr;
  int64_t token_ = 0;
  int tokens_ = 0;
  Range outputs_{};
  int rows_ = 0;
  int left_ = 0;
};

// Sums over `steps` steps for a panel and one or two tiles of tokens, added to `sums` unless they are the first.
// Meanwhile the next step of the weight is split, for the first tokens of a panel, and earlier sums are finished.
// `left` keeps the last slots + 1 steps; slots + 1 is a power of two.
template <class W, int R, bool split>
void multiply_panel(const Panel<W>& panel, int64_t first_step, int steps, char* left, int slots, const char* first,
                    const char* second, bool add, float* sums, Finisher& finisher) {
  constexpr int P = weight_planes<W>;
  constexpr int64_t left_step = P * 2 * tile_bytes, right_step = planes * tile_bytes;
  alignas(64) char unused[tile_bytes];
  if (add) load_sums<R>(sums, pair_tokens);
  else zero_sums();
  if (split) panel.split(first_step, 0, panel_rows, left);
  for (int s = 0; s < steps; ++s) {
    multiply_step<P, R>(left + (s & slots) * left_step, first + s * right_step, second + s * right_step, [&](int i) {
      if (split && s + 1 < steps)
        panel.split(first_step + s + 1, panel_rows * i / pauses<P>, panel_rows * (i + 1) / pauses<P>,
                    left + ((s + 1) & slots) * left_step);
      if (i % 2 == 0) finisher.work();
    });
    // The way from tiles to memory falls asleep after half a microsecond, and takes a quarter to wake up.
    if (s % 4 == 3) _tile_stored(4, unused, 64);
  }
  finisher.drain();
  store_sums<R>(sums, pair_tokens);
}

template <class W>
void tile_block(const W* weight, int64_t in, const LinearArgs& a, Range tokens, Range outputs, char* left, float* sums,
                Finisher& finisher) {
  const int64_t steps = ceil_div(in, tile_inputs), token_bytes = steps * planes * tile_bytes;
  // A weight that meets one pair only is not kept: what stays in the first cache is split faster.
  const int slots = tokens.end - tokens.begin > pair_tokens ? all_steps : 1;
  for (int64_t step = 0; step < steps; step += block_steps) {
    const int count = static_cast<int>(lesser(steps - step, block_steps));
    const char* x = static_cast<const char*>(a.prepared) + tokens.begin / tile_rows * token_bytes +
                    step * planes * tile_bytes;
    float* c = sums;
    for (int64_t o = outputs.begin; o < outputs.end; o += panel_rows) {
      const Panel<W> panel{weight + o * in, in, static_cast<int>(lesser(outputs.end - o, panel_rows))};
      for (int64_t t = tokens.begin; t < tokens.end; t += pair_tokens, c += panel_rows * pair_tokens) {
        const char* first = x + (t - tokens.begin) / tile_rows * token_bytes;
        const char* second = first + token_bytes;
        const bool add = step > 0, two = tokens.end - t > tile_rows, split = t == tokens.begin;
        const auto multiply = two ? split ? multiply_panel<W, 2, true> : multiply_panel<W, 2, false>
                                  : split ? multiply_panel<W, 1, true> : multiply_panel<W, 1, false>;
        multiply(panel, step, count, left, slots, first, second, add, c, finisher);
        if (step + count == steps) finisher.start(c, {t, tokens.end}, {o, outputs.end});
      }
    }
  }
}

template <class W>
void tile_linear(const W* weight, int64_t in, const LinearArgs& a, Tile tile) {
  if (tile.tokens.begin >= tile.tokens.end || tile.outputs.begin >= tile.outputs.end) return;
  char* left = static_cast<char*>(thread_memory(left_bytes + sums_bytes));
  float* sums = reinterpret_cast<float*>(left + left_bytes);
  const TileRegisters registers_in_use;
  Finisher finisher(a);
  constexpr int64_t most_tokens = block_pairs * pair_tokens, most_outputs = block_panels * panel_rows;
  for (int64_t t = tile.tokens.begin; t < tile.tokens.end; t += most_tokens)
    for (int64_t o = tile.outputs.begin; o < tile.outputs.end; o += most_outputs)
      tile_block(weight, in, a, {t, lesser(t + most_tokens, tile.tokens.end)},
                 {o, lesser(o + most_outputs, tile.outputs.end)}, left, sums, finisher);
  finisher.drain();
}

inline void linear_on_tiles(const Weight& w, const LinearArgs& a, int ith, int nth) {
  if (a.n < least_tokens) return linear(w, a, ith, nth);
  const Tile tile = share_linear(a.n, tile_rows, w.out, panel_rows, ith, nth);
  if (w.type == WeightType::f32) return tile_linear(static_cast<const float*>(w.data), w.in, a, tile);
  return tile_linear(static_cast<const uint16_t*>(w.data), w.in, a, tile);
}

inline void linear_as_it_lies(const Weight& w, const LinearArgs& a, Turns&, int ith, int nth) { linear_on_tiles(w, a, ith, nth); }

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
