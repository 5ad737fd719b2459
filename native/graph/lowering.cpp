#include "graph/lowering.h"

#include "errors.h"

namespace gt::graph {

namespace {

void run_custom(ggml_tensor* result, int ith, int nth, void* data) {
  const auto* custom = static_cast<const Lowering::Custom*>(data);
  custom->kernel(result, *custom->scratch, ith, nth);
}

}  // namespace

Sizes::Sizes(const Shape& shape) {
  for (size_t i = 0; i < shape.size(); i++) ne[i] = shape[shape.size() - 1 - i];
}

Operation find_operation(const std::string& name) {
  static const std::map<std::string, Operation> all = [] {
    std::map<std::string, Operation> table;
    for (const Operations* theme : {&elementwise_operations(), &shape_operations(), &linear_operations(), &attention_operations()})
      for (const auto& [key, operation] : *theme) table[key] = operation;
    return table;
  }();
  const auto found = all.find(name);
  return found == all.end() ? nullptr : found->second;
}

Lowering::Lowering(ggml_context* context, const Program& program, Weights& weights, Caches& caches, const Backend& backend)
    : context_(context), program_(program), weights_(weights), caches_(caches), backend_(backend) {
  values_.reserve(program.nodes.size());
  for (const Node& node : program.nodes) {
    ggml_tensor* tensor = lower(node);
    const Sizes expected(node.shape);
    for (int i = 0; tensor && i < 4; i++)
      if (tensor->ne[i] != expected.ne[i])
        throw Error("invalid_program", "the program says that " + node.op + " makes " + shape_text(node.shape) + ", which is not so");
    values_.push_back(tensor);
  }
}

ggml_tensor* Lowering::lower(const Node& node) {
  if (node.op == "input") {
    const Sizes sizes(node.shape);
    ggml_tensor* tensor = ggml_new_tensor(context_, node.is_int ? GGML_TYPE_I32 : GGML_TYPE_F32, 4, sizes.ne);
    ggml_set_input(tensor);
    inputs_.emplace_back(node.text("name"), tensor);
    return tensor;
  }
  if (node.op == "constant") {
    const std::vector<int64_t> values = node.integers("values");
    if (!node.is_int || node.shape != Shape{static_cast<int64_t>(values.size())})
      throw Error("invalid_program", "the program has a constant of shape " + shape_text(node.shape) + " with " + std::to_string(values.size()) + " values");
    ggml_tensor* tensor = ggml_new_tensor_1d(context_, GGML_TYPE_I32, node.shape[0]);
    ggml_set_input(tensor);
    ggml_set_output(tensor);  // nothing else is put into its memory
    constants_.emplace_back(tensor, std::vector<int32_t>(values.begin(), values.end()));
    return tensor;
  }
  if (node.op == "parameter") {
    const std::string& name = node.text("name");
    if (weights_.source(name).shape != node.shape)
      throw Error("invalid_program", "the program says that " + name + " has shape " + shape_text(node.shape) + " but it has " +
                                         shape_text(weights_.source(name).shape));
    return nullptr;  // its readers say in which type and form they want it
  }
  const Operation operation = find_operation(node.op);
  if (!operation) throw Error("invalid_program", "the program has an unknown operation '" + node.op + "'");
  return operation(*this, node);
}

ggml_tensor* Lowering::value(int node) {
  ggml_tensor*& value = values_[static_cast<size_t>(node)];
  if (!value) value = weights_.plain(program_.nodes[static_cast<size_t>(node)].text("name"));
  return value;
}

ggml_tensor* Lowering::rows_together(ggml_tensor* tensor) const {
  return tensor->nb[0] == ggml_type_size(tensor->type) ? tensor : ggml_cont(context_, tensor);
}

ggml_tensor* Lowering::contiguous(ggml_tensor* tensor) const {
  return ggml_is_contiguous(tensor) ? tensor : ggml_cont(context_, tensor);
}

ggml_tensor* Lowering::reshape(ggml_tensor* tensor, const Shape& shape) const {
  const Sizes sizes(shape);
  return ggml_reshape_4d(context_, contiguous(tensor), sizes.ne[0], sizes.ne[1], sizes.ne[2], sizes.ne[3]);
}

ggml_tensor* Lowering::repeat(ggml_tensor* tensor, const Shape& shape) const {
  const Sizes sizes(shape);
  return ggml_repeat_4d(context_, rows_together(tensor), sizes.ne[0], sizes.ne[1], sizes.ne[2], sizes.ne[3]);
}

ggml_tensor* Lowering::custom(const Shape& shape, std::vector<ggml_tensor*> sources, Kernel kernel, size_t scratch) {
  auto custom = std::make_unique<Custom>();
  custom->kernel = std::move(kernel);
  const Sizes sizes(shape);
  ggml_tensor* result =
      ggml_custom_4d(context_, GGML_TYPE_F32, sizes.ne[0], sizes.ne[1], sizes.ne[2], sizes.ne[3], sources.data(),
                     static_cast<int>(sources.size()), run_custom, GGML_N_TASKS_MAX, custom.get());
  scratch_ = std::max(scratch_, scratch);
  customs_.push_back(std::move(custom));
  return result;
}

std::vector<std::unique_ptr<Lowering::Custom>> Lowering::take_customs() { return std::move(customs_); }

ggml_tensor* Lowering::prepared(ggml_tensor* x) {
  const int64_t in = x->ne[0], n = ggml_nrows(x);
  const size_t size = cpu::prepared_size(n, in);
  if (size == 0) return nullptr;
  ggml_tensor*& known = prepared_[x];
  if (known) return known;
  const auto floats = static_cast<int64_t>((size + alignment) / sizeof(float) + 1);
  return known = custom({floats}, {x}, [n, in](ggml_tensor* result, void*, int ith, int nth) {
           const ggml_tensor* x = result->src[0];
           cpu::prepare(static_cast<const float*>(x->data), n, in, static_cast<int64_t>(x->nb[1] / sizeof(float)),
                        aligned(result->data), ith, nth);
         });
}

cpu::Activation activation_of(const std::string& name) {
  static const std::map<std::string, cpu::Activation> kinds = {
      {"relu", cpu::Activation::relu},           {"gelu", cpu::Activation::gelu}, {"gelu_new", cpu::Activation::gelu_new},
      {"quick_gelu", cpu::Activation::quick_gelu}, {"silu", cpu::Activation::silu}, {"tanh", cpu::Activation::tanh},
      {"sigmoid", cpu::Activation::sigmoid}};
  const auto found = kinds.find(name);
  if (found == kinds.end()) throw Error("invalid_program", "the program has an unknown activation '" + name + "'");
  return found->second;
}

}  // namespace gt::graph
