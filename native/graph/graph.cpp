#include "graph/graph.h"

#include <algorithm>

#include "errors.h"

namespace gt::graph {

namespace {

// A thread more costs a barrier after each operation, which pays from here on.
constexpr double flops_for_a_thread = 4e6;
constexpr int ggml_nodes_for_a_node = 16;

}  // namespace

Graph::Graph(const Program& program, Weights& weights, Caches& caches, Backend& backend) : backend_(backend) {
  const size_t size = program.nodes.size() * ggml_nodes_for_a_node + 64;
  context_.reset(ggml_init({ggml_tensor_overhead() * size + ggml_graph_overhead_custom(size, false), nullptr, true}));
  if (!context_) throw Error("out_of_memory", "no memory for a graph of " + std::to_string(size) + " operations");
  Lowering lowering(context_.get(), program, weights, caches, backend);
  graph_ = ggml_new_graph_custom(context_.get(), size, false);
  for (const Output& output : program.outputs) {
    ggml_tensor* tensor = lowering.contiguous(lowering.value(output.node));
    // A weight or an input cannot be an output as it is: its memory is not the graph's to keep.
    if (tensor->op == GGML_OP_NONE) tensor = ggml_cont(context_.get(), tensor);
    ggml_set_output(tensor);
    outputs_[output.name] = tensor;
    ggml_build_forward_expand(graph_, tensor);
  }
  for (const auto& [name, tensor] : lowering.inputs()) inputs_[name] = {tensor, false, 0};
  for (const auto& [name, limit] : lowering.limits()) inputs_[name].limit = limit;
  customs_ = lowering.take_customs();
  computed_ = lowering.take_computed();
  n_threads_ = static_cast<int>(std::clamp(lowering.flops() / flops_for_a_thread, 1.0, static_cast<double>(backend.n_threads())));

  scratch_size_ = lowering.scratch();
  if (scratch_size_ > 0) {
    scratch_memory_ = std::make_unique<uint8_t[]>(scratch_size_ + alignment);
    scratch_ = aligned(scratch_memory_.get());
  }
  for (auto& custom : customs_) custom->scratch = &scratch_;

  for (int i = 0; i < ggml_graph_n_nodes(graph_); i++)
    if (!ggml_backend_supports_op(backend_.get(), ggml_graph_node(graph_, i)))
      throw Error("unsupported", "the device " + backend_.name() + " has no operation " + ggml_op_desc(ggml_graph_node(graph_, i)));
  allocator_ = ggml_gallocr_new(backend_.buffer_type());
  if (!ggml_gallocr_alloc_graph(allocator_, graph_)) {
    ggml_gallocr_free(allocator_);
    throw Error("out_of_memory", "no memory for the computation");
  }
  for (const auto& [tensor, values] : lowering.constants())
    if (tensor->buffer) ggml_backend_tensor_set(tensor, values.data(), 0, values.size() * sizeof(int32_t));
}

Graph::~Graph() {
  if (allocator_) ggml_gallocr_free(allocator_);
}

void Graph::set_input(const std::string& name, const void* data, size_t n_bytes) {
  const auto found = inputs_.find(name);
  if (found == inputs_.end()) return;
  Input& input = found->second;
  if (n_bytes != ggml_nbytes(input.tensor))
    throw Error("invalid_input", "the input " + name + " has " + std::to_string(n_bytes / 4) + " values in place of " +
                                     std::to_string(ggml_nelements(input.tensor)));
  const auto* integers = static_cast<const int32_t*>(data);
  for (size_t i = 0; input.limit > 0 && i < n_bytes / sizeof(int32_t); i++)
    if (integers[i] < 0 || integers[i] >= input.limit)
      throw Error("invalid_input", "the input " + name + " has the value " + std::to_string(integers[i]) + ": expected 0 to " + std::to_string(input.limit - 1));
  // Without a buffer nothing of the graph depends on it.
  if (input.tensor->buffer) ggml_backend_tensor_set(input.tensor, data, 0, n_bytes);
  input.set = true;
}

void Graph::compute() {
  for (auto& [name, input] : inputs_) {
    if (!input.set) throw Error("missing_input", "the input " + name + " is missing");
    input.set = false;
  }
  backend_.compute(graph_, n_threads_);
}

const ggml_tensor* Graph::output(const std::string& name) const {
  const auto found = outputs_.find(name);
  if (found == outputs_.end()) throw Error("internal", "there is no output " + name);
  return found->second;
}

void Graph::get_output(const std::string& name, float* data, size_t count) const {
  const ggml_tensor* tensor = output(name);
  if (count > static_cast<size_t>(ggml_nelements(tensor))) throw Error("internal", "the output " + name + " has no " + std::to_string(count) + " values");
  ggml_backend_tensor_get(tensor, data, 0, count * sizeof(float));
}

void Graph::get_rows(const std::string& name, size_t size, const std::vector<int32_t>& places, float* data) const {
  const ggml_tensor* tensor = output(name);
  if (places.size() * size > static_cast<size_t>(ggml_nelements(tensor))) throw Error("internal", "the output " + name + " has fewer rows");
  size_t row = 0;
  while (row < places.size()) {
    // Rows that stay side by side go in one piece.
    size_t end = row + 1;
    while (end < places.size() && places[end] == places[end - 1] + 1) end++;
    ggml_backend_tensor_get(tensor, data + static_cast<size_t>(places[row]) * size, row * size * sizeof(float), (end - row) * size * sizeof(float));
    row = end;
  }
}

size_t Graph::memory() const { return ggml_gallocr_get_buffer_size(allocator_, 0) + scratch_size_; }

}  // namespace gt::graph
