// Norms.
#include <ggml.h>

#include <cmath>

#include "errors.h"
#include "graph/lowering.h"

namespace gt::graph {

namespace {

const float* floats(const ggml_tensor* tensor) { return tensor ? static_cast<const float*>(tensor->data) : nullptr; }

// Weight and bias, where they are, have `size` values each.
void require_parameters(Lowering& lowering, const Node& node, int64_t size) {
  for (size_t i = 1; i < node.inputs.size(); i++)
    require(lowering.shape_of(node, i) == Shape{size}, lowering, node, "as many weights as values");
}

struct RowNorm {
  ggml_tensor *x, *weight, *bias;
  float eps;
};

RowNorm row_norm(Lowering& lowering, const Node& node) {
  require(lowering.shape_of(node, 0) == node.shape && !node.shape.empty(), lowering, node, "the shape of the input");
  require_parameters(lowering, node, node.shape.back());
  return {lowering.contiguous(lowering.tensor(node, 0)), lowering.contiguous(lowering.tensor(node, 1)),
          lowering.has_input(node, 2) ? lowering.contiguous(lowering.tensor(node, 2)) : nullptr, node.single("eps")};
}

ggml_tensor* layer_norm(Lowering& lowering, const Node& node) {
  const RowNorm norm = row_norm(lowering, node);
  if (!lowering.is_cpu()) {
    ggml_tensor* x = ggml_mul(lowering.ggml(), ggml_norm(lowering.ggml(), norm.x, norm.eps), norm.weight);
    return norm.bias ? ggml_add(lowering.ggml(), x, norm.bias) : x;
  }
  std::vector<ggml_tensor*> sources = {norm.x, norm.weight};
  if (norm.bias) sources.push_back(norm.bias);
  return lowering.custom(node.shape, sources, [eps = norm.eps](ggml_tensor* y, void*, int ith, int nth) {
    cpu::layer_norm(floats(y->src[0]), ggml_nrows(y), y->ne[0], eps, floats(y->src[1]), floats(y->src[2]), static_cast<float*>(y->data), ith, nth);
  });
}

ggml_tensor* rms_norm(Lowering& lowering, const Node& node) {
  const RowNorm norm = row_norm(lowering, node);
  if (!lowering.is_cpu()) return ggml_mul(lowering.ggml(), ggml_rms_norm(lowering.ggml(), norm.x, norm.eps), norm.weight);
  return lowering.custom(node.shape, {norm.x, norm.weight}, [eps = norm.eps](ggml_tensor* y, void*, int ith, int nth) {
    cpu::rms_norm(floats(y->src[0]), ggml_nrows(y), y->ne[0], eps, floats(y->src[1]), static_cast<float*>(y->data), ith, nth);
  });
}

// Of [batch, channels, places...]. The result lies in memory as its input does: channel by channel, or place by place.
ggml_tensor* group_norm(Lowering& lowering, const Node& node) {
  require_cpu(lowering, node);
  const Shape& shape = node.shape;
  require(lowering.shape_of(node, 0) == shape && shape.size() >= 2, lowering, node, "[batch, channels, ...]");
  const int64_t groups = node.integer("groups"), channels = shape[1];
  require(groups >= 1 && channels % groups == 0, lowering, node, "groups that divide the channels");
  require_parameters(lowering, node, channels);
  cpu::GroupNormArgs args{};
  args.batch = shape[0];
  args.channels = channels;
  args.places = n_elements(shape) / shape[0] / channels;
  args.groups = groups;
  args.eps = node.single("eps");

  ggml_tensor* x = lowering.tensor(node, 0);
  const auto channel_axis = static_cast<int>(shape.size()) - 2;
  const bool by_place = x->nb[channel_axis] == sizeof(float) && !ggml_is_contiguous(x);
  if (by_place) {  // as [batch, places..., channels]
    int place[4] = {1, 2, 3, 3};
    for (int i = channel_axis; i < 4; i++) place[i] = i == channel_axis ? 0 : i;
    x = ggml_permute(lowering.ggml(), x, place[0], place[1], place[2], place[3]);
  }
  x = lowering.contiguous(x);
  args.place_stride = by_place ? channels : 1;
  args.channel_stride = by_place ? 1 : args.places;
  std::vector<ggml_tensor*> sources = {x};
  for (size_t i = 1; i < node.inputs.size(); i++) sources.push_back(lowering.contiguous(lowering.tensor(node, i)));
  ggml_tensor* y = lowering.custom({x->ne[3], x->ne[2], x->ne[1], x->ne[0]}, sources, [shared = args](ggml_tensor* y, void*, int ith, int nth) {
    cpu::GroupNormArgs args = shared;
    args.x = floats(y->src[0]);
    args.y = static_cast<float*>(y->data);
    args.weight = floats(y->src[1]);
    args.bias = floats(y->src[2]);
    cpu::group_norm(args, ith, nth);
  });
  if (!by_place) return y;
  int back[4] = {channel_axis, 0, 1, 2};
  for (int i = channel_axis + 1; i < 4; i++) back[i] = i;
  return ggml_permute(lowering.ggml(), y, back[0], back[1], back[2], back[3]);
}

}  // namespace

const Operations& norm_operations() {
  static const Operations table = {
      {"layer_norm", layer_norm, 2, 3},
      {"rms_norm", rms_norm, 2, 2},
      {"group_norm", group_norm, 1, 3},
  };
  return table;
}

}  // namespace gt::graph
