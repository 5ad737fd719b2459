// Float32 products on matrix units that multiply bfloat16 (Intel AMX).
//
// A float32 is the exact sum of three bfloat16: its first 8 significant bits, the next 8, and the last 8. Of the nine
// products of two such sums the six largest are added up in float32; what is left out is below 2^-22 of the product,
// less than float32 loses in adding up. A tile holds 16 rows of 32 inputs; the right-hand one has 16 columns, as pairs
// of inputs: here inputs i and i + 16 make pair i, so that splitting needs no shuffles.
#pragma once

#include <immintrin.h>

#include "graph/cpu/transpose.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

constexpr int tile_rows = 16;
constexpr int tile_inputs = 32;
constexpr int tile_bytes = 1024;
constexpr int planes = 3;

// The thread's tile registers in the shape that the kernels use; on leaving, as they were: ggml keeps its own.
class TileRegisters {
 public:
  TileRegisters() {
    _tile_storeconfig(before_);
    alignas(64) unsigned char shape[64] = {1};  // palette 1
    for (int i = 0; i < 8; ++i) {
      shape[16 + 2 * i] = 64;  // bytes in a row
      shape[48 + i] = tile_rows;
    }
#if defined(__GNUC__)
    __asm__ volatile("" : : "r"(shape) : "memory");  // GCC 12 thinks that 8 bytes are read and drops the other stores
#endif
    _tile_loadconfig(shape);
  }
  ~TileRegisters() { _tile_loadconfig(before_); }
  TileRegisters(const TileRegisters&) = delete;
  TileRegisters& operator=(const TileRegisters&) = delete;

 private:
  alignas(64) unsigned char before_[64];
};

// The high halves of a (in the low places) and b.
GT_INLINE __m512i high_halves(__m512 a, __m512 b) {
  return _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(_mm512_castps_si512(a), 16), _mm512_castps_si512(b));
}

GT_INLINE __m512 without_low_half(__m512 a) {
  return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a), _mm512_set1_epi32(-65536)));
}

// One row of 16 pairs (a, b) of each of the three planes, `stride` bytes apart.
GT_INLINE void store_split(char* out, int64_t stride, __m512 a, __m512 b) {
  const __m512 a1 = _mm512_sub_ps(a, without_low_half(a)), b1 = _mm512_sub_ps(b, without_low_half(b));
  const __m512 a2 = _mm512_sub_ps(a1, without_low_half(a1)), b2 = _mm512_sub_ps(b1, without_low_half(b1));
  _mm512_store_si512(out, high_halves(a, b));
  _mm512_store_si512(out + stride, high_halves(a1, b1));
  _mm512_store_si512(out + 2 * stride, high_halves(a2, b2));
}

// The inputs of a tile that exist, as bits, when `left` of them are left.
GT_INLINE uint32_t inputs_mask(int64_t left) { return left >= tile_inputs ? 0xffffffffu : (1u << left) - 1; }

// One row of a left-hand tile: 32 values at `x`, of which `mask` exist.
GT_INLINE void split_row(const float* x, uint32_t mask, char* out, int64_t plane_stride) {
  store_split(out, plane_stride, _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), x),
              _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), x + 16));
}
// A bfloat16 is its own first plane.
GT_INLINE void split_row(const uint16_t* x, uint32_t mask, char* out, int64_t) {
  const __m256i a = _mm256_maskz_loadu_epi16(static_cast<__mmask16>(mask), x);
  const __m256i b = _mm256_maskz_loadu_epi16(static_cast<__mmask16>(mask >> 16), x + 16);
  _mm512_store_si512(out, _mm512_or_si512(_mm512_cvtepu16_epi32(a), _mm512_slli_epi32(_mm512_cvtepu16_epi32(b), 16)));
}

// Right-hand tiles: up to 16 columns, each of 32 values at x + column * stride; what does not exist is zero.
inline void split_columns(const float* x, int64_t stride, int columns, int64_t inputs, char* out) {
  const uint32_t mask = inputs_mask(inputs);
  Vec low[width], high[width];
  for (int c = 0; c < width; ++c) {
    const __mmask16 first = c < columns ? static_cast<__mmask16>(mask) : 0;
    const __mmask16 second = c < columns ? static_cast<__mmask16>(mask >> 16) : 0;
    low[c].v = _mm512_maskz_loadu_ps(first, x + c * stride);
    high[c].v = _mm512_maskz_loadu_ps(second, x + c * stride + 16);
  }
  transpose(low);
  transpose(high);
  for (int i = 0; i < width; ++i) store_split(out + i * 64, tile_bytes, low[i].v, high[i].v);
}

// Tile registers 0 to 3 hold the sums of two left-hand tiles by R right-hand ones (1 or 2).
template <int R>
GT_INLINE void multiply() {
  _tile_dpbf16ps(0, 4, 6);
  if (R == 2) _tile_dpbf16ps(1, 4, 7);
  _tile_dpbf16ps(2, 5, 6);
  if (R == 2) _tile_dpbf16ps(3, 5, 7);
}
GT_INLINE void load_left(const char* plane) {
  _tile_loadd(4, plane, 64);
  _tile_loadd(5, plane + tile_bytes, 64);
}
template <int R>
GT_INLINE void load_right(const char* first, const char* second) {
  _tile_loadd(6, first, 64);
  if (R == 2) _tile_loadd(7, second, 64);
}

// The compiler does not know that tile loads read memory.
GT_INLINE void written() {
#if defined(__GNUC__)
  __asm__ volatile("" : : : "memory");
#endif
}

// Tile registers 0 to 3 += one step of 32 inputs. `left`: P planes of two tiles each; `first` and `second`: three planes of one tile.
// From each product to the next only one side changes. `work(i)`, called for each i below `pauses`, is
// for the vector units while the matrix unit is busy.
template <int P>
constexpr int pauses = P == 3 ? 6 : 3;
template <int P, int R, class Work>
GT_INLINE void multiply_step(const char* left, const char* first, const char* second, Work work) {
  written();
  load_left(left);
  load_right<R>(first + 2 * tile_bytes, second + 2 * tile_bytes);
  multiply<R>();
  work(0);
  load_right<R>(first + tile_bytes, second + tile_bytes);
  multiply<R>();
  work(1);
  if (P == 3) {
    load_left(left + 2 * tile_bytes);
    multiply<R>();
    work(3);
  }
  load_right<R>(first, second);
  multiply<R>();
  work(2);
  if (P == 3) {
    load_left(left + 4 * tile_bytes);
    multiply<R>();
    work(4);
    load_left(left);
    multiply<R>();
    work(5);
  }
}

// The sums as R * 16 columns of 32 rows, `stride` floats from row to row.
template <int R>
GT_INLINE void load_sums(const float* c, int64_t stride) {
  _tile_loadd(0, c, stride * 4);
  if (R == 2) _tile_loadd(1, c + tile_rows, stride * 4);
  _tile_loadd(2, c + tile_rows * stride, stride * 4);
  if (R == 2) _tile_loadd(3, c + tile_rows * stride + tile_rows, stride * 4);
}
template <int R>
GT_INLINE void store_sums(float* c, int64_t stride) {
  _tile_stored(0, c, stride * 4);
  if (R == 2) _tile_stored(1, c + tile_rows, stride * 4);
  _tile_stored(2, c + tile_rows * stride, stride * 4);
  if (R == 2) _tile_stored(3, c + tile_rows * stride + tile_rows, stride * 4);
  written();
}
GT_INLINE void zero_sums() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
