// exp, erf, tanh and the activations on vectors, to a few units in the last place.
#pragma once

#include "graph/cpu/kernels.h"
#include "graph/cpu/vector.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

GT_INLINE Vec polynomial(Vec, Vec sum) { return sum; }
// ((sum * x + first) * x + ...)
template <class... Rest>
GT_INLINE Vec polynomial(Vec x, Vec sum, float first, Rest... rest) {
  return polynomial(x, fma(sum, x, set(first)), rest...);
}

// exp(x) = 2^n exp(r) with |r| <= ln(2) / 2. Above 88.73 it is infinite; below -86.6, where float32 soon loses its full
// precision and processors their speed, 0. Beyond 2^23 floats are whole numbers: a sum there rounds, and its lowest bits
// hold n - 1 as exponents do. It stays one factor of 2 less, for 2^128 is no float32.
GT_INLINE Vec exp(Vec x) {
  const Vec lowest = set(-86.6f), rounding = set(12582912.0f + 126.0f);
  const Vec in_range = max(lowest, min(set(88.8f), x));
  const Vec shifted = fma(in_range, set(1.44269504f), rounding), n = shifted - rounding;
  const Vec r = fma(n, set(2.12194440e-4f), fma(n, set(-0.693359375f), in_range));  // ln(2) in two parts
  const Vec p = polynomial(r, set(1.381455977e-3f), 8.368735570e-3f, 4.166838986e-2f, 1.666652048e-1f, 4.999999344e-1f);
  const Vec power = fma(p * r, r, r + set(1.0f));
  return select(greater(lowest, x), set(0.0f), (power + power) * as_exponent(shifted));
}

// x p(x^2) / q(x^2), the quotients of least relative error (by Remez) up to where float32 has 1 next, which they give
// there to the last bit: a gelu far below zero is zero.
GT_INLINE Vec erf(Vec x) {
  const Vec in_range = max(set(-3.92f), min(set(3.92f), x)), square = in_range * in_range;
  const Vec p = polynomial(square, set(2.050086945e-6f), 2.848826789e-4f, 3.765615916e-3f, 5.274871862e-2f,
                           1.904064485e-1f, 1.128379146f);
  const Vec q = polynomial(square, set(3.809170949e-5f), 1.162535240e-3f, 1.496921406e-2f, 1.141091025e-1f,
                           5.020760623e-1f, 1.0f);
  return in_range * p / q;
}

GT_INLINE Vec tanh(Vec x) {
  const Vec in_range = max(set(-9.0f), min(set(9.0f), x)), square = in_range * in_range;
  const Vec p = polynomial(square, set(1.331897075e-8f), 2.058340609e-5f, 3.494029961e-3f, 1.337971408e-1f, 1.0f);
  const Vec q = polynomial(square, set(7.761977300e-7f), 3.283085326e-4f, 2.587105573e-2f, 4.671302933e-1f, 1.0f);
  return in_range * p / q;
}

GT_INLINE Vec sigmoid(Vec x) { return set(1.0f) / (set(1.0f) + exp(set(0.0f) - x)); }

GT_INLINE Vec gelu(Vec x) {
  const Vec half = set(0.5f) * x;
  return fma(half, erf(x * set(0.70710678118654752f)), half);
}
GT_INLINE Vec gelu_new(Vec x) {
  const Vec half = set(0.5f) * x, inner = set(0.79788456080286536f) * fma(set(0.044715f) * x * x, x, x);
  return fma(half, tanh(inner), half);
}

GT_INLINE Vec activated(Vec x, Activation activation) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return max(set(0.0f), x);
    case Activation::gelu: return gelu(x);
    case Activation::gelu_new: return gelu_new(x);
    case Activation::quick_gelu: return x * sigmoid(set(1.702f) * x);
    case Activation::silu: return x * sigmoid(x);
    case Activation::tanh: return tanh(x);
    case Activation::sigmoid: return sigmoid(x);
    case Activation::relu6: return min(set(6.0f), max(set(0.0f), x));
    case Activation::hardswish: return x * min(set(6.0f), max(set(0.0f), x + set(3.0f))) / set(6.0f);
  }
  return x;
}

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
