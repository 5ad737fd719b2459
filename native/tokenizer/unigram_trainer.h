// Trains a Unigram model by expectation maximisation: many candidates at first, of which the least useful go.
// https://github.com/huggingface/tokenizers/blob/v0.22.2/tokenizers/src/models/unigram/trainer.rs
#pragma once

#include "tokenizer/trainer.h"

namespace gt::tokenizer {

struct UnigramOptions {
  size_t vocab_size = 8000;
  std::vector<std::string> special_tokens;  // the first ids, in this order
  std::u32string initial_alphabet;          // characters that are there whether the words have them or not
  std::optional<std::string> unk_token;     // put before the special tokens if it is none of them
  double shrinking_factor = 0.75;           // of the pieces that are left by each pruning
  size_t n_sub_iterations = 2;              // rounds of expectation maximisation before each pruning
  size_t max_piece_length = 16;             // in characters
  size_t seed_size = 1000000;               // candidates at first
};

struct TrainedUnigram {
  std::vector<std::pair<std::string, double>> vocab;
  std::optional<size_t> unk_id;

  // {"unk_id": 0, "vocab": [[piece, score]]}
  std::string to_json() const;
};

// Rust sums over the words, and lists equally good characters, in the order of a hash table; here they come in the order
// of their bytes. Throws RangeError if `vocab_size` has no room for the characters or the special tokens.
TrainedUnigram train_unigram(const WordCounts& words, const UnigramOptions& options);

}  // namespace gt::tokenizer
