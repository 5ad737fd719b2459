// Turns the tree of a regular expression into the program of the machine.
#pragma once

#include <unordered_map>

#include "regex/regex.h"

namespace gt::regex {

class Compiler {
 public:
  explicit Compiler(Regex& regex) : regex_(regex) {}
  void run(const Tree& tree);

 private:
  using Op = Regex::Op;

  uint32_t emit(Op op, uint32_t x = 0, uint32_t y = 0, uint32_t z = 0);
  uint32_t here() const { return static_cast<uint32_t>(regex_.program_.size()); }
  uint32_t set_of(const Node& node);
  void compile(const Node& node);
  void compile_repeat(const Node& node);
  void compile_sub_program(Op op, const Node& node);
  // The shortest and longest match in characters.
  static std::pair<uint32_t, uint32_t> lengths(const Node& node);
  // Adds the bytes that a match of `node` can start with; returns whether it can be empty.
  static bool first_bytes(const Node& node, std::bitset<256>& bytes);

  Regex& regex_;
  std::unordered_map<const Node*, uint32_t> sets_;
  bool captures_ = false;
};

}  // namespace gt::regex
