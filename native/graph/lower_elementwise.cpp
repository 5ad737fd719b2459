// Arithmetic, activations, sums along rows.
#include <ggml.h>

#include <cmath>

#include "errors.h"
#include "graph/lowering.h"

namespace gt::graph {

namespace {

using Binary = ggml_tensor* (*)(ggml_context*, ggml_tensor*, ggml_tensor*);
using Unary = ggml_tensor* (*)(ggml_context*, ggml_tensor*);

Shape sizes_of(const ggml_tensor* x) { return {x->ne[3], x->ne[2], x->ne[1], x->ne[0]}; }

void require_same(Lowering& lowering, const Node& node) {
  require(lowering.shape_of(node, 0) == node.shape, lowering, node, "the shape of the input");
}

// Applies f to the values of input 0 in the order in which they lie in memory.
template <class F>
ggml_tensor* in_memory_order(Lowering& lowering, const Node& node, F f) {
  require_same(lowering, node);
  ggml_tensor* x = lowering.tensor(node, 0);
  if (ggml_is_contiguous(x)) return f(lowering.contiguous(x));
  const Order order(x);
  return lowering.by_axes(f(lowering.by_memory(x, order)), order);
}

// ggml repeats the second operand only.
template <Binary operation, bool commutes>
ggml_tensor* binary(Lowering& lowering, const Node& node) {
  require(broadcasts(lowering.shape_of(node, 0), node.shape) && broadcasts(lowering.shape_of(node, 1), node.shape), lowering, node,
          "shapes that broadcast");
  ggml_tensor* a = lowering.tensor(node, 0);
  ggml_tensor* b = lowering.tensor(node, 1);
  const int64_t count = n_elements(node.shape);
  if (ggml_nelements(a) != count && commutes && ggml_nelements(b) == count) std::swap(a, b);
  if (ggml_nelements(a) != count) a = lowering.repeat(a, node.shape);
  if (ggml_is_contiguous(a)) return operation(lowering.ggml(), lowering.contiguous(a), lowering.rows_together(b));
  const Order order(a);
  return lowering.by_axes(operation(lowering.ggml(), lowering.by_memory(a, order), lowering.by_memory(b, order)), order);
}

template <Unary operation>
ggml_tensor* unary(Lowering& lowering, const Node& node) {
  return in_memory_order(lowering, node, [&](ggml_tensor* x) { return operation(lowering.ggml(), x); });
}

// Over the last axis, to one value or as many.
template <Unary operation, bool to_one>
ggml_tensor* along_rows(Lowering& lowering, const Node& node) {
  Shape wanted = lowering.shape_of(node, 0);
  require(!wanted.empty(), lowering, node, "an axis");
  if (to_one) wanted.back() = 1;
  require(wanted == node.shape, lowering, node, shape_text(wanted).c_str());
  return operation(lowering.ggml(), lowering.contiguous(lowering.tensor(node, 0)));
}

ggml_tensor* scale(Lowering& lowering, const Node& node) {
  const float scale = node.single("scale"), bias = node.single("bias");
  return in_memory_order(lowering, node, [&](ggml_tensor* x) { return ggml_scale_bias(lowering.ggml(), x, scale, bias); });
}

// Calls f for each value, on the CPU.
template <class F>
ggml_tensor* each(Lowering& lowering, const Node& node, F f) {
  require_cpu(lowering, node);
  return in_memory_order(lowering, node, [&](ggml_tensor* x) {
    return lowering.custom(sizes_of(x), {x}, [f](ggml_tensor* y, void*, int ith, int nth) {
      const auto* from = static_cast<const float*>(y->src[0]->data);
      const int64_t count = ggml_nelements(y);
      for (int64_t i = count * ith / nth; i < count * (ith + 1) / nth; i++) static_cast<float*>(y->data)[i] = f(from[i]);
    });
  });
}

// What ggml has not, or not to the last bit.
template <float (*function)(float)>
ggml_tensor* scalar(Lowering& lowering, const Node& node) {
  return each(lowering, node, function);
}

ggml_tensor* power(Lowering& lowering, const Node& node) {
  const float exponent = node.single("exponent");
  return each(lowering, node, [exponent](float x) { return std::pow(x, exponent); });
}

// The largest value of each row; NaN if there is one.
ggml_tensor* amax(Lowering& lowering, const Node& node) {
  require_cpu(lowering, node);
  Shape wanted = lowering.shape_of(node, 0);
  require(!wanted.empty(), lowering, node, "an axis");
  wanted.back() = 1;
  require(wanted == node.shape, lowering, node, shape_text(wanted).c_str());
  return lowering.custom(node.shape, {lowering.contiguous(lowering.tensor(node, 0))}, [](ggml_tensor* y, void*, int ith, int nth) {
    const int64_t size = y->src[0]->ne[0], rows = ggml_nelements(y);
    for (int64_t row = rows * ith / nth; row < rows * (ith + 1) / nth; row++) {
      const float* x = static_cast<const float*>(y->src[0]->data) + row * size;
      float most = x[0];
      for (int64_t i = 1; i < size; i++) most = x[i] > most || x[i] != x[i] ? x[i] : most;
      static_cast<float*>(y->data)[row] = most;
    }
  });
}

// Where the largest value of each row stands: the first of equal ones, the first NaN if there is one.
ggml_tensor* argmax(Lowering& lowering, const Node& node) {
  require_cpu(lowering, node);
  Shape wanted = lowering.shape_of(node, 0);
  require(!wanted.empty(), lowering, node, "an axis");
  wanted.pop_back();
  require(wanted == node.shape, lowering, node, shape_text(wanted).c_str());
  const auto find = [](ggml_tensor* y, void*, int ith, int nth) {
    const int64_t size = y->src[0]->ne[0], rows = ggml_nelements(y);
    for (int64_t row = rows * ith / nth; row < rows * (ith + 1) / nth; row++) {
      const float* x = static_cast<const float*>(y->src[0]->data) + row * size;
      int64_t most = 0;
      for (int64_t i = 1; i < size && x[most] == x[most]; i++)
        if (x[i] > x[most] || x[i] != x[i]) most = i;
      static_cast<int32_t*>(y->data)[row] = static_cast<int32_t>(most);
    }
  };
  return lowering.custom(node.shape, {lowering.contiguous(lowering.tensor(node, 0))}, find, 0, GGML_TYPE_I32);
}

// Integers as floats.
ggml_tensor* to_float(Lowering& lowering, const Node& node) {
  require_cpu(lowering, node);
  require_same(lowering, node);
  return lowering.custom(node.shape, {lowering.contiguous(lowering.tensor(node, 0))}, [](ggml_tensor* y, void*, int ith, int nth) {
    const auto* from = static_cast<const int32_t*>(y->src[0]->data);
    const int64_t count = ggml_nelements(y);
    for (int64_t i = count * ith / nth; i < count * (ith + 1) / nth; i++) static_cast<float*>(y->data)[i] = static_cast<float>(from[i]);
  });
}

// ggml_clamp works in place, and insists on bounds in order.
ggml_tensor* clamp(Lowering& lowering, const Node& node) {
  const float min = node.single("min"), max = node.single("max");
  require(min <= max, lowering, node, "bounds in order");
  return in_memory_order(lowering, node, [&](ggml_tensor* x) { return ggml_clamp(lowering.ggml(), ggml_cont(lowering.ggml(), x), min, max); });
}

// f of values from inputs that broadcast, as arrays.
template <class F>
ggml_tensor* pointwise(Lowering& lowering, const Node& node, F f) {
  require_cpu(lowering, node);
  std::vector<ggml_tensor*> sources;
  for (size_t i = 0; i < node.inputs.size(); i++) {
    require(broadcasts(lowering.shape_of(node, i), node.shape), lowering, node, "shapes that broadcast");
    ggml_tensor* x = lowering.tensor(node, i);
    sources.push_back(lowering.contiguous(ggml_nelements(x) == n_elements(node.shape) ? x : lowering.repeat(x, node.shape)));
  }
  return lowering.custom(node.shape, sources, [f](ggml_tensor* y, void*, int ith, int nth) {
    const float* from[3] = {};
    for (int i = 0; i < 3 && y->src[i]; i++) from[i] = static_cast<const float*>(y->src[i]->data);
    const int64_t count = ggml_nelements(y);
    for (int64_t i = count * ith / nth; i < count * (ith + 1) / nth; i++) static_cast<float*>(y->data)[i] = f(from, i);
  });
}

// Inputs: a mask of ones and zeros, what stands where it is one, and where it is zero. Neither side is multiplied: they may
// be infinite.
ggml_tensor* where(Lowering& lowering, const Node& node) {
  return pointwise(lowering, node, [](const float* const* x, int64_t i) { return x[0][i] != 0 ? x[1][i] : x[2][i]; });
}

// NaN if one of both is.
template <bool larger>
ggml_tensor* extremum(Lowering& lowering, const Node& node) {
  return pointwise(lowering, node, [](const float* const* x, int64_t i) {
    const float a = x[0][i], b = x[1][i];
    return a != a || (larger ? a > b : a < b) ? a : b;
  });
}

ggml_tensor* full(Lowering& lowering, const Node& node) {
  require_cpu(lowering, node);
  return lowering.custom(node.shape, {}, [value = node.single("value")](ggml_tensor* y, void*, int ith, int) {
    for (int64_t i = 0; ith == 0 && i < ggml_nelements(y); i++) static_cast<float*>(y->data)[i] = value;
  });
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
    case cpu::Activation::relu6: return ggml_clamp(ggml, ggml_cont(ggml, x), 0, 6);
    case cpu::Activation::hardswish: return ggml_hardswish(ggml, x);
    default: return x;
  }
}

ggml_tensor* activation(Lowering& lowering, const Node& node) {
  const cpu::Activation kind = activation_of(node.text("kind"));
  return in_memory_order(lowering, node, [&](ggml_tensor* x) { return activate(lowering, x, kind); });
}

}  // namespace

