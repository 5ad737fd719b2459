#include "graph/decode_program.h"

#include <algorithm>

#include "errors.h"

namespace gt::graph {

namespace {

// What reading the weights costs, in tokens.
constexpr double run_cost = 8;

[[noreturn]] void invalid(const std::string& message) { throw Error("invalid_program", "the program for generate() " + message); }

}  // namespace

DecodeProgram::DecodeProgram(uint32_t id, std::shared_ptr<const Program> whole)
    : id(id), program(std::move(whole)), tokens(0), outputs(0), picks_outputs(false), reads_memory(false), vocab_size(0) {
  for (const Node& node : program->nodes) {
    if (node.op != "input") continue;
    const std::string& name = node.text("name");
    if (!node.is_int) invalid("has an input '" + name + "' that generate() does not know");
    if (name == "outputs") picks_outputs = true;
    else if (name == "memory_spans") reads_memory = true;
    else if (name == "input_ids") tokens = static_cast<int32_t>(node.shape.at(0));
    else if (name != "position_ids" && name != "spans") others.push_back(name);
  }
  if (tokens == 0) invalid("does not read input_ids");
  std::sort(others.begin(), others.end());
  for (const Output& output : program->outputs) {
    if (output.name != "logits") continue;
    const Shape& shape = program->nodes[static_cast<size_t>(output.node)].shape;
    if (shape.size() != 2 || shape[0] > tokens) invalid("gives logits of shape " + shape_text(shape));
    outputs = static_cast<int32_t>(shape[0]);
    vocab_size = static_cast<int32_t>(shape[1]);
  }
  if (outputs == 0 || (!picks_outputs && outputs != tokens)) invalid("gives no logits for its tokens");
}

Piece next_piece(const std::vector<DecodeProgram>& programs, const uint8_t* wanted, int32_t count) {
  Piece best{nullptr, 0, 0};
  double best_rate = 0;
  for (const DecodeProgram& program : programs) {
    Piece piece{&program, 0, 0};
    while (piece.tokens < count && piece.tokens < program.tokens && piece.outputs + wanted[piece.tokens] <= program.outputs)
      piece.outputs += wanted[piece.tokens++];
    const double rate = piece.tokens / (run_cost + program.tokens);
    if (rate < best_rate || (rate == best_rate && piece.tokens <= best.tokens)) continue;
    best = piece;
    best_rate = rate;
  }
  return best;
}

}  // namespace gt::graph
