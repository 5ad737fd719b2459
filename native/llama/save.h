// Writing a model as a GGUF file that llama.cpp's own programs load.
#pragma once

#include <atomic>
#include <string>

#include "llama/model.h"

namespace gt::llama {

struct SaveOptions {
  std::string dtype;  // "": as the model was loaded; see quantization.h
  Metadata metadata;  // over the model's own
  Progress progress = [](float) {};
};

// The tensors come from where the model came from, so that casts do not add up. `path` is UTF-8; the file is written
// beside it and renamed. Of the model only what it was made from is read. Throws Error("io_error"), Error("aborted"), Error("unsupported") for GGUF files in parts.
void save_gguf(const Model& model, const std::string& path, const SaveOptions& options, const std::atomic<bool>& aborted);

}  // namespace gt::llama
