// The safetensors format: https://github.com/huggingface/safetensors#format
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/storage.h"
#include "checkpoint/tensor.h"

namespace gt::checkpoint {

constexpr size_t max_header_size = 100'000'000;  // safetensors/src/tensor.rs

using Metadata = std::map<std::string, std::string>;

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

struct Safetensors {
  std::vector<NamedTensor> tensors;  // in the order of their bytes
  Metadata metadata;
};

// Reads the header alone; the tensors are views of `file`. Throws Error("checkpoint_invalid"), which names the file and
// the fault, for everything that the Rust crate or Transformers 4.57 refuses, and for names that come twice.
Safetensors read_safetensors(std::shared_ptr<const Storage> file);

// Writes the file that Python's `safetensors.torch.save_file` writes. With `dtype` (F32, F16 or BF16) floating tensors
// are cast on the way. Writes beside `path` first and renames, so that `path` is whole or as it was.
void save_safetensors(const std::string& path, std::vector<NamedTensor> tensors, const Metadata& metadata, std::optional<DType> dtype = {});

}  // namespace gt::checkpoint
