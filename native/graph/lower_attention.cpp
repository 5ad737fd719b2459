// Attention over packed rows of tokens. On the CPU a kernel of our own that follows the spans.
#include <ggml.h>

#include "errors.h"
#include "graph/lowering.h"

namespace gt::graph {

namespace {

struct Heads {
  int64_t heads, kv_heads;
  float scale;
};

Heads heads_of(const Node& node) {
  return {node.integer("heads"), node.integer("kv_heads"), static_cast<float>(node.number("scale"))};
}

int64_t stride(const ggml_tensor* tensor) { return static_cast<int64_t>(tensor->nb[1] / sizeof(float)); }
const float* floats(const ggml_tensor* tensor) { return tensor ? static_cast<const float*>(tensor->data) : nullptr; }

cpu::AttentionArgs arguments(const Heads& heads, const ggml_tensor* q, const ggml_tensor* k, const ggml_tensor* v,
                             const ggml_tensor* spans, const ggml_tensor* bias, ggml_tensor* y) {
  cpu::AttentionArgs args{};
  args.q = floats(q);
  args.k = floats(k);
  args.v = floats(v);
  args.q_stride = stride(q);
  args.k_stride = stride(k);
  args.v_stride = v ? stride(v) : 0;
  args.n_q = q->ne[1];
  args.heads = heads.heads;
  args.kv_heads = heads.kv_heads;
  args.head_dim = q->ne[0] / heads.heads;
  args.value_dim = v ? v->ne[0] / heads.kv_heads : 0;
  args.scale = heads.scale;
  args.spans = static_cast<const int32_t*>(spans->data);
  args.relative_bias = floats(bias);
  args.reach = bias ? (bias->ne[0] + 1) / 2 : 0;
  args.y = y ? static_cast<float*>(y->data) : nullptr;
  args.y_stride = y ? y->ne[0] : 0;
  return args;
}

void require_cpu(const Lowering& lowering) {
  if (!lowering.is_cpu()) throw Error("unsupported", "packed attention runs on the CPU only");
}

// Inputs: q, k, v, spans, and the relative bias if there is one.
ggml_tensor* attention(Lowering& lowering, const Node& node) {
  require_cpu(lowering);
  const Heads heads = heads_of(node);
  std::vector<ggml_tensor*> sources;
  for (size_t i = 0; i < 3; i++) sources.push_back(lowering.rows_together(lowering.tensor(node, i)));
  sources.push_back(lowering.tensor(node, 3));
  if (lowering.has_input(node, 4)) sources.push_back(lowering.contiguous(lowering.tensor(node, 4)));
  const cpu::AttentionArgs shape = arguments(heads, sources[0], sources[1], sources[2], sources[3], nullptr, nullptr);
  return lowering.custom(
      node.shape, sources,
      [heads](ggml_tensor* y, void* scratch, int ith, int nth) {
        cpu::attention(arguments(heads, y->src[0], y->src[1], y->src[2], y->src[3], y->src[4], y), scratch, ith, nth);
      },
      cpu::attention_scratch_size(shape, lowering.n_threads()));
}

// Inputs: q, k, spans, and the relative bias. The weights alone, for output_attentions.
ggml_tensor* attention_weights(Lowering& lowering, const Node& node) {
  require_cpu(lowering);
  const Heads heads = heads_of(node);
  std::vector<ggml_tensor*> sources = {lowering.rows_together(lowering.tensor(node, 0)), lowering.rows_together(lowering.tensor(node, 1)),
                                       lowering.tensor(node, 2)};
  if (lowering.has_input(node, 3)) sources.push_back(lowering.contiguous(lowering.tensor(node, 3)));
  return lowering.custom(node.shape, sources, [heads](ggml_tensor* y, void*, int ith, int nth) {
    const cpu::AttentionArgs args = arguments(heads, y->src[0], y->src[1], nullptr, y->src[2], y->src[3], nullptr);
    cpu::attention_weights(args, static_cast<float*>(y->data), y->ne[0], ith, nth);
  });
}

}  // namespace

const Operations& attention_operations() {
  static const Operations table = {{"attention", attention}, {"attention_weights", attention_weights}};
  return table;
}

}  // namespace gt::graph
