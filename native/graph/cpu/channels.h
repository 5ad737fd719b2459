// Kernels over places with channels: group norm, windows along an axis, depthwise convolution.
#pragma once

#include <math.h>

#include "graph/cpu/norm.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

// -- group norm ---------------------------------------------------------------------------------------------------

// Sums over this many values stay float32.
constexpr int64_t exact_block = 1024;

// The sum of x - mean, or of its square, over n values that lie together.
template <bool squares>
double sum_of_differences(const float* x, int64_t n, float mean) {
  const auto add = [&](Vec& sums, Vec v) {
    const Vec d = v - set(mean);
    sums = squares ? fma(d, d, sums) : sums + d;
  };
  double total = 0;
  int64_t i = 0;
  while (i + 4 * width <= n) {
    Vec sums[4] = {set(0.0f), set(0.0f), set(0.0f), set(0.0f)};
    for (const int64_t end = i + exact_block < n ? i + exact_block : n; i + 4 * width <= end; i += 4 * width)
      for (int v = 0; v < 4; ++v) add(sums[v], load(x + i + v * width));
    total += sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
  }
  for (; i < n; ++i) {
    const double d = static_cast<double>(x[i] - mean);
    total += squares ? d * d : d;
  }
  return total;
}

// Of V vectors of channels (the last one with `lanes` of them), each over all places: added to `sums`.
template <bool squares, int V>
void sum_channels(const float* x, int64_t places, int64_t stride, int lanes, const float* mean, double* sums) {
  Vec shift[V];
  for (int v = 0; v < V; ++v) shift[v] = load_lanes(mean + v * width, v + 1 < V ? width : lanes);
  for (int64_t first = 0; first < places; first += exact_block) {
    const int64_t end = first + exact_block < places ? first + exact_block : places;
    Vec block[V];
    for (int v = 0; v < V; ++v) block[v] = set(0.0f);
    for (int64_t p = first; p < end; ++p)
      for (int v = 0; v < V; ++v) {
        const Vec d = load_lanes(x + p * stride + v * width, v + 1 < V ? width : lanes) - shift[v];
        block[v] = squares ? fma(d, d, block[v]) : block[v] + d;
      }
    for (int v = 0; v < V; ++v) {
      float values[width];
      store(values, block[v]);
      for (int i = 0; i < (v + 1 < V ? width : lanes); ++i) sums[v * width + i] += static_cast<double>(values[i]);
    }
  }
}

template <bool squares>
void sum_all_channels(const float* x, int64_t places, int64_t stride, int64_t channels, const float* mean, double* sums) {
  int64_t c = 0;
  for (; c + 4 * width <= channels; c += 4 * width) sum_channels<squares, 4>(x + c, places, stride, width, mean + c, sums + c);
  for (; c < channels; c += width)
    sum_channels<squares, 1>(x + c, places, stride, channels - c < width ? static_cast<int>(channels - c) : width, mean + c, sums + c);
}

// Groups [groups.begin, groups.end) of one row of the batch, whose channels lie together at each place.
inline void norm_channels(const GroupNormArgs& a, const float* x, float* y, Range groups) {
  const int64_t size = a.channels / a.groups, first = groups.begin * size, channels = (groups.end - groups.begin) * size;
  char* memory = static_cast<char*>(thread_memory(static_cast<size_t>(channels) * (sizeof(double) + 2 * sizeof(float))));
  double* sums = reinterpret_cast<double*>(memory);
  float* mean = reinterpret_cast<float*>(sums + channels);
  float* factor = mean + channels;
  const double count = static_cast<double>(size) * static_cast<double>(a.places);
  const auto group_total = [&](int64_t c) {
    double total = 0;
    for (int64_t i = 0; i < size; ++i) total += sums[c + i];
    return total / count;
  };
  for (int64_t c = 0; c < channels; ++c) mean[c] = 0, sums[c] = 0;
  sum_all_channels<false>(x + first, a.places, a.place_stride, channels, mean, sums);
  for (int64_t c = 0; c < channels; c += size) {
    const float value = static_cast<float>(group_total(c));
    for (int64_t i = c; i < c + size; ++i) mean[i] = value, sums[i] = 0;
  }
  sum_all_channels<true>(x + first, a.places, a.place_stride, channels, mean, sums);
  for (int64_t c = 0; c < channels; c += size) {
    const float value = static_cast<float>(1.0 / sqrt(group_total(c) + static_cast<double>(a.eps)));
    for (int64_t i = c; i < c + size; ++i) factor[i] = a.weight ? value * a.weight[first + i] : value;
  }
  for (int64_t p = 0; p < a.places; ++p) {
    const float* in = x + p * a.place_stride + first;
    float* out = y + p * a.place_stride + first;
    for_vectors(channels, [&](int64_t i, int n) {
      Vec v = (load_lanes(in + i, n) - load_lanes(mean + i, n)) * load_lanes(factor + i, n);
      if (a.bias) v = v + load_lanes(a.bias + first + i, n);
      store_lanes(out + i, v, n);
    });
  }
}

