// Unigram: the split of a text into pieces whose scores add up to the most (Viterbi).
// Rust: https://github.com/huggingface/tokenizers/blob/v0.22.2/tokenizers/src/models/unigram/model.rs
#pragma once

#include <array>
#include <optional>

#include "tokenizer/model.h"
#include "tokenizer/trie.h"

namespace gt::tokenizer {

class Unigram : public Model {
 public:
  static std::unique_ptr<Model> read(const json::Node& node, TableReader* tables);

  void write(json::Writer& writer) const override;
  bool write_tables(TableWriter& tables) const override;

 private:
  Unigram(std::shared_ptr<const Vocabulary> vocabulary, std::vector<double> scores, Trie trie)
      : Model(std::move(vocabulary)), scores_(std::move(scores)), trie_(std::move(trie)) {}
  static std::unique_ptr<Unigram> read_list(const json::Node& list);
  static std::unique_ptr<Unigram> read_tables(TableReader& tables);

  Found word(std::string_view word, Workspace& workspace) const override;
  void word_tokens(std::string_view word, Workspace& workspace) const override;
  size_t width(int32_t id, bool is_first, bool is_bytes) const override;

  std::vector<double> scores_;  // by id
  Trie trie_;
  std::optional<uint32_t> unk_id_;
  bool byte_fallback_ = false;
  double unk_score_ = 0;
  std::array<int32_t, 256> byte_ids_;
};

}  // namespace gt::tokenizer
