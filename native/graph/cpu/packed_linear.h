// A linear layer whose weight was laid out in panels once, for all calls.
#pragma once

#include "graph/cpu/panels.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

// Panels, and inputs of them at most, that stay in the second cache while all tokens pass.
constexpr int64_t packed_group = 3;
constexpr int64_t packed_inputs = 768;
// Blocks of tokens of a piece of the work, and pieces that each thread has at least, if there are enough blocks.
constexpr int64_t least_blocks = 8;
constexpr int64_t most_blocks = 16;
constexpr int64_t pieces_of_thread = 8;
// Values of the tokens that are read again for each group of panels.
constexpr int64_t cached_values = 1 << 19;

inline size_t packed_size(const Weight& w) {
  return static_cast<size_t>(panels_of(w.out) * panel_outputs * w.in) * (w.type == WeightType::f32 ? sizeof(float) : sizeof(uint16_t));
}

template <class W>
void pack_panel(const W* w, const Weight& weight, bool transposed, int rows, W* panel) {
  if (transposed) {
    for (int64_t i = 0; i < weight.in; ++i)
      for (int r = 0; r < panel_outputs; ++r) panel[i * panel_outputs + r] = r < rows ? w[i * weight.out + r] : W{0};
  } else if constexpr (sizeof(W) == sizeof(float)) {
    lay_out_panel(w, weight.in, weight.in, rows, panel);
  } else {
    for (int64_t i = 0; i < weight.in; ++i)
      for (int r = 0; r < panel_outputs; ++r) panel[i * panel_outputs + r] = r < rows ? w[r * weight.in + i] : W{0};
  }
}

template <class W>
void pack_weight(const Weight& w, bool transposed, W* to, int ith, int nth) {
  const W* from = static_cast<const W*>(w.data);
  const Range panels = share(panels_of(w.out), 1, ith, nth);
  for (int64_t o = panels.begin * panel_outputs; o < at_most(panels.end * panel_outputs, w.out); o += panel_outputs)
    pack_panel(from + (transposed ? o : o * w.in), w, transposed, static_cast<int>(at_most(w.out - o, panel_outputs)), to + o * w.in);
}

// `w`: rows of `in` values, or, transposed, of `out`.
inline void pack(const Weight& w, bool transposed, void* packed, int ith, int nth) {
  if (w.type == WeightType::f32) return pack_weight(w, transposed, static_cast<float*>(packed), ith, nth);
  pack_weight(w, transposed, static_cast<uint16_t*>(packed), ith, nth);
}

// Tokens by outputs of a piece of the work. `next`: the first output of what this thread will do afterwards.
struct PackedPiece {
  Tile tile;
  int64_t next;
};

template <class W>
void multiply_piece(const W* weight, int64_t in, int64_t out, const LinearArgs& a, const PackedPiece& piece) {
  const auto [tokens, outputs] = piece.tile;
  const int64_t blocks = (tokens.end - tokens.begin + panel_tokens - 1) / panel_tokens;
  const int64_t part = (in + packed_inputs - 1) / packed_inputs * ahead_inputs, step = (in + part - 1) / part * ahead_inputs;
  for (int64_t i = 0; i < in; i += step) {
    const int64_t n = at_most(in - i, step);
    // Next come more inputs of these panels, or the first ones of others; each block asks for its share of them.
    const bool same = i + n < in;
    const int64_t next_input = same ? i + n : 0, next_output = same ? outputs.begin : piece.next;
    const int64_t next_lines = at_most(in - next_input, step) * panel_outputs * static_cast<int64_t>(sizeof(W)) / 64;
    // Blocks of nearly one size: a small last one would wait for the weights.
    for (int64_t block = 0, t = tokens.begin, end; block < blocks; ++block, t = end) {
      end = t + (tokens.end - t + blocks - block - 1) / (blocks - block);
      for (int64_t o = outputs.begin; o < outputs.end; o += panel_outputs) {
        Ahead ahead;
        const int64_t next = next_output + o - outputs.begin;
        if (next < out) {
          const char* lines = reinterpret_cast<const char*>(weight + next * in + next_input * panel_outputs);
          const int64_t from = next_lines * block / blocks, to = next_lines * (block + 1) / blocks;
          ahead = {lines + from * 64, lines + to * 64, (to - from) * ahead_inputs / n + 1};
        }
        panel_tokens_at(a, {t, end}, weight + o * in + i * panel_outputs, {i, n, {o, at_most(o + panel_outputs, outputs.end)}, i == 0, !same},
                        ahead);
      }
    }
  }
}

// A single block meets each panel once: all is read in one go.
template <class W>
void multiply_block(const W* weight, int64_t in, const LinearArgs& a, Tile tile) {
  for (int64_t o = tile.outputs.begin; o < tile.outputs.end; o += panel_outputs)
    panel_tokens_at(a, tile.tokens, weight + o * in, {0, in, {o, at_most(o + panel_outputs, tile.outputs.end)}, true, true});
}

// Threads take piece after piece, so that one which is held up by others on the machine does not hold up the rest.
template <class W>
void packed_linear_of(const W* weight, const Weight& w, const LinearArgs& a, Turns& turns, int ith, int nth) {
  if (a.n <= 0 || w.in <= 0 || w.out <= 0) return;
  if (a.n <= panel_tokens) return multiply_block(weight, w.in, a, {{0, a.n}, share(w.out, panel_outputs, ith, nth)});
  constexpr int64_t outputs = packed_group * panel_outputs;
  const int64_t groups = (w.out + outputs - 1) / outputs, blocks = (a.n + panel_tokens - 1) / panel_tokens;
  const int64_t wanted = (pieces_of_thread * nth + groups - 1) / groups, least = (blocks + most_blocks - 1) / most_blocks;
  const int64_t chunks = at_most(wanted > least ? wanted : least, blocks > least_blocks ? blocks / least_blocks : 1);
  // All outputs of as many tokens as stay in the cache; then those of the next ones.
  const int64_t fit = cached_values * chunks / (a.n * w.in), together = at_most(fit > 1 ? fit : 1, chunks);
  const auto output_of = [&](int64_t piece) { return piece % (groups * together) / together * outputs; };
  for (int64_t piece; (piece = turns.take()) < groups * ((chunks + together - 1) / together) * together;) {
    const int64_t chunk = piece / (groups * together) * together + piece % together, o = output_of(piece);
    if (chunk >= chunks) continue;
    const int64_t after = output_of(piece + nth);
    multiply_piece(weight, w.in, w.out, a,
                   {{share(a.n, panel_tokens, chunk, chunks), {o, at_most(o + outputs, w.out)}}, after > o ? after : w.out});
  }
  turns.leave(nth);
}

// `w` as `pack` made it.
inline void packed_linear(const Weight& w, const LinearArgs& a, Turns& turns, int ith, int nth) {
  if (w.type == WeightType::f32) return packed_linear_of(static_cast<const float*>(w.data), w, a, turns, ith, nth);
  packed_linear_of(static_cast<const uint16_t*>(w.data), w, a, turns, ith, nth);
}

// Where the weight is used as it lies.
inline size_t nothing_packed(const Weight&) { return 0; }
inline void pack_nothing(const Weight&, bool, void*, int, int) {}

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
