// A program as a ggml graph on a device, allocated, ready to run again and again.
#pragma once

#include <ggml-alloc.h>
#include <ggml.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/backend.h"
#include "graph/lowering.h"
#include "graph/program.h"
#include "graph/weights.h"

namespace gt::graph {

class Graph {
 public:
  // Throws Error("invalid_program"), Error("missing_tensor"), Error("out_of_memory").
  Graph(const Program& program, Weights& weights, Caches& caches, Backend& backend);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Copies what the program reads under this name; values of 4 bytes each. Nothing if the program reads no such input.
  void set_input(const std::string& name, const void* data, size_t n_bytes);
  // Throws Error("missing_input") if an input was never set since the last run.
  void compute();
  // The first `count` values of an output.
  void get_output(const std::string& name, float* data, size_t count) const;
  // Its first rows of `size` values: row i goes to row places[i] of `data`.
  void get_rows(const std::string& name, size_t size, const std::vector<int32_t>& places, float* data) const;

  // Bytes for what it computes.
  size_t memory() const;

 private:
  struct FreeContext {
    void operator()(ggml_context* context) const { ggml_free(context); }
  };

  Backend& backend_;
  std::unique_ptr<ggml_context, FreeContext> context_;
  ggml_cgraph* graph_ = nullptr;
  ggml_gallocr_t allocator_ = nullptr;
  std::vector<std::unique_ptr<Lowering::Custom>> customs_;
  std::vector<std::shared_ptr<const Constant>> computed_;
  std::unique_ptr<uint8_t[]> scratch_memory_;
  void* scratch_ = nullptr;
  size_t scratch_size_ = 0;
  int n_threads_ = 1;

  const ggml_tensor* output(const std::string& name) const;

  struct Input {
    ggml_tensor* tensor;
    bool set;
    int64_t limit;  // of its integers; 0: none
  };
  std::map<std::string, Input> inputs_;
  std::map<std::string, ggml_tensor*> outputs_;
};

}  // namespace gt::graph
