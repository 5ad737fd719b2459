#include "regex/compiler.h"

#include <algorithm>

namespace gt::regex {

namespace {
using Kind = Node::Kind;
constexpr size_t kMaxProgram = 100000;
}  // namespace

void Compiler::run(const Tree& tree) {
  captures_ = tree.has_references;
  regex_.slots_ = captures_ ? 2 * static_cast<uint32_t>(tree.groups + 1) : 0;
  compile(*tree.root);
  emit(Op::end);
  regex_.can_be_empty_ = first_bytes(*tree.root, regex_.first_);
}

uint32_t Compiler::emit(Op op, uint32_t x, uint32_t y, uint32_t z) {
  if (regex_.program_.size() >= kMaxProgram) throw SyntaxError("the pattern is too large");
  Regex::Instruction instruction{op};
  instruction.x = x;
  instruction.y = y;
  instruction.z = z;
  regex_.program_.push_back(instruction);
  return here() - 1;
}

uint32_t Compiler::set_of(const Node& node) {
  const auto [known, is_new] = sets_.emplace(&node, static_cast<uint32_t>(regex_.sets_.size()));
  if (is_new) regex_.sets_.push_back(node.set);
  return known->second;
}

void Compiler::compile(const Node& node) {
  auto& program = regex_.program_;
  switch (node.kind) {
    case Kind::empty: return;
    case Kind::set: emit(Op::set, set_of(node)); return;
    case Kind::concatenation:
      for (const auto& child : node.children) compile(*child);
      return;
    case Kind::alternation: {
      std::vector<uint32_t> ends;
      for (size_t i = 0; i < node.children.size(); i++) {
        const bool is_last = i + 1 == node.children.size();
        const uint32_t split = is_last ? 0 : emit(Op::split, here() + 1);
        compile(*node.children[i]);
        if (is_last) break;
        ends.push_back(emit(Op::jump));
        program[split].y = here();
      }
      for (const uint32_t end : ends) program[end].x = here();
      return;
    }
    case Kind::repeat: return compile_repeat(node);
    case Kind::group:
      if (captures_ && node.number > 0) emit(Op::save, 2 * static_cast<uint32_t>(node.number));
      compile(*node.children[0]);
      if (captures_ && node.number > 0) emit(Op::save, 2 * static_cast<uint32_t>(node.number) + 1);
      return;
    case Kind::atomic: return compile_sub_program(Op::atomic, node);
    case Kind::look: return compile_sub_program(node.behind ? Op::behind : Op::look, node);
    case Kind::back_reference:
      emit(Op::back_reference, 2 * static_cast<uint32_t>(node.number));
      program.back().flag = node.ignores_case;
      return;
    case Kind::line_begin: emit(Op::line_begin); return;
    case Kind::line_end: emit(Op::line_end); return;
    case Kind::text_begin: emit(Op::text_begin); return;
    case Kind::text_end: emit(Op::text_end); return;
    case Kind::text_end_newline: emit(Op::text_end_newline); return;
    case Kind::word_boundary: emit(Op::word_boundary); return;
    case Kind::no_word_boundary: emit(Op::no_word_boundary); return;
    case Kind::search_begin: emit(Op::search_begin); return;
    case Kind::keep: emit(Op::keep); return;
  }
}

// The part in between ends with `end`; x is what follows it.
void Compiler::compile_sub_program(Op op, const Node& node) {
  const auto [shortest, longest] = lengths(*node.children[0]);
  const uint32_t at = emit(op, 0, shortest, longest);
  regex_.program_[at].flag = node.negative;
  compile(*node.children[0]);
  emit(Op::end);
  regex_.program_[at].x = here();
}

void Compiler::compile_repeat(const Node& node) {
  const Node& body = *node.children[0];
  auto& program = regex_.program_;
  if (body.kind == Kind::set && !node.lazy) {
    emit(Op::run, set_of(body), node.min, node.max);
    return;
  }
  for (uint32_t i = 0; i < node.min; i++) compile(body);
  const auto split = [&](uint32_t at, uint32_t in, uint32_t out) {
    program[at].x = node.lazy ? out : in;
    program[at].y = node.lazy ? in : out;
  };
  if (node.max == Node::kUnlimited) {
    const bool can_be_empty = lengths(body).first == 0;
    const uint32_t slot = can_be_empty ? regex_.slots_++ : 0;
    const uint32_t start = emit(Op::split);
    if (can_be_empty) emit(Op::empty_begin, slot);
    compile(body);
    if (can_be_empty) emit(Op::empty_check, slot);
    emit(Op::jump, start);
    split(start, start + 1, here());
    return;
  }
  std::vector<uint32_t> splits;
  for (uint32_t i = node.min; i < node.max; i++) {
    splits.push_back(emit(Op::split));
    compile(body);
  }
  for (const uint32_t at : splits) split(at, at + 1, here());
}

std::pair<uint32_t, uint32_t> Compiler::lengths(const Node& node) {
  constexpr uint32_t kUnlimited = Node::kUnlimited;
  const auto add = [](uint32_t a, uint32_t b) { return a == kUnlimited || b == kUnlimited || a + b > 100000 ? kUnlimited : a + b; };
  switch (node.kind) {
    case Kind::set: return {1, 1};
    case Kind::concatenation: {
      std::pair<uint32_t, uint32_t> sum{0, 0};
      for (const auto& child : node.children) {
        const auto [shortest, longest] = lengths(*child);
        sum = {add(sum.first, shortest), add(sum.second, longest)};
      }
      return sum;
    }
    case Kind::alternation: {
      std::pair<uint32_t, uint32_t> all{kUnlimited, 0};
      for (const auto& child : node.children) {
        const auto [shortest, longest] = lengths(*child);
        all = {std::min(all.first, shortest), std::max(all.second, longest)};
      }
      return all;
    }
    case Kind::repeat: {
      const auto [shortest, longest] = lengths(*node.children[0]);
      const uint64_t most = static_cast<uint64_t>(longest) * node.max;
      const bool has_no_end = longest > 0 && (node.max == kUnlimited || most > 100000);
      return {static_cast<uint32_t>(std::min<uint64_t>(static_cast<uint64_t>(shortest) * node.min, 100000)),
              has_no_end ? kUnlimited : static_cast<uint32_t>(most)};
    }
    case Kind::group:
    case Kind::atomic: return lengths(*node.children[0]);
    case Kind::back_reference: return {0, kUnlimited};
    default: return {0, 0};
  }
}

bool Compiler::first_bytes(const Node& node, std::bitset<256>& bytes) {
  switch (node.kind) {
    case Kind::set:
      for (char32_t c = 0; c < 0x80; c++) {
        if (node.set.has(c)) bytes.set(c);
      }
      for (size_t lead = 0xc2; lead < 0xf5; lead++) bytes.set(lead);
      return false;
    case Kind::concatenation:
      for (const auto& child : node.children) {
        if (!first_bytes(*child, bytes)) return false;
      }
      return true;
    case Kind::alternation: {
      bool can_be_empty = false;
      for (const auto& child : node.children) can_be_empty |= first_bytes(*child, bytes);
      return can_be_empty;
    }
    case Kind::repeat: return first_bytes(*node.children[0], bytes) || node.min == 0;
    case Kind::group:
    case Kind::atomic: return first_bytes(*node.children[0], bytes);
    case Kind::back_reference: bytes.set(); return true;
    default: return true;
  }
}

}  // namespace gt::regex
