// Unigram: the split of a text into pieces whose scores add up to the most (Viterbi).
// Rust: https://github.com/huggingface/tokenizers/blob/v0.22.2/tokenizers/src/models/unigram/model.rs
#pragma once

#include <array>
#include <optional>

#include "tokenizer/model.h"
#include "tokenizer/trie.h"
#include "tokenizer/word_cache.h"

namespace gt::tokenizer {

class Unigram : public Model {
 public:
  static std::unique_ptr<Model> read(const json::Node& node);

  void encode(Pieces& pieces, Ids& ids) override;
  void encode(std::string_view piece, bool is_bytes, std::vector<ModelToken>& tokens) override;
  void write(json::Writer& writer) const override;

 private:
  Unigram(std::shared_ptr<const Vocabulary> vocabulary, std::vector<double> scores)
      : Model(std::move(vocabulary)), scores_(std::move(scores)) {}

  // The best way to the byte where it stands.
  struct Step {
    int32_t id;
    uint32_t begin;
    double score;
    bool is_reached;
  };

  std::vector<double> scores_;  // by id
  std::optional<uint32_t> unk_id_;
  bool byte_fallback_ = false;
  double unk_score_ = 0;
  std::array<int32_t, 256> byte_ids_;
  Trie trie_;
  std::vector<Step> steps_;
  WordCache cache_;
  std::vector<ModelToken> tokens_;
  std::vector<int32_t> ids_;
};

}  // namespace gt::tokenizer
