// Everything that one generate() call is asked for, resolved: no default of a checkpoint is looked up below this line.
// Names and meanings are those of Python's GenerationConfig (generation/configuration_utils.py).
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gt::grammar {
class Grammar;
}

namespace gt::generation {

class LogitsProcessor;
class TokenStrings;

using Ids = std::vector<int32_t>;

enum class EarlyStopping { no, yes, never };

struct Watermarking {
  float greenlist_ratio = 0.25f;
  float bias = 2.0f;
  int64_t hashing_key = 15485863;
  bool self_hash = false;  // seeding_scheme: "selfhash" or "lefthash"
  int32_t context_width = 1;
};

struct GenerationOptions {
  // Length, in tokens, padding included.
  int32_t max_length = 20;
  int32_t min_length = 0;
  int32_t min_new_tokens = 0;
  double max_time = std::numeric_limits<double>::infinity();  // seconds
  std::vector<std::string> stop_strings;                      // UTF-8; need token_strings
  std::shared_ptr<const TokenStrings> token_strings;

  // Strategy.
  bool do_sample = false;
  int32_t num_beams = 1;
  int32_t num_return_sequences = 1;
  EarlyStopping early_stopping = EarlyStopping::no;
  double length_penalty = 1.0;

  // Tokens. Without eos_token_id nothing ends a row but its length.
  std::vector<int32_t> eos_token_id;
  std::optional<std::vector<int32_t>> stop_token_id;  // what ends a row, where it is not eos_token_id
  int32_t pad_token_id = 0;  // what finished rows emit

  // Logits processors; the defaults switch each one off.
  std::optional<float> guidance_scale;
  std::vector<Ids> negative_prompt_ids;  // empty: the last token of each prompt
  std::vector<std::vector<uint8_t>> negative_prompt_attention_mask;
  std::optional<int32_t> guidance_token;  // what the rows without the prompt go on with; none: the tokens that are chosen
  std::vector<std::pair<Ids, float>> sequence_bias;
  float encoder_repetition_penalty = 1.0f;
  float repetition_penalty = 1.0f;
  int32_t prompt_ignore_length = 0;
  int32_t no_repeat_ngram_size = 0;
  int32_t encoder_no_repeat_ngram_size = 0;
  std::vector<Ids> encoder_input_ids;  // what the two above look at; empty: the prompt
  std::vector<Ids> bad_words_ids;
  std::optional<int32_t> forced_bos_token_id;
  std::vector<int32_t> forced_eos_token_id;
  bool remove_invalid_values = false;
  std::optional<std::pair<int32_t, double>> exponential_decay_length_penalty;  // start, factor
  std::vector<int32_t> suppress_tokens;
  std::vector<int32_t> begin_suppress_tokens;
  // The caller's, in order; those of a type that is there take its place. Null: the next group of the host's.
  std::vector<std::shared_ptr<LogitsProcessor>> user_processors;

  std::shared_ptr<const grammar::Grammar> grammar;  // that the new tokens keep to

  // Warpers: for do_sample only, out-of-range values switch them off, as in Python.
  float temperature = 1.0f;
  int32_t top_k = 50;  // 0: all
  double top_p = 1.0;
  std::optional<double> min_p;
  double typical_p = 1.0;
  double epsilon_cutoff = 0.0;
  double eta_cutoff = 0.0;

  // Assisted decoding: from the prompt (0: not), and what belongs to an assistant's own calls.
  int32_t prompt_lookup_num_tokens = 0;
  int32_t max_matching_ngram_size = 2;
  double assistant_confidence_threshold = 0;  // a token below it ends the call; 0: none does

  std::optional<Watermarking> watermarking_config;
  bool renormalize_logits = false;

  // Randomness: `uniforms` one after another if there are any (RangeError when they run out), else the generator.
  std::optional<uint64_t> seed;  // none: from the system
  std::vector<double> uniforms;

  // Output.
  bool output_scores = false;
  bool output_logits = false;
  bool output_states = false;  // who asked will compute hidden states or attentions of what ran
};

}  // namespace gt::generation
