// What JavaScript says about a model to load: LlamaLoadOptions of lib/native_engines.ts.
#pragma once

#include <napi.h>

#include "llama/llama_decoder.h"
#include "llama/lora.h"
#include "llama/model.h"

namespace gt::bindings {

struct LoadOptions {
  std::string gguf_path;  // or a recipe
  llama::Recipe recipe;
  std::string dtype;
  llama::ModelOptions model;
  llama::DecoderOptions decoder;
};

// Throws TypeError, RangeError, and Error("missing_tensor", "bad_tensor") with the names and shapes.
LoadOptions load_options(const Napi::Object& options);
llama::Metadata gguf_metadata(const Napi::Object& metadata);
// An adapter's pairs (LoraPair of lib/native_engines.ts), of a StateDict.
std::vector<llama::LoraPair> lora_pairs(const Napi::Value& state_dict, const Napi::Value& pairs);

}  // namespace gt::bindings
