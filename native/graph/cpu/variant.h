// One set of kernels for each instruction set; the best that runs here is chosen once.
#pragma once

#include "graph/cpu/kernels.h"

namespace gt::graph::cpu {

// A weight of `out` rows of `in` values, end to end.
struct Weight {
  const void* data;
  WeightType type;
  int64_t out, in;
};

struct Range {
  int64_t begin, end;
};

// Part `i` of `parts` of the numbers below n, cut at multiples of `unit`.
Range share(int64_t n, int64_t unit, int64_t i, int64_t parts);

// The tokens and outputs of one thread of a linear layer.
struct Tile {
  Range tokens, outputs;
};
Tile share_linear(int64_t n, int64_t token_unit, int64_t out, int64_t output_unit, int ith, int nth);

// Memory of the calling thread's own, aligned to 64 bytes, until its next call: for blocks that a small stack lacks.
void* thread_memory(size_t bytes);

struct Variant {
  size_t (*prepared_size)(int64_t n, int64_t in);
  void (*prepare)(const float* x, int64_t n, int64_t in, int64_t x_stride, void* prepared, int ith, int nth);
  // Bytes of a weight that is laid out for packed_linear; 0: it is used as it lies.
  size_t (*packed_size)(const Weight& weight);
  void (*pack)(const Weight& weight, bool transposed, void* packed, int ith, int nth);
  void (*packed_linear)(const Weight& packed, const LinearArgs& args, Turns& turns, int ith, int nth);
  void (*linear)(const Weight& weight, const LinearArgs& args, int ith, int nth);
  size_t (*attention_scratch_size)(const AttentionArgs& args, int nth);
  void (*attention)(const AttentionArgs& args, void* scratch, Turns& turns, int ith, int nth);
  void (*attention_weights)(const AttentionArgs& args, float* probs, int64_t width, int ith, int nth);
  void (*layer_norm)(const float* x, int64_t rows, int64_t cols, float eps, const float* weight, const float* bias,
                     float* y, int ith, int nth);
  void (*rms_norm)(const float* x, int64_t rows, int64_t cols, float eps, const float* weight, float* y, int ith,
                   int nth);
  void (*activate)(const float* x, int64_t n, Activation activation, float* y, int ith, int nth);
  void (*group_norm)(const GroupNormArgs& args, int ith, int nth);
  void (*windows)(const WindowArgs& args, int ith, int nth);
  void (*channelwise)(const ConvolutionArgs& args, int ith, int nth);
};

// The best that runs here, chosen once.
const Variant& variant();

extern const Variant portable_variant;
#if defined(__x86_64__) || defined(_M_X64)
extern const Variant avx2_variant;
extern const Variant avx512_variant;
extern const Variant amx_variant;
#endif

}  // namespace gt::graph::cpu
