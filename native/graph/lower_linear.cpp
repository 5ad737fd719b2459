// Products of matrices.
#include <ggml.h>

#include "errors.h"
#include "graph/lowering.h"

namespace gt::graph {

namespace {

// x as rows of `in`, each with its elements together; what lies between rows does not matter.
ggml_tensor* as_rows(Lowering& lowering, ggml_tensor* x) {
  if (x->nb[0] == sizeof(float) && x->ne[2] * x->ne[3] == 1) return x;
  x = lowering.contiguous(x);
  return ggml_reshape_2d(lowering.ggml(), x, x->ne[0], ggml_nrows(x));
}

struct Parts {
  ggml_tensor* x;
  ggml_tensor* bias;
  ggml_tensor* residual;
  cpu::Activation activation;
};

ggml_tensor* own_linear(Lowering& lowering, const Node& node, const cpu::Linear& layer, const Parts& parts) {
  ggml_tensor* prepared = lowering.prepared(parts.x);
  std::vector<ggml_tensor*> sources = {parts.x};
  const auto source = [&sources](ggml_tensor* tensor) {
    if (tensor) sources.push_back(tensor);
    return tensor ? static_cast<int>(sources.size()) - 1 : -1;
  };
  const int at_prepared = source(prepared), at_bias = source(parts.bias), at_residual = source(parts.residual);
  const auto kernel = [&layer, at_prepared, at_bias, at_residual, activation = parts.activation](ggml_tensor* y, void*, int ith, int nth) {
    const auto floats = [y](int at) { return at < 0 ? nullptr : static_cast<const float*>(y->src[at]->data); };
    const auto stride = [](const ggml_tensor* tensor) { return static_cast<int64_t>(tensor->nb[1] / sizeof(float)); };
    cpu::LinearArgs args{};
    args.x = floats(0);
    args.n = y->src[0]->ne[1];
    args.x_stride = stride(y->src[0]);
    if (at_prepared >= 0) args.prepared = aligned(floats(at_prepared));
    args.y = static_cast<float*>(y->data);
    args.y_stride = y->ne[0];
    args.bias = floats(at_bias);
    args.activation = activation;
    args.residual = floats(at_residual);
    args.residual_stride = at_residual < 0 ? 0 : stride(y->src[at_residual]);
    layer.run(args, ith, nth);
  };
  return lowering.reshape(lowering.custom({parts.x->ne[1], node.shape.back()}, sources, kernel), node.shape);
}

ggml_tensor* ggml_linear(Lowering& lowering, const Node& node, ggml_tensor* weight, const Parts& parts) {
  ggml_tensor* y = ggml_mul_mat(lowering.ggml(), weight, lowering.contiguous(parts.x));
  if (parts.bias) y = ggml_add(lowering.ggml(), y, parts.bias);
  if (parts.activation != cpu::Activation::none) y = activate(lowering, y, parts.activation, {parts.x->ne[1], node.shape.back()});
  if (parts.residual) y = ggml_add(lowering.ggml(), y, parts.residual);
  return lowering.reshape(y, node.shape);
}

// Inputs: x, weight, bias if attribute `bias`, residual if attribute `residual`.
ggml_tensor* linear(Lowering& lowering, const Node& node) {
  const bool transposed = node.flag("transposed");
  size_t next = 2;
  Parts parts{as_rows(lowering, lowering.tensor(node, 0)), nullptr, nullptr, cpu::Activation::none};
  if (node.flag("bias")) parts.bias = lowering.tensor(node, next++);
  if (node.flag("residual")) parts.residual = as_rows(lowering, lowering.tensor(node, next++));
  if (node.attributes.count("activation")) parts.activation = activation_of(node.text("activation"));
  lowering.count_flops(2.0 * static_cast<double>(n_elements(node.shape)) * static_cast<double>(parts.x->ne[0]));

  const Node& weight = lowering.node_of(node, 1);
  if (weight.op != "parameter") {
    ggml_tensor* matrix = lowering.tensor(node, 1);
    return ggml_linear(lowering, node, lowering.contiguous(transposed ? ggml_transpose(lowering.ggml(), matrix) : matrix), parts);
  }
  const std::string& name = weight.text("name");
  if (const cpu::Linear* layer = lowering.weights().linear(name, transposed)) return own_linear(lowering, node, *layer, parts);
  return ggml_linear(lowering, node, lowering.weights().matrix(name, transposed), parts);
}

// a [..., n, k] times b [..., k, m].
ggml_tensor* matmul(Lowering& lowering, const Node& node) {
  ggml_tensor* a = lowering.contiguous(lowering.tensor(node, 0));
  ggml_tensor* b = lowering.contiguous(ggml_transpose(lowering.ggml(), lowering.tensor(node, 1)));
  Shape wanted = node.shape;
  wanted.back() = a->ne[0];
  if (ggml_nelements(a) != n_elements(wanted)) a = lowering.repeat(a, wanted);
  return ggml_mul_mat(lowering.ggml(), b, a);
}

}  // namespace

const Operations& linear_operations() {
  static const Operations table = {{"linear", linear}, {"matmul", matmul}};
  return table;
}

}  // namespace gt::graph
