// What turns pieces of text into ids.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tokenizer/json.h"
#include "tokenizer/vocabulary.h"
#include "tokenizer/workspace.h"

namespace gt::tokenizer {

// The bytes of a piece that each token covers where it stands first in it, and behind others; 0 if its id does not tell.
struct Widths {
  std::vector<uint8_t> first, rest;
};

class Model {
 public:
  virtual ~Model() = default;

  // Reads a component of any type; without `type`, the first that fits, as Rust does. Its lists come from `tables`
  // unless null.
  static std::unique_ptr<Model> read(const json::Node& node, TableReader* tables = nullptr);
  // Writes the lists; false, and nothing, for models that are as quickly read from JSON.
  virtual bool write_tables(TableWriter& tables) const { return static_cast<void>(tables), false; }

  const std::shared_ptr<const Vocabulary>& vocabulary() const { return vocabulary_; }

  // Appends the ids of all pieces to the workspace's ids; an added token's piece gives its own id.
  // The pieces' bytes must be spelled out unless the model takes_bytes().
  void encode(Workspace& workspace) const;
  // The same for a model that is not random; `ends` becomes where the ids of each piece end.
  void encode(Workspace& workspace, std::vector<size_t>& ends) const {
    ends.clear();
    encode(workspace, &ends);
  }
  // With `blanks`, each U+2581 of a token covers one byte.
  const Widths& widths(bool blanks) const;
  // Calls visit(piece, tokens) for each piece, after start(tokens) with about how many there will be.
  template <class Start, class Visit>
  void tokens(Workspace& workspace, Start&& start, Visit&& visit) const;
  // Replaces the workspace's tokens by those of a piece; true if its ids tell all.
  bool align(std::string_view piece, const int32_t* ids, const int32_t* end, Workspace& workspace) const;
  // True if the pieces may stay bytes of the byte-level alphabet.
  virtual bool takes_bytes() const { return false; }

  // True if the ids of a piece of text are those that it has within the text: where it follows another piece, it must begin
  // with what becomes of a blank; where another follows, that one does.
  virtual bool stands_alone(std::string_view piece, bool follows, bool is_followed) const {
    return static_cast<void>(piece), !follows && !is_followed;
  }

  // What stands before the pieces inside a word, if the model marks them.
  virtual std::optional<std::string> continuing_subword_prefix() const { return std::nullopt; }

  // True if it finds places where a piece can be cut.
  bool cuts() const { return cuts_; }
  // True if the same text can give other ids.
  bool is_random() const { return is_random_; }
  // The most ids that a piece may have.
  size_t most_ids(size_t bytes) const { return bytes * ids_per_byte_ + more_ids_; }

  virtual void write(json::Writer& writer) const = 0;

 protected:
  explicit Model(std::shared_ptr<const Vocabulary> vocabulary) : vocabulary_(std::move(vocabulary)) {}

  struct Found {
    const int32_t* ids;
    size_t count;
  };
  // The ids of a word, in memory of the workspace. The same word gives the same ids, unless `is_random_`.
  virtual Found word(std::string_view word, Workspace& workspace) const = 0;
  // Appends the tokens of a word to the workspace's tokens.
  virtual void word_tokens(std::string_view word, Workspace& workspace) const = 0;
  // If `cuts_`: the first place behind `from` where the text can be cut into words, because no token spans it; or the end.
  virtual size_t next_cut(std::string_view text, size_t from) const { return static_cast<void>(from), text.size(); }
  // The bytes of a word that a token covers where it stands, 0 if its id does not tell.
  virtual size_t width(int32_t id, bool is_first, bool is_bytes) const = 0;

  std::shared_ptr<const Vocabulary> vocabulary_;
  bool is_random_ = false, cuts_ = false;
  size_t ids_per_byte_ = 1, more_ids_ = 0;  // the most that a word may have

 private:
  void encode(Workspace& workspace, std::vector<size_t>* ends) const;

  // Made when they are first asked for.
  mutable std::once_flag once_[2];
  mutable Widths widths_[2];
};

template <class Start, class Visit>
void Model::tokens(Workspace& workspace, Start&& start, Visit&& visit) const {
  const size_t before = workspace.ids.size();
  workspace.piece_ends.clear();
  if (!is_random_) encode(workspace, &workspace.piece_ends);
  start(workspace.ids.size() - before);
  size_t begin = before, i = 0;
  for (const Piece& piece : workspace.pieces.list()) {
    const std::string_view text = workspace.pieces.text(piece);
    const size_t end = is_random_ ? begin : workspace.piece_ends[i++];
    if (piece.added >= 0) {
      workspace.tokens.assign(1, {piece.added, 0, piece.end - piece.begin, text});
    } else if (is_random_ || !align(text, workspace.ids.data() + begin, workspace.ids.data() + end, workspace)) {
      workspace.tokens.clear();
      word_tokens(text, workspace);
    }
    visit(piece, workspace.tokens);
    begin = end;
  }
  workspace.ids.keep(workspace.ids.data() + before);
}

}  // namespace gt::tokenizer
