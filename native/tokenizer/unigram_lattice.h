// All ways to make a text of the pieces of a Unigram model.
// https://github.com/huggingface/tokenizers/blob/v0.22.2/tokenizers/src/models/unigram/lattice.rs
#pragma once

#include <string_view>
#include <vector>

#include "tokenizer/trie.h"

namespace gt::tokenizer {

// Pieces with their scores; the piece 0 stands for characters that no other one covers.
struct ScoredVocabulary {
  Trie trie;
  std::vector<double> scores;
  double unknown_score;
};

class Lattice {
 public:
  void build(std::string_view text, const ScoredVocabulary& vocabulary);

  // The ids of the best way. `but_not` is left out: UINT32_MAX leaves out none. Empty if there is no way.
  const std::vector<uint32_t>& best(uint32_t but_not = UINT32_MAX);

  // Adds to `expected` how often each piece is used on average, times `count`. Returns the logarithm of the text's
  // likelihood.
  double add_expected(double count, std::vector<double>& expected);

 private:
  struct Node {
    uint32_t id, begin, end;
    double score;
  };
  struct Step {
    uint32_t node;
    double score;
    bool is_reached;
  };

  size_t size_ = 0;
  std::vector<Node> nodes_;  // by begin
  std::vector<Step> steps_;  // by end
  std::vector<double> before_, after_;  // logarithms of the sums of the ways to and from each byte
  std::vector<uint8_t> seen_;
  std::vector<uint32_t> ids_;
};

}  // namespace gt::tokenizer
