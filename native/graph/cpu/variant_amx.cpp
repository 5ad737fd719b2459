// Compiled for AVX-512 with the matrix units of AMX (TILE, BF16).
#if defined(__x86_64__) || defined(_M_X64)
#define GT_CPU_VARIANT amx
#include "graph/cpu/channels.h"
#include "graph/cpu/norm.h"
#include "graph/cpu/packed_linear.h"
#include "graph/cpu/tile_attention.h"
#include "graph/cpu/tile_linear.h"

namespace gt::graph::cpu {

const Variant amx_variant = {
    amx::prepared_size, amx::prepare,  amx::nothing_packed, amx::pack_nothing, amx::linear_as_it_lies, amx::linear_on_tiles, amx::tile_attention_scratch_size, amx::attention_on_tiles, amx::attention_weights,
    amx::layer_norm,    amx::rms_norm, amx::activate,
    amx::group_norm, amx::windows, amx::channelwise,
};

}  // namespace gt::graph::cpu
#endif
