// The tensors of a model, as views of a checkpoint that are cast or quantised when the model is built.
#pragma once

#include <ggml.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/tensor.h"

namespace gt::llama {

// A tensor of a checkpoint under its name there.
struct Source {
  std::string name;
  checkpoint::Tensor tensor;
};

// See TensorSource in lib/native_engines.ts.
enum class Transform { none, permute_heads, concat, stack, rows, transpose, add_one };

// One tensor of the model.
class Weight {
 public:
  // For permute_heads `first` is the number of heads, for rows they are the first and the last + 1.
  // Throws Error("bad_tensor") with the names and shapes if the sources do not fit the transform.
  Weight(std::string name, std::vector<Source> sources, Transform transform, int64_t first = 0, int64_t last = 0);

  const std::string& name() const { return name_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  // The tensor as rows; where a transform moves elements of a vector, each element is a row.
  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  // Values of rows [begin, end) as float32. Throws what checkpoint::Storage::read throws.
  void read(int64_t begin, int64_t end, float* target) const;

 private:
  std::string name_;
  std::vector<Source> sources_;
  void read_source(const Source& source, int64_t row, int64_t count, float* target) const;
  void read_heads(int64_t begin, int64_t end, float* target) const;
  void read_parts(int64_t begin, int64_t end, float* target) const;
  void read_transposed(int64_t begin, int64_t end, float* target) const;

  Transform transform_;
  int64_t first_;
  std::vector<int64_t> shape_;
  int64_t rows_ = 1;
  int64_t columns_ = 1;
};

// `tensor` without data, as GGUF and libllama describe it: name, type, axes from the last to the first.
void describe(const Weight& weight, ggml_type type, ggml_tensor* tensor);

// Writes rows [begin, end) of `weight` as `type` to `target`, on `threads` threads.
// Throws Error("aborted") when `aborted` becomes true.
void convert(const Weight& weight, ggml_type type, int64_t begin, int64_t end, uint8_t* target, int threads,
             const std::atomic<bool>& aborted);

}  // namespace gt::llama
