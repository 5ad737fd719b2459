#include "generation/bigram_decoder.h"

#include <algorithm>
#include <cmath>

#include "errors.h"

namespace gt::generation {

BigramDecoder::BigramDecoder(BigramOptions options, const std::atomic<bool>& aborted)
    : options_(std::move(options)),
      aborted_(aborted),
      vocab_size_(static_cast<int32_t>(std::lround(std::sqrt(static_cast<double>(options_.table.size()))))) {
  if (vocab_size_ == 0 || static_cast<size_t>(vocab_size_) * static_cast<size_t>(vocab_size_) != options_.table.size())
    throw TypeError("Expected a square table but received " + std::to_string(options_.table.size()) + " numbers");
}

bool BigramDecoder::reserve(int32_t rows, int32_t length) {
  const auto needed = int64_t{rows} * length;
  if (rows > options_.max_rows || needed > options_.max_tokens)
    throw RangeError("Expected at most " + std::to_string(options_.max_rows) + " rows and " +
                     std::to_string(options_.max_tokens) + " tokens but received " + std::to_string(rows) + " rows of " +
                     std::to_string(length) + " tokens");
  int64_t open = 0, tokens = 0;
  for (const Content& row : rows_) {
    open += row.open;
    tokens += row.open ? row.reserved : 0;
  }
  reserved_length_ = length;
  return open + rows <= options_.max_rows && tokens + needed <= options_.max_tokens;
}

Row BigramDecoder::open_row() {
  const auto free = std::find_if(rows_.begin(), rows_.end(), [](const Content& row) { return !row.open; });
  const auto row = static_cast<Row>(free - rows_.begin());
  if (free == rows_.end()) rows_.emplace_back();
  rows_[static_cast<size_t>(row)] = {true, reserved_length_, {}};
  return row;
}

void BigramDecoder::close_row(Row row) { rows_[static_cast<size_t>(row)] = {}; }

void BigramDecoder::copy_row(Row from, Row to, int32_t length) {
  rows_[static_cast<size_t>(to)].tokens = rows_[static_cast<size_t>(from)].tokens;
  if (length >= 0) truncate_row(to, length);
}

void BigramDecoder::truncate_row(Row row, int32_t length) {
  auto& tokens = rows_[static_cast<size_t>(row)].tokens;
  if (length < static_cast<int32_t>(tokens.size())) tokens.resize(static_cast<size_t>(length));
}

void BigramDecoder::reorder_rows(const std::vector<Row>& rows, const std::vector<Row>& source) {
  const std::vector<Content> before = rows_;
  for (size_t i = 0; i < rows.size(); i++)
    rows_[static_cast<size_t>(rows[i])].tokens = before[static_cast<size_t>(source[i])].tokens;
}

DecodeStatus BigramDecoder::decode(const std::vector<RowInput>& inputs) {
  if (aborted_) return DecodeStatus::aborted;
  fed_.clear();
  for (const RowInput& input : inputs) {
    fed_.emplace_back(input.tokens, input.tokens + input.count);
    for (int32_t token : fed_.back())
      if (token < 0 || token >= vocab_size_) throw RangeError("token " + std::to_string(token) + " is not in the table");
    auto& tokens = rows_[static_cast<size_t>(input.row)].tokens;
    tokens.insert(tokens.end(), fed_.back().begin(), fed_.back().end());
  }
  return DecodeStatus::ok;
}

const float* BigramDecoder::logits(size_t input, int32_t token) const {
  const std::vector<int32_t>& fed = fed_[input];
  const int32_t last = token < 0 ? fed.back() : fed[static_cast<size_t>(token)];
  return options_.table.data() + static_cast<size_t>(last) * static_cast<size_t>(vocab_size_);
}

}  // namespace gt::generation
