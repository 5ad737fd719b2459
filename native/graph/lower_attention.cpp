// Attention over packed rows of tokens. On the CPU a kernel of our own that follows the spans.
#include <ggml.h>

#include <cstring>

#include "errors.h"
#include "graph/lowering.h"

namespace gt::graph {

namespace {

struct Heads {
  int64_t heads, kv_heads;
  float scale;
};

Heads heads_of(const Node& node) {
  return {node.integer("heads"), node.integer("kv_heads"), node.single("scale")};
}

int64_t stride(const ggml_tensor* tensor) { return static_cast<int64_t>(tensor->nb[1] / sizeof(float)); }
const float* floats(const ggml_tensor* tensor) { return tensor ? static_cast<const float*>(tensor->data) : nullptr; }

cpu::AttentionArgs arguments_of(const Heads& heads, const ggml_tensor* q, const ggml_tensor* k, const ggml_tensor* v,
                             const ggml_tensor* spans, const ggml_tensor* bias, const ggml_tensor* places, ggml_tensor* y) {
  cpu::AttentionArgs args{};
  args.q = floats(q);
  args.k = floats(k);
  args.v = floats(v);
  args.q_stride = stride(q);
  args.k_stride = k ? stride(k) : 0;
  args.v_stride = v ? stride(v) : 0;
  args.n_q = q->ne[1];
  args.heads = heads.heads;
  args.kv_heads = heads.kv_heads;
  args.head_dim = q->ne[0] / heads.heads;
  args.value_dim = v ? v->ne[0] / heads.kv_heads : 0;
  args.scale = heads.scale;
  args.spans = static_cast<const int32_t*>(spans->data);
  args.places = places ? static_cast<const int32_t*>(places->data) : nullptr;
  args.relative_bias = floats(bias);
  args.reach = bias ? (bias->ne[0] + 1) / 2 : 0;
  args.y = y ? static_cast<float*>(y->data) : nullptr;
  args.y_stride = y ? y->ne[0] : 0;
  return args;
}

// Sizes of packed queries, keys and values, from the inputs at these places; the values may be missing.
void require_packed(const Lowering& lowering, const Node& node, const Heads& heads, int64_t key_size, int64_t value_size, size_t spans) {
  require_cpu(lowering, node);
  const Shape& q = lowering.shape_of(node, 0);
  require(heads.heads >= 1 && heads.kv_heads >= 1 && heads.heads % heads.kv_heads == 0, lowering, node, "heads in even groups");
  require(q.size() == 2 && q[1] % heads.heads == 0 && key_size == q[1] / heads.heads * heads.kv_heads && value_size % heads.kv_heads == 0,
          lowering, node, "sizes that the heads divide");
  require(lowering.shape_of(node, spans) == Shape{q[0], 3}, lowering, node, "a span for each query");
  if (!lowering.has_input(node, spans + 1)) return;
  const Shape& bias = lowering.shape_of(node, spans + 1);
  require(bias.size() == 2 && bias[0] == heads.heads && bias[1] % 2 == 1, lowering, node, "a relative bias for each head");
  if (!lowering.has_input(node, spans + 2)) return;
  require(lowering.shape_of(node, spans + 2) == Shape{lowering.shape_of(node, 1)[0]}, lowering, node, "a place for each key");
}

int64_t packed_size(const Lowering& lowering, const Node& node, size_t index) {
  const Shape& shape = lowering.shape_of(node, index);
  require(shape.size() == 2, lowering, node, "[tokens, size]");
  return shape[1];
}

void require_shape(const Lowering& lowering, const Node& node, const Shape& shape) {
  require(node.shape == shape, lowering, node, shape_text(shape).c_str());
}

// Of attention weights: as wide as the program wants them.
void require_weights(const Lowering& lowering, const Node& node, const Heads& heads) {
  require(node.shape.size() == 3 && node.shape[0] == heads.heads && node.shape[1] == lowering.shape_of(node, 0)[0], lowering, node,
          "[heads, queries, keys]");
}

// Adds what inputs from `first` on say of distances, if they do: the relative bias, and the places of the keys.
void add_distances(Lowering& lowering, const Node& node, size_t first, std::vector<ggml_tensor*>& sources) {
  if (!lowering.has_input(node, first)) return;
  sources.push_back(lowering.contiguous(lowering.tensor(node, first)));
  if (lowering.has_input(node, first + 1)) sources.push_back(lowering.tensor(node, first + 1));
}

// Inputs: q, k, v, spans, and with distances the relative bias and the places of the keys.
ggml_tensor* attention(Lowering& lowering, const Node& node) {
  const Heads heads = heads_of(node);
  const int64_t value_size = packed_size(lowering, node, 2);
  require_packed(lowering, node, heads, packed_size(lowering, node, 1), value_size, 3);
  require(lowering.shape_of(node, 1)[0] == lowering.shape_of(node, 2)[0], lowering, node, "as many values as keys");
  require_shape(lowering, node, {lowering.shape_of(node, 0)[0], value_size / heads.kv_heads * heads.heads});
  std::vector<ggml_tensor*> sources;
  for (size_t i = 0; i < 3; i++) sources.push_back(lowering.rows_together(lowering.tensor(node, i)));
  sources.push_back(lowering.tensor(node, 3));
  add_distances(lowering, node, 4, sources);
  const cpu::AttentionArgs shape = arguments_of(heads, sources[0], sources[1], sources[2], sources[3], nullptr, nullptr, nullptr);
  return lowering.custom(
      node.shape, sources,
      [heads, turns = std::make_shared<cpu::Turns>()](ggml_tensor* y, void* scratch, int ith, int nth) {
        cpu::attention(arguments_of(heads, y->src[0], y->src[1], y->src[2], y->src[3], y->src[4], y->src[5], y), scratch, *turns, ith, nth);
      },
      cpu::attention_scratch_size(shape, lowering.n_threads()));
}

// Inputs: q, k, spans, the relative bias and the places. The weights alone, for output_attentions.
ggml_tensor* attention_weights(Lowering& lowering, const Node& node) {
  const Heads heads = heads_of(node);
  require_packed(lowering, node, heads, packed_size(lowering, node, 1), 0, 2);
  require_weights(lowering, node, heads);
  std::vector<ggml_tensor*> sources = {lowering.rows_together(lowering.tensor(node, 0)), lowering.rows_together(lowering.tensor(node, 1)),
                                       lowering.tensor(node, 2)};
  add_distances(lowering, node, 3, sources);
  return lowering.custom(node.shape, sources, [heads](ggml_tensor* y, void*, int ith, int nth) {
    const cpu::AttentionArgs args = arguments_of(heads, y->src[0], y->src[1], nullptr, y->src[2], y->src[3], y->src[4], nullptr);
    cpu::attention_weights(args, static_cast<float*>(y->data), y->ne[0], ith, nth);
  });
}

size_t layer_number(const Node& store) {
  const int64_t number = store.integer("layer");
  if (number < 0) throw Error("invalid_program", "the program has a layer of number " + std::to_string(number));
  return static_cast<size_t>(number);
}

// Inputs: k, v. Writes the keys and values of the new tokens into the cache; whoever reads them there waits for the
// result, which holds nothing else.
ggml_tensor* cache_store(Lowering& lowering, const Node& node) {
  require_cpu(lowering, node);
  require(packed_size(lowering, node, 0) > 0 && packed_size(lowering, node, 1) > 0 && lowering.shape_of(node, 0)[0] == lowering.shape_of(node, 1)[0],
          lowering, node, "as many values as keys");
  require_shape(lowering, node, {1});
  const std::vector<ggml_tensor*> sources = {lowering.rows_together(lowering.tensor(node, 0)), lowering.rows_together(lowering.tensor(node, 1))};
  Cache& cache = lowering.cache(node);
  const Cache::Layer& layer = cache.layer(layer_number(node), sources[0]->ne[0], sources[1]->ne[0]);
  return lowering.custom(node.shape, sources, [&cache, &layer](ggml_tensor* y, void*, int ith, int nth) {
    const auto copy = [](const ggml_tensor* from, int64_t token, float* buffer, int64_t size, int64_t cell) {
      std::memcpy(buffer + cell * size, floats(from) + token * stride(from), static_cast<size_t>(size) * sizeof(float));
    };
    for (int64_t token = ith; token < y->src[0]->ne[1]; token += nth) {
      const int64_t cell = cache.targets[static_cast<size_t>(token)];
      if (cell < 0) continue;
      copy(y->src[0], token, layer.keys.get(), layer.key_size, cell);
      copy(y->src[1], token, layer.values.get(), layer.value_size, cell);
    }
  });
}

// What an earlier run stored. Whoever reads it waits for nothing.
ggml_tensor* cache_stored(Lowering&, const Node&) { return nullptr; }

// A reader of what input 1, a cache_store or cache_stored, names. Its other inputs: q, spans, and the relative bias.
struct CachedReader {
  Heads heads;
  const Cache& cache;
  const Cache::Layer& layer;
  std::vector<ggml_tensor*> sources;  // q, spans, the bias, the store
  bool has_bias;

