// NativeGenerationOptions of lib/native_engines.ts, and the logits processors by their names.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "generation/logits_processor.h"
#include "generation/options.h"
#include "generation/request.h"

namespace gt::bindings {

// Reads the fields of Python's GenerationConfig, and seed, uniforms, token_strings, negative_prompt_ids and
// negative_prompt_attention_mask; others mean nothing to the loop. null and undefined: not given.
// Throws TypeError and RangeError that name the field.
generation::GenerationOptions generation_options(const Napi::Object& object);

// NativeAssistant of lib/native_engines.ts.
std::shared_ptr<const generation::Assistant> assistant(const Napi::Object& object);

// `{class: "TopKLogitsWarper", top_k: 5, ...}`: Python's arguments under their names. Encoder ids: encoder_input_ids.
std::shared_ptr<generation::LogitsProcessor> logits_processor(const Napi::Object& spec, int32_t vocab_size);

// Token ids: a number, an array or an Int32Array.
generation::Ids token_ids(const Napi::Value& value, const std::string& argument);
// Rows of token ids.
std::vector<generation::Ids> id_rows(const Napi::Value& value, const std::string& argument);

}  // namespace gt::bindings
