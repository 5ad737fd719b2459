// A tokenizer.json, ready to use. One object is for one thread at a time; batches spread over threads of their own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/added_vocabulary.h"
#include "tokenizer/decoder.h"
#include "tokenizer/encoding.h"
#include "tokenizer/limits.h"
#include "tokenizer/model.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/post_processor.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/raw_words.h"
#include "tokenizer/trainer.h"
#include "tokenizer/workspace.h"

namespace gt::tokenizer {

// How many ids of a text stay, special tokens not counted, and at which end others go.
struct Limit {
  size_t most = SIZE_MAX;
  Direction direction = Direction::right;
};

struct RowOptions {
  bool add_special_tokens = true;
  Limit limit = {};
  std::optional<OffsetUnit> offsets = {};  // the unit of those that are wanted
};

struct Row {
  const Ids& ids;
  const std::vector<int32_t>& offsets;  // start and end for each id
};

// The ids of several texts, one after another, and where those of each text end.
struct Rows {
  std::vector<int32_t> ids;
  std::vector<uint32_t> ends;
  std::vector<int32_t> offsets;  // start and end for each id, if they were asked for
};

// A text, or the words of one.
struct Input {
  std::vector<std::string> texts;
  bool is_pretokenized = false;
};

class Tokenizer {
 public:
  // From a tokenizer.json, or what compile() made of one. Throws Error{"tokenizer_invalid"} that names the place inside the JSON.
  explicit Tokenizer(std::string_view content);
  // A copy shares what does not change, above all the vocabulary.
  Tokenizer(const Tokenizer&) = default;

  // The ids of a text, and the offsets that were asked for. They stay until the next call.
  Row encode_row(std::string_view text, const RowOptions& options);
  Encoding encode(const Input& input, const Input* pair, bool add_special_tokens, const Truncation* truncation);
  // The same for many texts, on up to `threads` threads. `pairs` is empty or as long as `inputs`.
  // Offsets are what encode() tells if there is a frame().
  Rows encode_rows(const std::vector<std::string_view>& texts, const RowOptions& options, size_t threads);
  std::vector<Encoding> encode(const std::vector<Input>& inputs, const std::vector<std::optional<Input>>& pairs,
                               bool add_special_tokens, const Truncation* truncation, size_t threads);

  // The end of encode(): one or two encodings of any tokenizers are shortened and joined, as by Rust's post_process.
  Encoding post_process(const std::vector<const Encoding*>& sequences, bool add_special_tokens, const Truncation* truncation) const;
  // The normalizer alone.
  std::string normalize(std::string_view text);
  // The pre-tokenizer alone: an encoding of tokens that have a text and offsets.
  Encoding pre_tokenize(std::string_view text);

  // Counts what the model would get of a text, for a trainer.
  void count_words(std::string_view text, WordCounts& counts);

  // Ids without a token are skipped.
  std::string decode(const uint32_t* ids, size_t count, bool skip_special_tokens);
  // The decoder alone.
  std::string decode(std::vector<std::string> tokens) const;
  // What each token adds to the bytes of a decoded text: those of all ids one after another, of id i up to ends[i];
  // nothing for an id without a token. Those in `verbatim` give what they are called.
  struct TokenTable {
    std::string bytes;
    std::vector<uint32_t> ends;
  };
  TokenTable token_table(const std::vector<uint32_t>& verbatim);
  // The text that each token adds behind the tokens `before`, in which `prefix` stands; no ids without a token.
  // Nothing where it does not stand in what they are decoded to.
  struct TokenTexts {
    TokenTable table;
    std::vector<uint8_t> is_known;  // of each id
  };
  std::optional<TokenTexts> token_texts(const std::vector<std::string>& before, std::string_view prefix);

  std::optional<uint32_t> token_to_id(const std::string& token) const;
  std::optional<std::string_view> id_to_token(uint32_t id) const;
  const Vocabulary& vocabulary() const { return *model_->vocabulary(); }
  const AddedVocabulary& added() const { return added_; }
  size_t vocab_size(bool with_added_tokens) const;
  std::optional<std::string> continuing_subword_prefix() const { return model_->continuing_subword_prefix(); }

  size_t add_tokens(const std::vector<AddedToken>& tokens);
  void set_encode_special_tokens(bool value) { added_.set_encode_special_tokens(value); }
  // True if the tokens of a single text can have other type ids than 0.
  bool has_type_ids() const { return has_type_ids_; }
  // How many special tokens stand before and behind a single text, where its tokens keep the offsets that they have in it.
  std::optional<std::pair<uint32_t, uint32_t>> frame() const { return frame_; }
  size_t special_tokens_to_add(bool is_pair) const { return post_processor_ ? post_processor_->added_tokens(is_pair) : 0; }

