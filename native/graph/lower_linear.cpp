// Products of matrices.
#include <ggml.h>

#include <algorithm>
#include <memory>
#include <vector>

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

// What our own kernels compute.
struct Layer {
  const Node* node;
  std::shared_ptr<const cpu::Linear> linear;
  Parts parts;
};

// Layers of one input, one after the other without waiting in between; gives the first one's result. The results lie
// in one tensor.
ggml_tensor* own_linears(Lowering& lowering, const std::vector<Layer>& layers) {
  struct Work {
    std::shared_ptr<const cpu::Linear> linear;
    int64_t out, offset;
    int bias, residual;
    cpu::Activation activation;
    bool residual_first;
  };
  ggml_tensor* x = layers[0].parts.x;
  std::vector<ggml_tensor*> sources = {x};
  const auto source = [&sources](ggml_tensor* tensor) {
    if (tensor) sources.push_back(tensor);
    return tensor ? static_cast<int>(sources.size()) - 1 : -1;
  };
  const int at_prepared = source(lowering.prepared(x));
  std::vector<Work> works;
  int64_t size = 0;
  for (const auto& [node, linear, parts] : layers) {
    works.push_back({linear, node->shape.back(), size, source(parts.bias), source(parts.residual), parts.activation, parts.residual_first});
    constexpr auto line = static_cast<int64_t>(alignment / sizeof(float));
    size += (n_elements(node->shape) + line - 1) / line * line;
  }
  ggml_tensor* results = lowering.custom({size}, sources, [works, at_prepared](ggml_tensor* y, void*, int ith, int nth) {
    const auto floats = [y](int at) { return at < 0 ? nullptr : static_cast<const float*>(y->src[at]->data); };
    const auto stride = [y](int at) { return at < 0 ? 0 : static_cast<int64_t>(y->src[at]->nb[1] / sizeof(float)); };
    for (const Work& work : works) {
      cpu::LinearArgs args{};
      args.x = floats(0);
      args.n = y->src[0]->ne[1];
      args.x_stride = stride(0);
      if (at_prepared >= 0) args.prepared = aligned(floats(at_prepared));
      args.y = static_cast<float*>(y->data) + work.offset;
      args.y_stride = work.out;
      args.bias = floats(work.bias);
      args.activation = work.activation;
      args.residual = floats(work.residual);
      args.residual_stride = stride(work.residual);
      args.residual_first = work.residual_first;
      work.linear->run(args, ith, nth);
    }
  });
  const auto result_of = [&](size_t i) {
    const Sizes sizes(layers[i].node->shape);
    size_t strides[4] = {sizeof(float)};
    for (int axis = 1; axis < 4; axis++) strides[axis] = strides[axis - 1] * static_cast<size_t>(sizes.ne[axis - 1]);
    return lowering.view(results, sizes.ne, strides, static_cast<size_t>(works[i].offset) * sizeof(float));
  };
  for (size_t i = 1; i < layers.size(); i++) lowering.set_value(*layers[i].node, result_of(i));
  return result_of(0);
}

ggml_tensor* ggml_linear(Lowering& lowering, const Node& node, ggml_tensor* weight, const Parts& parts) {
  ggml_tensor* y = ggml_mul_mat(lowering.ggml(), weight, lowering.contiguous(parts.x));
  if (parts.bias) y = ggml_add(lowering.ggml(), y, parts.bias);
  if (parts.residual && parts.residual_first) y = ggml_add(lowering.ggml(), y, parts.residual);
  if (parts.activation != cpu::Activation::none) y = activate(lowering, y, parts.activation);
  if (parts.residual && !parts.residual_first) y = ggml_add(lowering.ggml(), y, parts.residual);
  return lowering.reshape(y, node.shape);
}

// Inputs: x, weight, bias if attribute `bias`, residual if attribute `residual`. `x`: input 0 as rows.
Parts parts_of(Lowering& lowering, const Node& node, ggml_tensor* x) {
  const bool transposed = node.flag("transposed");
  const Shape &from = lowering.shape_of(node, 0), &matrix = lowering.shape_of(node, 1);
  require(matrix.size() == 2 && !from.empty(), lowering, node, "a matrix");
  const int64_t in = matrix[transposed ? 0 : 1], out = matrix[transposed ? 1 : 0];
  Shape wanted = from;
  wanted.back() = out;
  require(from.back() == in && wanted == node.shape, lowering, node, "sizes that fit");
  size_t next = 2;
  Parts parts{x, nullptr, nullptr, cpu::Activation::none, node.flag("residual_first")};
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
  return parts;
}

// The layer for our own kernels; null where they cannot work.
std::shared_ptr<const cpu::Linear> own_layer(Lowering& lowering, const Node& node) {
  const bool transposed = node.flag("transposed");
  const Node& weight = lowering.node_of(node, 1);
  if (weight.op == "parameter")
    return std::shared_ptr<const cpu::Linear>(std::shared_ptr<void>(), lowering.weights().linear(weight.text("name"), transposed));
  if (!lowering.is_constant(node, 1) || !lowering.is_cpu()) return nullptr;
  // What is computed from weights stays where it is while the graph lives.
  const Shape& matrix = weight.shape;
  return std::make_shared<cpu::Linear>(lowering.constant(node, 1), cpu::WeightType::f32, matrix[transposed ? 1 : 0],
                                       matrix[transposed ? 0 : 1], transposed, lowering.n_threads());
}

// Layers that follow this one and wait for nothing but its input, as queries, keys and values do.
std::vector<const Node*> beside(const Lowering& lowering, const Node& node) {
  constexpr size_t nodes_between = 16, most = 2;
  std::vector<const Node*> found;
  for (const Node* other : lowering.following(node, nodes_between)) {
    if (found.size() == most) break;
    if (other->op != "linear") continue;
    lowering.operation_of(*other);
    if (other->inputs[0] != node.inputs[0] || other->flag("residual")) continue;
    bool is_ready = true;
    for (size_t i = 1; i < other->inputs.size(); i++) is_ready = is_ready && lowering.node_of(*other, i).op == "parameter";
    if (is_ready) found.push_back(other);
  }
  return found;
}

ggml_tensor* linear(Lowering& lowering, const Node& node) {
  ggml_tensor* x = as_rows(lowering, lowering.tensor(node, 0));
  const Parts parts = parts_of(lowering, node, x);
  if (const auto own = own_layer(lowering, node)) {
    std::vector<Layer> layers = {{&node, own, parts}};
    for (const Node* other : beside(lowering, node)) {
      const Parts parts = parts_of(lowering, *other, x);
      const auto layer = own_layer(lowering, *other);
      // A tied one is one computation at a time.
      const bool is_new = std::none_of(layers.begin(), layers.end(), [&](const Layer& one) { return one.linear == layer; });
      if (layer && is_new) layers.push_back({other, layer, parts});
    }
    return own_linears(lowering, layers);
  }
  const Node& weight = lowering.node_of(node, 1);
  if (weight.op == "parameter") return ggml_linear(lowering, node, lowering.weights().matrix(weight.text("name"), node.flag("transposed")), parts);
  ggml_tensor* tensor = lowering.tensor(node, 1);
  return ggml_linear(lowering, node, lowering.contiguous(node.flag("transposed") ? ggml_transpose(lowering.ggml(), tensor) : tensor), parts);
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
