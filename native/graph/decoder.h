// generate() on the graph engine: rows of tokens with a cache, for the native loop.
#pragma once

#include "generation/decoder.h"
#include "graph/runner.h"

namespace gt::graph {

class GraphDecoder final : public generation::Decoder {
 public:
  GraphDecoder(const EngineOptions& options, const std::atomic<bool>& aborted) : runner_(options, aborted) {}

  Runner& runner() { return runner_; }

  int32_t vocab_size() const override;
  int32_t max_positions() const override;
  bool reserve(int32_t rows, int32_t length) override;
  generation::Row open_row() override;
  void close_row(generation::Row row) override;
  int32_t row_length(generation::Row row) const override;
  void copy_row(generation::Row from, generation::Row to, int32_t length) override;
  void truncate_row(generation::Row row, int32_t length) override;
  void reorder_rows(const std::vector<generation::Row>& rows, const std::vector<generation::Row>& source) override;
  generation::DecodeStatus decode(const std::vector<generation::RowInput>& inputs) override;
  const float* logits(size_t input, int32_t token) const override;

 private:
  Runner runner_;
};

}  // namespace gt::graph
