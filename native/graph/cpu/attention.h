// Softmax attention. Up to two vectors of queries stand side by side in the lanes, so that scores, softmax and values
// need no sum across lanes; keys pass in chunks, with a running maximum and sum for each query (flash attention).
// A block of few queries, as in decoding, goes along the head's dimension instead.
#pragma once

#include <math.h>

#include "graph/cpu/transpose.h"
#include "graph/cpu/variant.h"
#include "graph/cpu/vector_math.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

constexpr int chunk_keys = 128;
constexpr int block_queries = 2 * width;
constexpr int few_queries = width / 4;
// Keys, or dimensions of a value, whose sums are in registers together.
constexpr int block_sums = registers == 32 ? 8 : 6;
// What a part of the work costs at least, as `cost` counts, and how many a thread has at most.
constexpr int64_t part_cost = 1 << 13;
constexpr int64_t most_parts = 8;
// A maximum that has seen no key. No score is below it, so that one which masks brought down to it still counts.
constexpr float lowest = -3.40282347e38f;

// Consecutive queries whose spans overlap the first one's; the keys that any of them sees, and those that all see.
struct Block {
  int64_t first;
  int count;
  int32_t begin, end;
  int32_t common_begin, common_end;
};

inline Block next_block(const AttentionArgs& a, int64_t first) {
  const int32_t* span = a.spans + 3 * first;
  Block block{first, 1, span[0], span[1], span[0], span[1]};
  const bool empty = span[0] >= span[1];
  for (; block.count < block_queries && first + block.count < a.n_q; ++block.count) {
    const int32_t begin = span[3 * block.count], end = span[3 * block.count + 1];
    if (empty ? begin < end : begin >= span[1] || end <= span[0]) break;
    if (begin < block.begin) block.begin = begin;
    if (end > block.end) block.end = end;
    if (begin > block.common_begin) block.common_begin = begin;
    if (end < block.common_end) block.common_end = end;
  }
  return block;
}

inline int64_t cost(const Block& block) {
  const int64_t keys = block.end > block.begin ? block.end - block.begin : 0;
  return (block.count <= few_queries ? block.count * 4 : block.count <= width ? width : 2 * width) * (keys + 16);
}

// The rows of k and v that the keys of a chunk lie in.
struct Chunk {
  int32_t first;
  int count;
  const float* k[chunk_keys];
  const float* v[chunk_keys];
};

inline void find_rows(const AttentionArgs& a, int64_t head, int32_t first, int32_t end, Chunk& chunk) {
  const int64_t kv_head = head / (a.heads / a.kv_heads);
  chunk.first = first;
  chunk.count = end - first < chunk_keys ? end - first : chunk_keys;
  for (int j = 0; j < chunk.count; ++j) {
    const int64_t row = a.cells ? a.cells[first + j] : first + j;
    chunk.k[j] = a.k + row * a.k_stride + kv_head * a.head_dim;
    chunk.v[j] = a.v + row * a.v_stride + kv_head * a.value_dim;
  }
}

inline int64_t place_of(const AttentionArgs& a, int64_t key) { return a.places ? a.places[key] : key; }

// Entry for a key at `place` of the query at `own`.
inline float relative(const AttentionArgs& a, int64_t head, int64_t place, int64_t own) {
  const int64_t low = 1 - a.reach, high = a.reach - 1;
  const int64_t distance = place - own < low ? low : place - own > high ? high : place - own;
  return a.relative_bias[head * (2 * a.reach - 1) + distance + high];
}

// What the mask adds to the score of key j of a query's span.
inline const float* mask_row(const AttentionArgs& a, int64_t head, int64_t query) {
  return a.mask + query / a.mask_queries * a.mask_batch_stride + head * a.mask_head_stride +
         query % a.mask_queries * a.mask_query_stride;
}

// -- few queries: one at a time, along the dimension --------------------------------------------------------------

inline void few_scores(const AttentionArgs& a, int64_t head, int64_t query, const Chunk& chunk, float* scores) {
  const int32_t own = a.spans[3 * query + 2];
  const float* q = a.q + query * a.q_stride + head * a.head_dim;
  for (int j = 0; j < chunk.count; j += 4) {
    const int rows = chunk.count - j < 4 ? chunk.count - j : 4;
    const float* k[4];
    for (int r = 0; r < 4; ++r) k[r] = chunk.k[j + (r < rows ? r : 0)];
    Vec sums[4] = {set(0.0f), set(0.0f), set(0.0f), set(0.0f)};
    int64_t d = 0;
    for (; d + width <= a.head_dim; d += width)
      for (int r = 0; r < 4; ++r) sums[r] = fma(load(q + d), load(k[r] + d), sums[r]);
    float total[4];
    store_sums(total, sums[0], sums[1], sums[2], sums[3]);
    for (int r = 0; r < rows; ++r) {
      for (int64_t i = d; i < a.head_dim; ++i) total[r] += q[i] * k[r][i];
      scores[j + r] = own < 0 ? 0.0f : a.scale * total[r];
      if (a.relative_bias && own >= 0) scores[j + r] += relative(a, head, place_of(a, chunk.first + j + r), own);
      if (a.mask) scores[j + r] += mask_row(a, head, query)[chunk.first + j + r - a.spans[3 * query]];
    }
  }
}

