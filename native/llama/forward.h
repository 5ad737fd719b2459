// One forward pass: logits and hidden states for given tokens, with a cache that can be kept and continued.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "generation/request.h"
#include "llama/llama_decoder.h"

namespace gt::llama {

struct ForwardRequest {
  std::vector<std::vector<int32_t>> input_ids;  // one for each row, without padding
  std::vector<int32_t> first_position;          // empty: after the cache, else 0
  int32_t logits_to_keep = 0;                   // last tokens of each row; 0: all
  bool use_cache = false;
  std::shared_ptr<generation::Cache> cache;
  std::vector<int32_t> beam_idx;

  // Filled by forward(). Null or empty: not wanted.
  float* logits = nullptr;            // [kept tokens of all rows, vocab_size]
  Hidden hidden = Hidden::none;
  std::vector<float*> hidden_states;  // n_layer + 1 of [tokens of all rows, n_embd]; for Hidden::last all but one are null

  int64_t tokens() const;
  int64_t kept_tokens() const;
};

// Continues request.cache, or makes a cache if use_cache is set: returned, else null. After an error a given cache holds
// what it held before. Throws what the decoder throws; Error("aborted").
std::shared_ptr<generation::Cache> forward(LlamaDecoder& decoder, const ForwardRequest& request);

}  // namespace gt::llama
