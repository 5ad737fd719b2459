#include "llama/forward.h"

#include <algorithm>
#include <cstring>

#include "errors.h"

namespace gt::llama {

using generation::DecodeStatus;
using generation::Row;
using generation::RowInput;

namespace {

// Tokens of one row that go into one decode().
struct Segment {
  size_t row;
  int32_t begin;
  int32_t count;
  bool kept;  // its logits are wanted
};

int32_t length_of(const ForwardRequest& request, size_t row) { return static_cast<int32_t>(request.input_ids[row].size()); }

int32_t kept_of(const ForwardRequest& request, size_t row) {
  const int32_t length = length_of(request, row);
  return request.logits_to_keep > 0 ? std::min(length, request.logits_to_keep) : length;
}

std::vector<Segment> segments_of(const ForwardRequest& request, int32_t chunk) {
  std::vector<Segment> segments;
  for (size_t row = 0; row < request.input_ids.size(); row++) {
    const int32_t length = length_of(request, row);
    const int32_t kept_from = request.logits ? length - kept_of(request, row) : length;
    for (int32_t begin = 0, end; begin < length; begin = end) {
      const bool kept = begin >= kept_from;
      end = std::min(kept ? length : kept_from, begin + chunk);
      segments.push_back({row, begin, end - begin, kept});
    }
  }
  return segments;
}

// Where each row's values begin in the results, in tokens.
std::vector<int64_t> starts_of(const ForwardRequest& request, bool kept) {
  std::vector<int64_t> starts;
  int64_t start = 0;
  for (size_t row = 0; row < request.input_ids.size(); row++) {
    starts.push_back(start);
    start += kept ? kept_of(request, row) : length_of(request, row);
  }
  return starts;
}

class Pass {
 public:
  Pass(LlamaDecoder& decoder, const ForwardRequest& request, const std::vector<Row>& rows)
      : decoder_(decoder),
        request_(request),
        rows_(rows),
        kept_starts_(starts_of(request, true)),
        starts_(starts_of(request, false)) {}

  void run() {
    const std::vector<Segment> segments = segments_of(request_, decoder_.max_outputs());
    for (size_t i = 0; i < segments.size();) {
      std::vector<Segment> batch;
      int32_t tokens = 0;
      for (; i < segments.size() && tokens + segments[i].count <= decoder_.max_outputs(); i++) {
        if (!batch.empty() && batch.back().row == segments[i].row) break;
        batch.push_back(segments[i]);
        tokens += segments[i].count;
      }
      decode(batch);
    }
  }

 private:
  void decode(const std::vector<Segment>& batch) {
    std::vector<RowInput> inputs;
    for (const Segment& segment : batch)
      inputs.push_back({rows_[segment.row], request_.input_ids[segment.row].data() + segment.begin, segment.count, segment.kept ? segment.count : 1});
    switch (decoder_.decode(inputs)) {
      case DecodeStatus::ok: break;
      case DecodeStatus::aborted: throw Error("aborted", "the forward pass was cancelled");
      case DecodeStatus::no_space: throw Error("out_of_memory", "the cache has no room for the tokens");
    }
    size_t hidden_offset = 0;
    for (size_t i = 0; i < batch.size(); i++) {
      if (batch[i].kept) copy_logits(i, batch[i]);
      copy_hidden_states(batch[i], hidden_offset);
      hidden_offset += static_cast<size_t>(batch[i].count);
    }
  }

  void copy_logits(size_t input, const Segment& segment) {
    const auto vocab = static_cast<size_t>(decoder_.vocab_size());
    const int64_t kept_from = length_of(request_, segment.row) - kept_of(request_, segment.row);
    float* target = request_.logits + static_cast<size_t>(kept_starts_[segment.row] + segment.begin - kept_from) * vocab;
    for (int32_t token = 0; token < segment.count; token++, target += vocab)
      std::memcpy(target, decoder_.logits(input, token), vocab * sizeof(float));
  }