inline float maximum(const float* x, int n, float max) {
  for (int i = 0; i < n; ++i) max = x[i] > max ? x[i] : max;
  return max;
}

// x = exp(x - max); gives the sum.
inline float exponentials(float* x, int n, float max) {
  float total = 0;
  int i = 0;
  Vec sums = set(0.0f);
  for (; i + width <= n; i += width) {
    const Vec e = exp(load(x + i) - set(max));
    store(x + i, e);
    sums = sums + e;
  }
  if (i < n) {
    float lanes[width] = {};
    store(lanes, exp(load_part(x + i, n - i) - set(max)));
    for (int j = i; j < n; ++j) total += x[j] = lanes[j - i];
  }
  return total + sum(sums);
}

inline void attend_few(const AttentionArgs& a, int64_t head, int64_t query, Chunk& chunk, float* scores) {
  float* y = a.y + query * a.y_stride + head * a.value_dim;
  for (int64_t d = 0; d < a.value_dim; ++d) y[d] = 0;
  float max = lowest, total = 0;
  const int32_t end = a.spans[3 * query + 1];
  for (int32_t first = a.spans[3 * query]; first < end; first += chunk_keys) {
    find_rows(a, head, first, end, chunk);
    few_scores(a, head, query, chunk, scores);
    const float higher = maximum(scores, chunk.count, max);
    float shrink[width];
    store(shrink, exp(set(max - higher)));
    max = higher;
    total = total * shrink[0] + exponentials(scores, chunk.count, max);
    int64_t d = 0;
    for (; d + 4 * width <= a.value_dim; d += 4 * width) {
      Vec sums[4];
      for (int i = 0; i < 4; ++i) sums[i] = load(y + d + i * width) * set(shrink[0]);
      for (int j = 0; j < chunk.count; ++j)
        for (int i = 0; i < 4; ++i) sums[i] = fma(set(scores[j]), load(chunk.v[j] + d + i * width), sums[i]);
      for (int i = 0; i < 4; ++i) store(y + d + i * width, sums[i]);
    }
    for (; d < a.value_dim; d += width) {
      const int n = a.value_dim - d < width ? static_cast<int>(a.value_dim - d) : width;
      Vec sums = load_part(y + d, n) * set(shrink[0]);
      for (int j = 0; j < chunk.count; ++j) sums = fma(set(scores[j]), load_part(chunk.v[j] + d, n), sums);
      store_part(y + d, sums, n);
    }
  }
  if (total != 0)
    for (int64_t d = 0; d < a.value_dim; ++d) y[d] /= total;
}

// -- blocks: queries in the lanes ---------------------------------------------------------------------------------

// What a thread keeps for a block of V vectors of queries; rows of V * width floats.
struct Workspace {
  float* q;       // [head_dim]
  float* scores;  // [chunk_keys]
  float* y;       // [value_dim]
  float* bias;    // [chunk_keys + block_queries]: the relative bias, backwards
};

inline size_t workspace_floats(const AttentionArgs& a) {
  const int64_t dims = (a.head_dim + width - 1) / width * width + (a.value_dim + width - 1) / width * width;
  return static_cast<size_t>((dims + chunk_keys) * block_queries + chunk_keys + 2 * block_queries);
}

inline Workspace workspace(const AttentionArgs& a, float* memory) {
  Workspace w;
  w.q = memory;
  w.scores = w.q + (a.head_dim + width - 1) / width * width * block_queries;
  w.y = w.scores + chunk_keys * block_queries;
  w.bias = w.y + (a.value_dim + width - 1) / width * width * block_queries;
  return w;
}

