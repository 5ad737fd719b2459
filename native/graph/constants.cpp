#include "graph/constants.h"

#include "errors.h"
#include "graph/graph.h"

namespace gt::graph {

namespace {

// The nodes that `node` is made of, as a program of their own.
class Part {
 public:
  explicit Part(const Program& whole) : whole_(whole) { part.is_for_constants = true; }

  Program part;

  int take(int node) {
    const auto found = places_.find(node);
    if (found != places_.end()) return found->second;
    Node copy = whole_.nodes[static_cast<size_t>(node)];
    for (int& input : copy.inputs) input = take(input);
    return places_[node] = add(std::move(copy));
  }

  int add(Node node) {
    part.nodes.push_back(std::move(node));
    return static_cast<int>(part.nodes.size()) - 1;
  }

 private:
  const Program& whole_;
  std::map<int, int> places_;
};

struct Text {
  std::string operator()(double value) const { return std::to_string(value) + ' ' + std::string(reinterpret_cast<const char*>(&value), sizeof value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const std::vector<double>& values) const {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)};
  }
};

std::string text_of(const Program& program) {
  std::string text;
  const auto field = [&text](const std::string& value) { text += std::to_string(value.size()) + ':' + value; };
  for (const Node& node : program.nodes) {
    field(node.op);
    field(shape_text(node.shape));
    for (const int input : node.inputs) field(std::to_string(input));
    for (const auto& [name, value] : node.attributes) field(name), field(std::visit(Text{}, value));
    text += ';';
  }
  return text;
}

}  // namespace

Constant::Constant(const std::vector<int64_t>& shape, const std::vector<float>& values, const Backend& backend)
    : context_(ggml_init({ggml_tensor_overhead(), nullptr, true})) {
  const Sizes sizes(shape);
  tensor_ = ggml_new_tensor(context_, GGML_TYPE_F32, 4, sizes.ne);
  buffer_ = ggml_backend_alloc_ctx_tensors_from_buft(context_, backend.buffer_type());
  if (!buffer_) {
    ggml_free(context_);
    throw Error("out_of_memory", "no memory for computed weights of shape " + shape_text(shape));
  }
  ggml_backend_buffer_set_usage(buffer_, GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
  ggml_backend_tensor_set(tensor_, values.data(), 0, values.size() * sizeof(float));
}

Constant::~Constant() {
  ggml_backend_buffer_free(buffer_);
  ggml_free(context_);
}

std::shared_ptr<const Constant> Constants::get(const Program& program, int node, const std::vector<int64_t>& axes,
                                               Weights& weights, Caches& caches) {
  Part part(program);
  int result = part.take(node);
  if (!axes.empty()) {
    Node permute;
    permute.op = "permute";
    permute.inputs = {result};
    for (const int64_t axis : axes) permute.shape.push_back(part.part.nodes[static_cast<size_t>(result)].shape.at(static_cast<size_t>(axis)));
    permute.attributes["axes"] = std::vector<double>(axes.begin(), axes.end());
    result = part.add(std::move(permute));
  }
  part.part.outputs = {{"value", result}};

  std::weak_ptr<const Constant>& known = known_[text_of(part.part)];
  if (auto constant = known.lock()) return constant;
  for (auto entry = known_.begin(); entry != known_.end();) {
    if (entry->second.expired() && &entry->second != &known) entry = known_.erase(entry);
    else ++entry;
  }
  Graph graph(part.part, weights, caches, backend_);
  graph.compute();
  const Shape& shape = part.part.nodes[static_cast<size_t>(result)].shape;
  std::vector<float> values(static_cast<size_t>(n_elements(shape)));
  graph.get_output("value", values.data(), values.size());
  const auto constant = std::make_shared<const Constant>(shape, values, backend_);
  known = constant;
  return constant;
}

}  // namespace gt::graph
