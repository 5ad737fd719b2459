// Kernels over places with channels: group norm, windows along an axis, convolutions by channels.
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

// Adds x - shift of each channel, and its square, over `count` places to what stands in sums and squares.
template <int count>
void add_places(const float* x, int64_t stride, int64_t channels, const float* shift, float* sums, float* squares) {
  for_vectors(channels, [&](int64_t i, int n) {
    const Vec from = load_lanes(shift + i, n);
    Vec total = load_lanes(sums + i, n), square = load_lanes(squares + i, n);
    for (int p = 0; p < count; ++p) {
      const Vec d = load_lanes(x + p * stride + i, n) - from;
      total = total + d;
      square = fma(d, d, square);
    }
    store_lanes(sums + i, total, n);
    store_lanes(squares + i, square, n);
  });
}

// Groups [groups.begin, groups.end) of one row of the batch, whose channels lie together at each place. Sums are taken of
// differences to what some of the places have on average, which is near the mean: so a large one does not drown the
// variance, and all is read once for both.
inline void norm_channels(const GroupNormArgs& a, const float* x, float* y, Range groups) {
  const int64_t size = a.channels / a.groups, first = groups.begin * size, channels = (groups.end - groups.begin) * size;
  constexpr int64_t samples = 16;
  char* memory = static_cast<char*>(thread_memory(static_cast<size_t>(channels) * (2 * sizeof(double) + 4 * sizeof(float))));
  double* total = reinterpret_cast<double*>(memory);
  double* total_squares = total + channels;
  float* sums = reinterpret_cast<float*>(total_squares + channels);
  float* squares = sums + channels;
  float* mean = squares + channels;  // first what is near it
  float* factor = mean + channels;
  const auto of_group = [size](const double* values, int64_t c) {
    double sum = 0;
    for (int64_t i = c; i < c + size; ++i) sum += values[i];
    return sum;
  };
  for (int64_t c = 0; c < channels; ++c) total[c] = total_squares[c] = 0, sums[c] = squares[c] = mean[c] = 0;
  x += first;
  for (int64_t i = 0; i < samples; ++i) add_places<1>(x + a.places * i / samples * a.place_stride, 0, channels, mean, sums, squares);
  for (int64_t c = 0; c < channels; ++c) total[c] = sums[c], sums[c] = squares[c] = 0;
  for (int64_t c = 0; c < channels; c += size) {
    const float near = static_cast<float>(of_group(total, c) / static_cast<double>(size * samples));
    for (int64_t i = c; i < c + size; ++i) mean[i] = near, total[i] = 0;
  }
  for (int64_t p = 0; p < a.places;) {
    const int64_t end = p + exact_block < a.places ? p + exact_block : a.places;
    for (; p + 4 <= end; p += 4) add_places<4>(x + p * a.place_stride, a.place_stride, channels, mean, sums, squares);
    for (; p < end; ++p) add_places<1>(x + p * a.place_stride, 0, channels, mean, sums, squares);
    for (int64_t c = 0; c < channels; ++c) {
      total[c] += static_cast<double>(sums[c]);
      total_squares[c] += static_cast<double>(squares[c]);
      sums[c] = squares[c] = 0;
    }
  }
  const double count = static_cast<double>(size) * static_cast<double>(a.places);
  for (int64_t c = 0; c < channels; c += size) {
    const double off = of_group(total, c) / count, variance = of_group(total_squares, c) / count - off * off;
    const double inverse = 1.0 / sqrt((variance < 0 ? 0 : variance) + static_cast<double>(a.eps));
    for (int64_t i = c; i < c + size; ++i) {
      mean[i] = static_cast<float>(static_cast<double>(mean[i]) + off);
      factor[i] = static_cast<float>(a.weight ? inverse * static_cast<double>(a.weight[first + i]) : inverse);
    }
  }
  for (int64_t p = 0; p < a.places; ++p) {
    const float* in = x + p * a.place_stride;
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

// -- convolutions by channels: depthwise ones, and groups of few channels ------------------------------------------

// The taps of an output at `place` that meet values.
inline Range taps_at(const ConvolutionArgs::Axis& axis, int64_t size, int64_t place) {
  const int64_t start = place * axis.stride - axis.before;
  const int64_t begin = start >= 0 ? 0 : (-start + axis.dilation - 1) / axis.dilation;
  const int64_t end = start >= size ? 0 : (size - start + axis.dilation - 1) / axis.dilation;
  return {begin, end < axis.kernel ? end : axis.kernel};
}

// What the kernels below share: outputs of the places from `pixel` on whose taps begin at x; taps `rows` by `columns`.
struct Places {
  const ConvolutionArgs& a;
  const float* x;
  Range rows, columns;
  int64_t pixel;

  const float* tap(int64_t i, int64_t j) const {
    return x + i * a.vertical.dilation * a.row_stride + j * a.horizontal.dilation * a.column_stride;
  }
  const float* weight(int64_t i, int64_t j) const {
    return a.weight + (i * a.horizontal.kernel + j) * (a.channels / a.groups) * a.channels;
  }
  int64_t step() const { return a.horizontal.stride * a.column_stride; }

  GT_INLINE Vec bias(int64_t c, int lanes) const { return a.bias ? load_lanes(a.bias + c, lanes) : set(0.0f); }
  GT_INLINE void finish(Vec sum, int64_t place, int64_t c, int lanes) const {
    const int64_t at = (pixel + place) * a.channels + c;
    if (a.residual && a.residual_first) sum = sum + load_lanes(a.residual + at, lanes);
    sum = activated(sum, a.activation);
    if (a.residual && !a.residual_first) sum = sum + load_lanes(a.residual + at, lanes);
    store_lanes(a.y + at, sum, lanes);
  }
};

// One place, V vectors of channels (the last one with `lanes` of them).
template <int V>
void depthwise_channels(const Places& places, int64_t c, int lanes) {
  Vec sums[V];
  for (int v = 0; v < V; ++v) sums[v] = places.bias(c + v * width, v + 1 < V ? width : lanes);
  for (int64_t i = places.rows.begin; i < places.rows.end; ++i)
    for (int64_t j = places.columns.begin; j < places.columns.end; ++j) {
      const float *from = places.tap(i, j) + c, *weight = places.weight(i, j) + c;
      for (int v = 0; v < V; ++v) {
        const int n = v + 1 < V ? width : lanes;
        sums[v] = fma(load_lanes(from + v * width, n), load_lanes(weight + v * width, n), sums[v]);
      }
    }
  for (int v = 0; v < V; ++v) places.finish(sums[v], 0, c + v * width, v + 1 < V ? width : lanes);
}

// P places beside each other that meet all columns of the kernel: each weight is read once for all of them.
template <int P, int V>
void depthwise_places(const Places& places, int64_t c) {
  Vec sums[P][V];
  for (int p = 0; p < P; ++p)
    for (int v = 0; v < V; ++v) sums[p][v] = places.bias(c + v * width, width);
  for (int64_t i = places.rows.begin; i < places.rows.end; ++i)
    for (int64_t j = 0; j < places.a.horizontal.kernel; ++j) {
      const float *from = places.tap(i, j) + c, *weight = places.weight(i, j) + c;
      for (int v = 0; v < V; ++v) {
        const Vec w = load(weight + v * width);
        for (int p = 0; p < P; ++p) sums[p][v] = fma(load(from + p * places.step() + v * width), w, sums[p][v]);
      }
    }
  for (int p = 0; p < P; ++p)
    for (int v = 0; v < V; ++v) places.finish(sums[p][v], p, c + v * width, width);
}

// … of a kernel of K columns that moves by one: each value is read once for all places that it belongs to.
template <int P, int K>
void depthwise_line(const Places& places, int64_t c) {
  Vec sums[P];
  for (int p = 0; p < P; ++p) sums[p] = places.bias(c, width);
  for (int64_t i = places.rows.begin; i < places.rows.end; ++i) {
    const float *from = places.tap(i, 0) + c, *weight = places.weight(i, 0) + c;
    Vec w[K];
    for (int j = 0; j < K; ++j) w[j] = load(weight + j * places.a.channels);
    for (int q = 0; q < P + K - 1; ++q) {
      const Vec value = load(from + q * places.a.column_stride);
      for (int j = 0; j < K; ++j)
        if (q >= j && q - j < P) sums[q - j] = fma(value, w[j], sums[q - j]);
    }
  }
  for (int p = 0; p < P; ++p) places.finish(sums[p], p, c, width);
}

// Groups of channels for one vector of outputs, in whose lanes they stand side by side, or which they fill.
struct Groups {
  int64_t size;          // channels of a group
  const float* weights;  // [height, width of the kernel, size] vectors
  // Lane i of the k-th channels is lane lanes[k][i] of the input: the k-th of its group.
  int32_t lanes[8][width];
};

template <int P>
void group_places(const Places& places, const Groups& groups, int64_t c) {
  // Few sums would wait for each other: then the channels of wide groups, even in number, have two in turns.
  constexpr int chains = P < 8 ? 2 : 1;
  const int64_t size = groups.size;
  Vec sums[chains][P];
  for (int p = 0; p < P; ++p) sums[0][p] = places.bias(c, width), sums[chains - 1][p] = chains == 1 ? sums[0][p] : set(0.0f);
  for (int64_t i = places.rows.begin; i < places.rows.end; ++i)
    for (int64_t j = places.columns.begin; j < places.columns.end; ++j) {
      const float* from = places.tap(i, j) + c / size * size;
      const float* weights = groups.weights + (i * places.a.horizontal.kernel + j) * size * width;
      if (size < width) {
        Vec values[P];
        for (int p = 0; p < P; ++p) values[p] = load(from + p * places.step());
        for (int64_t k = 0; k < size; ++k) {
          const Vec w = load(weights + k * width);
          for (int p = 0; p < P; ++p) sums[0][p] = fma(permute(values[p], groups.lanes[k]), w, sums[0][p]);
        }
      } else {
        for (int64_t k = 0; k < size; k += chains)
          for (int n = 0; n < chains; ++n) {
            const Vec w = load(weights + (k + n) * width);
            for (int p = 0; p < P; ++p) sums[n][p] = fma(set(from[p * places.step() + k + n]), w, sums[n][p]);
          }
      }
    }
  for (int p = 0; p < P; ++p) places.finish(chains == 1 ? sums[0][p] : sums[0][p] + sums[chains - 1][p], p, c, width);
}

constexpr int places_together = 4;
constexpr int64_t cached_floats = 1 << 16;
constexpr int depthwise_vectors = registers == 32 ? 4 : 2;

// Calls f(places, count) for `pixels` of the output: for `most` or places_together beside each other that meet all columns
// of the kernel, or one.
template <class F>
void for_places(const ConvolutionArgs& a, Range pixels, int64_t most, F f) {
  const auto is_whole = [&](int64_t column) {
    const Range columns = taps_at(a.horizontal, a.width, column);
    return columns.begin == 0 && columns.end == a.horizontal.kernel;
  };
  for (int64_t pixel = pixels.begin; pixel < pixels.end;) {
    const int64_t column = pixel % a.out_width, row = pixel / a.out_width % a.out_height, b = pixel / a.out_width / a.out_height;
    const auto fit = [&](int64_t count) {
      return column + count <= a.out_width && pixel + count <= pixels.end && is_whole(column) && is_whole(column + count - 1);
    };
    const int64_t count = fit(most) ? most : fit(places_together) ? places_together : 1;
    const float* x = a.x + b * a.batch_stride + (row * a.vertical.stride - a.vertical.before) * a.row_stride +
                     (column * a.horizontal.stride - a.horizontal.before) * a.column_stride;
    f(Places{a, x, taps_at(a.vertical, a.height, row), taps_at(a.horizontal, a.width, column), pixel}, count);
    pixel += count;
  }
}

// One vector of outputs after the other, whose weights then lie together in the first cache, for as many rows of the
// image as stay in the second.
inline void convolve_groups(const ConvolutionArgs& a, Range pixels) {
  constexpr int P = places_together;
  Groups groups{a.channels / a.groups, nullptr, {}};
  const int64_t size = groups.size, count = a.vertical.kernel * a.horizontal.kernel * size;
  float* weights = static_cast<float*>(thread_memory(static_cast<size_t>(count * width) * sizeof(float)));
  groups.weights = weights;
  for (int k = 0; k < size && size < width; ++k)
    for (int i = 0; i < width; ++i) groups.lanes[k][i] = static_cast<int32_t>(i / size * size + k);
  const int64_t rows = 1 + cached_floats / (a.channels * a.out_width);
  for (Range part{pixels.begin, 0}; part.begin < pixels.end; part.begin = part.end) {
    part.end = at_most((part.begin / a.out_width + rows) * a.out_width, pixels.end);
    for (int64_t c = 0; c < a.channels; c += width) {
      for (int64_t i = 0; i < count; ++i) store(weights + i * width, load(a.weight + i * a.channels + c));
      // Groups that fill a vector leave registers for more sums.
      for_places(a, part, size < width ? P : 2 * P, [&](const Places& places, int64_t together) {
        if (together > P) group_places<2 * P>(places, groups, c);
        else if (together == P) group_places<P>(places, groups, c);
        else group_places<1>(places, groups, c);
      });
    }
  }
}

// Places beside each other that meet all columns of the kernel; gives the first of the channels that are left over.
inline int64_t many_places(const Places& places) {
  constexpr int P = places_together;
  const ConvolutionArgs& a = places.a;
  int64_t c = 0;
  const bool moves_by_one = a.horizontal.stride == 1 && a.horizontal.dilation == 1;
  if (moves_by_one && a.horizontal.kernel == 3)
    for (; c + width <= a.channels; c += width) depthwise_line<P, 3>(places, c);
  if (moves_by_one && a.horizontal.kernel == 5)
    for (; c + width <= a.channels; c += width) depthwise_line<P, 5>(places, c);
  if (moves_by_one && a.horizontal.kernel == 7)
    for (; c + width <= a.channels; c += width) depthwise_line<P, 7>(places, c);
  for (; c + depthwise_vectors * width <= a.channels; c += depthwise_vectors * width) depthwise_places<P, depthwise_vectors>(places, c);
  return c;
}

inline void one_place(const Places& places, int64_t c) {
  const int64_t channels = places.a.channels;
  for (; c + 4 * width <= channels; c += 4 * width) depthwise_channels<4>(places, c, width);
  for (; c < channels; c += width) depthwise_channels<1>(places, c, channels - c < width ? static_cast<int>(channels - c) : width);
}

inline void channelwise(const ConvolutionArgs& a, int ith, int nth) {
  const Range pixels = share(a.batch * a.out_height * a.out_width, 1, ith, nth);
  if (a.groups < a.channels) return convolve_groups(a, pixels);
  for_places(a, pixels, places_together, [&](const Places& places, int64_t count) {
    const int64_t done = count > 1 ? many_places(places) : 0;
    for (int64_t p = 0; p < count && done < a.channels; ++p) {
      Places one = places;
      one.x += p * places.step();
      one.pixel += p;
      one_place(one, done);
    }
  });
}

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