ggml_tensor* activate(Lowering& lowering, ggml_tensor* x, cpu::Activation kind) {
  x = lowering.contiguous(x);
  if (!lowering.is_cpu()) return elsewhere(lowering.ggml(), x, kind);
  return lowering.custom(sizes_of(x), {x}, [kind](ggml_tensor* y, void*, int ith, int nth) {
    cpu::activate(static_cast<const float*>(y->src[0]->data), ggml_nelements(y), kind, static_cast<float*>(y->data), ith, nth);
  });
}

const Operations& elementwise_operations() {
  static const Operations table = {
      {"add", binary<ggml_add, true>, 2, 2},
      {"sub", binary<ggml_sub, false>, 2, 2},
      {"mul", binary<ggml_mul, true>, 2, 2},
      {"div", binary<ggml_div, false>, 2, 2},
      {"maximum", extremum<true>, 2, 2},
      {"minimum", extremum<false>, 2, 2},
      {"where", where, 3, 3},
      {"full", full, 0, 0},
      {"exp", unary<ggml_exp>, 1, 1},
      {"log", unary<ggml_log>, 1, 1},
      {"sqrt", unary<ggml_sqrt>, 1, 1},
      {"square", unary<ggml_sqr>, 1, 1},
      {"abs", unary<ggml_abs>, 1, 1},
      {"sin", unary<ggml_sin>, 1, 1},
      {"cos", unary<ggml_cos>, 1, 1},
      {"floor", unary<ggml_floor>, 1, 1},
      {"ceil", unary<ggml_ceil>, 1, 1},
      {"erf", scalar<std::erf>, 1, 1},
      {"expm1", scalar<std::expm1>, 1, 1},
      {"log1p", scalar<std::log1p>, 1, 1},
      {"pow", power, 1, 1},
      {"scale", scale, 1, 1},
      {"clamp", clamp, 1, 1},
      {"activation", activation, 1, 1},
      {"softmax", along_rows<ggml_soft_max, false>, 1, 1},
      {"sum", along_rows<ggml_sum_rows, true>, 1, 1},
      {"mean", along_rows<ggml_mean, true>, 1, 1},
      {"amax", amax, 1, 1},
      {"argmax", argmax, 1, 1, 0, true, true},
      {"float", to_float, 1, 1, 0b1},
      {"cumsum", along_rows<ggml_cumsum, false>, 1, 1},
  };
  return table;
}

}  // namespace gt::graph
