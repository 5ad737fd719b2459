// A convolution as a linear layer: the values that the taps of a place meet stand side by side, as one row for each
// place. Where they lie so in memory already (1x1 kernels, unpadded 1D ones) rows are read where they are; else a block
// of rows is gathered, small enough to be multiplied while it is in the cache.
#include <algorithm>
#include <cstring>

#include "graph/cpu/kernels.h"
#include "graph/cpu/variant.h"

namespace gt::graph::cpu {

namespace {

constexpr int64_t unit = 48;  // places: a multiple of what the linear kernels take at a time
// Places of a block: few enough to be multiplied while they are in the cache, and many enough for what the linear kernels
// do once for all of them.
constexpr int64_t block_floats = 1 << 16;
constexpr int64_t least_places = 4 * unit;
constexpr int64_t cache_line = 16;  // floats

int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

// What all threads and blocks of one convolution share.
class Convolution {
 public:
  explicit Convolution(const ConvolutionArgs& args)
      : a(args),
        group_channels(a.channels / a.groups),
        group_outputs(a.out_channels / a.groups),
        inputs(a.vertical.kernel * a.horizontal.kernel * group_channels),
        places(a.batch * a.out_height * a.out_width),
        block(std::min(round_up(places, 16), std::max(least_places, block_floats / inputs / unit * unit))),
        // The taps of a place follow each other in memory, and places at even distances: along a line, or over all lines.
        together(a.channel_stride == 1 && a.vertical.kernel == 1 &&
                 (a.horizontal.kernel == 1 || (a.horizontal.dilation == 1 && a.column_stride == group_channels))),
        even(together && a.horizontal.before == 0 && a.vertical.before == 0 && reaches_inside() &&
             (a.out_height == 1 || a.vertical.stride * a.row_stride == a.out_width * a.horizontal.stride * a.column_stride)),
        // Lines that are too short to be multiplied by themselves are gathered.
        in_line(even || (a.channel_stride == 1 && a.vertical.kernel == 1 && (a.horizontal.dilation == 1 || a.horizontal.kernel == 1) &&
                         (a.out_height == 1 || a.out_width >= 2 * unit))),
        floats(round_up((in_line ? std::min(block * inputs, ((block - 1) * a.horizontal.stride + a.horizontal.kernel) * group_channels)
                                 : block * inputs),
                        cache_line)),
        prepared(prepared_size(block, inputs)) {}

  size_t scratch() const { return static_cast<size_t>(floats) * sizeof(float) + (prepared + 63) / 64 * 64; }

  void run(void* scratch, int ith, int nth) const {
    float* rows = reinterpret_cast<float*>(static_cast<char*>(scratch) + this->scratch() * static_cast<size_t>(ith));
    // Threads that share places gather each row once.
    const Tile tile = places >= unit * nth ? Tile{share(places, unit, ith, nth), {0, group_outputs}}
                                           : share_linear(places, unit, group_outputs, 16, ith, nth);
    for (int64_t first = tile.tokens.begin; first < tile.tokens.end;) {
      const int64_t end = block_end(first, tile.tokens.end);
      for (int64_t group = 0; group < a.groups; ++group) multiply(group, {first, end}, tile.outputs, rows);
      first = end;
    }
  }

 private:
  struct Rows {
    const float* x;
    int64_t stride;
  };

  // Where lines count, a block ends with its line, or with its row of the batch.
  int64_t block_end(int64_t first, int64_t end) const {
    end = std::min(end, first + block);
    const int64_t plane = a.out_height * a.out_width;
    if (!in_line || (even && (a.batch == 1 || a.batch_stride == plane * a.horizontal.stride * a.column_stride))) return end;
    const int64_t line = even ? plane : a.out_width;
    return std::min(end, (first / line + 1) * line);
  }
  // Whether no tap is beyond the end.
  bool reaches_inside() const {
    return (a.out_width - 1) * a.horizontal.stride + a.horizontal.kernel <= a.width + a.horizontal.before &&
           (a.out_height - 1) * a.vertical.stride < a.height + a.vertical.before;
  }

  void multiply(int64_t group, Range block_places, Range outputs, float* scratch) const {
    if (outputs.begin >= outputs.end) return;
    const Rows rows = rows_of(group, block_places, scratch);
    const int64_t n = block_places.end - block_places.begin, output = group * group_outputs + outputs.begin;
    const int64_t at = block_places.begin * a.out_channels + output;
    LinearArgs args{};
    args.x = rows.x;
    args.n = n;
    args.x_stride = rows.stride;
    if (prepared_size(n, inputs)) {
      void* memory = scratch + floats;
      prepare(rows.x, n, inputs, rows.stride, memory, 0, 1);
      args.prepared = memory;
    }
    args.y = a.y + at;
    args.y_stride = a.out_channels;
    args.bias = a.bias ? a.bias + output : nullptr;
    args.activation = a.activation;
    args.residual = a.residual ? a.residual + at : nullptr;
    args.residual_stride = a.out_channels;
    args.residual_first = a.residual_first;
    variant().linear({a.weight + output * inputs, WeightType::f32, outputs.end - outputs.begin, inputs}, args, 0, 1);
  }

  struct Place {
    int64_t batch, row, column;
  };
  Place place(int64_t index) const {
    return {index / a.out_width / a.out_height, index / a.out_width % a.out_height, index % a.out_width};
  }

