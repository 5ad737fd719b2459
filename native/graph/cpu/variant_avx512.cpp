// Compiled for AVX-512 (F, BW, DQ, VL).
#if defined(__x86_64__) || defined(_M_X64)
#define GT_CPU_VARIANT avx512
#include "graph/cpu/attention.h"
#include "graph/cpu/channels.h"
#include "graph/cpu/norm.h"
#include "graph/cpu/packed_linear.h"
#include "graph/cpu/panel_linear.h"

namespace gt::graph::cpu {

const Variant avx512_variant = {
    avx512::nothing_prepared,  avx512::prepare_nothing, avx512::packed_size, avx512::pack, avx512::packed_linear, avx512::linear,
    avx512::attention_scratch_size, avx512::attention, avx512::attention_weights,
    avx512::layer_norm, avx512::rms_norm, avx512::activate,
    avx512::group_norm, avx512::windows, avx512::channelwise,
};

}  // namespace gt::graph::cpu
#endif
