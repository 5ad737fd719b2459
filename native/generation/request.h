// One generate() call as the engine's thread sees it: what goes in, what comes out.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "generation/assistant_strategy.h"
#include "generation/decoder.h"
#include "generation/host_hooks.h"
#include "generation/options.h"

namespace gt::generation {

struct Request;

// An engine, as those see it who send it requests; from any thread. submit() throws Error("disposed") when it has ended.
class RequestTarget {
 public:
  virtual ~RequestTarget() = default;
  virtual uint64_t submit(Request request) = 0;
  virtual void cancel(uint64_t request) = 0;
  virtual void release(std::shared_ptr<Cache> cache) = 0;
};

// The model that goes ahead in assisted decoding.
struct Assistant {
  std::shared_ptr<RequestTarget> engine;  // none: the host asks it
  std::shared_ptr<Cache> cache;           // behind an encoder: a row that holds what that read, of which the request disposes
  GenerationOptions options;  // of its calls; lengths and outputs are set anew for each
  int32_t max_positions = 0;
  AssistantState state;
  bool heuristic = false;     // num_assistant_tokens_schedule is "heuristic" or "heuristic_transient"
  bool adapts_now = false;    // a threshold that was learned counts from the next round on, not from the next call on
};

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
  double decode_time = 0;                       // seconds that its batches took the decoder
  std::vector<float> confidences;               // of an assistant's tokens, with assistant_confidence_threshold
  std::optional<AssistantState> assistant;      // what the request's assistant has learned
};

struct Request {
  std::vector<Ids> input_ids;                        // left-padded to one length
  // [input_ids.size(), vocab_size]: what follows the rows of `cache`, which hold the whole prompt. The ids, which may be
  // none, are for processors and the result then.
  std::vector<float> first_logits;
  std::vector<std::vector<uint8_t>> attention_mask;  // 1: a token, 0: padding; empty: all ones
  // By name, a row for each of input_ids: see Decoder::set_row_inputs().
  std::map<std::string, std::vector<Ids>> row_inputs;
  GenerationOptions options;
  std::shared_ptr<HostHooks> hooks;
  // Rows to start from: each holds the first tokens of its row of input_ids. Afterwards it covers the new tokens,
  // after an error what it held before.
  std::shared_ptr<Cache> cache;
  int32_t cache_length = -1;  // tokens of its rows that still hold; -1: all
  bool keep_cache = false;
  // Behind an encoder: what options.negative_prompt_ids begin from, a row for each of them; the rows stay as they are.
  std::shared_ptr<Cache> guidance_cache;
  std::shared_ptr<const Assistant> assistant;
  bool at_once = false;         // fails with Error("no_space") instead of waiting for room
  std::function<void()> wake;   // set by the scheduler: from any thread, the request can go on

  // Called on the engine's thread; on_done or on_error comes once and last. Tokens of finished rows (padding) are told.
  std::function<void(const int32_t* tokens, const int32_t* rows, size_t count)> on_tokens;  // not for beams
  std::function<void(Result)> on_done;
  std::function<void(std::exception_ptr)> on_error;
};

}  // namespace gt::generation
