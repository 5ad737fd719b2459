#include "tokenizer/model.h"

#include <algorithm>

#include "tokenizer/bpe.h"
#include "tokenizer/unigram.h"
#include "tokenizer/word_level.h"
#include "tokenizer/word_piece.h"
#include "tokenizer/word_queue.h"

namespace gt::tokenizer {

namespace {

// Old files name no type: then the members tell, in Rust's order.
std::string type_of(const json::Node& node) {
  if (const auto type = node.find("type")) return type->string();
  const auto has = [&](const char* key) { return node.find(key).has_value(); };
  if (has("merges")) return "BPE";
  if (has("continuing_subword_prefix") && has("max_input_chars_per_word")) return "WordPiece";
  return has("unk_token") ? "WordLevel" : "Unigram";
}

}  // namespace

std::unique_ptr<Model> Model::read(const json::Node& node, TableReader* tables) {
  const std::string name = type_of(node);
  if (name == "BPE") return BPE::read(node, tables);
  if (name == "WordPiece") return std::make_unique<WordPiece>(node, tables);
  if (name == "WordLevel") return std::make_unique<WordLevel>(node);
  if (name == "Unigram") return Unigram::read(node, tables);
  node.at("type").fail("a type of model");
}

void Model::encode(Workspace& workspace) const {
  if (!is_random_) return encode(workspace, nullptr);
  for (const Piece& piece : workspace.pieces.list()) {
    workspace.tokens.clear();
    if (piece.added >= 0) workspace.ids.push(piece.added);
    else word_tokens(workspace.pieces.text(piece), workspace);
    for (const ModelToken& token : workspace.tokens) workspace.ids.push(token.id);
  }
}

void Model::encode(Workspace& workspace, std::vector<size_t>* ends) const {
  Ids& ids = workspace.ids;
  const auto miss = [&](std::string_view word) { return this->word(word, workspace); };
  WordQueue words(workspace.words, ids, ids_per_byte_, more_ids_, miss);
  bool is_last[decltype(words)::kAhead];  // of its piece
  const auto done = [&](size_t i, size_t end) {
    if (ends && is_last[i]) ends->push_back(end);
  };
  const std::string_view text = workspace.pieces.text();
  const char* text_end = text.data() + text.size();
  for (const Piece& piece : workspace.pieces.list()) {
    if (piece.added >= 0) {
      words.flush(done);
      ids.push(piece.added);
      if (ends) ends->push_back(ids.size());
      continue;
    }
    const std::string_view part = workspace.pieces.text(piece);
    for (size_t at = 0; at < part.size();) {
      const size_t end = cuts_ ? next_cut(part, at) : part.size();
      is_last[words.count()] = end == part.size();
      words.add(part.substr(at, end - at), text_end, done);
      at = end;
    }
  }
  words.flush(done);
}

const Widths& Model::widths(bool blanks) const {
  std::call_once(once_[blanks], [&] {
    const auto of_tokens = [&](bool is_first) {
      std::vector<uint8_t> result(vocabulary_->end_id());
      for (uint32_t id = 0; id < result.size(); id++) {
        if (!vocabulary_->has(id)) continue;
        size_t n = width(static_cast<int32_t>(id), is_first, takes_bytes());
        const std::string_view token = vocabulary_->token(id);
        for (size_t at = 0; blanks && (at = token.find("\u2581", at)) != token.npos; at += 3) n -= std::min<size_t>(n, 2);
        if (n < 256) result[id] = static_cast<uint8_t>(n);
      }
      return result;
    };
    widths_[blanks] = {of_tokens(true), of_tokens(false)};
  });
  return widths_[blanks];
}

bool Model::align(std::string_view piece, const int32_t* ids, const int32_t* end, Workspace& workspace) const {
  const bool is_bytes = workspace.pieces.is_bytes();
  workspace.tokens.clear();
  size_t at = 0;
  for (; ids < end; ids++) {
    const size_t n = width(*ids, at == 0, is_bytes);
    if (n == 0 || at + n > piece.size()) return false;
    workspace.tokens.push_back({*ids, static_cast<uint32_t>(at), static_cast<uint32_t>(at + n)});
    at += n;
  }
  return at == piece.size();
}

}  // namespace gt::tokenizer
