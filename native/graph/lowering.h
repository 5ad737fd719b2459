// From a program to ggml: each operation of a program becomes a few nodes of a ggml graph.
#pragma once

#include <ggml.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/cache.h"
#include "graph/constants.h"
#include "graph/program.h"
#include "graph/weights.h"

namespace gt::graph {

// Where the kernels' memory begins: a cache line.
constexpr uintptr_t alignment = 64;
inline void* aligned(const void* memory) {
  return reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(memory) + alignment - 1) / alignment * alignment);
}

// The axes of a tensor, in ggml's numbering, from the one whose elements lie closest together.
struct Order {
  int axes[4];
  explicit Order(const ggml_tensor* tensor);
};

struct Operation;

class Lowering {
 public:
  Lowering(ggml_context* context, const Program& program, Weights& weights, Caches& caches, const Backend& backend);

  // The tensor of a node; a parameter's in float32, and what depends on parameters alone as it was computed once.
  ggml_tensor* value(int node);
  ggml_tensor* tensor(const Node& node, size_t index) { return value(node.inputs.at(index)); }
  // The node that an input comes from.
  const Node& node_of(const Node& node, size_t index) const { return program_.nodes[static_cast<size_t>(node.inputs.at(index))]; }
  bool has_input(const Node& node, size_t index) const { return index < node.inputs.size(); }
  const Shape& shape_of(const Node& node, size_t index) const { return node_of(node, index).shape; }
  // The nodes that come after one, up to so many. Who makes one of them before its turn looks up its operation, which
  // checks it, and says what was made.
  std::vector<const Node*> following(const Node& node, size_t count) const;
  void set_value(const Node& node, ggml_tensor* value) { values_[number_of(node)] = value; }
  // Throws Error("invalid_program") where it is unknown, or has other inputs than it can have.
  const Operation& operation_of(const Node& node) const;
  // Whether an input depends on weights alone; and its float32 values then, with its axes in another order if `axes` says so.
  // They stay where they are while the graph lives.
  bool is_constant(const Node& node, size_t index) const { return constant_[static_cast<size_t>(node.inputs.at(index))]; }
  const float* constant(const Node& node, size_t index, const std::vector<int64_t>& axes = {});

  // The same values with the elements of a row side by side, as ggml's operations want them; or all side by side.
  ggml_tensor* rows_together(ggml_tensor* tensor) const;
  ggml_tensor* contiguous(ggml_tensor* tensor) const;
  // Without a copy where the strides allow it.
  ggml_tensor* reshape(ggml_tensor* tensor, const Shape& shape) const;
  // Other sizes and strides over the memory of `tensor`, in ggml's order.
  ggml_tensor* view(ggml_tensor* tensor, const int64_t* ne, const size_t* nb, size_t offset = 0) const;
  // `tensor` with its axes in the order of its memory and all values side by side; and back: a tensor in such an order with
  // its axes as they were. Operations that treat all axes alike keep the order of their input so.
  ggml_tensor* by_memory(ggml_tensor* tensor, const Order& order) const;
  ggml_tensor* by_axes(ggml_tensor* tensor, const Order& order) const;
  // `tensor` repeated along its axes of size 1.
  ggml_tensor* repeat(ggml_tensor* tensor, const Shape& shape) const;

  // An operation of our own on the CPU, which may read `sources` and memory of `scratch` bytes (aligned to 64) shared by
  // all operations of the graph. Called by each of nth threads.
  using Kernel = std::function<void(ggml_tensor* result, void* scratch, int ith, int nth)>;
  ggml_tensor* custom(const Shape& shape, std::vector<ggml_tensor*> sources, Kernel kernel, size_t scratch = 0,
                      ggml_type type = GGML_TYPE_F32);