  // Each reads the component's JSON; without it there is none.
  void set_normalizer(std::optional<std::string_view> json);
  void set_pre_tokenizer(std::optional<std::string_view> json);
  void set_post_processor(std::optional<std::string_view> json);
  void set_decoder(std::optional<std::string_view> json);
  void set_truncation(std::optional<std::string_view> json);
  void set_padding(std::optional<std::string_view> json);
  // Added tokens keep their ids.
  void set_model(std::string_view json);
  // With true, normalised added tokens are what the normalizer of now makes of them, in texts and when they are decoded: so in
  // Rust since 0.23. Before, as in Python Transformers 4.57, the normalizer of their adding counts, and in texts alone.
  void set_normalized_added_tokens(bool value);

  std::string to_json(bool pretty, bool with_vocabulary = true) const;
  // The tokenizer with its tables, which loads in a fraction of the time; empty for one that is as quickly read from JSON.
  std::string compile() const;

 private:
  // What each id adds to a text, for decoders with parts; filled on first use.
  struct DecodeTable {
    static constexpr uint8_t kToken = 1, kSpecial = 2, kByte = 4;
    std::string bytes;
    std::vector<uint32_t> ends;
    std::vector<uint8_t> flags;
  };

  // One for each thread that encodes; a copy of a tokenizer starts with none.
  struct Workspaces {
    Workspaces() = default;
    Workspaces(const Workspaces&) {}
    std::vector<std::unique_ptr<Workspace>> list;
  };

  // The model's lists come from `tables` unless null.
  void read(std::string_view json, TableReader* tables);
  Workspace& workspace(size_t worker);
  void append_row(std::string_view text, const RowOptions& options, Workspace& workspace) const;
  // Appends the ids of a text without special tokens; in the second form also their offsets.
  void append_sequence(std::string_view text, Workspace& workspace) const;
  void append_sequence(std::string_view text, OffsetUnit unit, Workspace& workspace) const;
  Encoding encode(const Input& input, const Input* pair, bool add_special_tokens, const Truncation* truncation,
                  Workspace& workspace) const;
  // Appends the ids of a text by its words as they stand, which `found` gets too, if it is given, with what their offsets
  // follow from. False, and there are no more ids than before, where that cannot be.
  bool append_raw_words(std::string_view text, Workspace& workspace, std::vector<RawWord>* found) const;
  bool append_word_spans(std::string_view text, bool is_ascii, Workspace& workspace) const;
  bool append_piece_spans(bool is_ascii, Workspace& workspace) const;
  // Runs the text through everything before the model.
  void prepare(std::string_view text, bool aligned, Workspace& workspace) const;
  // The same for a word in which no added tokens are looked for as they are.
  void prepare_word(std::string_view word, Start start, bool aligned, Workspace& workspace) const;
  // What follows the normalizer.
  void finish_pieces(Pieces& pieces) const;
  // Whether the pieces depend on the alignment.
  bool needs_alignment() const { return normalizer_ && pre_tokenizer_ && pre_tokenizer_->needs_alignment(); }
  template <class Visitor>
  void visit_prepared(uint32_t base, Visitor&& visitor, Workspace& prepared) const;
  template <class Visitor>
  void visit_tokens(std::string_view text, Visitor&& visitor, Workspace& workspace) const;
  void encode_sequence(const Input& input, int32_t type_id, Encoding& out, Workspace& workspace) const;
  Encoding finish(std::vector<Encoding> sequences, bool add_special_tokens, const Truncation* truncation) const;
  // The normalizer, the pre-tokenizer or the model is another one.
  void find_raw_words();
  void plan_special_tokens();
  const DecodeTable& decode_table();
  std::string decode_as_one(const uint32_t* ids, size_t count, bool skip_special_tokens) const;

  std::optional<TruncationInFile> truncation_;
  std::optional<PaddingInFile> padding_;
  std::shared_ptr<const Normalizer> normalizer_;
  std::shared_ptr<const PreTokenizer> pre_tokenizer_;
  std::shared_ptr<const PostProcessor> post_processor_;
  std::shared_ptr<const Decoder> decoder_;
  std::shared_ptr<const Model> model_;
  AddedVocabulary added_;

  static constexpr int32_t kSequence = -1;
  std::vector<int32_t> plan_;  // the special tokens of one sequence, kSequence in its place
  std::optional<std::pair<uint32_t, uint32_t>> frame_;
  bool has_type_ids_ = false;
  std::shared_ptr<const RawWords> raw_words_;
  DecodeTable decode_table_;

  Workspaces workspaces_;
};

}  // namespace gt::tokenizer
