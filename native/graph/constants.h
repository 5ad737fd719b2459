// What programs make of weights alone, computed once: folded norms, normed weights, tables in other sizes.
#pragma once

#include <ggml-backend.h>
#include <ggml.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gt::graph {

class Backend;
struct Caches;
class Weights;
struct Program;

// A float32 tensor on a device; alive as long as a graph reads it.
class Constant {
 public:
  // Throws Error("out_of_memory").
  Constant(const std::vector<int64_t>& shape, const std::vector<float>& values, const Backend& backend);
  ~Constant();
  Constant(const Constant&) = delete;
  Constant& operator=(const Constant&) = delete;

  ggml_tensor* tensor() const { return tensor_; }

 private:
  ggml_context* context_;
  ggml_tensor* tensor_;
  ggml_backend_buffer_t buffer_;
};

class Constants {
 public:
  explicit Constants(Backend& backend) : backend_(backend) {}

  // The value of a node that depends on parameters alone, its axes in another order if `axes` says so.
  std::shared_ptr<const Constant> get(const Program& program, int node, const std::vector<int64_t>& axes, Weights& weights,
                                      Caches& caches);

 private:
  Backend& backend_;
  std::map<std::string, std::weak_ptr<const Constant>> known_;  // by what they are computed from
};

}  // namespace gt::graph
