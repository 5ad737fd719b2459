// Attention on tiles: keys, and values on their side, stand on the left, queries and weights in the columns on the
// right, as in the lanes of attention.h, whose softmax serves here too. Blocks of queries that see the same keys go
// together, so that a chunk of keys and values is split once for all of them.
#pragma once

#include "graph/cpu/attention.h"
#include "graph/cpu/tiles.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

constexpr int group_blocks = 8;
constexpr int chunk_steps = chunk_keys / tile_inputs;
constexpr int64_t right_bytes = planes * tile_bytes;     // one tile
constexpr int64_t left_pair_bytes = 2 * planes * tile_bytes;  // two tiles
// With fewer queries or keys than this, splitting takes longer than it saves.
constexpr int least_queries = 12;
constexpr int least_keys = 24;

GT_INLINE int64_t pairs_of(int64_t rows) { return (rows + 31) / 32; }  // of tiles, or steps of inputs

// A block of the group under way.
struct Attending {
  Block block;
  int V;       // vectors of queries
  char* q;     // right-hand tiles: [V][steps of head_dim]
  float* y;    // [value_dim][V * 16]; before that, room for q
  Vec highest[2], total[2];
};

class TileAttention {
 public:
  static size_t bytes(const AttentionArgs& a) {
    const int64_t q = pairs_of(a.head_dim), v = pairs_of(a.value_dim);
    const int64_t block = 2 * q * right_bytes + (q > v ? q : v) * 32 * block_queries * 4;
    const int64_t tiles = chunk_steps * (q + v) * left_pair_bytes + 2 * chunk_steps * right_bytes + group_blocks * block;
    return static_cast<size_t>(tiles + (chunk_keys + 3) * block_queries * 4 + chunk_keys * 4 + 64) / 64 * 64;
  }

  TileAttention(const AttentionArgs& a, char* memory)
      : a_(a), q_steps_(pairs_of(a.head_dim)), value_pairs_(pairs_of(a.value_dim)) {
    const auto take = [&memory](int64_t size) {
      char* part = memory;
      memory += size;
      return part;
    };
    k_ = take(chunk_steps * q_steps_ * left_pair_bytes);
    v_ = take(chunk_steps * value_pairs_ * left_pair_bytes);
    weights_ = take(2 * chunk_steps * right_bytes);
    for (Attending& one : group_) {
      one.q = take(2 * q_steps_ * right_bytes);
      one.y = reinterpret_cast<float*>(take((q_steps_ > value_pairs_ ? q_steps_ : value_pairs_) * 32 * block_queries * 4));
    }
    scores_ = reinterpret_cast<float*>(take(chunk_keys * block_queries * 4));
    bias_ = reinterpret_cast<float*>(memory);
  }

  // Blocks come in order; they wait here until one comes that has other keys.
  void add(int64_t head, const Block& block) {
    if (count_ && (head != head_ || count_ == group_blocks || block.begin >= end_ || block.end <= begin_)) flush();
    if (count_ == 0) head_ = head, begin_ = block.begin, end_ = block.end;
    if (block.begin < begin_) begin_ = block.begin;
    if (block.end > end_) end_ = block.end;
    group_[count_++].block = block;
  }

  void flush() {
    for (int i = 0; i < count_; ++i) group_[i].block.count <= width ? begin<1>(group_[i]) : begin<2>(group_[i]);
    for (int32_t first = begin_; first < end_; first += chunk_keys) {
      find_rows(a_, head_, first, end_, chunk_);
      split_keys();
      split_values();
      const int keys = chunk_.count;
      for (int i = 0; i < count_; ++i) {
        Attending& one = group_[i];
        if (one.block.end <= first || one.block.begin >= first + keys) continue;
        chunk_.count = one.block.end - first < keys ? one.block.end - first : keys;
        one.V == 1 ? attend<1>(one) : attend<2>(one);
        chunk_.count = keys;
      }
    }
    for (int i = 0; i < count_; ++i) {
      const Attending& one = group_[i];
      one.V == 1 ? scatter_values<1>(a_, head_, one.block, one.y, one.total)
                 : scatter_values<2>(a_, head_, one.block, one.y, one.total);
    }
    count_ = 0;
  }

 private:
  // Rows i and i + 16 of 32 rows of V vectors, of which `rows` exist, make pair i of each of the V tiles.
  template <int V>
  static void split_pairs(const float* x, int64_t rows, char* out, int64_t tile_stride) {
    for (int i = 0; i < tile_rows; ++i)
      for (int v = 0; v < V; ++v) {
        const Vec a = i < rows ? load(x + (i * V + v) * width) : set(0.0f);
        const Vec b = i + tile_rows < rows ? load(x + ((i + tile_rows) * V + v) * width) : set(0.0f);
        store_split(out + v * tile_stride + i * 64, tile_bytes, a.v, b.v);
      }
  }

  template <int V>
  void begin(Attending& one) {
    one.V = V;
    for (int v = 0; v < V; ++v) one.highest[v] = set(lowest), one.total[v] = set(0.0f);
    gather_queries<V>(a_, head_, one.block, one.y);  // y is free until the first chunk
    for (int64_t s = 0; s < q_steps_; ++s)
      split_pairs<V>(one.y + s * tile_inputs * V * width, a_.head_dim - s * tile_inputs, one.q + s * right_bytes,
                     q_steps_ * right_bytes);
    for (int64_t i = 0; i < value_pairs_ * 32 * V; ++i) store(one.y + i * width, set(0.0f));
  }