// Scaled queries, dimension by dimension; zeros for the lanes that have none and for those of equal weights.
template <int V>
void gather_queries(const AttentionArgs& a, int64_t head, const Block& block, float* out) {
  for (int v = 0; v < V; ++v)
    for (int64_t d = 0; d < a.head_dim; d += width) {
      const int n = a.head_dim - d < width ? static_cast<int>(a.head_dim - d) : width;
      Vec rows[width];
      for (int i = 0; i < width; ++i) {
        const int64_t query = block.first + v * width + i;
        const bool wanted = v * width + i < block.count && a.spans[3 * query + 2] >= 0;
        rows[i] = wanted ? load_lanes(a.q + query * a.q_stride + head * a.head_dim + d, n) * set(a.scale) : set(0.0f);
      }
      transpose(rows);
      for (int i = 0; i < width; ++i) store(out + ((d + i) * V + v) * width, rows[i]);
    }
}

template <int N>
struct Constant {
  static constexpr int value = N;
};

// Calls f with `n`, which is 1 to `most`, as a constant.
template <int most, class F>
GT_INLINE void with_constant(int n, F f) {
  if constexpr (most > 1) {
    if (n < most) return with_constant<most - 1>(n, f);
  }
  f(Constant<most>{});
}

// Calls f(first, size) for the parts of `n` things: of at most block_sums, and of nearly one size, since sums of few
// wait for each other.
template <class F>
GT_INLINE void for_parts(int n, F f) {
  int first = 0;
  for (int parts = (n + block_sums - 1) / block_sums; parts > 0; --parts) {
    const int size = (n - first + parts - 1) / parts;
    with_constant<block_sums>(size, [&](auto constant) { f(first, constant); });
    first += size;
  }
}

template <int V>
void block_scores(const AttentionArgs& a, const Chunk& chunk, const float* q, float* scores) {
  for_parts(chunk.count, [&](int first, auto size) {
    constexpr int keys = decltype(size)::value;
    const float* k[keys];
    Vec sums[keys][V];
    for (int r = 0; r < keys; ++r) {
      k[r] = chunk.k[first + r];
      for (int v = 0; v < V; ++v) sums[r][v] = set(0.0f);
    }
    for (int64_t d = 0; d < a.head_dim; ++d) {
      Vec lanes[V];
      for (int v = 0; v < V; ++v) lanes[v] = load(q + (d * V + v) * width);
      for (int r = 0; r < keys; ++r) {
        const Vec key = set(k[r][d]);
        for (int v = 0; v < V; ++v) sums[r][v] = fma(key, lanes[v], sums[r][v]);
      }
    }
    for (int r = 0; r < keys; ++r)
      for (int v = 0; v < V; ++v) store(scores + ((first + r) * V + v) * width, sums[r][v]);
  });
}

// Queries that follow each other, over keys that do, see the same table, one entry further each: it is read backwards, in vectors.
template <int V>
void add_relative_bias(const AttentionArgs& a, int64_t head, const Block& block, const Chunk& chunk, float* bias,
                       float* scores) {
  const int32_t* spans = a.spans + 3 * block.first;
  bool in_order = spans[2] >= 0;
  for (int i = 1; i < block.count; ++i) in_order = in_order && spans[3 * i + 2] == spans[2] + i;
  const int64_t last_place = place_of(a, chunk.first + chunk.count - 1);
  in_order = in_order && last_place - place_of(a, chunk.first) == chunk.count - 1;
  if (in_order) {
    const int last = chunk.count - 1 + V * width - 1;
    for (int t = 0; t <= last; ++t) bias[t] = relative(a, head, last_place - t, spans[2]);
    for (int j = 0; j < chunk.count; ++j)
      for (int v = 0; v < V; ++v) {
        float* s = scores + (j * V + v) * width;
        store(s, load(s) + load(bias + chunk.count - 1 - j + v * width));
      }
    return;
  }
  for (int j = 0; j < chunk.count; ++j)
    for (int i = 0; i < block.count; ++i)
      if (spans[3 * i + 2] >= 0 && chunk.first + j >= spans[3 * i] && chunk.first + j < spans[3 * i + 1])
        scores[j * V * width + i] += relative(a, head, place_of(a, chunk.first + j), spans[3 * i + 2]);
}

// Squares of keys by queries, turned.
template <int V>
void add_mask(const AttentionArgs& a, int64_t head, const Block& block, const Chunk& chunk, float* scores) {
  for (int j = 0; j < chunk.count; j += width)
    for (int v = 0; v < V; ++v) {
      Vec square[width];
      for (int i = 0; i < width; ++i) {
        const int64_t query = block.first + v * width + i;
        square[i] = set(0.0f);
        if (v * width + i >= block.count) continue;
        // Keys before and after the span will be hidden; the mask has nothing for them.
        const int32_t first = chunk.first + j, begin = a.spans[3 * query], end = a.spans[3 * query + 1];
        const int n = chunk.count - j < width ? chunk.count - j : width;
        const float* row = mask_row(a, head, query) - begin;
        if (first >= begin && first + n <= end) {
          square[i] = load_lanes(row + first, n);
          continue;
        }
        float lanes[width] = {};
        for (int k = 0; k < n; ++k)
          if (first + k >= begin && first + k < end) lanes[k] = row[first + k];
        square[i] = load(lanes);
      }
      transpose(square);
      for (int k = 0; k < width && j + k < chunk.count; ++k) {
        float* s = scores + ((j + k) * V + v) * width;
        store(s, load(s) + square[k]);
      }
    }
}

