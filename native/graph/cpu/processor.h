#pragma once

#include "graph/cpu/variant.h"

namespace gt::graph::cpu {

// The fastest variant that this processor and operating system run. The environment variable
// GGML_TRANSFORMERS_CPU (portable, avx2, avx512 or amx) asks for a lesser one, to compare them.
const Variant& best_variant();

}  // namespace gt::graph::cpu
