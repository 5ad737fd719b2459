// Trainers: from counted words to the vocabulary of a model, as in the Rust tokenizers.
// https://github.com/huggingface/tokenizers/tree/v0.22.2/tokenizers/src/models
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace gt::tokenizer {

using WordCounts = std::unordered_map<std::string, uint64_t>;

struct TrainerOptions {
  size_t vocab_size = 30000;
  uint64_t min_frequency = 0;
  std::vector<std::string> special_tokens;  // the first ids, in this order
  std::optional<size_t> limit_alphabet;     // characters that are kept
  std::u32string initial_alphabet;          // characters that are there whether the words have them or not
  std::string continuing_subword_prefix;
  std::string end_of_word_suffix;
  std::optional<size_t> max_token_length;  // in characters
};

struct Trained {
  std::vector<std::pair<std::string, uint32_t>> vocab;
  std::vector<std::pair<std::string, std::string>> merges;

  // {"vocab": {token: id}, "merges": [[left, right]]}
  std::string to_json() const;
};

// Rust leaves some choices to the order of a hash table: here the words come in the order of their bytes, and of equally
// frequent characters `limit_alphabet` drops the first.
Trained train_bpe(const WordCounts& words, const TrainerOptions& options);
// The tokens that BPE makes; options as for BPE.
Trained train_word_piece(const WordCounts& words, const TrainerOptions& options);
// The most frequent words; knows vocab_size, min_frequency and special_tokens.
Trained train_word_level(const WordCounts& words, const TrainerOptions& options);

}  // namespace gt::tokenizer
