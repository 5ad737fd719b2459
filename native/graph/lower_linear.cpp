// Products of matrices.
#include <ggml.h>

#include <algorithm>

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
  bool residual_first;
};

ggml_tensor* own_linear(Lowering& lowering, const Node& node, const std::shared_ptr<const cpu::Linear>& layer, const Parts& parts) {
  ggml_tensor* prepared = lowering.prepared(parts.x);
  std::vector<ggml_tensor*> sources = {parts.x};
  const auto source = [&sources](ggml_tensor* tensor) {
    if (tensor) sources.push_back(tensor);
    return tensor ? static_cast<int>(sources.size()) - 1 : -1;
  };
  const int at_prepared = source(prepared), at_bias = source(parts.bias), at_residual = source(parts.residual);
  const auto kernel = [layer, at_prepared, at_bias, at_residual, activation = parts.activation,
                       residual_first = parts.residual_first](ggml_tensor* y, void*, int ith, int nth) {
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
    args.residual_first = residual_first;
    layer->run(args, ith, nth);
  };
  return lowering.reshape(lowering.custom({parts.x->ne[1], node.shape.back()}, sources, kernel), node.shape);
}

ggml_tensor* ggml_linear(Lowering& lowering, const Node& node, ggml_tensor* weight, const Parts& parts) {
  ggml_tensor* y = ggml_mul_mat(lowering.ggml(), weight, lowering.contiguous(parts.x));
  if (parts.bias) y = ggml_add(lowering.ggml(), y, parts.bias);
  if (parts.residual && parts.residual_first) y = ggml_add(lowering.ggml(), y, parts.residual);
  if (parts.activation != cpu::Activation::none) y = activate(lowering, y, parts.activation);
  if (parts.residual && !parts.residual_first) y = ggml_add(lowering.ggml(), y, parts.residual);
  return lowering.reshape(y, node.shape);
}

// Inputs: x, weight, bias if attribute `bias`, residual if attribute `residual`.
ggml_tensor* linear(Lowering& lowering, const Node& node) {
  const bool transposed = node.flag("transposed");
  const Shape &from = lowering.shape_of(node, 0), &matrix = lowering.shape_of(node, 1);
  require(matrix.size() == 2 && !from.empty(), lowering, node, "a matrix");
  const int64_t in = matrix[transposed ? 0 : 1], out = matrix[transposed ? 1 : 0];
  Shape wanted = from;
  wanted.back() = out;
  require(from.back() == in && wanted == node.shape, lowering, node, "sizes that fit");
  size_t next = 2;
  Parts parts{as_rows(lowering, lowering.tensor(node, 0)), nullptr, nullptr, cpu::Activation::none, node.flag("residual_first")};
  if (node.flag("bias")) {
    require(lowering.has_input(node, next) && lowering.shape_of(node, next) == Shape{out}, lowering, node, "a bias for each output");
    parts.bias = lowering.contiguous(lowering.tensor(node, next++));
  }
  if (node.flag("residual")) {
    require(lowering.has_input(node, next) && lowering.shape_of(node, next) == node.shape, lowering, node, "a sum of one shape");
    parts.residual = as_rows(lowering, lowering.tensor(node, next++));
  }
  if (node.attributes.count("activation")) parts.activation = activation_of(node.text("activation"));
  lowering.count_flops(2.0 * static_cast<double>(n_elements(node.shape)) * static_cast<double>(in));

  const Node& weight = lowering.node_of(node, 1);
  if (weight.op != "parameter") {
    // What is computed from weights stays where it is while the graph lives.
    if (lowering.is_constant(node, 1) && lowering.is_cpu())
      return own_linear(lowering, node,
                        std::make_shared<cpu::Linear>(lowering.constant(node, 1), cpu::WeightType::f32, out, in, transposed, lowering.n_threads()), parts);
    ggml_tensor* tensor = lowering.tensor(node, 1);
    return ggml_linear(lowering, node, lowering.contiguous(transposed ? ggml_transpose(lowering.ggml(), tensor) : tensor), parts);
  }
  const std::string& name = weight.text("name");
  if (const cpu::Linear* layer = lowering.weights().linear(name, transposed))
    return own_linear(lowering, node, std::shared_ptr<const cpu::Linear>(std::shared_ptr<void>(), layer), parts);
  return ggml_linear(lowering, node, lowering.weights().matrix(name, transposed), parts);
}

// a [..., n, k] times b [..., k, m].
ggml_tensor* matmul(Lowering& lowering, const Node& node) {
  const Shape &left = lowering.shape_of(node, 0), &right = lowering.shape_of(node, 1), &to = node.shape;
  require(left.size() >= 2 && right.size() >= 2 && to.size() == std::max(left.size(), right.size()) && left.back() == right[right.size() - 2],
          lowering, node, "matrices that fit");
  const auto leading = [](const Shape& shape) { return Shape(shape.begin(), shape.end() - 2); };
  require(left[left.size() - 2] == to[to.size() - 2] && right.back() == to.back() && broadcasts(leading(left), leading(to)) &&
              broadcasts(leading(right), leading(to)),
          lowering, node, "matrices that fit");
  ggml_tensor* a = lowering.contiguous(lowering.tensor(node, 0));
  ggml_tensor* b = lowering.contiguous(ggml_transpose(lowering.ggml(), lowering.tensor(node, 1)));
  Shape wanted = to;
  wanted.back() = a->ne[0];
  if (ggml_nelements(a) != n_elements(wanted)) a = lowering.repeat(a, wanted);
  return ggml_mul_mat(lowering.ggml(), b, a);
}

}  // namespace

const Operations& linear_operations() {
  static const Operations table = {{"linear", linear, 2, 4}, {"matmul", matmul, 2, 2}};
  return table;
}

}  // namespace gt::graph
