// The processor's float vectors under one set of names. The file that includes this is compiled once for each
// instruction set, with GT_CPU_VARIANT as the namespace, so that no function is shared between instruction sets.
// No templates of the standard library here: the linker could keep the copy that older processors cannot run.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#elif defined(__aarch64__) || defined(_M_ARM64)
#include <arm_neon.h>
#endif

#if defined(__GNUC__)
#define GT_INLINE inline __attribute__((always_inline))
#else
#define GT_INLINE __forceinline
#endif

namespace gt::graph::cpu::GT_CPU_VARIANT {

#if defined(__AVX512F__)

constexpr int width = 16;
constexpr int registers = 32;
struct Vec {
  __m512 v;
};
using Mask = __mmask16;

GT_INLINE Vec set(float x) { return {_mm512_set1_ps(x)}; }
GT_INLINE Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
GT_INLINE void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
GT_INLINE Vec load_part(const float* p, int n) {
  return {_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p)};
}
GT_INLINE void store_part(float* p, Vec a, int n) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), a.v);
}
// 16 values of bfloat16.
GT_INLINE Vec load_bf16(const uint16_t* p) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
}
GT_INLINE Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
GT_INLINE Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
GT_INLINE Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
GT_INLINE Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
GT_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
// NaN in b stays; NaN in a is passed over.
GT_INLINE Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
GT_INLINE Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
// The lowest bits, where those of an exponent are.
GT_INLINE Vec as_exponent(Vec a) { return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a.v), 23))}; }
GT_INLINE Vec abs(Vec a) { return {_mm512_abs_ps(a.v)}; }
GT_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  const __m512i bits = _mm512_ternarylogic_epi32(_mm512_set1_epi32(INT32_MIN), _mm512_castps_si512(sign.v),
                                                 _mm512_castps_si512(magnitude.v), 0xCA);
  return {_mm512_castsi512_ps(bits)};
}
// Lane i is lane lanes[i] of a.
GT_INLINE Vec permute(Vec a, const int32_t* lanes) { return {_mm512_permutexvar_ps(_mm512_loadu_si512(lanes), a.v)}; }
GT_INLINE Mask greater(Vec a, Vec b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ); }
GT_INLINE Vec select(Mask mask, Vec yes, Vec no) { return {_mm512_mask_blend_ps(mask, no.v, yes.v)}; }
GT_INLINE float sum(Vec a) { return _mm512_reduce_add_ps(a.v); }
// The sums of a, b, c and d, each over its lanes.
GT_INLINE void store_sums(float* p, Vec a, Vec b, Vec c, Vec d) {
  const __m256 a2 = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m256 b2 = _mm256_add_ps(_mm512_castps512_ps256(b.v), _mm512_extractf32x8_ps(b.v, 1));
  const __m256 c2 = _mm256_add_ps(_mm512_castps512_ps256(c.v), _mm512_extractf32x8_ps(c.v, 1));
  const __m256 d2 = _mm256_add_ps(_mm512_castps512_ps256(d.v), _mm512_extractf32x8_ps(d.v, 1));
  const __m256 all = _mm256_hadd_ps(_mm256_hadd_ps(a2, b2), _mm256_hadd_ps(c2, d2));
  _mm_storeu_ps(p, _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1)));
}

#elif defined(__AVX2__)

constexpr int width = 8;
constexpr int registers = 16;
struct Vec {
  __m256 v;
};
using Mask = __m256;

