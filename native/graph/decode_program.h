// The programs that generate() runs: each computes a fixed number of tokens, which a batch is cut into or filled up to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "graph/program.h"

namespace gt::graph {

struct DecodeProgram {
  uint32_t id;  // its graph's
  std::shared_ptr<const Program> program;
  int32_t tokens;
  int32_t outputs;     // tokens that get logits
  bool picks_outputs;  // the input "outputs" says which; else all do
  bool reads_memory;   // what an encoder said of the row; "memory_spans" says where it is
  int32_t vocab_size;
  std::vector<std::string> others;  // further inputs, one number for each token: zeros unless the row says otherwise

  // Throws Error("invalid_program") unless it reads "input_ids", one for each token, and computes "logits".
  DecodeProgram(uint32_t id, std::shared_ptr<const Program> program);
};

// What one run computes: the next `tokens` of a batch, of which `outputs` get logits.
struct Piece {
  const DecodeProgram* program;
  int32_t tokens;
  int32_t outputs;
};

// The best program for a batch that begins with these tokens; wanted[i]: token i gets logits. Of `program` null there is
// none that computes even the first.
Piece next_piece(const std::vector<DecodeProgram>& programs, const uint8_t* wanted, int32_t count);

}  // namespace gt::graph