  void split_keys() {
    for (int j = 0; j < chunk_.count; ++j) {
      char* out = k_ + j / 32 * q_steps_ * left_pair_bytes + j % 32 / tile_rows * tile_bytes + j % tile_rows * 64;
      for (int64_t s = 0; s < q_steps_; ++s)
        split_row(chunk_.k[j] + s * tile_inputs, inputs_mask(a_.head_dim - s * tile_inputs), out + s * left_pair_bytes,
                  2 * tile_bytes);
    }
  }

  // On their side: rows of a dimension, along 32 keys.
  void split_values() {
    for (int64_t step = 0; step < pairs_of(chunk_.count); ++step)
      for (int64_t d = 0; d < a_.value_dim; d += tile_rows) {
        const int dims = a_.value_dim - d < width ? static_cast<int>(a_.value_dim - d) : width;
        Vec square[2][width];
        for (int i = 0; i < 2 * width; ++i) {
          const int64_t key = step * tile_inputs + i;
          square[i / width][i % width] = key < chunk_.count ? load_part(chunk_.v[key] + d, dims) : set(0.0f);
        }
        transpose(square[0]);
        transpose(square[1]);
        char* out = v_ + (d / 32 * chunk_steps + step) * left_pair_bytes + d % 32 / tile_rows * tile_bytes;
        for (int i = 0; i < width; ++i) store_split(out + i * 64, 2 * tile_bytes, square[0][i].v, square[1][i].v);
      }
  }

  template <int V>
  void attend(Attending& one) {
    const auto no_work = [](int) {};
    const int64_t steps = pairs_of(chunk_.count);
    for (int64_t pair = 0; pair < steps; ++pair) {
      zero_sums();
      for (int64_t s = 0; s < q_steps_; ++s)
        multiply_step<planes, V>(k_ + (pair * q_steps_ + s) * left_pair_bytes, one.q + s * right_bytes,
                                 one.q + (q_steps_ + s) * right_bytes, no_work);
      store_sums<V>(scores_ + pair * 32 * V * width, V * width);
    }
    if (a_.relative_bias) add_relative_bias<V>(a_, head_, one.block, chunk_, bias_, scores_);
    if (a_.mask) add_mask<V>(a_, head_, one.block, chunk_, scores_);
    hide<V>(a_, one.block, chunk_, scores_);
    Vec shrink[V];
    softmax_chunk<V>(chunk_.count, scores_, one.highest, one.total, shrink);
    for (int64_t s = 0; s < steps; ++s)
      split_pairs<V>(scores_ + s * tile_inputs * V * width, chunk_.count - s * tile_inputs, weights_ + s * right_bytes,
                     chunk_steps * right_bytes);
    for (int64_t i = 0; i < a_.value_dim; ++i)
      for (int v = 0; v < V; ++v) {
        float* y = one.y + (i * V + v) * width;
        store(y, load(y) * shrink[v]);
      }
    for (int64_t pair = 0; pair < value_pairs_; ++pair) {
      float* y = one.y + pair * 32 * V * width;
      load_sums<V>(y, V * width);
      for (int64_t s = 0; s < steps; ++s)
        multiply_step<planes, V>(v_ + (pair * chunk_steps + s) * left_pair_bytes, weights_ + s * right_bytes,
                                 weights_ + (chunk_steps + s) * right_bytes, no_work);
      store_sums<V>(y, V * width);
    }
  }

  const AttentionArgs& a_;
  const int64_t q_steps_, value_pairs_;
  char *k_, *v_, *weights_;
  float *scores_, *bias_;
  Chunk chunk_;
  Attending group_[group_blocks];
  int count_ = 0;
  int64_t head_ = 0;
  int32_t begin_ = 0, end_ = 0;
};

inline size_t tile_attention_bytes(const AttentionArgs& a) {
  const size_t lanes = GT_CPU_VARIANT::attention_scratch_size(a, 1), tiles = TileAttention::bytes(a);
  return lanes > tiles ? lanes : tiles;
}

inline size_t tile_attention_scratch_size(const AttentionArgs& a, int nth) {
  return tile_attention_bytes(a) * static_cast<size_t>(nth);
}

inline void attention_on_tiles(const AttentionArgs& a, void* scratch, Turns& turns, int ith, int nth) {
  char* memory = static_cast<char*>(scratch) + tile_attention_bytes(a) * static_cast<size_t>(ith);
  const TileRegisters registers_in_use;
  const Workspace lanes = workspace(a, reinterpret_cast<float*>(memory));
  TileAttention tiles(a, memory);
  Chunk chunk;
  for_blocks(a, turns, nth, [&](int64_t head, const Block& block) {
    if (block.count >= least_queries && block.end - block.begin >= least_keys) return tiles.add(head, block);
    tiles.flush();
    attend(a, head, block, lanes, chunk);
  });
  tiles.flush();
}

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