GT_INLINE __m256i first_lanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
GT_INLINE Vec set(float x) { return {_mm256_set1_ps(x)}; }
GT_INLINE Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
GT_INLINE void store(float* p, Vec a) { _mm256_storeu_ps(p, a.v); }
GT_INLINE Vec load_part(const float* p, int n) { return {_mm256_maskload_ps(p, first_lanes(n))}; }
GT_INLINE void store_part(float* p, Vec a, int n) { _mm256_maskstore_ps(p, first_lanes(n), a.v); }
GT_INLINE Vec load_bf16(const uint16_t* p) {
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16))};
}
GT_INLINE Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
GT_INLINE Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
GT_INLINE Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
GT_INLINE Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
GT_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
GT_INLINE Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
GT_INLINE Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
GT_INLINE Vec as_exponent(Vec a) { return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a.v), 23))}; }
GT_INLINE Vec abs(Vec a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
GT_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  return {_mm256_or_ps(_mm256_andnot_ps(_mm256_set1_ps(-0.0f), magnitude.v),
                       _mm256_and_ps(_mm256_set1_ps(-0.0f), sign.v))};
}
GT_INLINE Vec permute(Vec a, const int32_t* lanes) {
  return {_mm256_permutevar8x32_ps(a.v, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(lanes)))};
}
GT_INLINE Mask greater(Vec a, Vec b) { return _mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ); }
GT_INLINE Vec select(Mask mask, Vec yes, Vec no) { return {_mm256_blendv_ps(no.v, yes.v, mask)}; }
GT_INLINE void store_sums(float* p, Vec a, Vec b, Vec c, Vec d) {
  const __m256 all = _mm256_hadd_ps(_mm256_hadd_ps(a.v, b.v), _mm256_hadd_ps(c.v, d.v));
  _mm_storeu_ps(p, _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1)));
}
GT_INLINE float sum(Vec a) {
  float sums[4];
  store_sums(sums, a, a, a, a);
  return sums[0];
}

#elif defined(__aarch64__) || defined(_M_ARM64)

constexpr int width = 4;
constexpr int registers = 32;
struct Vec {
  float32x4_t v;
};
using Mask = uint32x4_t;

GT_INLINE Vec set(float x) { return {vdupq_n_f32(x)}; }
GT_INLINE Vec load(const float* p) { return {vld1q_f32(p)}; }
GT_INLINE void store(float* p, Vec a) { vst1q_f32(p, a.v); }
GT_INLINE Vec load_part(const float* p, int n) {
  float lanes[4] = {};
  for (int i = 0; i < n; ++i) lanes[i] = p[i];
  return load(lanes);
}
GT_INLINE void store_part(float* p, Vec a, int n) {
  float lanes[4];
  store(lanes, a);
  for (int i = 0; i < n; ++i) p[i] = lanes[i];
}
GT_INLINE Vec load_bf16(const uint16_t* p) { return {vreinterpretq_f32_u32(vshll_n_u16(vld1_u16(p), 16))}; }
GT_INLINE Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.v, b.v)}; }
GT_INLINE Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.v, b.v)}; }
GT_INLINE Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.v, b.v)}; }
GT_INLINE Vec operator/(Vec a, Vec b) { return {vdivq_f32(a.v, b.v)}; }
GT_INLINE Vec fma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
GT_INLINE Vec max(Vec a, Vec b) { return {vmaxq_f32(a.v, b.v)}; }
GT_INLINE Vec min(Vec a, Vec b) { return {vminq_f32(a.v, b.v)}; }
GT_INLINE Vec as_exponent(Vec a) { return {vreinterpretq_f32_s32(vshlq_n_s32(vreinterpretq_s32_f32(a.v), 23))}; }
GT_INLINE Vec abs(Vec a) { return {vabsq_f32(a.v)}; }
GT_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  return {vbslq_f32(vdupq_n_u32(0x80000000u), sign.v, magnitude.v)};
}
GT_INLINE Vec permute(Vec a, const int32_t* lanes) {
  float from[4], to[4];
  store(from, a);
  for (int i = 0; i < 4; ++i) to[i] = from[lanes[i]];
  return load(to);
}
GT_INLINE Mask greater(Vec a, Vec b) { return vcgtq_f32(a.v, b.v); }
GT_INLINE Vec select(Mask mask, Vec yes, Vec no) { return {vbslq_f32(mask, yes.v, no.v)}; }
GT_INLINE float sum(Vec a) { return vaddvq_f32(a.v); }
GT_INLINE void store_sums(float* p, Vec a, Vec b, Vec c, Vec d) {
  vst1q_f32(p, vpaddq_f32(vpaddq_f32(a.v, b.v), vpaddq_f32(c.v, d.v)));
}

