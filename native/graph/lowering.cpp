#include "graph/lowering.h"

#include <algorithm>
#include <numeric>

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

// Axes of size 1 may lie anywhere: they come last.
Order::Order(const ggml_tensor* tensor) {
  std::iota(axes, axes + 4, 0);
  std::stable_sort(axes, axes + 4, [&](int a, int b) {
    if (tensor->ne[a] == 1 || tensor->ne[b] == 1) return tensor->ne[a] != 1 && tensor->ne[b] == 1;
    return tensor->nb[a] < tensor->nb[b];
  });
}

const Operation* find_operation(const std::string& name) {
  static const std::map<std::string, const Operation*> all = [] {
    std::map<std::string, const Operation*> table;
    for (const Operations* theme : {&elementwise_operations(), &norm_operations(), &shape_operations(), &window_operations(),
                                    &linear_operations(), &convolution_operations(), &attention_operations(), &scaled_attention_operations()})
      for (const Operation& operation : *theme) table[operation.name] = &operation;
    return table;
  }();
  const auto found = all.find(name);
  return found == all.end() ? nullptr : found->second;
}

void require(bool holds, const Lowering& lowering, const Node& node, const char* what) {
  if (holds) return;
  std::string shapes;
  for (size_t i = 0; i < node.inputs.size(); i++) shapes += (i ? ", " : "") + shape_text(lowering.shape_of(node, i));
  throw Error("invalid_program",
              "the program has " + node.op + " of " + shapes + " that makes " + shape_text(node.shape) + ": expected " + what);
}

size_t axis_of(const Lowering& lowering, const Node& node, const Shape& shape, const char* name) {
  const int64_t axis = node.integer(name);
  require(axis >= 0 && axis < static_cast<int64_t>(shape.size()), lowering, node, "an axis that it has");
  return static_cast<size_t>(axis);
}

void require_cpu(const Lowering& lowering, const Node& node) {
  if (!lowering.is_cpu()) throw Error("unsupported", node.op + " runs on the CPU only");
}

bool broadcasts(const Shape& from, const Shape& to) {
  if (from.size() > to.size()) return false;
  const size_t extra = to.size() - from.size();
  for (size_t i = 0; i < from.size(); i++)
    if (from[i] != 1 && from[i] != to[i + extra]) return false;
  return true;
}

Lowering::Lowering(ggml_context* context, const Program& program, Weights& weights, Caches& caches, const Backend& backend)
    : context_(context), program_(program), weights_(weights), caches_(caches), backend_(backend) {
  for (const Node& node : program.nodes) {
    constant_.push_back(node.op == "parameter" || (!program.is_for_constants && depends_on_constants(node)));
    if (node.op == "parameter" && weights_.source(node.text("name")).shape != node.shape)
      throw Error("invalid_program", "the program says that " + node.text("name") + " has shape " + shape_text(node.shape) +
                                         " but it has " + shape_text(weights_.source(node.text("name")).shape));
  }
  values_.resize(program.nodes.size());
  for (size_t number = 0; number < program.nodes.size(); number++) {
    const Node& node = program.nodes[number];
    ggml_tensor*& tensor = values_[number];
    // Its readers say in which type and form they want a parameter; what is made of parameters is computed for them.
    if (!tensor && (!constant_[number] || node.is_int)) tensor = lower(node);
    const Sizes expected(node.shape);
    for (int i = 0; tensor && i < 4; i++)
      if (tensor->ne[i] != expected.ne[i])
        throw Error("invalid_program", "the program says that " + node.op + " makes " + shape_text(node.shape) + ", which is not so");
  }
}

std::vector<const Node*> Lowering::following(const Node& node, size_t count) const {
  std::vector<const Node*> nodes;
  for (size_t i = number_of(node) + 1; i < program_.nodes.size() && nodes.size() < count; i++) nodes.push_back(&program_.nodes[i]);
  return nodes;
}

