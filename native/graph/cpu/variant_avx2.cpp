// Compiled for AVX2 and FMA.
#if defined(__x86_64__) || defined(_M_X64)
#define GT_CPU_VARIANT avx2
#include "graph/cpu/attention.h"
#include "graph/cpu/channels.h"
#include "graph/cpu/norm.h"
#include "graph/cpu/packed_linear.h"
#include "graph/cpu/panel_linear.h"

namespace gt::graph::cpu {

const Variant avx2_variant = {
    avx2::nothing_prepared,  avx2::prepare_nothing, avx2::packed_size, avx2::pack, avx2::packed_linear, avx2::linear,
    avx2::attention_scratch_size, avx2::attention, avx2::attention_weights,
    avx2::layer_norm, avx2::rms_norm, avx2::activate,
    avx2::group_norm, avx2::windows, avx2::channelwise,
};

}  // namespace gt::graph::cpu
#endif
