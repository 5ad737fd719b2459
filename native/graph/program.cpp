#include "graph/program.h"

#include <cmath>
#include <limits>
#include <set>

#include "checkpoint/json_scanner.h"
#include "errors.h"

namespace gt::graph {

namespace {

using checkpoint::JsonScanner;

[[noreturn]] void invalid(const std::string& message) { throw Error("invalid_program", "the program " + message); }

constexpr int64_t max_elements = int64_t{1} << 40;

std::vector<double> read_numbers(JsonScanner& json) {
  std::vector<double> numbers;
  json.array([&] { numbers.push_back(json.number()); });
  return numbers;
}

int64_t whole(double value, const char* name, const std::string& op) {
  if (!(value > -1e15 && value < 1e15) || value != static_cast<double>(static_cast<int64_t>(value)))
    invalid("has no whole number '" + std::string(name) + "' for " + op);
  return static_cast<int64_t>(value);
}

Node::Value read_attribute(JsonScanner& json) {
  switch (json.next()) {
    case '"': return json.string();
    case '[': return read_numbers(json);
    case 't':
    case 'f': return json.boolean() ? 1.0 : 0.0;
    default: return json.number();
  }
}

void check_shape(const Shape& shape) {
  if (shape.size() > 4) invalid("has a tensor of " + std::to_string(shape.size()) + " axes; ggml has 4");
  int64_t elements = 1;
  for (const int64_t size : shape) {
    if (size < 1 || size > max_elements / elements) invalid("has a tensor of shape " + shape_text(shape));
    elements *= size;
  }
}

// The node of this number.
Node read_node(JsonScanner& json, size_t index) {
  Node node;
  std::set<std::string> found;
  json.object([&](const std::string& field) {
    found.insert(field);
    if (field == "op") node.op = json.string();
    else if (field == "dtype") node.is_int = json.string() == "i32";
    else if (field == "attributes") json.object([&](std::string name) { node.attributes[std::move(name)] = read_attribute(json); });
    else if (field == "shape")
      for (const double size : read_numbers(json)) node.shape.push_back(whole(size, "shape", node.op));
    else if (field == "inputs")
      for (const double input : read_numbers(json)) {
        if (!(input >= 0 && input < static_cast<double>(index))) invalid("reads a node before it is made");
        node.inputs.push_back(static_cast<int>(whole(input, "inputs", node.op)));
      }
    else json.skip();
  });
  for (const char* field : {"op", "dtype", "attributes", "shape", "inputs"})
    if (!found.count(field)) invalid("has a node without '" + std::string(field) + "'");
  check_shape(node.shape);
  return node;
}

Output read_output(JsonScanner& json) {
  Output output{"", -1};
  json.object([&](const std::string& field) {
    if (field == "name") output.name = json.string();
    else if (field == "node") output.node = static_cast<int>(whole(json.number(), "node", "an output"));
    else json.skip();
  });
  return output;
}

}  // namespace

int64_t n_elements(const Shape& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  return count;
}

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (const int64_t size : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + "]";
}

double Node::number(const char* name) const {
  const auto found = attributes.find(name);
  if (found == attributes.end() || !std::holds_alternative<double>(found->second))
    invalid("has no number '" + std::string(name) + "' for " + op);
  return std::get<double>(found->second);
}

double Node::number(const char* name, double fallback) const {
  return attributes.count(name) ? number(name) : fallback;
}

const std::string& Node::text(const char* name) const {
  const auto found = attributes.find(name);
  if (found == attributes.end() || !std::holds_alternative<std::string>(found->second))
    invalid("has no text '" + std::string(name) + "' for " + op);
  return std::get<std::string>(found->second);
}

float Node::single(const char* name) const {
  constexpr double most = std::numeric_limits<float>::max();
  const double value = number(name);
  return std::abs(value) <= most ? static_cast<float>(value) : std::copysign(std::numeric_limits<float>::infinity(), static_cast<float>(value > 0 ? 1 : -1));
}

int64_t Node::integer(const char* name) const { return whole(number(name), name, op); }

std::vector<double> Node::numbers(const char* name) const {
  const auto found = attributes.find(name);
  if (found == attributes.end() || !std::holds_alternative<std::vector<double>>(found->second))
    invalid("has no list '" + std::string(name) + "' for " + op);
  return std::get<std::vector<double>>(found->second);
}

std::vector<int64_t> Node::integers(const char* name) const {
  std::vector<int64_t> values;
  for (const double value : numbers(name)) values.push_back(whole(value, name, op));
  return values;
}

Program parse_program(const std::string& text) {
  JsonScanner json(text);
  Program program;
  try {
    json.object([&](const std::string& field) {
      if (field == "nodes") json.array([&] { program.nodes.push_back(read_node(json, program.nodes.size())); });
      else if (field == "outputs") json.array([&] { program.outputs.push_back(read_output(json)); });
      else json.skip();
    });
    json.end();
  } catch (const checkpoint::JsonError& error) {
    invalid("cannot be read: " + std::string(error.what()));
  }
  if (program.outputs.empty()) invalid("has no output");
  for (const Output& output : program.outputs) {
    if (output.node < 0 || static_cast<size_t>(output.node) >= program.nodes.size()) invalid("has an output that is no node");
    if (program.nodes[static_cast<size_t>(output.node)].is_int) invalid("has an output of integers");
  }
  for (const Node& node : program.nodes)
    if (node.op == "input") program.inputs.push_back(node.text("name"));
  return program;
}

}  // namespace gt::graph
