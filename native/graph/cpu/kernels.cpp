#include "graph/cpu/kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace gt::graph::cpu {
namespace {

float activated(float v, Activation activation) {
  switch (activation) {
    case Activation::none: return v;
    case Activation::relu: return v < 0 ? 0 : v;
    case Activation::gelu: return 0.5f * v * (1 + std::erf(v * 0.70710678118654752f));
    case Activation::gelu_new: return 0.5f * v * (1 + std::tanh(0.79788456080286536f * (v + 0.044715f * v * v * v)));
    case Activation::quick_gelu: return v / (1 + std::exp(-1.702f * v));
    case Activation::silu: return v / (1 + std::exp(-v));
    case Activation::tanh: return std::tanh(v);
    case Activation::sigmoid: return 1 / (1 + std::exp(-v));
  }
  return v;
}

float dot(const float* a, const float* b, int64_t n) {
  float sums[16] = {};
  int64_t i = 0;
  for (; i + 16 <= n; i += 16)
    for (int j = 0; j < 16; ++j) sums[j] += a[i + j] * b[i + j];
  float sum = 0;
  for (; i < n; ++i) sum += a[i] * b[i];
  for (float s : sums) sum += s;
  return sum;
}

// The softmax weights of query i in head h.
void weights_of(const AttentionArgs& a, int64_t h, int64_t i, float* weights) {
  const int32_t begin = a.spans[3 * i], end = a.spans[3 * i + 1], own = a.spans[3 * i + 2];
  const float* q = a.q + i * a.q_stride + h * a.head_dim;
  const int64_t kv_head = h / (a.heads / a.kv_heads);
  float max = -INFINITY;
  for (int32_t j = begin; j < end; ++j) {
    float score = 0;
    if (own >= 0) {
      const int64_t row = a.cells ? a.cells[j] : j;
      score = a.scale * dot(q, a.k + row * a.k_stride + kv_head * a.head_dim, a.head_dim);
      if (a.relative_bias) score += a.relative_bias[h * (2 * a.reach - 1) + j - own + a.reach - 1];
    }
    weights[j - begin] = score;
    max = std::max(max, score);
  }
  float sum = 0;
  for (int32_t j = 0; j < end - begin; ++j) sum += weights[j] = std::exp(weights[j] - max);
  for (int32_t j = 0; j < end - begin; ++j) weights[j] /= sum;
}

}  // namespace

size_t prepared_size(int64_t, int64_t) { return 0; }
void prepare(const float*, int64_t, int64_t, int64_t, void*, int, int) {}

struct Linear::Rows {
  const void* weight;
  WeightType type;
  int64_t out, in;
  bool transposed;

  float at(int64_t row, int64_t column) const {
    const int64_t index = transposed ? column * out + row : row * in + column;
    if (type == WeightType::f32) {
      float value;
      std::memcpy(&value, static_cast<const char*>(weight) + 4 * index, 4);
      return value;
    }
    uint16_t high;
    std::memcpy(&high, static_cast<const char*>(weight) + 2 * index, 2);
    const uint32_t bits = static_cast<uint32_t>(high) << 16;
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
  }
};

Linear::Linear(const void* weight, WeightType type, int64_t out, int64_t in, bool transposed)
    : rows_(new Rows{weight, type, out, in, transposed}) {}
Linear::~Linear() = default;

void Linear::run(const LinearArgs& a, int ith, int nth) const {
  const Rows& w = *rows_;
  std::vector<float> row(static_cast<size_t>(w.in));
  for (int64_t o = w.out * ith / nth; o < w.out * (ith + 1) / nth; ++o) {
    for (int64_t c = 0; c < w.in; ++c) row[static_cast<size_t>(c)] = w.at(o, c);
    for (int64_t i = 0; i < a.n; ++i) {
      float v = dot(a.x + i * a.x_stride, row.data(), w.in);
      v = activated(a.bias ? v + a.bias[o] : v, a.activation);
      a.y[i * a.y_stride + o] = a.residual ? v + a.residual[i * a.residual_stride + o] : v;
    }
  }
}

size_t attention_scratch_size(const AttentionArgs&, int) { return 0; }

void attention(const AttentionArgs& a, void*, int ith, int nth) {
  std::vector<float> weights;
  for (int64_t item = a.heads * a.n_q * ith / nth; item < a.heads * a.n_q * (ith + 1) / nth; ++item) {
    const int64_t h = item / a.n_q, i = item % a.n_q;
    const int32_t begin = a.spans[3 * i], end = a.spans[3 * i + 1];
    weights.resize(static_cast<size_t>(std::max(0, end - begin)));
    weights_of(a, h, i, weights.data());
    float* y = a.y + i * a.y_stride + h * a.value_dim;
    std::fill(y, y + a.value_dim, 0.0f);
    for (int32_t j = begin; j < end; ++j) {
      const int64_t row = a.cells ? a.cells[j] : j;
      const float* v = a.v + row * a.v_stride + h / (a.heads / a.kv_heads) * a.value_dim;
      for (int64_t d = 0; d < a.value_dim; ++d) y[d] += weights[static_cast<size_t>(j - begin)] * v[d];
    }
  }
}

void attention_weights(const AttentionArgs& a, float* probs, int64_t width, int ith, int nth) {
  for (int64_t item = a.heads * a.n_q * ith / nth; item < a.heads * a.n_q * (ith + 1) / nth; ++item) {
    const int64_t i = item % a.n_q;
    float* row = probs + item * width;
    std::fill(row, row + width, 0.0f);
    if (a.spans[3 * i] < a.spans[3 * i + 1]) weights_of(a, item / a.n_q, i, row);
  }
}

void layer_norm(const float* x, int64_t rows, int64_t cols, float eps, const float* weight, const float* bias, float* y,
                int ith, int nth) {
  for (int64_t r = rows * ith / nth; r < rows * (ith + 1) / nth; ++r) {
    const float* in = x + r * cols;
    double mean = 0, variance = 0;
    for (int64_t c = 0; c < cols; ++c) mean += in[c];
    mean /= static_cast<double>(cols);
    for (int64_t c = 0; c < cols; ++c) variance += (in[c] - mean) * (in[c] - mean);
    const double factor = 1 / std::sqrt(variance / static_cast<double>(cols) + eps);
    for (int64_t c = 0; c < cols; ++c) {
      const float v = static_cast<float>((in[c] - mean) * factor) * (weight ? weight[c] : 1);
      y[r * cols + c] = bias ? v + bias[c] : v;
    }
  }
}

void rms_norm(const float* x, int64_t rows, int64_t cols, float eps, const float* weight, float* y, int ith, int nth) {
  for (int64_t r = rows * ith / nth; r < rows * (ith + 1) / nth; ++r) {
    double sum = 0;
    for (int64_t c = 0; c < cols; ++c) sum += static_cast<double>(x[r * cols + c]) * x[r * cols + c];
    const float factor = static_cast<float>(1 / std::sqrt(sum / static_cast<double>(cols) + eps));
    for (int64_t c = 0; c < cols; ++c) y[r * cols + c] = x[r * cols + c] * factor * (weight ? weight[c] : 1);
  }
}

void activate(const float* x, int64_t n, Activation activation, float* y, int ith, int nth) {
  for (int64_t i = n * ith / nth; i < n * (ith + 1) / nth; ++i) y[i] = activated(x[i], activation);
}

}  // namespace gt::graph::cpu
