// WordPiece: the longest token from the left, again and again; a word with a part that is no token is unknown.
// Rust: https://github.com/huggingface/tokenizers/blob/v0.22.2/tokenizers/src/models/wordpiece/mod.rs
#pragma once

#include "tokenizer/model.h"
#include "tokenizer/trie.h"

namespace gt::tokenizer {

class WordPiece : public Model {
 public:
  WordPiece(const json::Node& node, TableReader* tables);

  void write(json::Writer& writer) const override;
  bool write_tables(TableWriter& tables) const override;
  std::optional<std::string> continuing_subword_prefix() const override { return prefix_; }

 private:
  Found word(std::string_view word, Workspace& workspace) const override;
  void word_tokens(std::string_view word, Workspace& workspace) const override;
  size_t width(int32_t id, bool is_first, bool is_bytes) const override;
  // The ids of a word in the workspace's symbols, the ends of the tokens in its lengths.
  void split(std::string_view word, Workspace& workspace) const;
  void split_unknown(std::string_view word, Workspace& workspace) const;

  std::string unk_token_, prefix_;
  uint32_t max_characters_;
  int32_t unk_id_;
  Trie starts_, rests_;  // tokens as they are, and those with the prefix without it
};

}  // namespace gt::tokenizer
