// exp, erf, tanh and the activations on vectors, to about one unit in the last place.
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

// exp(x) = 2^n exp(r) with |r| <= ln(2) / 2. Above 89 it is infinite; below -87.3, where float32 loses its full
// precision and processors their speed, 0.
GT_INLINE Vec exp(Vec x) {
  const Vec lowest = set(-87.3f);
  const Vec in_range = max(lowest, min(set(89.0f), x));
  const Vec n = round(in_range * set(1.44269504f));
  const Vec r = fma(n, set(2.12194440e-4f), fma(n, set(-0.693359375f), in_range));  // ln(2) in two parts
  const Vec p = polynomial(r, set(1.9875691500e-4f), 1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f,
                           1.6666665459e-1f, 5.0000001201e-1f);
  return select(greater(lowest, x), set(0.0f), scale_by_power(fma(p * r, r, r + set(1.0f)), n));
}

// Two polynomials, as in Norbert Juffa's my_erff: x + x^3 p(x^2) below 0.92, 1 - exp(-q(x)) above.
GT_INLINE Vec erf(Vec x) {
  const Vec t = abs(x), square = x * x;
  const Vec high = fma(set(-1.72853470e-5f), t, set(3.83197126e-4f));
  const Vec low = fma(set(-3.88396438e-3f), t, set(2.42546219e-2f));
  const Vec q = polynomial(t, fma(high, square, low), -1.06777877e-1f, -6.34846687e-1f, -1.28717512e-1f);
  const Vec far = copy_sign(set(1.0f) - exp(fma(q, t, set(0.0f) - t)), x);
  const Vec p = polynomial(square, set(-5.96761703e-4f), 4.99119423e-3f, -2.67681349e-2f, 1.12819925e-1f,
                           -3.76125336e-1f, 1.28379166e-1f);
  return select(greater(t, set(0.921875f)), far, fma(p, x, x));
}

// Cephes' tanhf: x + x^3 p(x^2) below 0.625, 1 - 2 / (exp(2 x) + 1) above.
GT_INLINE Vec tanh(Vec x) {
  const Vec t = abs(x), square = x * x;
  const Vec far = copy_sign(set(1.0f) - set(2.0f) / (exp(t + t) + set(1.0f)), x);
  const Vec p = polynomial(square, set(-5.70498872745e-3f), 2.06390887954e-2f, -5.37397155531e-2f, 1.33314422036e-1f,
                           -3.33332819422e-1f);
  return select(greater(t, set(0.625f)), far, fma(p * square, x, x));
}

GT_INLINE Vec sigmoid(Vec x) { return set(1.0f) / (set(1.0f) + exp(set(0.0f) - x)); }

GT_INLINE Vec activated(Vec x, Activation activation) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return max(set(0.0f), x);
    case Activation::gelu: return set(0.5f) * x * (set(1.0f) + erf(x * set(0.70710678118654752f)));
    case Activation::gelu_new: {
      const Vec inner = set(0.79788456080286536f) * fma(set(0.044715f) * x * x, x, x);
      return set(0.5f) * x * (set(1.0f) + tanh(inner));
    }
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
