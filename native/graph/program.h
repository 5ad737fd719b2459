// What lib/nn traced: a flat list of operations, each on earlier ones. See Program in lib/nn/trace.ts.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace gt::graph {

// In Python's order of axes, at most four.
using Shape = std::vector<int64_t>;

int64_t n_elements(const Shape& shape);
std::string shape_text(const Shape& shape);

class Node {
 public:
  std::string op;
  std::vector<int> inputs;
  Shape shape;
  bool is_int = false;  // int32, else float32

  using Value = std::variant<double, std::string, std::vector<double>>;
  std::map<std::string, Value> attributes;  // true and false are 1 and 0

  // These throw Error("invalid_program") where an attribute is missing or of another kind.
  double number(const char* name) const;
  double number(const char* name, double fallback) const;
  // … as a float32; what is too large is infinite.
  float single(const char* name) const;
  int64_t integer(const char* name) const;
  bool flag(const char* name) const { return number(name, 0) != 0; }
  const std::string& text(const char* name) const;
  std::vector<double> numbers(const char* name) const;
  std::vector<int64_t> integers(const char* name) const;
};

struct Output {
  std::string name;
  int node;
};

struct Program {
  std::vector<Node> nodes;
  std::vector<std::string> inputs;  // by name, each once
  std::vector<Output> outputs;
  bool is_for_constants = false;  // computes what depends on weights alone, which other programs do not
};

// Throws Error("invalid_program") unless it is whole: known fields, inputs that come before, shapes of 1 to 4 sizes above 0.
Program parse_program(const std::string& json);

// A program that is parsed when it is first wanted, by whichever thread.
class Source {
 public:
  explicit Source(std::string json) : json_(std::move(json)) {}
  // Throws what parse_program throws, each time.
  const Program& program() const {
    std::call_once(parsed_, [this] {
      program_ = parse_program(json_);
      json_ = {};
    });
    return program_;
  }

 private:
  mutable std::once_flag parsed_;
  mutable std::string json_;
  mutable Program program_;
};

}  // namespace gt::graph