#else

// Loops that any compiler turns into the vectors that it may use.
constexpr int width = 4;
constexpr int registers = 16;
struct Vec {
  float v[4];
};
struct Mask {
  bool v[4];
};

template <class F>
GT_INLINE Vec each(F f) {
  return {{f(0), f(1), f(2), f(3)}};
}
GT_INLINE float from_bits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}
GT_INLINE uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
GT_INLINE Vec set(float x) { return {{x, x, x, x}}; }
GT_INLINE Vec load(const float* p) {
  Vec a;
  std::memcpy(a.v, p, sizeof a.v);
  return a;
}
GT_INLINE void store(float* p, Vec a) { std::memcpy(p, a.v, sizeof a.v); }
GT_INLINE Vec load_part(const float* p, int n) {
  return each([&](int i) { return i < n ? p[i] : 0.0f; });
}
GT_INLINE void store_part(float* p, Vec a, int n) {
  for (int i = 0; i < n; ++i) p[i] = a.v[i];
}
GT_INLINE Vec load_bf16(const uint16_t* p) {
  return each([&](int i) { return from_bits(static_cast<uint32_t>(p[i]) << 16); });
}
GT_INLINE Vec operator+(Vec a, Vec b) {
  return each([&](int i) { return a.v[i] + b.v[i]; });
}
GT_INLINE Vec operator-(Vec a, Vec b) {
  return each([&](int i) { return a.v[i] - b.v[i]; });
}
GT_INLINE Vec operator*(Vec a, Vec b) {
  return each([&](int i) { return a.v[i] * b.v[i]; });
}
GT_INLINE Vec operator/(Vec a, Vec b) {
  return each([&](int i) { return a.v[i] / b.v[i]; });
}
GT_INLINE Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }
GT_INLINE Vec max(Vec a, Vec b) {
  return each([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; });
}
GT_INLINE Vec min(Vec a, Vec b) {
  return each([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; });
}
GT_INLINE Vec as_exponent(Vec a) {
  return each([&](int i) { return from_bits(bits_of(a.v[i]) << 23); });
}
GT_INLINE Vec abs(Vec a) {
  return each([&](int i) { return from_bits(bits_of(a.v[i]) & 0x7fffffffu); });
}
GT_INLINE Vec copy_sign(Vec magnitude, Vec sign) {
  return each([&](int i) {
    return from_bits((bits_of(magnitude.v[i]) & 0x7fffffffu) | (bits_of(sign.v[i]) & 0x80000000u));
  });
}
GT_INLINE Vec permute(Vec a, const int32_t* lanes) {
  return each([&](int i) { return a.v[lanes[i]]; });
}
GT_INLINE Mask greater(Vec a, Vec b) {
  return {{a.v[0] > b.v[0], a.v[1] > b.v[1], a.v[2] > b.v[2], a.v[3] > b.v[3]}};
}
GT_INLINE Vec select(Mask mask, Vec yes, Vec no) {
  return each([&](int i) { return mask.v[i] ? yes.v[i] : no.v[i]; });
}
GT_INLINE float sum(Vec a) { return (a.v[0] + a.v[1]) + (a.v[2] + a.v[3]); }
GT_INLINE void store_sums(float* p, Vec a, Vec b, Vec c, Vec d) { store(p, {{sum(a), sum(b), sum(c), sum(d)}}); }

#endif

GT_INLINE int64_t at_most(int64_t value, int64_t most) { return value < most ? value : most; }
GT_INLINE Vec load_lanes(const float* p, int n) { return n == width ? load(p) : load_part(p, n); }
GT_INLINE void store_lanes(float* p, Vec a, int n) { n == width ? store(p, a) : store_part(p, a, n); }

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