  Rows rows_of(int64_t group, Range range, float* scratch) const {
    const float* x = a.x + group * group_channels * a.channel_stride;
    if (in_line) return rows_in_line(x, range, scratch);
    for (int64_t i = range.begin; i < range.end; ++i) {
      float* to = scratch + (i - range.begin) * inputs;
      if (a.channel_stride == 1) gather_taps(x, place(i), to);
      else gather_planes(x, place(i), to);
    }
    return {scratch, inputs};
  }

  // The taps of neighbours overlap: their values are gathered once, if at all.
  Rows rows_in_line(const float* x, Range range, float* scratch) const {
    const Place first = place(range.begin), last = place(range.end - 1);
    const int64_t row = first.row * a.vertical.stride - a.vertical.before;
    const int64_t begin = first.column * a.horizontal.stride - a.horizontal.before;
    const int64_t end = last.column * a.horizontal.stride - a.horizontal.before + a.horizontal.kernel;
    const float* line = x + first.batch * a.batch_stride + row * a.row_stride;
    const bool one_line = first.batch == last.batch && first.row == last.row;
    if (together && (!one_line || (begin >= 0 && end <= a.width && row >= 0 && row < a.height)))
      return {line + begin * a.column_stride, a.horizontal.stride * a.column_stride};
    if (a.horizontal.stride >= a.horizontal.kernel) {
      for (int64_t i = range.begin; i < range.end; ++i) gather_taps(x, place(i), scratch + (i - range.begin) * inputs);
      return {scratch, inputs};
    }
    gather_line(row >= 0 && row < a.height ? line : nullptr, begin, end - begin, 1, scratch);
    return {scratch, a.horizontal.stride * group_channels};
  }

  // `count` columns from `begin` on, `step` apart, each with the channels of the group; zeros where there is none.
  void gather_line(const float* line, int64_t begin, int64_t count, int64_t step, float* to) const {
    const auto size = static_cast<size_t>(group_channels) * sizeof(float);
    int64_t i = 0;
    const auto zeros = [&](int64_t end) {
      if (end > i) std::memset(to + i * group_channels, 0, static_cast<size_t>(end - i) * size);
      i = std::max(i, end);
    };
    if (!line) return zeros(count);
    const int64_t inside = begin >= 0 ? 0 : std::min(count, (-begin + step - 1) / step);
    const int64_t outside = begin >= a.width ? 0 : std::min(count, (a.width - begin + step - 1) / step);
    zeros(inside);
    if (step == 1 && a.column_stride == group_channels && outside > i) {
      std::memcpy(to + i * group_channels, line + (begin + i) * a.column_stride, static_cast<size_t>(outside - i) * size);
      i = outside;
    }
    for (; i < outside; ++i) std::memcpy(to + i * group_channels, line + (begin + i * step) * a.column_stride, size);
    zeros(count);
  }

  // One row: taps, each with its channels.
  void gather_taps(const float* x, Place at, float* to) const {
    const int64_t line = a.horizontal.kernel * group_channels;
    for (int64_t i = 0; i < a.vertical.kernel; ++i) {
      const int64_t row = at.row * a.vertical.stride - a.vertical.before + i * a.vertical.dilation;
      const bool inside = row >= 0 && row < a.height;
      gather_line(inside ? x + at.batch * a.batch_stride + row * a.row_stride : nullptr,
                  at.column * a.horizontal.stride - a.horizontal.before, a.horizontal.kernel, a.horizontal.dilation, to + i * line);
    }
  }

  // One row: channels, each with its taps.
  void gather_planes(const float* x, Place at, float* to) const {
    const int64_t column = at.column * a.horizontal.stride - a.horizontal.before;
    const bool whole = a.horizontal.dilation == 1 && column >= 0 && column + a.horizontal.kernel <= a.width;
    for (int64_t c = 0; c < a.channels; ++c)
      for (int64_t i = 0; i < a.vertical.kernel; ++i, to += a.horizontal.kernel) {
        const int64_t row = at.row * a.vertical.stride - a.vertical.before + i * a.vertical.dilation;
        const float* line = x + at.batch * a.batch_stride + c * a.channel_stride + row * a.row_stride;
        const bool inside = row >= 0 && row < a.height;
        if (inside && whole) {
          std::memcpy(to, line + column, static_cast<size_t>(a.horizontal.kernel) * sizeof(float));
          continue;
        }
        for (int64_t j = 0; j < a.horizontal.kernel; ++j) {
          const int64_t from = column + j * a.horizontal.dilation;
          to[j] = inside && from >= 0 && from < a.width ? line[from] : 0.0f;
        }
      }
  }

  const ConvolutionArgs& a;
  const int64_t group_channels, group_outputs, inputs, places, block;
  const bool together, even, in_line;
  const int64_t floats;
  const size_t prepared;
};

}  // namespace

size_t convolution_scratch_size(const ConvolutionArgs& args, int nth) {
  return is_channelwise(args) ? 0 : Convolution(args).scratch() * static_cast<size_t>(nth);
}

void convolution(const ConvolutionArgs& args, void* scratch, int ith, int nth) {
  if (is_channelwise(args)) variant().channelwise(args, ith, nth);
  else Convolution(args).run(scratch, ith, nth);
}

}  // namespace gt::graph::cpu
