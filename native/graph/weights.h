// The tensors of a state dict as ggml tensors on a device, made when a graph first wants them.
#pragma once

#include <ggml-backend.h>
#include <ggml.h>

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "checkpoint/state_dict.h"
#include "graph/backend.h"
#include "graph/constants.h"
#include "graph/cpu/kernels.h"

namespace gt::graph {

class Weights {
 public:
  // `matrix_type`: what matrices are held as. Vectors, norms and whatever has fewer than two axes stay float32.
  Weights(std::shared_ptr<const checkpoint::StateDict> state, ggml_type matrix_type, Backend& backend);
  ~Weights();
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  // Throws Error("missing_tensor").
  const checkpoint::Tensor& source(const std::string& name) const { return state_->at(name); }
  // Float32, in the checkpoint's order of axes.
  ggml_tensor* plain(const std::string& name) { return get(name, GGML_TYPE_F32, false); }
  // The right side of ggml_mul_mat: `out` rows of `in`. `transposed`: the checkpoint has it the other way round.
  ggml_tensor* matrix(const std::string& name, bool transposed);
  // For ggml_get_rows.
  ggml_tensor* table(const std::string& name);
  // The layer for our own kernels, made at the first call; null where they cannot work: on other devices, with other types.
  const cpu::Linear* linear(const std::string& name, bool transposed);

  // What is computed from them.
  Constants& constants() { return constants_; }

  // Bytes of what was made; mapped files do not count.
  size_t memory() const { return memory_; }

 private:
  using Key = std::tuple<const checkpoint::Storage*, size_t, ggml_type, bool>;

  ggml_type type_of(const std::string& name, bool transposed, bool is_table) const;
  ggml_tensor* get(const std::string& name, ggml_type type, bool transposed);
  ggml_tensor* map(const checkpoint::Tensor& source);
  ggml_tensor* convert(const checkpoint::Tensor& source, ggml_type type, bool transposed);
  ggml_tensor* new_tensor(const std::vector<int64_t>& shape, ggml_type type);

  std::shared_ptr<const checkpoint::StateDict> state_;
  ggml_type matrix_type_;
  Backend& backend_;
  Constants constants_;
  size_t memory_ = 0;
  std::map<Key, ggml_tensor*> tensors_;  // tied tensors are one
  std::map<Key, std::unique_ptr<cpu::Linear>> linears_;
  std::map<const checkpoint::Storage*, ggml_backend_buffer_t> mapped_;
  std::vector<ggml_context*> contexts_;
  std::vector<ggml_backend_buffer_t> buffers_;
};

// "f32", "f16", "bf16", or the type that llama.cpp's mix of that name is made of. Throws TypeError for other names.
ggml_type matrix_type_of(const std::string& dtype);

}  // namespace gt::graph