// One group, whose places lie together for each channel.
inline void norm_places(const GroupNormArgs& a, const float* x, float* y, int64_t group) {
  const int64_t size = a.channels / a.groups, count = size * a.places;
  x += group * count;
  y += group * count;
  const float mean = static_cast<float>(sum_of_differences<false>(x, count, 0) / static_cast<double>(count));
  const double variance = sum_of_differences<true>(x, count, mean) / static_cast<double>(count);
  const float factor = static_cast<float>(1.0 / sqrt(variance + static_cast<double>(a.eps)));
  for (int64_t c = 0; c < size; ++c) {
    const Vec scale = set(a.weight ? factor * a.weight[group * size + c] : factor);
    const Vec shift = set(a.bias ? a.bias[group * size + c] : 0.0f);
    for_vectors(a.places, [&](int64_t i, int n) {
      store_lanes(y + c * a.places + i, fma(load_lanes(x + c * a.places + i, n) - set(mean), scale, shift), n);
    });
  }
}

inline void group_norm(const GroupNormArgs& a, int ith, int nth) {
  const int64_t size = a.channels / a.groups, values = a.places * a.channels;
  if (a.place_stride == 1) {
    const Range items = share(a.batch * a.groups, 1, ith, nth);
    for (int64_t i = items.begin; i < items.end; ++i)
      norm_places(a, a.x + i / a.groups * values, a.y + i / a.groups * values, i % a.groups);
    return;
  }
  // Threads do not write into each other's vectors.
  const Range groups = share(a.groups, (width + size - 1) / size, ith, nth);
  if (groups.begin >= groups.end) return;
  for (int64_t b = 0; b < a.batch; ++b) norm_channels(a, a.x + b * values, a.y + b * values, groups);
}

// -- windows ------------------------------------------------------------------------------------------------------

inline void window_row(const WindowArgs& a, const float* x, int64_t i, Range inner, float* y) {
  const int32_t* indices = a.indices + i * a.size;
  const float* weights = a.weights + i * a.size;
  if (a.kind == Window::copy) {
    const size_t bytes = static_cast<size_t>(inner.end - inner.begin) * sizeof(float);
    if (indices[0] >= 0) memcpy(y + inner.begin, x + indices[0] * a.inner + inner.begin, bytes);
    else
      for (int64_t c = inner.begin; c < inner.end; ++c) y[c] = a.fill;
    return;
  }
  for_vectors(inner.end - inner.begin, [&](int64_t c, int n) {
    c += inner.begin;
    Vec total = set(a.kind == Window::sum ? 0.0f : -INFINITY);
    for (int64_t j = 0; j < a.size; ++j) {
      if (indices[j] < 0) continue;
      const Vec v = load_lanes(x + indices[j] * a.inner + c, n);
      total = a.kind == Window::sum ? fma(v, set(weights[j]), total) : max(total, v);
    }
    store_lanes(y + c, total, n);
  });
}

// The same where values along the axis lie side by side.
inline float window_value(const WindowArgs& a, const float* x, int64_t i) {
  const int32_t* indices = a.indices + i * a.size;
  if (a.kind == Window::copy) return indices[0] >= 0 ? x[indices[0]] : a.fill;
  float total = a.kind == Window::sum ? 0.0f : -INFINITY;
  for (int64_t j = 0; j < a.size; ++j) {
    if (indices[j] < 0) continue;
    const float v = x[indices[j]];
    if (a.kind == Window::sum) total += v * a.weights[i * a.size + j];
    else total = total > v ? total : v;
  }
  return total;
}

inline void windows(const WindowArgs& a, int ith, int nth) {
  const Range range = share(a.outer * a.out * a.inner, width, ith, nth);
  for (int64_t at = range.begin; at < range.end;) {
    const int64_t row = at / a.inner, begin = at % a.inner;
    const float* x = a.x + row / a.out * a.in * a.inner;
    if (a.inner == 1) {
      const int64_t first = row % a.out, count = a.out - first < range.end - at ? a.out - first : range.end - at;
      for (int64_t i = 0; i < count; ++i) a.y[at + i] = window_value(a, x, first + i);
      at += count;
      continue;
    }
    const int64_t end = a.inner - begin < range.end - at ? a.inner : begin + range.end - at;
    window_row(a, x, row % a.out, {begin, end}, a.y + row * a.inner);
    at += end - begin;
  }
}

// -- depthwise convolution ----------------------------------------------------------------------------------------

// The taps of an output at `place` that meet values.
inline Range taps_at(const ConvolutionArgs::Axis& axis, int64_t size, int64_t place) {
  const int64_t start = place * axis.stride - axis.before;
  const int64_t begin = start >= 0 ? 0 : (-start + axis.dilation - 1) / axis.dilation;
  const int64_t end = start >= size ? 0 : (size - start + axis.dilation - 1) / axis.dilation;
  return {begin, end < axis.kernel ? end : axis.kernel};
}