bool Lowering::depends_on_constants(const Node& node) const {
  if (node.op == "constant") return true;
  const Operation* operation = find_operation(node.op);
  return operation && operation->is_pure &&
         std::all_of(node.inputs.begin(), node.inputs.end(), [this](int input) { return constant_[static_cast<size_t>(input)]; });
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
  return operation_of(node).lower(*this, node);
}

const Operation& Lowering::operation_of(const Node& node) const {
  const Operation* operation = find_operation(node.op);
  if (!operation) throw Error("invalid_program", "the program has an unknown operation '" + node.op + "'");
  const size_t count = node.inputs.size();
  if (count < operation->min_inputs || count > operation->max_inputs)
    throw Error("invalid_program", "the program has " + node.op + " of " + std::to_string(count) + " inputs");
  // A reshape is the one thing that can be done to integers.
  const bool moves_integers = node.op == "reshape" && node_of(node, 0).is_int;
  for (size_t i = 0; i < count && !moves_integers; i++)
    if (node_of(node, i).is_int != ((operation->integers >> i & 1) != 0))
      throw Error("invalid_program", "the program has " + node.op + " of values of the wrong type");
  if (node.is_int != (moves_integers || operation->makes_integers)) throw Error("invalid_program", "the program says that " + node.op + " makes values of another type");
  return *operation;
}

void Lowering::limit(const Node& node, size_t index, int64_t count) {
  const Node* source = &node_of(node, index);
  while (source->op == "reshape") source = &node_of(*source, 0);
  if (source->op == "input") {
    const auto [entry, is_new] = limits_.emplace(source->text("name"), count);
    if (!is_new) entry->second = std::min(entry->second, count);
  } else if (source->op == "argmax") {
    require(shape_of(*source, 0).back() <= count, *this, node, "a row for each place that may be the largest");
  } else {
    for (const int64_t value : source->integers("values"))
      require(value >= 0 && value < count, *this, node, "numbers of rows that there are");
  }
}

ggml_tensor* Lowering::value(int node) {
  ggml_tensor*& value = values_[static_cast<size_t>(node)];
  const Node& made = program_.nodes[static_cast<size_t>(node)];
  if (!value && made.op == "parameter") value = weights_.plain(made.text("name"));
  if (!value && constant_[static_cast<size_t>(node)]) value = computed(node);
  if (!value) throw Error("invalid_program", "the program reads what " + made.op + " makes, which is no tensor");
  return value;
}

ggml_tensor* Lowering::computed(int node, const std::vector<int64_t>& axes) {
  computed_.push_back(weights_.constants().get(program_, node, axes, weights_, caches_));
  return computed_.back()->tensor();
}

const float* Lowering::constant(const Node& node, size_t index, const std::vector<int64_t>& axes) {
  const int input = node.inputs.at(index);
  // Axes of size 1 may change places freely.
  int64_t last = -1;
  bool moved = false;
  for (const int64_t axis : axes)
    if (shape_of(node, index).at(static_cast<size_t>(axis)) != 1) moved = moved || axis < last, last = axis;
  return static_cast<const float*>((moved ? computed(input, axes) : value(input))->data);
}

ggml_tensor* Lowering::rows_together(ggml_tensor* tensor) const {
  return tensor->nb[0] == ggml_type_size(tensor->type) ? tensor : ggml_cont(context_, tensor);
}

// Some of ggml's operations look at the strides of axes of size 1 too: these must be what they are in fresh tensors.
ggml_tensor* Lowering::contiguous(ggml_tensor* tensor) const {
  if (!ggml_is_contiguous(tensor)) return ggml_cont(context_, tensor);
  size_t stride = ggml_type_size(tensor->type);
  for (int axis = 0; axis < 4; axis++) {
    if (axis > 0 && tensor->nb[axis] != stride) return ggml_reshape_4d(context_, tensor, tensor->ne[0], tensor->ne[1], tensor->ne[2], tensor->ne[3]);
    stride = axis == 0 ? ggml_row_size(tensor->type, tensor->ne[0]) : stride * static_cast<size_t>(tensor->ne[axis]);
  }
  return tensor->nb[0] == ggml_type_size(tensor->type) ? tensor : ggml_reshape_4d(context_, tensor, tensor->ne[0], tensor->ne[1], tensor->ne[2], tensor->ne[3]);
}

