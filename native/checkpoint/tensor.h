// A tensor of a checkpoint: a typed view of a storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/dtype.h"
#include "checkpoint/storage.h"

namespace gt::checkpoint {

// Contiguous, rows first (Python's order of axes). Copies share the storage.
struct Tensor {
  DType dtype;
  std::vector<int64_t> shape;
  std::shared_ptr<const Storage> storage;
  size_t offset = 0;  // in the storage
  size_t nbytes = 0;

  size_t n_elements() const;
  // Copies bytes [begin, begin + count) of the tensor; see Storage::read.
  void read(size_t begin, size_t count, void* target) const;
  // Converts elements [begin, begin + count) to float32; see to_f32. The memory this takes does not grow with `count`.
  void read_f32(size_t begin, size_t count, float* target) const;
  // The bytes without a copy; see Storage::data.
  const uint8_t* data() const { return storage->data() + offset; }
  // True for tensors over the very same bytes: tied weights.
  bool shares_storage(const Tensor& other) const;
};

// Bytes of a tensor; none if the product overflows or does not end at a byte (F4, F6).
std::optional<size_t> byte_length(DType dtype, const std::vector<int64_t>& shape);

// As Python prints it: "(2, 3)", "(2,)", "()".
std::string shape_text(const std::vector<int64_t>& shape);

}  // namespace gt::checkpoint
