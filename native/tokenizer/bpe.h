// Byte pair encoding, over the bytes of byte-level vocabularies or over characters (SentencePiece).
// Rust: https://github.com/huggingface/tokenizers/blob/v0.22.2/tokenizers/src/models/bpe/model.rs
#pragma once

#include <array>
#include <optional>

#include "tokenizer/merges.h"
#include "tokenizer/model.h"

namespace gt::tokenizer {

class BPE : public Model {
 public:
  static std::unique_ptr<Model> read(const json::Node& node, TableReader* tables);

  std::optional<std::string> continuing_subword_prefix() const override { return prefix_; }
  bool takes_bytes() const override { return has_all_bytes_ && !prefix_ && !suffix_; }
  void write(json::Writer& writer) const override;
  bool write_tables(TableWriter& tables) const override;
  bool stands_alone(std::string_view piece, bool follows, bool is_followed) const override;

 private:
  Found word(std::string_view word, Workspace& workspace) const override;
  void word_tokens(std::string_view word, Workspace& workspace) const override;
  size_t next_cut(std::string_view text, size_t from) const override;
  size_t width(int32_t id, bool is_first, bool is_bytes) const override;

  BPE(std::shared_ptr<const Vocabulary> vocabulary, Merges merges)
      : Model(std::move(vocabulary)), merges_(std::move(merges)) {}

  void prepare();
  // The id of a whole word that is a token, where such a one needs no merges; -1 for none.
  int32_t whole(std::string_view word, Workspace& workspace) const;
  // Fills the workspace's symbols and lengths with what a word starts from.
  void start(std::string_view word, Workspace& workspace) const;
  void note_pairs();
  bool may_join(char32_t a, char32_t b) const;

  Merges merges_;
  std::optional<double> dropout_;
  std::optional<std::string> unk_token_, prefix_, suffix_;
  bool fuse_unk_ = false, byte_fallback_ = false, ignore_merges_ = false;

  int32_t unk_id_ = -1;
  std::array<int32_t, 256> byte_ids_;      // of the byte-level alphabet
  std::array<int32_t, 256> fallback_ids_;  // of <0x00> to <0xFF>
  bool has_all_bytes_ = false;             // byte_ids_ has no gap
  std::vector<uint8_t> byte_widths_;       // bytes that each token spells, 0 if too many; if takes_bytes()
  std::vector<uint64_t> pairs_;  // a bit for each pair of neighbours inside a token; hashed, so that some more are set
  std::vector<char32_t> before_blanks_;  // what stands before a blank inside a token, in order
};

}  // namespace gt::tokenizer