  // Inputs and outputs of the program, by name.
  const std::vector<std::pair<std::string, ggml_tensor*>>& inputs() const { return inputs_; }
  // Tensors that hold the same in every run.
  const std::vector<std::pair<ggml_tensor*, std::vector<int32_t>>>& constants() const { return constants_; }
  // What integers of inputs count: each is below it. Throws Error("invalid_program") for constants that are not.
  const std::map<std::string, int64_t>& limits() const { return limits_; }
  void limit(const Node& node, size_t index, int64_t count);
  // What custom operations hold; lives as long as the graph.
  struct Custom;
  std::vector<std::unique_ptr<Custom>> take_customs();
  // Memory that the graph reads: computed weights.
  std::vector<std::shared_ptr<const Constant>> take_computed();
  size_t scratch() const { return scratch_; }
  // Multiplications and additions, roughly.
  double flops() const { return flops_; }
  void count_flops(double flops) { flops_ += flops; }

  ggml_context* ggml() const { return context_; }
  Weights& weights() const { return weights_; }
  // The cache that a node names: "tokens" or "memory".
  Cache& cache(const Node& node) const { return node.text("cache") == "memory" ? caches_.memory : caches_.tokens; }
  bool is_cpu() const { return backend_.is_cpu(); }
  int n_threads() const { return backend_.n_threads(); }
  // The prepared form of x for cpu::Linear, made once for all layers that read x.
  ggml_tensor* prepared(ggml_tensor* x);

 private:
  size_t number_of(const Node& node) const { return static_cast<size_t>(&node - program_.nodes.data()); }
  ggml_tensor* lower(const Node& node);
  bool depends_on_constants(const Node& node) const;
  ggml_tensor* computed(int node, const std::vector<int64_t>& axes = {});

  ggml_context* context_;
  const Program& program_;
  Weights& weights_;
  Caches& caches_;
  const Backend& backend_;
  std::vector<ggml_tensor*> values_;
  std::vector<bool> constant_;
  std::vector<std::shared_ptr<const Constant>> computed_;
  std::vector<std::pair<std::string, ggml_tensor*>> inputs_;
  std::vector<std::pair<ggml_tensor*, std::vector<int32_t>>> constants_;
  std::map<std::string, int64_t> limits_;
  std::vector<std::unique_ptr<Custom>> customs_;
  std::map<const ggml_tensor*, ggml_tensor*> prepared_;
  size_t scratch_ = 0;
  double flops_ = 0;
};

struct Lowering::Custom {
  Kernel kernel;
  void** scratch = nullptr;  // of the graph
};

// ggml's sizes, which are Python's in the opposite order.
struct Sizes {
  int64_t ne[4] = {1, 1, 1, 1};
  explicit Sizes(const Shape& shape);
};

// How one operation of programs is lowered, and what it reads.
struct Operation {
  const char* name;
  ggml_tensor* (*lower)(Lowering&, const Node&);
  size_t min_inputs, max_inputs;
  unsigned integers = 0;  // bit i: input i holds int32 values; the others are float32
  bool is_pure = true;    // its result depends on its inputs alone
  bool makes_integers = false;
};
// By its name; null if there is none.
const Operation* find_operation(const std::string& name);

// The tables of operations, by theme.
using Operations = std::vector<Operation>;
const Operations& elementwise_operations();  // lower_elementwise.cpp
const Operations& norm_operations();         // lower_norm.cpp
const Operations& shape_operations();        // lower_shape.cpp
const Operations& window_operations();       // lower_windows.cpp
const Operations& linear_operations();       // lower_linear.cpp
const Operations& convolution_operations();  // lower_convolution.cpp
const Operations& attention_operations();    // lower_attention.cpp
const Operations& scaled_attention_operations();  // lower_scaled_attention.cpp

// Throws Error("invalid_program") with the operation and the shapes of its inputs unless `holds`.
void require(bool holds, const Lowering& lowering, const Node& node, const char* what);
// The attribute as an axis of `shape`, counted from the front. Throws as above.
size_t axis_of(const Lowering& lowering, const Node& node, const Shape& shape, const char* name = "axis");
// Throws Error("unsupported") on other devices.
void require_cpu(const Lowering& lowering, const Node& node);
// Whether sizes are the same or 1 where they repeat, as in torch.
bool broadcasts(const Shape& from, const Shape& to);

// The activation that a program names. Throws Error("invalid_program").
cpu::Activation activation_of(const std::string& name);
// `x`, activated.
ggml_tensor* activate(Lowering& lowering, ggml_tensor* x, cpu::Activation kind);

}  // namespace gt::graph
