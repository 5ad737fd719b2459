// generation::Decoder over libllama: rows are sequence ids of one context, which grows by doubling.
#pragma once

#include <llama.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "generation/decoder.h"
#include "llama/lora.h"
#include "llama/model.h"

namespace gt::llama {

struct DecoderOptions {
  int n_threads = 0;          // 0: one for each physical core, fewer for a small model
  int32_t max_positions = 0;  // 0: what the model was trained for
  bool logits = true;         // false: hidden states alone, the head is left out
};

// The hidden states that decode() keeps: after the last norm, or also the embeddings and those of each layer.
enum class Hidden { none, last, all };

class LlamaDecoder final : public generation::Decoder {
 public:
  // `aborted` ends a decode early, on the CPU. Model and flag must outlive the decoder.
  LlamaDecoder(const Model& model, const DecoderOptions& options, const std::atomic<bool>& aborted);
  ~LlamaDecoder() override;
  LlamaDecoder(const LlamaDecoder&) = delete;
  LlamaDecoder& operator=(const LlamaDecoder&) = delete;

  int32_t vocab_size() const override { return vocab_size_; }
  int32_t max_positions() const override { return max_positions_; }
  // A long row gets its room as it grows. Throws RangeError for what no context can hold, Error("out_of_memory") when
  // memory ends and no row is open.
  bool reserve(int32_t rows, int32_t length) override;
  generation::Row open_row() override;
  void close_row(generation::Row row) override;
  int32_t row_length(generation::Row row) const override;
  int64_t token_size() const override;
  void copy_row(generation::Row from, generation::Row to, int32_t length = -1) override;
  // Throws Error("unsupported") for recurrent models, which cannot go back.
  void truncate_row(generation::Row row, int32_t length) override;
  void reorder_rows(const std::vector<generation::Row>& rows, const std::vector<generation::Row>& source) override;

  // Throws RangeError for tokens outside the vocabulary and for rows longer than max_positions().
  generation::DecodeStatus decode(const std::vector<generation::RowInput>& inputs) override;
  const float* logits(size_t input, int32_t token = -1) const override;

  // Adapters by numbers of the caller's. Those in use are added to the model's matrices from the next decode() on.
  void add_adapter(uint32_t id, Lora adapter) { adapters_[id] = std::move(adapter); }
  void remove_adapter(uint32_t id);
  void use_adapters(std::vector<uint32_t> ids);

  int32_t embedding_size() const { return llama_model_n_embd(model_.get()); }
  // Makes room for an open row to grow to `length` tokens. Throws as reserve() does.
  void extend_row(generation::Row row, int32_t length);
  // Position of the first token of an empty row; 0 if not set.
  void set_first_position(generation::Row row, int32_t position);
  // Tokens with logits that one call of libllama computes: more are possible, but copied.
  int32_t max_outputs() const { return max_outputs_; }
  // Looks at another flag from now on; returns the one before.
  const std::atomic<bool>& heed(const std::atomic<bool>& aborted);
  // From now on decode() keeps these of every token. Throws Error("unsupported") if the model cannot.
  void keep_hidden_states(Hidden keep);
  // After decode(): float32 [tokens of all inputs, n_embd] of `layer`, 0: embeddings, n_layer: after the last norm.
  const std::vector<float>& hidden_states(int32_t layer) const { return hidden_states_[static_cast<size_t>(layer)]; }

 private:
  struct RowState {
    bool open = false;
    int32_t length = 0;
    int32_t first = 0;     // position of its first token
    int32_t reserved = 0;  // tokens that it may come to hold
  };

  llama_memory_t memory() const { return llama_get_memory(context_); }
  int64_t cells_needed() const;
  void rebuild(int64_t rows, int64_t cells);
  bool make_room(const std::vector<generation::RowInput>& inputs);
  int32_t next_batch(int32_t first) const;
  void check(const std::vector<generation::RowInput>& inputs) const;
  generation::DecodeStatus run(int32_t first, int32_t count);
  void collect(int32_t first, int32_t count);
  const float* required_logits(int32_t index) const;
  void roll_back(const std::vector<generation::RowInput>& inputs);

  const Model& model_;
  const std::atomic<bool>* aborted_;
  const int32_t vocab_size_;
  int32_t max_positions_;
  int n_threads_;

  void apply_adapters();

  std::map<uint32_t, Lora> adapters_;
  std::vector<uint32_t> used_adapters_;
  llama_context* context_ = nullptr;
  ggml_threadpool* threadpool_ = nullptr;
  int64_t cells_ = 0;             // tokens that the context can hold
  std::vector<RowState> rows_;    // as many as the context has sequences
  int32_t reserved_length_ = 0;   // for rows to be opened
  int32_t max_outputs_;

  // One batch, its arrays reused.
  std::vector<llama_token> tokens_;
  std::vector<llama_pos> positions_;
  std::vector<int32_t> sequence_counts_;
  std::vector<llama_seq_id> sequences_;
  std::vector<llama_seq_id*> sequence_pointers_;
  std::vector<int8_t> outputs_;
  std::vector<int32_t> starts_;   // of each input in the batch
  bool split_ = false;            // the batch took several calls: logits were copied
  std::vector<float> copied_;     // logits of all outputs, in order
  std::vector<int32_t> output_index_;

  const bool has_logits_;
  Hidden hidden_ = Hidden::none;
  std::vector<std::vector<float>> hidden_states_;
};

}  // namespace gt::llama