// The strides of `tensor` in other sizes, if its values need not move: as torch.Tensor.view decides it.
static bool strides_of(const ggml_tensor* tensor, const int64_t* ne, size_t* nb) {
  int made = 0;
  size_t base = tensor->nb[0];
  int64_t old_count = 1, new_count = 1;
  for (int axis = 0; axis < 4; axis++) {
    old_count *= tensor->ne[axis];
    const bool goes_on = axis < 3 && (tensor->ne[axis + 1] == 1 || tensor->nb[axis + 1] == static_cast<size_t>(old_count) * base);
    if (goes_on) continue;
    for (; made < 4 && (new_count < old_count || ne[made] == 1); made++) {
      nb[made] = static_cast<size_t>(new_count) * base;
      new_count *= ne[made];
    }
    if (new_count != old_count) return false;
    if (axis < 3) base = tensor->nb[axis + 1];
    old_count = new_count = 1;
  }
  return made == 4;
}

ggml_tensor* Lowering::reshape(ggml_tensor* tensor, const Shape& shape) const {
  const Sizes sizes(shape);
  size_t nb[4];
  if (!ggml_is_contiguous(tensor) && strides_of(tensor, sizes.ne, nb)) return view(tensor, sizes.ne, nb);
  return ggml_reshape_4d(context_, contiguous(tensor), sizes.ne[0], sizes.ne[1], sizes.ne[2], sizes.ne[3]);
}

// ggml_view_4d gives the first axis the stride of one element; ggml's own permuted views have others.
ggml_tensor* Lowering::view(ggml_tensor* tensor, const int64_t* ne, const size_t* nb, size_t offset) const {
  ggml_tensor* result = ggml_view_4d(context_, tensor, ne[0], ne[1], ne[2], ne[3], nb[1], nb[2], nb[3], offset);
  result->nb[0] = nb[0];
  return result;
}

ggml_tensor* Lowering::by_memory(ggml_tensor* tensor, const Order& order) const {
  int place[4];
  for (int i = 0; i < 4; i++) place[order.axes[i]] = i;
  return contiguous(ggml_permute(context_, tensor, place[0], place[1], place[2], place[3]));
}

ggml_tensor* Lowering::by_axes(ggml_tensor* tensor, const Order& order) const {
  return ggml_permute(context_, tensor, order.axes[0], order.axes[1], order.axes[2], order.axes[3]);
}

ggml_tensor* Lowering::repeat(ggml_tensor* tensor, const Shape& shape) const {
  const Sizes sizes(shape);
  return ggml_repeat_4d(context_, rows_together(tensor), sizes.ne[0], sizes.ne[1], sizes.ne[2], sizes.ne[3]);
}

ggml_tensor* Lowering::custom(const Shape& shape, std::vector<ggml_tensor*> sources, Kernel kernel, size_t scratch, ggml_type type) {
  auto custom = std::make_unique<Custom>();
  custom->kernel = std::move(kernel);
  const Sizes sizes(shape);
  ggml_tensor* result =
      ggml_custom_4d(context_, type, sizes.ne[0], sizes.ne[1], sizes.ne[2], sizes.ne[3], sources.data(),
                     static_cast<int>(sources.size()), run_custom, GGML_N_TASKS_MAX, custom.get());
  scratch_ = std::max(scratch_, scratch);
  customs_.push_back(std::move(custom));
  return result;
}

std::vector<std::unique_ptr<Lowering::Custom>> Lowering::take_customs() { return std::move(customs_); }

std::vector<std::shared_ptr<const Constant>> Lowering::take_computed() { return std::move(computed_); }

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
      {"sigmoid", cpu::Activation::sigmoid},
      {"relu6", cpu::Activation::relu6},         {"hardswish", cpu::Activation::hardswish}};
  const auto found = kinds.find(name);
  if (found == kinds.end()) throw Error("invalid_program", "the program has an unknown activation '" + name + "'");
  return found->second;
}

}  // namespace gt::graph
