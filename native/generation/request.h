// One generate() call as the engine's thread sees it: what goes in, what comes out.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <vector>

#include "generation/decoder.h"
#include "generation/host_hooks.h"
#include "generation/options.h"

namespace gt::generation {

struct Result {
  std::vector<Ids> sequences;                   // prompt and new tokens, padded on the right to one length
  std::vector<std::vector<float>> scores;       // of each step [rows, vocab_size]: with output_scores
  std::vector<std::vector<float>> logits;       // with output_logits
  std::vector<float> sequences_scores;          // beams only
  std::vector<Ids> beam_indices;                // beams only; -1 after the end
  std::vector<Ids> running_tokens;              // beams with output_states: what each step gave each running row,
  std::vector<Ids> running_sources;             // and the row that it continues
  std::shared_ptr<Cache> cache;                 // with keep_cache: one row for each sequence
  std::vector<int32_t> cache_lengths;           // tokens of those rows
  int64_t cache_size = 0;                       // bytes
};

struct Request {
  std::vector<Ids> input_ids;                        // left-padded to one length
  // [input_ids.size(), vocab_size]: what follows the rows of `cache`, which hold the whole prompt. The ids, which may be
  // none, are for processors and the result then.
  std::vector<float> first_logits;
  std::vector<std::vector<uint8_t>> attention_mask;  // 1: a token, 0: padding; empty: all ones
  GenerationOptions options;
  std::shared_ptr<HostHooks> hooks;
  // Rows to start from: each holds the first tokens of its row of input_ids. Afterwards it covers the new tokens,
  // after an error what it held before.
  std::shared_ptr<Cache> cache;
  bool keep_cache = false;

  // Called on the engine's thread; on_done or on_error comes once and last. Tokens of finished rows (padding) are told.
  std::function<void(const int32_t* tokens, const int32_t* rows, size_t count)> on_tokens;  // not for beams
  std::function<void(Result)> on_done;
  std::function<void(std::exception_ptr)> on_error;
};

}  // namespace gt::generation
