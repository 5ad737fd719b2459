// What the generation loop needs of an engine: rows of tokens with a cache, and logits for them.
// Implemented by llama/ (libllama) and by graph/ (models written in TypeScript). Used from the engine's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "errors.h"

namespace gt::generation {

// One sequence inside an engine: its tokens so far are in the engine's cache.
using Row = int32_t;

using RowInputs = std::map<std::string, std::vector<int32_t>>;

// Tokens to feed to one row in the next decode().
struct RowInput {
  Row row;
  const int32_t* tokens;
  int32_t count;
  int32_t logits;  // how many of them, counted from the last one, get logits: at least 1
};

// Rows of a decoder that outlive the call that made them (Python's past_key_values). Touched on the engine's thread
// only; who drops the last reference closes the rows there (Scheduler::release).
struct Cache {
  std::vector<Row> rows;
  bool in_use = false;  // a generation is changing them
};

enum class DecodeStatus {
  ok,
  no_space,  // the cache is full: nothing was changed
  aborted,   // abort() said yes: the rows hold what was there before
};

class Decoder {
 public:
  virtual ~Decoder() = default;

  virtual int32_t vocab_size() const = 0;
  virtual int32_t max_positions() const = 0;  // longest row

  // Makes room for `rows` rows of up to `length` tokens beside those in use. False: wait until others end.
  virtual bool reserve(int32_t rows, int32_t length) = 0;
  virtual Row open_row() = 0;
  virtual void close_row(Row row) = 0;
  virtual int32_t row_length(Row row) const = 0;
  // Bytes that a token of a row takes in the cache.
  virtual int64_t token_size() const = 0;
  // Bytes of what the rows hold.
  virtual int64_t cache_size(const Cache& cache) const {
    int64_t tokens = 0;
    for (const Row row : cache.rows) tokens += row_length(row);
    return tokens * token_size();
  }
  // The cache of `to` becomes that of `from`, cut to `length` tokens (-1: all of them).
  virtual void copy_row(Row from, Row to, int32_t length = -1) = 0;
  virtual void truncate_row(Row row, int32_t length) = 0;
  // rows[i] continues what source[i] held: beams. Both have the same size; a source may repeat.
  virtual void reorder_rows(const std::vector<Row>& rows, const std::vector<Row>& source) = 0;

  // What a row has beside its tokens ("position_ids", "token_type_ids"): one number for each, the last for all that follow.
  virtual void set_row_inputs(Row, const RowInputs&) { throw Error("unsupported", "this engine takes token ids alone"); }

  // Feeds all inputs in one batch.
  virtual DecodeStatus decode(const std::vector<RowInput>& inputs) = 0;
  // After decode(): the float32 logits [vocab_size] of token `token` (or of the last one, -1) of inputs[input].
  virtual const float* logits(size_t input, int32_t token = -1) const = 0;
};

}  // namespace gt::generation
