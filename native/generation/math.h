// Loops over a vocabulary that compilers can vectorise. All float32, as torch computes them; sums are kept in double.
#pragma once

#include <cstdint>

namespace gt::generation {

// Index of the largest value, the lowest one on ties; NaN counts as the largest, as in torch.argmax.
int32_t argmax(const float* values, int32_t count);
// The largest value; NaN is passed over.
float maximum(const float* values, int32_t count);
// out[i] = exp(values[i] - max), and their sum. `out` may be `values`.
double exponentials(const float* values, int32_t count, float max, float* out);
// `out` may be `values` in both.
void softmax(const float* values, int32_t count, float* out);
void log_softmax(const float* values, int32_t count, float* out);
// What softmax() gives one of them.
float probability(const float* values, int32_t count, int32_t index);

}  // namespace gt::generation
