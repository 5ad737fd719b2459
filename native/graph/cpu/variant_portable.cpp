// For any processor: NEON where there is, else what the compiler makes of loops.
#define GT_CPU_VARIANT portable
#include "graph/cpu/attention.h"
#include "graph/cpu/channels.h"
#include "graph/cpu/norm.h"
#include "graph/cpu/packed_linear.h"
#include "graph/cpu/panel_linear.h"

namespace gt::graph::cpu {

const Variant portable_variant = {
    portable::nothing_prepared,  portable::prepare_nothing, portable::packed_size, portable::pack, portable::packed_linear, portable::linear,
    portable::attention_scratch_size, portable::attention, portable::attention_weights,
    portable::layer_norm, portable::rms_norm, portable::activate,
    portable::group_norm, portable::windows, portable::channelwise,
};

}  // namespace gt::graph::cpu