  CachedReader(Lowering& lowering, const Node& node)
      : heads(heads_of(node)), cache(lowering.cache(lowering.node_of(node, 1))), layer(find_layer(lowering, lowering.node_of(node, 1))),
        has_bias(lowering.has_input(node, 3)) {
    require_packed(lowering, node, heads, layer.key_size, layer.value_size, 2);
    sources = {lowering.rows_together(lowering.tensor(node, 0)), lowering.tensor(node, 2)};
    if (has_bias) sources.push_back(lowering.contiguous(lowering.tensor(node, 3)));
    if (lowering.node_of(node, 1).op == "cache_store") sources.push_back(lowering.tensor(node, 1));
  }

  cpu::AttentionArgs arguments(const ggml_tensor* q, const ggml_tensor* spans, const ggml_tensor* bias) const {
    cpu::AttentionArgs args = arguments_of(heads, q, nullptr, nullptr, spans, has_bias ? bias : nullptr, nullptr, nullptr);
    args.k = layer.keys.get();
    args.v = layer.values.get();
    args.k_stride = layer.key_size;
    args.v_stride = layer.value_size;
    args.value_dim = layer.value_size / heads.kv_heads;
    args.cells = cache.keys.data();
    args.places = cache.places.empty() ? nullptr : cache.places.data();
    return args;
  }

