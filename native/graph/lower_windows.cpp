// Values made from windows along one axis: pooling, interpolation, padding, flips. Which windows, the program says.
#include <ggml.h>

#include "errors.h"
#include "graph/lowering.h"

namespace gt::graph {

namespace {

cpu::Window kind_of(const Lowering& lowering, const Node& node) {
  const std::string& kind = node.text("kind");
  if (kind == "copy") return cpu::Window::copy;
  if (kind == "sum") return cpu::Window::sum;
  require(kind == "max", lowering, node, "windows that are copied, summed up or of which the largest is taken");
  return cpu::Window::max;
}

// Attributes: axis; indices, as many for each place of the result, -1 where there is none; their weights, for sums; fill,
// for copies of nothing.
ggml_tensor* windows(Lowering& lowering, const Node& node) {
  require_cpu(lowering, node);
  const Shape& from = lowering.shape_of(node, 0);
  const size_t axis = axis_of(lowering, node, from);
  Shape wanted = from;
  if (node.shape.size() == from.size()) wanted[axis] = node.shape[axis];
  require(wanted == node.shape, lowering, node, "the other axes as they are");

  struct Tables {
    std::vector<int32_t> indices;
    std::vector<float> weights;
  } tables;
  cpu::WindowArgs args{};
  args.kind = kind_of(lowering, node);
  args.in = from[axis];
  args.out = node.shape[axis];
  args.fill = node.attributes.count("fill") ? node.single("fill") : 0;
  for (const int64_t index : node.integers("indices")) {
    require(index >= -1 && index < args.in, lowering, node, "indices that the axis has");
    tables.indices.push_back(static_cast<int32_t>(index));
  }
  const auto count = static_cast<int64_t>(tables.indices.size());
  args.size = count / args.out;
  require(count > 0 && count == args.size * args.out && (args.kind != cpu::Window::copy || args.size == 1), lowering, node,
          "as many indices for each place");
  if (args.kind == cpu::Window::sum)
    for (const double weight : node.numbers("weights")) tables.weights.push_back(static_cast<float>(weight));
  else tables.weights.resize(tables.indices.size());
  require(tables.weights.size() == tables.indices.size(), lowering, node, "a weight for each index");

  // Along the axis as it lies in memory, whatever its number is.
  ggml_tensor* x = lowering.tensor(node, 0);
  const Order order(x);
  x = lowering.by_memory(x, order);
  const auto ggml_axis = static_cast<int>(from.size() - 1 - axis);
  int at = 0;
  while (order.axes[at] != ggml_axis) at++;
  args.inner = args.outer = 1;
  for (int i = 0; i < at; i++) args.inner *= x->ne[i];
  for (int i = at + 1; i < 4; i++) args.outer *= x->ne[i];
  int64_t ne[4] = {x->ne[0], x->ne[1], x->ne[2], x->ne[3]};
  ne[at] = args.out;
  ggml_tensor* y = lowering.custom({ne[3], ne[2], ne[1], ne[0]}, {x},
                                   [shared = args, tables = std::move(tables)](ggml_tensor* y, void*, int ith, int nth) {
                                     cpu::WindowArgs args = shared;
                                     args.x = static_cast<const float*>(y->src[0]->data);
                                     args.y = static_cast<float*>(y->data);
                                     args.indices = tables.indices.data();
                                     args.weights = tables.weights.data();
                                     cpu::windows(args, ith, nth);
                                   });
  return lowering.by_axes(y, order);
}

}  // namespace

const Operations& window_operations() {
  static const Operations table = {{"windows", windows, 1, 1}};
  return table;
}

}  // namespace gt::graph
