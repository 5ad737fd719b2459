// WordPiece: the longest token from the left, again and again; a word with a part that is no token is unknown.
// Rust: https://github.com/huggingface/tokenizers/blob/v0.22.2/tokenizers/src/models/wordpiece/mod.rs
#pragma once

#include "tokenizer/model.h"
#include "tokenizer/trie.h"
#include "tokenizer/word_cache.h"

namespace gt::tokenizer {

class WordPiece : public Model {
 public:
  explicit WordPiece(const json::Node& node);

  void encode(Pieces& pieces, Ids& ids) override;
  void encode(std::string_view piece, bool is_bytes, std::vector<ModelToken>& tokens) override;
  void write(json::Writer& writer) const override;

 private:
  // The tokens of a word with their ends; false if it is unknown.
  bool split(std::string_view word);

  std::string unk_token_, prefix_;
  uint32_t max_characters_;
  int32_t unk_id_;
  Trie starts_, rests_;  // tokens as they are, and those with the prefix without it
  WordCache cache_;
  std::vector<int32_t> ids_;
  std::vector<uint32_t> ends_;
};

}  // namespace gt::tokenizer
