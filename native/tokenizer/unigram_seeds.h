// The candidates that training a Unigram model starts from.
#pragma once

#include "tokenizer/unigram_trainer.h"

namespace gt::tokenizer {

// Words in the order of their bytes.
using CountedWords = std::vector<std::pair<std::string, double>>;
using ScoredPieces = std::vector<std::pair<std::string, double>>;

// All characters, the most frequent first, then the substrings that are in several places, each with the logarithm of its
// share; those that save the most characters first.
ScoredPieces seed_pieces(const CountedWords& words, const UnigramOptions& options);

}  // namespace gt::tokenizer
