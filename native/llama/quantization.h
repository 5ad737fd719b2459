// Which type each tensor gets under a dtype such as "bf16" or "q4_k_m": llama.cpp's own mixes.
#pragma once

#include <llama.h>

#include <string>
#include <vector>

#include "llama/weights.h"

namespace gt::llama {

// "f32", "f16", "bf16", or the lower-case name of a llama.cpp mix. Throws TypeError for other names.
llama_ftype ftype_of(const std::string& dtype);

// The type of each of `weights`, chosen as llama-quantize does. `gguf` holds the model's hyperparameters.
// Vectors, norms and what llama.cpp never quantises stay float32.
std::vector<ggml_type> choose_types(const gguf_context* gguf, const std::vector<Weight>& weights, llama_ftype ftype);

}  // namespace gt::llama
