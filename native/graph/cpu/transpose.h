// A square of `width` vectors, rows for columns.
#pragma once

#include "graph/cpu/vector.h"

namespace gt::graph::cpu::GT_CPU_VARIANT {

#if defined(__AVX512F__)

GT_INLINE void transpose(Vec (&rows)[width]) {
  __m512 a[16], b[16];
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_ps(rows[i].v, rows[i + 1].v);
    a[i + 1] = _mm512_unpackhi_ps(rows[i].v, rows[i + 1].v);
  }
  for (int i = 0; i < 16; i += 4) {
    const __m512d p = _mm512_castps_pd(a[i]), q = _mm512_castps_pd(a[i + 1]);
    const __m512d r = _mm512_castps_pd(a[i + 2]), s = _mm512_castps_pd(a[i + 3]);
    b[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(p, r));
    b[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(p, r));
    b[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(q, s));
    b[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(q, s));
  }
  // b[4 g + c] has, in its quarter k, column 4 k + c of rows 4 g to 4 g + 3.
  for (int c = 0; c < 4; ++c) {
    const __m512 even01 = _mm512_shuffle_f32x4(b[c], b[4 + c], 0x88), odd01 = _mm512_shuffle_f32x4(b[c], b[4 + c], 0xdd);
    const __m512 even23 = _mm512_shuffle_f32x4(b[8 + c], b[12 + c], 0x88);
    const __m512 odd23 = _mm512_shuffle_f32x4(b[8 + c], b[12 + c], 0xdd);
    rows[c].v = _mm512_shuffle_f32x4(even01, even23, 0x88);
    rows[4 + c].v = _mm512_shuffle_f32x4(odd01, odd23, 0x88);
    rows[8 + c].v = _mm512_shuffle_f32x4(even01, even23, 0xdd);
    rows[12 + c].v = _mm512_shuffle_f32x4(odd01, odd23, 0xdd);
  }
}

#elif defined(__AVX2__)

GT_INLINE void transpose(Vec (&rows)[width]) {
  __m256 a[8], b[8];
  for (int i = 0; i < 8; i += 2) {
    a[i] = _mm256_unpacklo_ps(rows[i].v, rows[i + 1].v);
    a[i + 1] = _mm256_unpackhi_ps(rows[i].v, rows[i + 1].v);
  }
  for (int i = 0; i < 8; i += 4) {
    b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
    b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xee);
    b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
    b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xee);
  }
  for (int c = 0; c < 4; ++c) {
    rows[c].v = _mm256_permute2f128_ps(b[c], b[4 + c], 0x20);
    rows[4 + c].v = _mm256_permute2f128_ps(b[c], b[4 + c], 0x31);
  }
}

#else

GT_INLINE void transpose(Vec (&rows)[width]) {
  float square[width][width];
  for (int i = 0; i < width; ++i) store(square[i], rows[i]);
  for (int i = 0; i < width; ++i) {
    float column[width];
    for (int j = 0; j < width; ++j) column[j] = square[j][i];
    rows[i] = load(column);
  }
}

#endif

}  // namespace gt::graph::cpu::GT_CPU_VARIANT
