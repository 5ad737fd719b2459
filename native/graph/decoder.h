// generate() on the graph engine: rows of tokens with a cache, for the native loop; and forward() with a cache.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "generation/decoder.h"
#include "generation/request.h"
#include "graph/decode_program.h"
#include "graph/runner.h"

namespace gt::graph {

// A computation that goes on after what a cache holds. New tokens lie row by row, in each row first those that nobody
// will see; the keys that its spans count are, row by row: those, the row's tokens in the cache, the other new ones.
struct CachedRun {
  Run run;
  std::shared_ptr<generation::Cache> cache;  // null: the rows are new
  std::vector<int32_t> hidden, visible;      // new tokens of each row
  std::vector<int32_t> places;               // where each key stands in its text; empty: they follow each other
  // Tokens of each new row that the program's encoder reads and stores in the memory; empty: it stores none. Of the keys
  // of cross-attention a row has those that are visible or, where none is, all.
  std::vector<int32_t> memory_hidden, memory_visible;
};

class GraphDecoder final : public generation::Decoder {
 public:
  // `stopped` ends any computation early, `aborted` those of decode().
  GraphDecoder(const EngineOptions& options, const std::atomic<bool>& stopped, const std::atomic<bool>& aborted)
      : runner_(options, stopped), aborted_(aborted) {}

  Runner& runner() { return runner_; }
  // All have the same vocabulary.
  // `counts_padding`: a token's position counts what run() hid before it, too.
  void set_programs(std::vector<DecodeProgram> programs, int32_t max_positions, bool counts_padding);

  // The rows with the new tokens that are seen: those of run.cache, if there is one, else new ones. After an error a
  // given cache holds what it held. Throws what Runner::run() throws, RangeError for rows that do not fit.
  std::shared_ptr<generation::Cache> run(uint32_t id, const Program& program, const CachedRun& run);

  // These throw Error("unsupported") before set_programs().
  int32_t vocab_size() const override;
  int32_t max_positions() const override;
  bool reserve(int32_t rows, int32_t length) override;
  generation::Row open_row() override;
  void close_row(generation::Row row) override;
  int32_t row_length(generation::Row row) const override { return static_cast<int32_t>(cells(row).size()); }
  int64_t token_size() const override;
  int64_t cache_size(const generation::Cache& cache) const override;
  void copy_row(generation::Row from, generation::Row to, int32_t length = -1) override;
  void truncate_row(generation::Row row, int32_t length) override;
  void reorder_rows(const std::vector<generation::Row>& rows, const std::vector<generation::Row>& source) override;
  // Throws RangeError for tokens outside the vocabulary and for rows longer than max_positions().
  generation::DecodeStatus decode(const std::vector<generation::RowInput>& inputs) override;
  void set_row_inputs(generation::Row row, const generation::RowInputs& inputs) override;
  const float* logits(size_t input, int32_t token = -1) const override;

 private:
  using Cells = std::vector<int32_t>;
  // What the encoder read for a row, in cells of the second cache. Rows that began as one share it.
  struct Memory {
    Cache& cache;
    Cells cells;
    bool blind = false;  // nothing was visible: all of it counts the same

    explicit Memory(Cache& cache) : cache(cache) {}
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
  };
  struct RowState {
    bool open = false;
    Cells cells;  // of its tokens
    int32_t hidden = 0;  // tokens that it had beside them
    std::shared_ptr<const Memory> memory;
    generation::RowInputs inputs;
  };
  // A token of the batch under way.
  struct Token {
    generation::Row row;
    int32_t id;
    int32_t position;
  };

  // Programs that read the same of a row beside its ids and positions.
  struct Family {
    std::vector<std::string> inputs;
    std::vector<DecodeProgram> programs;
  };
  // The one for a row: of those that read all that the row has, that which reads the least.
  const Family& family(generation::Row row) const;
  const Cells& cells(generation::Row row) const { return rows_[static_cast<size_t>(row)].cells; }
  Cells& cells(generation::Row row) { return rows_[static_cast<size_t>(row)].cells; }
  // The position of the next token.
  int32_t next_position(generation::Row row) const;
  const std::shared_ptr<const Memory>& memory(generation::Row row) const { return rows_[static_cast<size_t>(row)].memory; }
  void check(const std::vector<generation::RowInput>& inputs) const;
  void lay_out(const std::vector<generation::RowInput>& inputs);
  int32_t row_input(const Token& token, const std::string& name, int32_t otherwise) const;
  void compute(const Piece& piece, const Family& family, size_t first);
  void store(const CachedRun& run, const std::vector<generation::Row>& rows, Cells& fresh);
  std::vector<std::shared_ptr<const Memory>> store_memory(const CachedRun& run, const std::vector<generation::Row>& rows);

  Runner runner_;
  const std::atomic<bool>& aborted_;
  std::vector<Family> families_;
  int32_t max_positions_ = 0;
  bool counts_padding_ = false;
  std::vector<RowState> rows_;

  // The batch under way, its arrays reused.
  std::vector<Token> tokens_;
  std::vector<uint8_t> wanted_;    // of each token: logits
  std::vector<size_t> starts_;     // of each input among the tokens
  std::vector<int32_t> lengths_;   // of the row of each input, before
  std::vector<size_t> logits_at_;  // of each token that has them, in `logits_`
  std::vector<float> logits_;
  size_t n_logits_ = 0;            // of `logits_`, in use
  std::vector<int32_t> ids_, positions_, spans_, memory_spans_, outputs_, others_;
};

}  // namespace gt::graph
