#include "generation/math.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace gt::generation {

namespace {

constexpr int32_t lanes = 8;
constexpr float infinity = std::numeric_limits<float>::infinity();

inline uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline float float_of(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// e^x for x <= 0 within one unit of the last place; 0 below e^-87, NaN for NaN.
// Range reduction to 2^k * e^r, |r| <= ln(2)/2, then the series of e^r. It compares bits instead of numbers, whose
// comparisons may trap: so there is no branch, and the loop over it vectorises.
inline float exponential(float x) {
  constexpr uint32_t limit = 0x42ae0000, infinite = 0x7f800000;  // 87
  const uint32_t size = bits_of(x) & 0x7fffffff;
  const uint32_t tiny = -static_cast<uint32_t>((size > limit) & (size <= infinite));  // all bits or none
  const float clamped = -float_of((limit & tiny) | (size & ~tiny));
  const float shifted = clamped * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: rounds to an integer
  const float k = shifted - 12582912.0f;
  const float r = (clamped - k * 0.693359375f) + k * 2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * (r * r) + r + 1.0f;
  const uint32_t scale = (bits_of(shifted) + 127) << 23;  // the lowest bits are k
  return p * float_of(scale & ~tiny);
}

}  // namespace

float maximum(const float* values, int32_t count) {
  float lane[lanes];
  for (float& m : lane) m = -infinity;
  int32_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int32_t k = 0; k < lanes; k++) lane[k] = values[i + k] > lane[k] ? values[i + k] : lane[k];
  float max = -infinity;
  for (float m : lane) max = m > max ? m : max;
  for (; i < count; i++) max = values[i] > max ? values[i] : max;
  return max;
}

int32_t argmax(const float* values, int32_t count) {
  constexpr int32_t block = 256;  // the second look is at one block alone
  float max = -infinity;
  int32_t start = 0;
  for (int32_t i = 0; i < count; i += block) {
    const int32_t size = count - i < block ? count - i : block;
    int32_t nan = 0;
    for (int32_t k = 0; k < size; k++) nan |= values[i + k] != values[i + k];
    if (nan)
      for (int32_t k = i;; k++)
        if (values[k] != values[k]) return k;
    const float m = maximum(values + i, size);
    if (m > max) {
      max = m;
      start = i;
    }
  }
  while (start < count && values[start] != max) start++;
  return start < count ? start : 0;
}

double exponentials(const float* values, int32_t count, float max, float* out) {
  for (int32_t i = 0; i < count; i++) out[i] = exponential(values[i] - max);
  double lane[lanes] = {};
  int32_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int32_t k = 0; k < lanes; k++) lane[k] += static_cast<double>(out[i + k]);
  double sum = 0;
  for (double s : lane) sum += s;
  for (; i < count; i++) sum += static_cast<double>(out[i]);
  return sum;
}

void softmax(const float* values, int32_t count, float* out) {
  const auto sum = static_cast<float>(exponentials(values, count, maximum(values, count), out));
  for (int32_t i = 0; i < count; i++) out[i] /= sum;
}

float probability(const float* values, int32_t count, int32_t index) {
  const float max = maximum(values, count);
  float chunk[256];
  double sum = 0;
  for (int32_t i = 0; i < count; i += 256) sum += exponentials(values + i, count - i < 256 ? count - i : 256, max, chunk);
  return static_cast<float>(static_cast<double>(std::exp(values[index] - max)) / sum);
}

void log_softmax(const float* values, int32_t count, float* out) {
  const float max = maximum(values, count);
  float chunk[256];
  double sum = 0;
  for (int32_t i = 0; i < count; i += 256) sum += exponentials(values + i, count - i < 256 ? count - i : 256, max, chunk);
  const auto log_sum = static_cast<float>(std::log(sum));
  for (int32_t i = 0; i < count; i++) out[i] = values[i] - max - log_sum;
}

}  // namespace gt::generation
