// The merges of a tokenizer.json.
#pragma once

#include "tokenizer/json.h"
#include "tokenizer/merges.h"
#include "tokenizer/vocabulary.h"

namespace gt::tokenizer {

// Reads a list of "a b" or ["a", "b"]. Second tokens start with a prefix of `prefix_size` bytes, which merging drops.
// Throws Error{"tokenizer_invalid"}.
Merges read_merges(const json::Node& list, const Vocabulary& vocabulary, size_t prefix_size);

}  // namespace gt::tokenizer
