// Attention over the rows of a batch, of equal lengths, with a mask that is added to the scores.
#include <ggml.h>

#include "errors.h"
#include "graph/lowering.h"

namespace gt::graph {

namespace {

const float* floats(const ggml_tensor* tensor) { return tensor ? static_cast<const float*>(tensor->data) : nullptr; }

// [batch, heads, length, size] as it lies best: each token with all its heads, as linear layers make them.
ggml_tensor* by_token(Lowering& lowering, ggml_tensor* x) {
  return lowering.contiguous(ggml_permute(lowering.ggml(), x, 0, 2, 1, 3));
}

struct BatchAttention {
  int64_t heads, kv_heads;
  float scale;
  int64_t batch, queries, keys, head_dim;
  // The mask's strides over batch, heads and queries; 0 where it repeats.
  int64_t mask_strides[3] = {};

  // Every query sees all keys of its row of the batch.
  std::vector<int32_t> spans() const {
    std::vector<int32_t> result;
    for (int64_t i = 0; i < batch * queries; i++)
      for (const int64_t value : {i / queries * keys, (i / queries + 1) * keys, int64_t{0}}) result.push_back(static_cast<int32_t>(value));
    return result;
  }
};

BatchAttention sizes_of(const Lowering& lowering, const Node& node) {
  require_cpu(lowering, node);
  const Shape &q = lowering.shape_of(node, 0), &k = lowering.shape_of(node, 1);
  require(q.size() == 4 && k.size() == 4 && q[0] == k[0] && q[3] == k[3] && q[1] % k[1] == 0, lowering, node, "[batch, heads, length, size]");
  require(q[0] * q[2] < (1 << 24) && q[0] * k[2] < (1 << 24), lowering, node, "fewer tokens");
  return {q[1], k[1], node.single("scale"), q[0], q[2], k[2], q[3]};
}

// The input at `index`, if there is one: [1 or batch, 1 or heads, 1 or queries, keys].
void add_mask(Lowering& lowering, const Node& node, size_t index, BatchAttention& sizes, std::vector<ggml_tensor*>& sources) {
  if (!lowering.has_input(node, index)) return;
  const Shape& mask = lowering.shape_of(node, index);
  require(mask.size() == 4 && mask[3] == sizes.keys && broadcasts(mask, {sizes.batch, sizes.heads, sizes.queries, sizes.keys}),
          lowering, node, "a mask that broadcasts over all but the keys");
  sources.push_back(lowering.contiguous(lowering.tensor(node, index)));
  int64_t stride = sizes.keys;
  for (int axis = 2; axis >= 0; axis--) {
    sizes.mask_strides[axis] = mask[static_cast<size_t>(axis)] == 1 ? 0 : stride;
    stride *= mask[static_cast<size_t>(axis)];
  }
}

cpu::AttentionArgs arguments_of(const BatchAttention& sizes, const int32_t* spans, const ggml_tensor* q, const ggml_tensor* k,
                                     const ggml_tensor* v, const ggml_tensor* mask) {
  cpu::AttentionArgs args{};
  args.q = floats(q);
  args.k = floats(k);
  args.v = floats(v);
  args.heads = sizes.heads;
  args.kv_heads = sizes.kv_heads;
  args.head_dim = sizes.head_dim;
  args.value_dim = v ? v->ne[0] : 0;
  args.q_stride = args.head_dim * args.heads;
  args.k_stride = args.head_dim * args.kv_heads;
  args.v_stride = args.value_dim * args.kv_heads;
  args.n_q = sizes.batch * sizes.queries;
  args.scale = sizes.scale;
  args.spans = spans;
  args.mask = floats(mask);
  args.mask_queries = sizes.queries;
  args.mask_batch_stride = sizes.mask_strides[0];
  args.mask_head_stride = sizes.mask_strides[1];
  args.mask_query_stride = sizes.mask_strides[2];
  return args;
}

// Inputs: q, k, v [batch, heads, length, size], and a mask if there is one. The result lies as q does.
ggml_tensor* scaled_dot_product_attention(Lowering& lowering, const Node& node) {
  BatchAttention shape = sizes_of(lowering, node);
  const Shape &k = lowering.shape_of(node, 1), &v = lowering.shape_of(node, 2);
  require(v.size() == 4 && v[0] == k[0] && v[1] == k[1] && v[2] == k[2], lowering, node, "as many values as keys");
  require(node.shape == Shape{shape.batch, shape.heads, shape.queries, v[3]}, lowering, node, "a result for each query");
  std::vector<ggml_tensor*> sources;
  for (size_t i = 0; i < 3; i++) sources.push_back(by_token(lowering, lowering.tensor(node, i)));
  add_mask(lowering, node, 3, shape, sources);
  auto spans = shape.spans();
  const double size = static_cast<double>(shape.head_dim + v[3]);
  lowering.count_flops(2.0 * static_cast<double>(n_elements(node.shape) / v[3] * shape.keys) * size);
  const size_t scratch = cpu::attention_scratch_size(arguments_of(shape, spans.data(), sources[0], sources[1], sources[2], nullptr), lowering.n_threads());
  ggml_tensor* y = lowering.custom(
      {shape.batch, shape.queries, shape.heads, v[3]}, sources,
      [shape, spans = std::move(spans), turns = std::make_shared<cpu::Turns>()](ggml_tensor* y, void* scratch, int ith, int nth) {
        cpu::AttentionArgs args = arguments_of(shape, spans.data(), y->src[0], y->src[1], y->src[2], y->src[3]);
        args.y = static_cast<float*>(y->data);
        args.y_stride = args.heads * args.value_dim;
        cpu::attention(args, scratch, *turns, ith, nth);
      },
      scratch);
  return ggml_permute(lowering.ggml(), y, 0, 2, 1, 3);
}

// Inputs: q, k, and the mask. The weights alone, [batch, heads, queries, keys].
ggml_tensor* scaled_dot_product_weights(Lowering& lowering, const Node& node) {
  BatchAttention shape = sizes_of(lowering, node);
  require(node.shape == Shape{shape.batch, shape.heads, shape.queries, shape.keys}, lowering, node, "a weight for each key");
  std::vector<ggml_tensor*> sources = {by_token(lowering, lowering.tensor(node, 0)), by_token(lowering, lowering.tensor(node, 1))};
  add_mask(lowering, node, 2, shape, sources);
  ggml_tensor* y = lowering.custom({shape.heads, shape.batch, shape.queries, shape.keys}, sources,
                                   [shape, spans = shape.spans()](ggml_tensor* y, void*, int ith, int nth) {
                                     const auto args = arguments_of(shape, spans.data(), y->src[0], y->src[1], nullptr, y->src[2]);
                                     cpu::attention_weights(args, static_cast<float*>(y->data), y->ne[0], ith, nth);
                                   });
  return ggml_permute(lowering.ggml(), y, 0, 1, 3, 2);
}

}  // namespace

const Operations& scaled_attention_operations() {
  static const Operations table = {{"scaled_dot_product_attention", scaled_dot_product_attention, 3, 4},
                                   {"scaled_dot_product_weights", scaled_dot_product_weights, 2, 3}};
  return table;
}

}  // namespace gt::graph