template <int V>
void depthwise_channels(const ConvolutionArgs& a, const float* x, Range rows, Range columns, int64_t c, int lanes, int64_t pixel) {
  Vec sums[V];
  for (int v = 0; v < V; ++v) sums[v] = a.bias ? load_lanes(a.bias + c + v * width, v + 1 < V ? width : lanes) : set(0.0f);
  for (int64_t i = rows.begin; i < rows.end; ++i)
    for (int64_t j = columns.begin; j < columns.end; ++j) {
      const float* from = x + i * a.vertical.dilation * a.row_stride + j * a.horizontal.dilation * a.column_stride + c;
      const float* weight = a.weight + (i * a.horizontal.kernel + j) * a.channels + c;
      for (int v = 0; v < V; ++v) {
        const int n = v + 1 < V ? width : lanes;
        sums[v] = fma(load_lanes(from + v * width, n), load_lanes(weight + v * width, n), sums[v]);
      }
    }
  for (int v = 0; v < V; ++v) {
    const int n = v + 1 < V ? width : lanes;
    const int64_t at = pixel * a.channels + c + v * width;
    if (a.residual && a.residual_first) sums[v] = sums[v] + load_lanes(a.residual + at, n);
    sums[v] = activated(sums[v], a.activation);
    if (a.residual && !a.residual_first) sums[v] = sums[v] + load_lanes(a.residual + at, n);
    store_lanes(a.y + at, sums[v], n);
  }
}

// The same for P places beside each other that meet all columns of the kernel: each weight is read once for all of them.
template <int P, int V>
void depthwise_places(const ConvolutionArgs& a, const float* x, Range rows, int64_t c, int64_t pixel) {
  const int64_t step = a.horizontal.stride * a.column_stride;
  Vec sums[P][V];
  for (int v = 0; v < V; ++v) {
    const Vec bias = a.bias ? load(a.bias + c + v * width) : set(0.0f);
    for (int p = 0; p < P; ++p) sums[p][v] = bias;
  }
  for (int64_t i = rows.begin; i < rows.end; ++i)
    for (int64_t j = 0; j < a.horizontal.kernel; ++j) {
      const float* from = x + i * a.vertical.dilation * a.row_stride + j * a.horizontal.dilation * a.column_stride + c;
      const float* weight = a.weight + (i * a.horizontal.kernel + j) * a.channels + c;
      for (int v = 0; v < V; ++v) {
        const Vec w = load(weight + v * width);
        for (int p = 0; p < P; ++p) sums[p][v] = fma(load(from + p * step + v * width), w, sums[p][v]);
      }
    }
  for (int p = 0; p < P; ++p)
    for (int v = 0; v < V; ++v) {
      const int64_t at = (pixel + p) * a.channels + c + v * width;
      if (a.residual && a.residual_first) sums[p][v] = sums[p][v] + load(a.residual + at);
      sums[p][v] = activated(sums[p][v], a.activation);
      if (a.residual && !a.residual_first) sums[p][v] = sums[p][v] + load(a.residual + at);
      store(a.y + at, sums[p][v]);
    }
}

constexpr int depthwise_together = 4;
constexpr int depthwise_vectors = registers == 32 ? 4 : 2;

inline void depthwise(const ConvolutionArgs& a, int ith, int nth) {
  const Range pixels = share(a.batch * a.out_height * a.out_width, 1, ith, nth);
  for (int64_t pixel = pixels.begin; pixel < pixels.end;) {
    const int64_t column = pixel % a.out_width, row = pixel / a.out_width % a.out_height, b = pixel / a.out_width / a.out_height;
    const Range rows = taps_at(a.vertical, a.height, row);
    const auto whole = [&](int64_t at) {
      const Range columns = taps_at(a.horizontal, a.width, at);
      return columns.begin == 0 && columns.end == a.horizontal.kernel;
    };
    const int64_t last = column + depthwise_together - 1;
    const bool together = last < a.out_width && pixel + depthwise_together <= pixels.end && whole(column) && whole(last);
    const float* x = a.x + b * a.batch_stride + (row * a.vertical.stride - a.vertical.before) * a.row_stride +
                     (column * a.horizontal.stride - a.horizontal.before) * a.column_stride;
    int64_t c = 0;
    if (together)
      for (; c + depthwise_vectors * width <= a.channels; c += depthwise_vectors * width)
        depthwise_places<depthwise_together, depthwise_vectors>(a, x, rows, c, pixel);
    const int count = together ? depthwise_together : 1;
    for (int p = 0; p < count; ++p, x += a.horizontal.stride * a.column_stride, ++pixel) {
      const Range columns = taps_at(a.horizontal, a.width, column + p);
      int64_t at = c;
      for (; at + 4 * width <= a.channels; at += 4 * width) depthwise_channels<4>(a, x, rows, columns, at, width, pixel);
      for (; at < a.channels; at += width)
        depthwise_channels<1>(a, x, rows, columns, at, a.channels - at < width ? static_cast<int>(a.channels - at) : width, pixel);
    }
  }
}

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
