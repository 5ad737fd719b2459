// A decoder whose logits are a table's row for the last token: endings, ties and dead ends can be made at will.
// The reference for tests of everything above a Decoder.
#pragma once

#include <atomic>
#include <vector>

#include "generation/decoder.h"

namespace gt::generation {

struct BigramOptions {
  std::vector<float> table;  // [vocab_size, vocab_size]
  int32_t max_positions = 0;
  int32_t max_rows = 0;
  int32_t max_tokens = 0;  // of all rows together, as reserved
};

class BigramDecoder final : public Decoder {
 public:
  BigramDecoder(BigramOptions options, const std::atomic<bool>& aborted);

  int32_t vocab_size() const override { return vocab_size_; }
  int32_t max_positions() const override { return options_.max_positions; }
  bool reserve(int32_t rows, int32_t length) override;
  Row open_row() override;
  void close_row(Row row) override;
  int32_t row_length(Row row) const override { return static_cast<int32_t>(rows_[static_cast<size_t>(row)].tokens.size()); }
  int64_t token_size() const override { return sizeof(int32_t); }
  void copy_row(Row from, Row to, int32_t length = -1) override;
  void truncate_row(Row row, int32_t length) override;
  void reorder_rows(const std::vector<Row>& rows, const std::vector<Row>& source) override;
  // Throws RangeError for a token outside the table.
  DecodeStatus decode(const std::vector<RowInput>& inputs) override;
  const float* logits(size_t input, int32_t token = -1) const override;

 private:
  struct Content {
    bool open = false;
    int32_t reserved = 0;
    std::vector<int32_t> tokens;
  };

  BigramOptions options_;
  const std::atomic<bool>& aborted_;
  int32_t vocab_size_;
  int32_t reserved_length_ = 0;
  std::vector<Content> rows_;
  std::vector<std::vector<int32_t>> fed_;  // tokens of each input of the last decode
};

}  // namespace gt::generation
