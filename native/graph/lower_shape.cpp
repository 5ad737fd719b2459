// Operations that move elements and change none.
#include <ggml.h>

#include <algorithm>

#include "errors.h"
#include "graph/lowering.h"

namespace gt::graph {

namespace {

ggml_tensor* reshape(Lowering& lowering, const Node& node) {
  require(n_elements(lowering.shape_of(node, 0)) == n_elements(node.shape), lowering, node, "as many elements");
  return lowering.reshape(lowering.tensor(node, 0), node.shape);
}

ggml_tensor* permute(Lowering& lowering, const Node& node) {
  const std::vector<int64_t> axes = node.integers("axes");
  const size_t rank = node.shape.size();
  std::vector<int64_t> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); i++) require(sorted[i] == static_cast<int64_t>(i), lowering, node, "every axis once");
  require(axes.size() == rank && lowering.shape_of(node, 0).size() == rank, lowering, node, "every axis once");
  int place[4] = {0, 1, 2, 3};  // where each of ggml's axes goes
  for (size_t i = 0; i < rank; i++) place[rank - 1 - static_cast<size_t>(axes[i])] = static_cast<int>(rank - 1 - i);
  return ggml_permute(lowering.ggml(), lowering.tensor(node, 0), place[0], place[1], place[2], place[3]);
}

ggml_tensor* narrow(Lowering& lowering, const Node& node) {
  const Shape& from = lowering.shape_of(node, 0);
  require(from.size() == node.shape.size(), lowering, node, "as many axes");
  const size_t axis = axis_of(lowering, node, from);
  const int64_t start = node.integer("start");
  Shape wanted = from;
  wanted[axis] = node.shape[axis];
  require(wanted == node.shape && start >= 0 && node.shape[axis] <= from[axis] - start, lowering, node, "a part of one axis");
  ggml_tensor* x = lowering.tensor(node, 0);
  return lowering.view(x, Sizes(node.shape).ne, x->nb, static_cast<size_t>(start) * x->nb[node.shape.size() - 1 - axis]);
}

ggml_tensor* concat(Lowering& lowering, const Node& node) {
  const Shape &left = lowering.shape_of(node, 0), &right = lowering.shape_of(node, 1);
  require(left.size() == right.size(), lowering, node, "as many axes");
  const size_t axis = axis_of(lowering, node, left);
  Shape wanted = left;
  wanted[axis] = right[axis];
  require(wanted == right, lowering, node, "the other axes alike");
  return ggml_concat(lowering.ggml(), lowering.contiguous(lowering.tensor(node, 0)), lowering.contiguous(lowering.tensor(node, 1)),
                     static_cast<int>(left.size() - 1 - axis));
}

ggml_tensor* expand(Lowering& lowering, const Node& node) {
  require(broadcasts(lowering.shape_of(node, 0), node.shape), lowering, node, "axes of size 1 that repeat");
  return lowering.repeat(lowering.tensor(node, 0), node.shape);
}

// Rows of a table by ids: [ids..., row...].
ggml_tensor* rows(Lowering& lowering, const Node& node) {
  const Node& table_node = lowering.node_of(node, 0);
  require(!table_node.shape.empty(), lowering, node, "a table with rows");
  Shape wanted = lowering.shape_of(node, 1);
  wanted.insert(wanted.end(), table_node.shape.begin() + 1, table_node.shape.end());
  require(wanted == node.shape, lowering, node, "a row for each id");
  ggml_tensor* table = table_node.op == "parameter" ? lowering.weights().table(table_node.text("name")) : lowering.tensor(node, 0);
  const int64_t count = table_node.shape[0];
  lowering.limit(node, 1, count);
  if (!ggml_is_quantized(table->type)) table = lowering.reshape(table, {count, n_elements(table_node.shape) / count});
  ggml_tensor* ids = lowering.contiguous(lowering.tensor(node, 1));
  ids = ggml_reshape_1d(lowering.ggml(), ids, ggml_nelements(ids));
  return lowering.reshape(ggml_get_rows(lowering.ggml(), table, ids), node.shape);
}

// Rows of integers, such as the spans of some tokens.
ggml_tensor* integer_rows(Lowering& lowering, const Node& node) {
  const Shape &from = lowering.shape_of(node, 0), &ids = lowering.shape_of(node, 1);
  require(from.size() == 2 && ids.size() == 1 && node.shape == Shape{ids[0], from[1]}, lowering, node, "a row for each id");
  lowering.limit(node, 1, from[0]);
  return ggml_get_rows(lowering.ggml(), lowering.contiguous(lowering.tensor(node, 0)), lowering.contiguous(lowering.tensor(node, 1)));
}

}  // namespace

const Operations& shape_operations() {
  static const Operations table = {
      {"reshape", reshape, 1, 1}, {"permute", permute, 1, 1}, {"narrow", narrow, 1, 1},
      {"concat", concat, 2, 2},   {"expand", expand, 1, 1},   {"rows", rows, 2, 2, 0b10},
      {"integer_rows", integer_rows, 2, 2, 0b11, true, true},
  };
  return table;
}

}  // namespace gt::graph
