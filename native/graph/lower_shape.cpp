// Operations that move elements and change none.
#include <ggml.h>

#include "errors.h"
#include "graph/lowering.h"

namespace gt::graph {

namespace {

ggml_tensor* reshape(Lowering& lowering, const Node& node) { return lowering.reshape(lowering.tensor(node, 0), node.shape); }

ggml_tensor* permute(Lowering& lowering, const Node& node) {
  const std::vector<int64_t> axes = node.integers("axes");
  const auto rank = static_cast<int>(node.shape.size());
  int place[4] = {0, 1, 2, 3};  // where each of ggml's axes goes
  for (int i = 0; i < rank; i++) place[rank - 1 - axes.at(static_cast<size_t>(i))] = rank - 1 - i;
  return ggml_permute(lowering.ggml(), lowering.tensor(node, 0), place[0], place[1], place[2], place[3]);
}

ggml_tensor* narrow(Lowering& lowering, const Node& node) {
  ggml_tensor* x = lowering.tensor(node, 0);
  const size_t axis = node.shape.size() - 1 - static_cast<size_t>(node.integer("axis"));
  const Sizes sizes(node.shape);
  return ggml_view_4d(lowering.ggml(), x, sizes.ne[0], sizes.ne[1], sizes.ne[2], sizes.ne[3], x->nb[1], x->nb[2], x->nb[3],
                      static_cast<size_t>(node.integer("start")) * x->nb[axis]);
}

ggml_tensor* concat(Lowering& lowering, const Node& node) {
  const auto axis = static_cast<int>(node.shape.size() - 1 - static_cast<size_t>(node.integer("axis")));
  return ggml_concat(lowering.ggml(), lowering.contiguous(lowering.tensor(node, 0)), lowering.contiguous(lowering.tensor(node, 1)), axis);
}

ggml_tensor* expand(Lowering& lowering, const Node& node) { return lowering.repeat(lowering.tensor(node, 0), node.shape); }

// Rows of a table by ids: [ids..., row...].
ggml_tensor* rows(Lowering& lowering, const Node& node) {
  const Node& table_node = lowering.node_of(node, 0);
  ggml_tensor* table = table_node.op == "parameter" ? lowering.weights().table(table_node.text("name")) : lowering.tensor(node, 0);
  const int64_t count = table_node.shape.at(0);
  if (!ggml_is_quantized(table->type)) table = lowering.reshape(table, {count, n_elements(table_node.shape) / count});
  ggml_tensor* ids = lowering.contiguous(lowering.tensor(node, 1));
  ids = ggml_reshape_1d(lowering.ggml(), ids, ggml_nelements(ids));
  return lowering.reshape(ggml_get_rows(lowering.ggml(), table, ids), node.shape);
}

}  // namespace

const Operations& shape_operations() {
  static const Operations table = {{"reshape", reshape}, {"permute", permute}, {"narrow", narrow},
                                   {"concat", concat},   {"expand", expand},   {"rows", rows}};
  return table;
}

}  // namespace gt::graph
