#include "tokenizer/word_piece.h"

#include "errors.h"

namespace gt::tokenizer {

WordPiece::WordPiece(const json::Node& node)
    : Model(std::make_shared<const Vocabulary>(node.at("vocab"))),
      unk_token_(node.at("unk_token").string()),
      prefix_(node.at("continuing_subword_prefix").string()),
      max_characters_(node.at("max_input_chars_per_word").natural()),
      unk_id_(vocabulary_->find(unk_token_)) {
  for (uint32_t id = 0; id < vocabulary_->end_id(); id++) {
    if (!vocabulary_->has(id)) continue;
    const std::string_view token = vocabulary_->token(id);
    starts_.insert(token, id);
    if (token.substr(0, prefix_.size()) == prefix_) rests_.insert(token.substr(prefix_.size()), id);
  }
}

bool WordPiece::split(std::string_view word) {
  ids_.clear();
  ends_.clear();
  if (word.size() > max_characters_ && unicode::count(word) > max_characters_) return false;
  for (size_t at = 0; at < word.size();) {
    size_t end = 0;
    uint32_t id = 0;
    (at == 0 ? starts_ : rests_).prefixes(word, at, [&](size_t stop, uint32_t found) { end = stop, id = found; });
    if (end == 0) return false;
    ids_.push_back(static_cast<int32_t>(id));
    ends_.push_back(static_cast<uint32_t>(end));
    at = end;
  }
  return true;
}

void WordPiece::encode(Pieces& pieces, Ids& ids) {
  const char* text_end = pieces.text().data() + pieces.text().size();
  struct Found {
    const int32_t* ids;
    size_t count;
  };
  for (const Piece& piece : pieces.list()) {
    if (piece.added >= 0) {
      ids.push(piece.added);
      continue;
    }
    const std::string_view word = pieces.text(piece);
    int32_t* out = ids.room(word.size() + 2);
    ids.keep(cache_.get(word.data(), word.size(), text_end, out, [&]() -> Found {
      if (!split(word)) {
        if (unk_id_ < 0) throw Error("tokenizer_invalid", "The unk_token \"" + unk_token_ + "\" is not in the vocabulary");
        ids_.assign(1, unk_id_);
      }
      return {ids_.data(), ids_.size()};
    }));
  }
}

void WordPiece::encode(std::string_view piece, bool, std::vector<ModelToken>& tokens) {
  if (!split(piece)) {
    if (unk_id_ < 0) throw Error("tokenizer_invalid", "The unk_token \"" + unk_token_ + "\" is not in the vocabulary");
    tokens.push_back({unk_id_, 0, static_cast<uint32_t>(piece.size())});
    return;
  }
  uint32_t begin = 0;
  for (size_t i = 0; i < ids_.size(); i++) {
    tokens.push_back({ids_[i], begin, ends_[i]});
    begin = ends_[i];
  }
}

void WordPiece::write(json::Writer& writer) const {
  writer.begin_object();
  writer.field("type", "WordPiece");
  writer.field("unk_token", unk_token_);
  writer.field("continuing_subword_prefix", prefix_);
  writer.field("max_input_chars_per_word", max_characters_);
  writer.key("vocab");
  vocabulary_->write(writer);
  writer.end_object();
}

}  // namespace gt::tokenizer