 private:
  static const Cache::Layer& find_layer(Lowering& lowering, const Node& store) {
    if (store.op != "cache_store" && store.op != "cache_stored")
      throw Error("invalid_program", "the program reads a cache that nothing was stored in");
    const size_t number = layer_number(store);
    if (store.op == "cache_stored") {
      const int64_t key_size = store.integer("key_size"), value_size = store.integer("value_size");
      if (key_size < 1 || value_size < 1) throw Error("invalid_program", "the program reads keys and values of no size");
      return lowering.cache(store).layer(number, key_size, value_size);
    }
    return lowering.cache(store).layer(number, lowering.node_of(store, 0).shape.back(), lowering.node_of(store, 1).shape.back());
  }
};

ggml_tensor* cached_attention(Lowering& lowering, const Node& node) {
  const CachedReader reader(lowering, node);
  require_shape(lowering, node, {lowering.shape_of(node, 0)[0], reader.layer.value_size / reader.heads.kv_heads * reader.heads.heads});
  const cpu::AttentionArgs shape = reader.arguments(reader.sources[0], reader.sources[1], nullptr);
  return lowering.custom(
      node.shape, reader.sources,
      [reader, turns = std::make_shared<cpu::Turns>()](ggml_tensor* y, void* scratch, int ith, int nth) {
        cpu::AttentionArgs args = reader.arguments(y->src[0], y->src[1], y->src[2]);
        args.y = static_cast<float*>(y->data);
        args.y_stride = y->ne[0];
        cpu::attention(args, scratch, *turns, ith, nth);
      },
      cpu::attention_scratch_size(shape, lowering.n_threads()));
}

ggml_tensor* cached_attention_weights(Lowering& lowering, const Node& node) {
  const CachedReader reader(lowering, node);
  require_weights(lowering, node, reader.heads);
  return lowering.custom(node.shape, reader.sources, [reader](ggml_tensor* y, void*, int ith, int nth) {
    cpu::attention_weights(reader.arguments(y->src[0], y->src[1], y->src[2]), static_cast<float*>(y->data), y->ne[0], ith, nth);
  });
}

}  // namespace

const Operations& attention_operations() {
  static const Operations table = {{"attention", attention, 4, 6, 0b101000},
                                   {"attention_weights", attention_weights, 3, 5, 0b10100},
                                   {"cache_store", cache_store, 2, 2, 0, false},
                                   {"cache_stored", cache_stored, 0, 0, 0, false},
                                   {"cached_attention", cached_attention, 3, 4, 0b100, false},
                                   {"cached_attention_weights", cached_attention_weights, 3, 4, 0b100, false}};
  return table;
}

}  // namespace gt::graph
