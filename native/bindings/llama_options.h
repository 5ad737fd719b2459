// What JavaScript says about a model to load: LlamaLoadOptions of lib/native_engines.ts.
#pragma once

#include <napi.h>

#include "llama/llama_decoder.h"
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

}  // namespace gt::bindings