// Minus infinity where a query does not see a key.
template <int V>
void hide(const AttentionArgs& a, const Block& block, const Chunk& chunk, float* scores) {
  if (chunk.first >= block.common_begin && chunk.first + chunk.count <= block.common_end) return;
  float begins[V * width] = {}, ends[V * width] = {};
  for (int i = 0; i < block.count; ++i) {
    begins[i] = static_cast<float>(a.spans[3 * (block.first + i)]);
    ends[i] = static_cast<float>(a.spans[3 * (block.first + i) + 1]);
  }
  for (int j = 0; j < chunk.count; ++j) {
    const Vec key = set(static_cast<float>(chunk.first + j));
    for (int v = 0; v < V; ++v) {
      float* s = scores + (j * V + v) * width;
      const Vec after = select(greater(load(begins + v * width), key), set(-INFINITY), load(s));
      store(s, select(greater(load(ends + v * width), key), after, set(-INFINITY)));
    }
  }
}

// scores = exp(scores - highest), with the new highest and sum of each query; `shrink`: what earlier sums become less by.
template <int V>
void softmax_chunk(int keys, float* scores, Vec* highest, Vec* total, Vec* shrink) {
  for (int v = 0; v < V; ++v) {
    Vec higher = highest[v];
    for (int j = 0; j < keys; ++j) higher = max(load(scores + (j * V + v) * width), higher);
    shrink[v] = exp(highest[v] - higher);
    highest[v] = higher;
    Vec sums = total[v] * shrink[v];
    for (int j = 0; j < keys; ++j) {
      float* s = scores + (j * V + v) * width;
      const Vec e = exp(load(s) - higher);
      store(s, e);
      sums = sums + e;
    }
    total[v] = sums;
  }
}

template <int V>
void add_values(const AttentionArgs& a, const Chunk& chunk, const float* weights, const Vec* shrink, float* y) {
  for_parts(static_cast<int>(a.value_dim), [&](int first, auto size) {
    constexpr int dims = decltype(size)::value;
    Vec sums[dims][V];
    for (int i = 0; i < dims; ++i)
      for (int v = 0; v < V; ++v) sums[i][v] = load(y + ((first + i) * V + v) * width) * shrink[v];
    for (int j = 0; j < chunk.count; ++j) {
      const float* value = chunk.v[j] + first;
      Vec lanes[V];
      for (int v = 0; v < V; ++v) lanes[v] = load(weights + (j * V + v) * width);
      for (int i = 0; i < dims; ++i) {
        const Vec x = set(value[i]);
        for (int v = 0; v < V; ++v) sums[i][v] = fma(x, lanes[v], sums[i][v]);
      }
    }
    for (int i = 0; i < dims; ++i)
      for (int v = 0; v < V; ++v) store(y + ((first + i) * V + v) * width, sums[i][v]);
  });
}

// y [value_dim][V * width] / total, to the rows of the queries.
template <int V>
void scatter_values(const AttentionArgs& a, int64_t head, const Block& block, const float* y, const Vec* total) {
  for (int v = 0; v < V; ++v) {
    const Vec factor = select(greater(abs(total[v]), set(0.0f)), set(1.0f) / total[v], total[v]);
    for (int64_t d = 0; d < a.value_dim; d += width) {
      const int n = a.value_dim - d < width ? static_cast<int>(a.value_dim - d) : width;
      Vec rows[width];
      for (int i = 0; i < width; ++i) rows[i] = i < n ? load(y + ((d + i) * V + v) * width) * factor : set(0.0f);
      transpose(rows);
      for (int i = 0; i < width && v * width + i < block.count; ++i) {
        float* out = a.y + (block.first + v * width + i) * a.y_stride + head * a.value_dim + d;
        store_lanes(out, rows[i], n);
      }
    }
  }
}

