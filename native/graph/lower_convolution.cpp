// Convolutions. In memory their results lie place by place, each with its channels: the next convolution, a norm or a
// linear layer over the channels reads them so.
#include <ggml.h>

#include "errors.h"
#include "graph/lowering.h"

namespace gt::graph {

namespace {

// Few channels, plane by plane, are gathered as they lie: an image.
constexpr int64_t few_channels = 8;

using Axis = cpu::ConvolutionArgs::Axis;

// One spatial axis: what the program says of it, and that it fits.
Axis axis(const Lowering& lowering, const Node& node, size_t index, int64_t size, int64_t kernel, int64_t out) {
  const auto at = [&](const char* name, size_t i) {
    const std::vector<int64_t> values = node.integers(name);
    require(i < values.size() && values[i] >= 0 && values[i] < (1 << 20), lowering, node, name);
    return values[i];
  };
  const Axis axis{kernel, at("stride", index), at("dilation", index), at("padding", 2 * index)};
  const int64_t padded = size + axis.before + at("padding", 2 * index + 1), reach = axis.dilation * (kernel - 1) + 1;
  require(axis.stride > 0 && axis.dilation > 0 && reach <= padded && (padded - reach) / axis.stride + 1 == out, lowering, node,
          "sizes that follow from kernel, stride, padding and dilation");
  return axis;
}

// [batch, channels, (height,) width] of tensors, in ggml's axes, and the axes that bring the channels to the front.
struct Layout {
  int rank;
  int channel() const { return rank - 2; }
  ggml_tensor* channels_first(ggml_context* ggml, ggml_tensor* x) const {
    return rank == 4 ? ggml_permute(ggml, x, 1, 2, 0, 3) : ggml_permute(ggml, x, 1, 0, 2, 3);
  }
  ggml_tensor* channels_back(ggml_context* ggml, ggml_tensor* x) const {
    return rank == 4 ? ggml_permute(ggml, x, 2, 0, 1, 3) : ggml_permute(ggml, x, 1, 0, 2, 3);
  }
};

int64_t stride(const ggml_tensor* x, int axis) { return static_cast<int64_t>(x->nb[axis] / sizeof(float)); }

// Inputs: x, weight, bias if attribute `bias`, residual if attribute `residual`.
ggml_tensor* convolution(Lowering& lowering, const Node& node) {
  require_cpu(lowering, node);
  const Shape &from = lowering.shape_of(node, 0), &kernel = lowering.shape_of(node, 1), &to = node.shape;
  const size_t rank = to.size();
  require((rank == 3 || rank == 4) && from.size() == rank && kernel.size() == rank && from[0] == to[0] && kernel[0] == to[1], lowering, node,
          "[batch, channels, (height,) width]");
  cpu::ConvolutionArgs args{};
  args.batch = from[0];
  args.channels = from[1];
  args.out_channels = to[1];
  args.groups = node.integer("groups");
  require(args.groups >= 1 && args.channels % args.groups == 0 && args.out_channels % args.groups == 0 &&
              kernel[1] == args.channels / args.groups,
          lowering, node, "groups that divide the channels");
  args.height = rank == 4 ? from[2] : 1;
  args.out_height = rank == 4 ? to[2] : 1;
  args.width = from[rank - 1];
  args.out_width = to[rank - 1];
  args.vertical = rank == 4 ? axis(lowering, node, 0, args.height, kernel[2], args.out_height) : Axis{1, 1, 1, 0};
  args.horizontal = axis(lowering, node, rank - 3, args.width, kernel[rank - 1], args.out_width);
  require(lowering.is_constant(node, 1), lowering, node, "a kernel that depends on weights alone");

  const Layout layout{static_cast<int>(rank)};
  ggml_tensor* x = lowering.tensor(node, 0);
  const bool patches = args.vertical.kernel <= args.vertical.stride && args.horizontal.kernel <= args.horizontal.stride;
  const bool by_plane = args.channels > 1 && x->nb[layout.channel()] != sizeof(float) && x->nb[0] == sizeof(float) && args.groups == 1 &&
                        (args.channels <= few_channels || (patches && args.horizontal.kernel > 1));
  if (!by_plane && args.channels > 1 && x->nb[layout.channel()] != sizeof(float))
    x = layout.channels_back(lowering.ggml(), ggml_cont(lowering.ggml(), layout.channels_first(lowering.ggml(), x)));
  args.channel_stride = args.channels == 1 ? 1 : stride(x, layout.channel());
  args.column_stride = stride(x, 0);
  args.row_stride = rank == 4 ? stride(x, 1) : 0;
  args.batch_stride = stride(x, layout.rank - 1);
  if (cpu::is_channelwise(args)) args.weight = lowering.constant(node, 1, rank == 4 ? std::vector<int64_t>{2, 3, 1, 0} : std::vector<int64_t>{2, 1, 0});
  else if (by_plane) args.weight = lowering.constant(node, 1);
  else args.weight = lowering.constant(node, 1, rank == 4 ? std::vector<int64_t>{0, 2, 3, 1} : std::vector<int64_t>{0, 2, 1});

  size_t next = 2;
  std::vector<ggml_tensor*> sources = {x};
  int bias = -1, residual = -1;
  if (node.flag("bias")) {
    require(lowering.has_input(node, next) && lowering.shape_of(node, next) == Shape{args.out_channels}, lowering, node, "a bias for each channel");
    bias = static_cast<int>(sources.size());
    sources.push_back(lowering.contiguous(lowering.tensor(node, next++)));
  }
  if (node.flag("residual")) {
    require(lowering.has_input(node, next) && lowering.shape_of(node, next) == to, lowering, node, "a sum of one shape");
    residual = static_cast<int>(sources.size());
    sources.push_back(lowering.contiguous(layout.channels_first(lowering.ggml(), lowering.tensor(node, next++))));
  }
  args.residual_first = node.flag("residual_first");
  if (node.attributes.count("activation")) args.activation = activation_of(node.text("activation"));
  lowering.count_flops(2.0 * static_cast<double>(n_elements(to)) * static_cast<double>(n_elements(kernel) / kernel[0]));

  const Shape places = rank == 4 ? Shape{to[0], to[2], to[3], to[1]} : Shape{to[0], to[2], to[1]};
  ggml_tensor* y = lowering.custom(
      places, sources,
      [shared = args, bias, residual](ggml_tensor* y, void* scratch, int ith, int nth) {
        const auto floats = [y](int at) { return at < 0 ? nullptr : static_cast<const float*>(y->src[at]->data); };
        cpu::ConvolutionArgs args = shared;
        args.x = floats(0);
        args.y = static_cast<float*>(y->data);
        args.bias = floats(bias);
        args.residual = floats(residual);
        cpu::convolution(args, scratch, ith, nth);
      },
      cpu::convolution_scratch_size(args, lowering.n_threads()));
  return layout.channels_back(lowering.ggml(), y);
}

}  // namespace

const Operations& convolution_operations() {
  static const Operations table = {{"convolution", convolution, 2, 4}};
  return table;
}

}  // namespace gt::graph
