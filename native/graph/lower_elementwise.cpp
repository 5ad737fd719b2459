// Arithmetic, activations, norms, reductions.
#include <ggml.h>

#include <cmath>

#include "errors.h"
#include "graph/lowering.h"

namespace gt::graph {

namespace {

using Binary = ggml_tensor* (*)(ggml_context*, ggml_tensor*, ggml_tensor*);
using Unary = ggml_tensor* (*)(ggml_context*, ggml_tensor*);

// ggml repeats the second operand only.
template <Binary operation, bool commutes>
ggml_tensor* binary(Lowering& lowering, const Node& node) {
  ggml_tensor* a = lowering.rows_together(lowering.tensor(node, 0));
  ggml_tensor* b = lowering.rows_together(lowering.tensor(node, 1));
  const int64_t count = n_elements(node.shape);
  if (ggml_nelements(a) != count && commutes && ggml_nelements(b) == count) std::swap(a, b);
  if (ggml_nelements(a) != count) a = lowering.repeat(a, node.shape);
  return operation(lowering.ggml(), a, b);
}

template <Unary operation>
ggml_tensor* unary(Lowering& lowering, const Node& node) {
  return operation(lowering.ggml(), lowering.contiguous(lowering.tensor(node, 0)));
}

ggml_tensor* scale(Lowering& lowering, const Node& node) {
  return ggml_scale_bias(lowering.ggml(), lowering.contiguous(lowering.tensor(node, 0)), static_cast<float>(node.number("scale")),
                         static_cast<float>(node.number("bias")));
}

// ggml has none.
ggml_tensor* erf(Lowering& lowering, const Node& node) {
  if (!lowering.is_cpu()) throw Error("unsupported", "erf runs on the CPU only");
  return lowering.custom(node.shape, {lowering.contiguous(lowering.tensor(node, 0))}, [](ggml_tensor* y, void*, int ith, int nth) {
    const auto* x = static_cast<const float*>(y->src[0]->data);
    const int64_t count = ggml_nelements(y);
    for (int64_t i = count * ith / nth; i < count * (ith + 1) / nth; i++) static_cast<float*>(y->data)[i] = std::erf(x[i]);
  });
}

// ggml_clamp works in place.
ggml_tensor* clamp(Lowering& lowering, const Node& node) {
  return ggml_clamp(lowering.ggml(), ggml_cont(lowering.ggml(), lowering.tensor(node, 0)), static_cast<float>(node.number("min")),
                    static_cast<float>(node.number("max")));
}

ggml_tensor* elsewhere(ggml_context* ggml, ggml_tensor* x, cpu::Activation kind) {
  switch (kind) {
    case cpu::Activation::relu: return ggml_relu(ggml, x);
    case cpu::Activation::gelu: return ggml_gelu_erf(ggml, x);
    case cpu::Activation::gelu_new: return ggml_gelu(ggml, x);
    case cpu::Activation::quick_gelu: return ggml_gelu_quick(ggml, x);
    case cpu::Activation::silu: return ggml_silu(ggml, x);
    case cpu::Activation::tanh: return ggml_tanh(ggml, x);
    case cpu::Activation::sigmoid: return ggml_sigmoid(ggml, x);
    default: return x;
  }
}

ggml_tensor* activation(Lowering& lowering, const Node& node) {
  return activate(lowering, lowering.tensor(node, 0), activation_of(node.text("kind")), node.shape);
}

ggml_tensor* layer_norm(Lowering& lowering, const Node& node) {
  ggml_tensor* x = lowering.contiguous(lowering.tensor(node, 0));
  ggml_tensor* weight = lowering.tensor(node, 1);
  ggml_tensor* bias = lowering.has_input(node, 2) ? lowering.tensor(node, 2) : nullptr;
  const auto eps = static_cast<float>(node.number("eps"));
  if (!lowering.is_cpu()) {
    x = ggml_mul(lowering.ggml(), ggml_norm(lowering.ggml(), x, eps), weight);
    return bias ? ggml_add(lowering.ggml(), x, bias) : x;
  }
  std::vector<ggml_tensor*> sources = {x, weight};
  if (bias) sources.push_back(bias);
  return lowering.custom(node.shape, sources, [eps](ggml_tensor* y, void*, int ith, int nth) {
    cpu::layer_norm(static_cast<const float*>(y->src[0]->data), ggml_nrows(y), y->ne[0], eps,
                    static_cast<const float*>(y->src[1]->data),
                    y->src[2] ? static_cast<const float*>(y->src[2]->data) : nullptr, static_cast<float*>(y->data), ith, nth);
  });
}

ggml_tensor* rms_norm(Lowering& lowering, const Node& node) {
  ggml_tensor* x = lowering.contiguous(lowering.tensor(node, 0));
  ggml_tensor* weight = lowering.tensor(node, 1);
  const auto eps = static_cast<float>(node.number("eps"));
  if (!lowering.is_cpu()) return ggml_mul(lowering.ggml(), ggml_rms_norm(lowering.ggml(), x, eps), weight);
  return lowering.custom(node.shape, {x, weight}, [eps](ggml_tensor* y, void*, int ith, int nth) {
    cpu::rms_norm(static_cast<const float*>(y->src[0]->data), ggml_nrows(y), y->ne[0], eps,
                  static_cast<const float*>(y->src[1]->data), static_cast<float*>(y->data), ith, nth);
  });
}

}  // namespace

ggml_tensor* activate(Lowering& lowering, ggml_tensor* x, cpu::Activation kind, const Shape& shape) {
  x = lowering.contiguous(x);
  if (!lowering.is_cpu()) return elsewhere(lowering.ggml(), x, kind);
  return lowering.custom(shape, {x}, [kind](ggml_tensor* y, void*, int ith, int nth) {
    cpu::activate(static_cast<const float*>(y->src[0]->data), ggml_nelements(y), kind, static_cast<float*>(y->data), ith, nth);
  });
}

const Operations& elementwise_operations() {
  static const Operations table = {
      {"add", binary<ggml_add, true>},   {"sub", binary<ggml_sub, false>}, {"mul", binary<ggml_mul, true>},
      {"div", binary<ggml_div, false>},  {"exp", unary<ggml_exp>},         {"log", unary<ggml_log>},
      {"sqrt", unary<ggml_sqrt>},        {"square", unary<ggml_sqr>},      {"abs", unary<ggml_abs>},
      {"sin", unary<ggml_sin>},          {"cos", unary<ggml_cos>},         {"softmax", unary<ggml_soft_max>},
      {"sum", unary<ggml_sum_rows>},     {"mean", unary<ggml_mean>},       {"cumsum", unary<ggml_cumsum>},
      {"erf", erf},                      {"scale", scale},                  {"clamp", clamp},                 {"activation", activation},
      {"layer_norm", layer_norm},        {"rms_norm", rms_norm},
  };
  return table;
}

}  // namespace gt::graph