template <int V>
void attend_block(const AttentionArgs& a, int64_t head, const Block& block, const Workspace& w, Chunk& chunk) {
  gather_queries<V>(a, head, block, w.q);
  Vec highest[V], total[V], shrink[V];
  for (int v = 0; v < V; ++v) highest[v] = set(lowest), total[v] = set(0.0f);
  for (int64_t i = 0; i < a.value_dim * V; ++i) store(w.y + i * width, set(0.0f));
  for (int32_t first = block.begin; first < block.end; first += chunk_keys) {
    find_rows(a, head, first, block.end, chunk);
    block_scores<V>(a, chunk, w.q, w.scores);
    if (a.relative_bias) add_relative_bias<V>(a, head, block, chunk, w.bias, w.scores);
    if (a.mask) add_mask<V>(a, head, block, chunk, w.scores);
    hide<V>(a, block, chunk, w.scores);
    softmax_chunk<V>(chunk.count, w.scores, highest, total, shrink);
    add_values<V>(a, chunk, w.scores, shrink, w.y);
  }
  scatter_values<V>(a, head, block, w.y, total);
}

// Blocks of queries that see keys in common, as those of one text, and what one head of them costs.
struct Text {
  int64_t first, last;
  int64_t cost;
};

inline Text next_text(const AttentionArgs& a, int64_t first) {
  Text text{first, first, 0};
  for (int32_t end = 0; text.last < a.n_q;) {
    const Block block = next_block(a, text.last);
    if (text.last > first && block.begin >= end) break;
    if (block.end > end) end = block.end;
    text.cost += cost(block);
    text.last += block.count;
  }
  return text;
}

// Calls f(head, block) for all texts, heads and blocks, in parts of even cost that threads take as they come. All heads
// of a text follow each other, while its tokens are in the cache.
template <class F>
void for_blocks(const AttentionArgs& a, Turns& turns, int nth, F f) {
  int64_t total = 0;
  for (int64_t i = 0; i < a.n_q;) {
    const Text text = next_text(a, i);
    total += text.cost * a.heads;
    i = text.last;
  }
  const int64_t parts = nth * (1 + at_most(total / (part_cost * nth), most_parts - 1));
  for (int64_t part; (part = turns.take()) < parts;) {
    const int64_t begin = total * part / parts, end = total * (part + 1) / parts;
    int64_t at = 0;
    for (int64_t i = 0; i < a.n_q && at < end;) {
      const Text text = next_text(a, i);
      for (int64_t head = 0; head < a.heads && at < end; ++head) {
        if (at + text.cost <= begin) {
          at += text.cost;
          continue;
        }
        for (int64_t query = text.first; query < text.last && at < end;) {
          const Block block = next_block(a, query);
          if (at >= begin) f(head, block);
          at += cost(block);
          query += block.count;
        }
      }
      i = text.last;
    }
  }
  turns.leave(nth);
}

inline size_t attention_scratch_size(const AttentionArgs& a, int nth) {
  return (workspace_floats(a) + 15) / 16 * 64 * static_cast<size_t>(nth);
}

inline void attend(const AttentionArgs& a, int64_t head, const Block& block, const Workspace& w, Chunk& chunk) {
  if (block.count <= few_queries)
    for (int i = 0; i < block.count; ++i) attend_few(a, head, block.first + i, chunk, w.scores);
  else if (block.count <= width) attend_block<1>(a, head, block, w, chunk);
  else attend_block<2>(a, head, block, w, chunk);
}

inline void attention(const AttentionArgs& a, void* scratch, Turns& turns, int ith, int nth) {
  float* memory = static_cast<float*>(scratch) + (workspace_floats(a) + 15) / 16 * 16 * static_cast<size_t>(ith);
  const Workspace w = workspace(a, memory);
  Chunk chunk;
  for_blocks(a, turns, nth, [&](int64_t head, const Block& block) { attend(a, head, block, w, chunk); });
}

inline void attention_weights(const AttentionArgs& a, float* probs, int64_t columns, int ith, int nth) {
  const Range range = share(a.heads * a.n_q, 1, ith, nth);
  Chunk chunk;
  for (int64_t item = range.begin; item < range.end; ++item) {
    const int64_t head = item / a.n_q, query = item % a.n_q;
    float* row = probs + item * columns;
    const int32_t begin = a.spans[3 * query], end = a.spans[3 * query + 1];
    float max = lowest;
    for (int32_t first = begin; first < end; first += chunk_keys) {
      find_rows(a, head, first, end, chunk);
      few_scores(a, head, query, chunk, row + (first - begin));
      max = maximum(row + (first - begin), chunk.count, max);
    }
    const int seen = end > begin ? end - begin : 0;
    const float total = exponentials(row, seen, max);
    for (int64_t j = 0; j < columns; ++j) row[j] = j < seen ? row[j] / total : 0;
  }
}

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
