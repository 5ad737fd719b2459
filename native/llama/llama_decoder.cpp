#include "llama/llama_decoder.h"

#include <ggml-cpu.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "../src/llama-ext.h"
#include "cpu_backend.h"
#include "errors.h"
#include "llama/log.h"

namespace gt::llama {

using generation::DecodeStatus;
using generation::Row;
using generation::RowInput;

namespace {

constexpr int32_t max_rows = 256;  // LLAMA_MAX_SEQ
constexpr uint32_t max_batch = 2048;
constexpr uint32_t max_ubatch = 512;
constexpr int64_t min_cells = 256;
constexpr int32_t first_reservation = 4096;  // tokens of a row: few generations reach a large max_new_tokens
constexpr int32_t max_logits = 1 << 24;  // floats: 64 MiB

int64_t power_of_two(int64_t n) {
  int64_t result = 1;
  while (result < n) result *= 2;
  return result;
}

// Graphs that name the input of each layer (llm_graph_result::t_layer_inp), so that libllama can return it.
bool has_hidden_states(const std::string& architecture) {
  static const std::set<std::string> names = {"llama",  "qwen2",  "qwen3",   "qwen2moe", "qwen3moe", "phi3",       "gemma", "gemma2",
                                              "gemma3", "gemma4", "smollm3", "granite",  "olmo2",    "minimax-m2", "gpt-oss"};
  return names.count(architecture) > 0;
}

// Threads meet after every operation: below some 16 MB of weights for each, the meeting costs more than it saves, and
// far more when other work takes a core.
int default_threads(const llama_model* model) {
  constexpr uint64_t bytes_for_a_thread = 16 << 20;
  return static_cast<int>(std::clamp<uint64_t>(llama_model_size(model) / bytes_for_a_thread, 1, static_cast<uint64_t>(physical_cores())));
}

}  // namespace

LlamaDecoder::LlamaDecoder(const Model& model, const DecoderOptions& options, const std::atomic<bool>& aborted)
    : model_(model),
      aborted_(&aborted),
      vocab_size_(model.vocab_size()),
      max_positions_(options.max_positions > 0 ? options.max_positions : llama_model_n_ctx_train(model.get())),
      n_threads_(options.n_threads > 0 ? options.n_threads : default_threads(model.get())),
      max_outputs_(options.logits ? std::clamp(max_logits / std::max(1, vocab_size_), 32, static_cast<int32_t>(max_ubatch))
                                  : static_cast<int32_t>(max_ubatch)),
      has_logits_(options.logits) {
  if (n_threads_ > 1) {
    ggml_threadpool_params params = ggml_threadpool_params_default(n_threads_);
    if (auto* create = cpu_function<decltype(ggml_threadpool_new)>("ggml_threadpool_new")) threadpool_ = create(&params);
  }
}

LlamaDecoder::~LlamaDecoder() {
  if (context_) llama_free(context_);
  if (threadpool_) cpu_function<decltype(ggml_threadpool_free)>("ggml_threadpool_free")(threadpool_);
}

bool LlamaDecoder::reserve(int32_t rows, int32_t length) {
  if (length > max_positions_)
    throw RangeError("Expected at most " + std::to_string(max_positions_) + " tokens in a row but received " +
                     std::to_string(length));
  if (rows > max_rows)
    throw RangeError("Expected at most " + std::to_string(max_rows) + " rows at a time but received " + std::to_string(rows));
  const int32_t reserved = std::min(length, first_reservation);
  const auto open = static_cast<int32_t>(std::count_if(rows_.begin(), rows_.end(), [](const RowState& row) { return row.open; }));
  if (open + rows > max_rows) return false;
  try {
    rebuild(open + rows, cells_needed() + int64_t{rows} * reserved);
  } catch (const Error&) {
    if (open > 0) return false;
    throw;
  }
  reserved_length_ = reserved;
  return true;
}

int64_t LlamaDecoder::cells_needed() const {
  int64_t cells = 0;
  for (const RowState& row : rows_)
    if (row.open) cells += std::max(row.reserved, row.length);
  return cells;
}

void LlamaDecoder::extend_row(Row row, int32_t length) {
  if (length > max_positions_)
    throw RangeError("Expected at most " + std::to_string(max_positions_) + " tokens in a row but received " +
                     std::to_string(length));
  rows_[static_cast<size_t>(row)].reserved = std::max(rows_[static_cast<size_t>(row)].reserved, length);
  rebuild(1, cells_needed());
}

// Unless the context is large enough, a larger one takes over what it holds, rows that share tokens included.
void LlamaDecoder::rebuild(int64_t rows, int64_t cells) {
  if (context_ && rows <= static_cast<int64_t>(rows_.size()) && cells <= cells_) return;
  ErrorLog log;
  const int64_t new_rows = std::max<int64_t>(static_cast<int64_t>(rows_.size()), power_of_two(rows));
  const int64_t new_cells = std::max(cells_, std::max(min_cells, power_of_two(cells)));
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<uint32_t>(new_cells);
  params.n_batch = max_batch;
  params.n_ubatch = max_ubatch;
  params.n_seq_max = static_cast<uint32_t>(new_rows);
  params.n_outputs_max = static_cast<uint32_t>(std::max<int64_t>(max_outputs_, new_rows));
  params.n_threads = params.n_threads_batch = n_threads_;
  params.kv_unified = true;  // rows of any length share the cells, beams their prompt
  params.swa_full = true;    // rows can be cut back
  params.no_perf = true;
  params.pooling_type = LLAMA_POOLING_TYPE_NONE;  // embedding models name another in their metadata
  params.no_logits = params.embeddings = !has_logits_;
  if (model_.exact()) {
    params.type_k = params.type_v = GGML_TYPE_F32;  // half precision costs 1e-4, in the cache as in flash attention's mask
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
  }
  params.abort_callback = [](void* self) { return static_cast<LlamaDecoder*>(self)->aborted_->load(); };
  params.abort_callback_data = this;

  llama_context* context = llama_init_from_model(model_.get(), params);
  if (!context)
    throw Error("out_of_memory", "cannot make room for " + std::to_string(new_cells) + " tokens: " + log.first("out of memory"));
  if (threadpool_) llama_attach_threadpool(context, threadpool_, threadpool_);
  if (context_) {
    std::vector<uint8_t> state(llama_state_get_size(context_));
    const size_t size = llama_state_get_data(context_, state.data(), state.size());
    if (llama_state_set_data(context, state.data(), size) == 0) {
      llama_free(context);
      throw Error("internal", "the cache could not be moved: " + log.first("no reason given"));
    }
    llama_free(context_);
  }
  context_ = context;
  rows_.resize(static_cast<size_t>(new_rows));
  cells_ = new_cells;
  apply_adapters();
  keep_hidden_states(std::exchange(hidden_, Hidden::none));
}

// Near enough for V8: models whose heads are of another size than n_embd / n_head are few.
int64_t LlamaDecoder::token_size() const {
  const llama_model* model = model_.get();
  const int64_t values = int64_t{llama_model_n_embd(model)} / std::max(1, llama_model_n_head(model)) * llama_model_n_head_kv(model);
  return 2 * values * llama_model_n_layer(model) * static_cast<int64_t>(model_.exact() ? sizeof(float) : sizeof(uint16_t));
}

void LlamaDecoder::remove_adapter(uint32_t id) {
  std::vector<uint32_t> others;
  std::copy_if(used_adapters_.begin(), used_adapters_.end(), std::back_inserter(others), [&](uint32_t one) { return one != id; });
  use_adapters(std::move(others));
  adapters_.erase(id);
}

void LlamaDecoder::use_adapters(std::vector<uint32_t> ids) {
  used_adapters_ = std::move(ids);
  if (context_) apply_adapters();
}

void LlamaDecoder::apply_adapters() {
  std::vector<llama_adapter_lora*> adapters;
  for (const uint32_t id : used_adapters_)
    if (const auto found = adapters_.find(id); found != adapters_.end()) adapters.push_back(found->second.get());
  std::vector<float> scales(adapters.size(), 1.0f);
  llama_set_adapters_lora(context_, adapters.data(), adapters.size(), scales.data());
}

Row LlamaDecoder::open_row() {
  for (size_t row = 0;; row++) {
    if (row == rows_.size()) rebuild(static_cast<int64_t>(row) + 1, cells_);
    if (rows_[row].open) continue;
    rows_[row] = {true, 0, 0, reserved_length_};
    return static_cast<Row>(row);
  }
}

void LlamaDecoder::close_row(Row row) {
  if (!rows_[static_cast<size_t>(row)].open) return;
  rows_[static_cast<size_t>(row)] = {};
  llama_memory_seq_rm(memory(), row, -1, -1);
}

int32_t LlamaDecoder::row_length(Row row) const { return rows_[static_cast<size_t>(row)].length; }

void LlamaDecoder::copy_row(Row from, Row to, int32_t length) {
  if (from == to) return length < 0 ? void() : truncate_row(to, length);
  const RowState& source = rows_[static_cast<size_t>(from)];
  RowState& target = rows_[static_cast<size_t>(to)];
  llama_memory_seq_rm(memory(), to, -1, -1);
  llama_memory_seq_cp(memory(), from, to, -1, -1);
  target.length = source.length;
  target.first = source.first;
  target.reserved = std::max(target.reserved, target.length);
  if (length >= 0) truncate_row(to, length);
}

void LlamaDecoder::truncate_row(Row row, int32_t length) {
  RowState& state = rows_[static_cast<size_t>(row)];
  if (length >= state.length) return;
  if (!llama_memory_seq_rm(memory(), row, state.first + length, -1))
    throw Error("unsupported", "the cache of this architecture (" + model_.architecture() + ") cannot go back");
  state.length = length;
}

void LlamaDecoder::reorder_rows(const std::vector<Row>& rows, const std::vector<Row>& source) {
  // A row that others read must be copied before it is overwritten: take the free ones first, break cycles by a spare row.
  std::vector<std::pair<Row, Row>> moves;
  for (size_t i = 0; i < rows.size(); i++)
    if (rows[i] != source[i]) moves.emplace_back(source[i], rows[i]);
  Row spare = -1;
  while (!moves.empty()) {
    const auto free = std::find_if(moves.begin(), moves.end(), [&](const auto& move) {
      return std::none_of(moves.begin(), moves.end(), [&](const auto& other) { return other.first == move.second; });
    });
    if (free != moves.end()) {
      copy_row(free->first, free->second);
      moves.erase(free);
      continue;
    }
    if (spare < 0) spare = open_row();
    const Row blocked = moves.front().second;
    copy_row(blocked, spare);
    for (auto& move : moves)
      if (move.first == blocked) move.first = spare;
  }
  if (spare >= 0) close_row(spare);
}

void LlamaDecoder::set_first_position(Row row, int32_t position) { rows_[static_cast<size_t>(row)].first = position; }

const std::atomic<bool>& LlamaDecoder::heed(const std::atomic<bool>& aborted) {
  return *std::exchange(aborted_, &aborted);
}

void LlamaDecoder::check(const std::vector<RowInput>& inputs) const {
  for (const RowInput& input : inputs) {
    const RowState& row = rows_[static_cast<size_t>(input.row)];
    if (row.first + row.length + input.count > max_positions_)
      throw RangeError("Expected at most " + std::to_string(max_positions_) + " tokens in a row but received " +
                       std::to_string(row.first + row.length + input.count));
    for (int32_t i = 0; i < input.count; i++)
      if (input.tokens[i] < 0 || input.tokens[i] >= vocab_size_)
        throw RangeError("Expected token ids from 0 to " + std::to_string(vocab_size_ - 1) + " but received " +
                         std::to_string(input.tokens[i]));
  }
}

// Rows that outgrow what was reserved for them get twice as much, or, where memory ends, just what they need.
bool LlamaDecoder::make_room(const std::vector<RowInput>& inputs) {
  for (const bool generous : {true, false}) {
    bool enough = true;
    for (const RowInput& input : inputs) {
      RowState& row = rows_[static_cast<size_t>(input.row)];
      const int32_t needed = row.length + input.count;
      if (needed <= row.reserved && generous) continue;
      row.reserved = generous ? std::max(needed, std::min(2 * row.reserved, max_positions_)) : needed;
      enough = false;
    }
    if (enough) return true;
    try {
      rebuild(1, cells_needed());
      return true;
    } catch (const Error&) {
    }
  }
  return false;
}

DecodeStatus LlamaDecoder::decode(const std::vector<RowInput>& inputs) {
  check(inputs);
  if (!make_room(inputs)) return DecodeStatus::no_space;
  tokens_.clear();
  positions_.clear();
  sequences_.clear();
  outputs_.clear();
  starts_.clear();
  output_index_.clear();
  copied_.clear();
  int32_t outputs = 0;
  for (const RowInput& input : inputs) {
    const RowState& row = rows_[static_cast<size_t>(input.row)];
    starts_.push_back(static_cast<int32_t>(tokens_.size()));
    for (int32_t i = 0; i < input.count; i++) {
      const bool output = i + input.logits >= input.count;
      tokens_.push_back(input.tokens[i]);
      positions_.push_back(row.first + row.length + i);
      sequences_.push_back(input.row);
      outputs_.push_back(output);
      output_index_.push_back(output ? outputs++ : -1);
    }
  }
  const auto total = static_cast<int32_t>(tokens_.size());
  starts_.push_back(total);
  if (total == 0) return DecodeStatus::ok;
  sequence_counts_.assign(tokens_.size(), 1);
  sequence_pointers_.resize(tokens_.size());
  for (size_t i = 0; i < tokens_.size(); i++) sequence_pointers_[i] = &sequences_[i];
  for (auto& layer : hidden_states_) layer.clear();

  split_ = next_batch(0) < total;
  for (int32_t first = 0, count; first < total; first += count) {
    count = next_batch(first);
    const DecodeStatus status = run(first, count);
    if (status != DecodeStatus::ok) {
      roll_back(inputs);
      return status;
    }
    collect(first, count);
  }
  for (const RowInput& input : inputs) rows_[static_cast<size_t>(input.row)].length += input.count;
  return DecodeStatus::ok;
}

// How many tokens from `first` on fit into one call of libllama.
int32_t LlamaDecoder::next_batch(int32_t first) const {
  const auto total = static_cast<int32_t>(tokens_.size());
  const auto end = std::min(total, first + static_cast<int32_t>(llama_n_batch(context_)));
  int32_t outputs = 0;
  for (int32_t i = first; i < end; i++) {
    outputs += hidden_ != Hidden::none || outputs_[static_cast<size_t>(i)];
    if (outputs > max_outputs_ && outputs > static_cast<int32_t>(rows_.size())) return i - first;
  }
  return end - first;
}

DecodeStatus LlamaDecoder::run(int32_t first, int32_t count) {
  if (*aborted_) return DecodeStatus::aborted;
  ErrorLog log;
  llama_batch batch{};
  batch.n_tokens = count;
  batch.token = tokens_.data() + first;
  batch.pos = positions_.data() + first;
  batch.n_seq_id = sequence_counts_.data() + first;
  batch.seq_id = sequence_pointers_.data() + first;
  batch.logits = outputs_.data() + first;
  switch (llama_decode(context_, batch)) {
    case 0: return DecodeStatus::ok;
    case 1: return DecodeStatus::no_space;
    case 2: return DecodeStatus::aborted;
    default: throw Error("decode_failed", "libllama could not run the model: " + log.first("no reason given"));
  }
}

// What the next llama_decode() would overwrite.
void LlamaDecoder::collect(int32_t first, int32_t count) {
  if (split_ && has_logits_)
    for (int32_t i = 0; i < count; i++)
      if (outputs_[static_cast<size_t>(first + i)]) {
        const float* logits = required_logits(i);
        copied_.insert(copied_.end(), logits, logits + vocab_size_);
      }
  if (hidden_ == Hidden::none) return;
  const size_t size = static_cast<size_t>(count) * static_cast<size_t>(llama_model_n_embd(model_.get()));
  const int32_t layers = llama_model_n_layer(model_.get());
  for (int32_t layer = hidden_ == Hidden::all ? 0 : layers; layer <= layers; layer++) {
    const float* data = layer < layers ? llama_get_embeddings_layer_inp(context_, static_cast<uint32_t>(layer))
                                       : llama_get_embeddings(context_);
    if (!data) throw Error("unsupported", "the architecture '" + model_.architecture() + "' gives no hidden states");
    auto& target = hidden_states_[static_cast<size_t>(layer)];
    target.insert(target.end(), data, data + size);
  }
}

void LlamaDecoder::roll_back(const std::vector<RowInput>& inputs) {
  for (const RowInput& input : inputs) {
    const RowState& row = rows_[static_cast<size_t>(input.row)];
    llama_memory_seq_rm(memory(), input.row, row.first + row.length, -1);
  }
}

const float* LlamaDecoder::logits(size_t input, int32_t token) const {
  const int32_t index = token < 0 ? starts_[input + 1] - 1 : starts_[input] + token;
  if (split_) return copied_.data() + static_cast<size_t>(output_index_[static_cast<size_t>(index)]) * static_cast<size_t>(vocab_size_);
  return required_logits(index);
}

// Encoders have none.
const float* LlamaDecoder::required_logits(int32_t index) const {
  if (!has_logits_) throw Error("unsupported", "the engine was loaded without its head");
  const float* logits = llama_get_logits_ith(context_, index);
  if (!logits) throw Error("unsupported", "the architecture '" + model_.architecture() + "' gives no logits");
  return logits;
}

void LlamaDecoder::keep_hidden_states(Hidden keep) {
  if (keep == hidden_) return;
  if (keep == Hidden::all && !has_hidden_states(model_.architecture()))
    throw Error("unsupported", "hidden states are not available for the architecture '" + model_.architecture() + "'");
  const int32_t layers = llama_model_n_layer(model_.get());
  llama_set_embeddings(context_, keep != Hidden::none || !has_logits_);
  if ((keep == Hidden::all) != (hidden_ == Hidden::all))
    for (int32_t layer = 0; layer < layers; layer++)
      llama_set_embeddings_layer_inp(context_, static_cast<uint32_t>(layer), keep == Hidden::all);
  hidden_ = keep;
  hidden_states_.assign(keep == Hidden::none ? 0 : static_cast<size_t>(layers) + 1, {});
}

}  // namespace gt::llama