  void copy_hidden_states(const Segment& segment, size_t offset) {
    for (size_t layer = 0; layer < request_.hidden_states.size(); layer++) {
      if (!request_.hidden_states[layer]) continue;
      const auto width = static_cast<size_t>(decoder_.embedding_size());
      std::memcpy(request_.hidden_states[layer] + static_cast<size_t>(starts_[segment.row] + segment.begin) * width,
                  decoder_.hidden_states(static_cast<int32_t>(layer)).data() + offset * width,
                  static_cast<size_t>(segment.count) * width * sizeof(float));
    }
  }

  LlamaDecoder& decoder_;
  const ForwardRequest& request_;
  const std::vector<Row>& rows_;
  const std::vector<int64_t> kept_starts_;
  const std::vector<int64_t> starts_;
};

std::vector<Row> open_rows(LlamaDecoder& decoder, const ForwardRequest& request) {
  int32_t longest = 0;
  for (size_t row = 0; row < request.input_ids.size(); row++) {
    const int32_t first = request.first_position.empty() ? 0 : request.first_position[row];
    longest = std::max(longest, first + length_of(request, row));
  }
  if (!decoder.reserve(static_cast<int32_t>(request.input_ids.size()), longest))
    throw Error("out_of_memory", "the cache has no room for the rows: other requests hold it");
  std::vector<Row> rows;
  for (size_t row = 0; row < request.input_ids.size(); row++) {
    rows.push_back(decoder.open_row());
    if (!request.first_position.empty()) decoder.set_first_position(rows.back(), request.first_position[row]);
  }
  return rows;
}

void continue_rows(LlamaDecoder& decoder, const ForwardRequest& request, const std::vector<Row>& rows) {
  if (rows.size() != request.input_ids.size())
    throw RangeError("Expected " + std::to_string(rows.size()) + " rows, as in the cache, but received " +
                     std::to_string(request.input_ids.size()));
  if (!request.first_position.empty()) throw RangeError("Expected no first_position together with a cache");
  if (!request.beam_idx.empty()) {
    std::vector<Row> source;
    for (const int32_t beam : request.beam_idx) {
      if (beam < 0 || static_cast<size_t>(beam) >= rows.size() || request.beam_idx.size() != rows.size())
        throw RangeError("Expected " + std::to_string(rows.size()) + " rows of the cache for beam_idx");
      source.push_back(rows[static_cast<size_t>(beam)]);
    }
    decoder.reorder_rows(rows, source);
  }
  for (size_t row = 0; row < rows.size(); row++)
    decoder.extend_row(rows[row], decoder.row_length(rows[row]) + length_of(request, row));
}

}  // namespace

int64_t ForwardRequest::tokens() const {
  int64_t sum = 0;
  for (size_t row = 0; row < input_ids.size(); row++) sum += length_of(*this, row);
  return sum;
}

int64_t ForwardRequest::kept_tokens() const {
  int64_t sum = 0;
  for (size_t row = 0; row < input_ids.size(); row++) sum += kept_of(*this, row);
  return sum;
}

std::shared_ptr<generation::Cache> forward(LlamaDecoder& decoder, const ForwardRequest& request) {
  const bool continued = request.cache != nullptr;
  const std::vector<Row> rows = continued ? request.cache->rows : open_rows(decoder, request);
  std::vector<int32_t> lengths;
  for (const Row row : rows) lengths.push_back(decoder.row_length(row));
  try {
    if (continued) continue_rows(decoder, request, rows);
    decoder.keep_hidden_states(request.hidden);
    Pass(decoder, request, rows).run();
    decoder.keep_hidden_states(Hidden::none);
  } catch (...) {
    decoder.keep_hidden_states(Hidden::none);
    for (size_t i = 0; i < rows.size(); i++) continued ? decoder.truncate_row(rows[i], lengths[i]) : decoder.close_row(rows[i]);
    throw;
  }
  if (continued) return request.cache;
  if (request.use_cache) return std::make_shared<generation::Cache>(generation::Cache{rows});
  for (const Row row : rows) decoder.close_row(row);
  return nullptr;
}

}  // namespace gt::llama
