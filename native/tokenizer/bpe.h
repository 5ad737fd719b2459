// Byte pair encoding, over the bytes of byte-level vocabularies or over characters (SentencePiece).
// Rust: https://github.com/huggingface/tokenizers/blob/v0.22.2/tokenizers/src/models/bpe/model.rs
#pragma once

#include <array>
#include <optional>

#include "tokenizer/merges.h"
#include "tokenizer/model.h"
#include "tokenizer/word_cache.h"

namespace gt::tokenizer {

class BPE : public Model {
 public:
  static std::unique_ptr<Model> read(const json::Node& node);

  void encode(Pieces& pieces, Ids& ids) override;
  void encode(std::string_view piece, bool is_bytes, std::vector<ModelToken>& tokens) override;
  bool takes_bytes() const override { return has_all_bytes_ && !prefix_ && !suffix_; }
  void write(json::Writer& writer) const override;

 private:
  BPE(std::shared_ptr<const Vocabulary> vocabulary, Merges merges)
      : Model(std::move(vocabulary)), merges_(std::move(merges)) {}

  void prepare();
  bool has_dropout() const { return dropout_ && *dropout_ > 0; }
  // Fills symbols_ and lengths_ with what a word starts from.
  void start(std::string_view word, bool is_bytes);
  void add(int32_t id, uint32_t length) {
    symbols_.push_back(id);
    lengths_.push_back(length);
  }
  // The ids of a word, merged, in symbols_.
  struct Found {
    const int32_t* ids;
    size_t count;
  };
  Found merge(std::string_view word, bool is_bytes);
  int32_t* encode_cached(std::string_view text, bool is_bytes, const char* text_end, int32_t* out);

  // The place from `from` on where the text can be cut, because no token spans it; or the end.
  size_t next_cut(std::string_view text, size_t from) const;
  void note_pair(char32_t a, char32_t b);
  bool may_join(char32_t a, char32_t b) const;
  bool may_cut_between(char32_t a, char32_t b) const { return !may_join(a, b); }

  Merges merges_;
  std::optional<double> dropout_;
  std::optional<std::string> unk_token_, prefix_, suffix_;
  bool fuse_unk_ = false, byte_fallback_ = false, ignore_merges_ = false;

  int32_t unk_id_ = -1;
  std::array<int32_t, 256> byte_ids_;      // of the byte-level alphabet
  std::array<int32_t, 256> fallback_ids_;  // of <0x00> to <0xFF>
  bool has_all_bytes_ = false;             // byte_ids_ has no gap
  bool can_cut_ = false;
  std::vector<uint64_t> pairs_;  // a bit for each pair of neighbours inside a token; hashed, so that some more are set

  WordCache cache_;
  std::vector<int32_t> symbols_;
  std::vector<uint32_t> lengths_;
};

}  // namespace gt::tokenizer
