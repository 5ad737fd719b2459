#include "graph/program.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "errors.h"

namespace gt::graph {

namespace {

using nlohmann::json;

[[noreturn]] void invalid(const std::string& message) { throw Error("invalid_program", "the program " + message); }

constexpr int64_t max_elements = int64_t{1} << 40;

Node::Value attribute(const json& value, const std::string& name) {
  if (value.is_boolean()) return value.get<bool>() ? 1.0 : 0.0;
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  if (value.is_array()) return value.get<std::vector<double>>();
  invalid("has an attribute '" + name + "' of no known kind");
}

Node parse_node(const json& value, int index) {
  Node node;
  node.op = value.at("op").get<std::string>();
  for (const json& input : value.at("inputs")) {
    node.inputs.push_back(input.get<int>());
    if (node.inputs.back() < 0 || node.inputs.back() >= index) invalid("reads a node before it is made");
  }
  node.shape = value.at("shape").get<Shape>();
  if (node.shape.size() > 4) invalid("has a tensor of " + std::to_string(node.shape.size()) + " axes; ggml has 4");
  int64_t elements = 1;
  for (const int64_t size : node.shape) {
    if (size < 1 || size > max_elements / elements) invalid("has a tensor of shape " + shape_text(node.shape));
    elements *= size;
  }
  node.is_int = value.at("dtype").get<std::string>() == "i32";
  for (const auto& [name, entry] : value.at("attributes").items()) node.attributes[name] = attribute(entry, name);
  return node;
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

static int64_t whole(double value, const char* name, const std::string& op) {
  if (!(value > -1e15 && value < 1e15) || value != static_cast<double>(static_cast<int64_t>(value)))
    invalid("has no whole number '" + std::string(name) + "' for " + op);
  return static_cast<int64_t>(value);
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
  try {
    const json document = json::parse(text);
    Program program;
    for (const json& node : document.at("nodes"))
      program.nodes.push_back(parse_node(node, static_cast<int>(program.nodes.size())));
    for (const json& output : document.at("outputs")) {
      program.outputs.push_back({output.at("name").get<std::string>(), output.at("node").get<int>()});
      const int node = program.outputs.back().node;
      if (node < 0 || node >= static_cast<int>(program.nodes.size())) invalid("has an output that is no node");
    }
    if (program.outputs.empty()) invalid("has no output");
    return program;
  } catch (const json::exception& error) {
    invalid("cannot be read: " + std::string(error.what()));
  }
}

}  // namespace gt::graph
