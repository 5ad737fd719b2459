#include "tokenizer/word_level.h"

#include "errors.h"

namespace gt::tokenizer {

WordLevel::WordLevel(const json::Node& node)
    : Model(std::make_shared<const Vocabulary>(node.at("vocab"))), unk_token_(node.at("unk_token").string()) {}

int32_t WordLevel::id_of(std::string_view piece) const {
  int32_t id = vocabulary_->find(piece);
  if (id < 0) id = vocabulary_->find(unk_token_);
  if (id < 0) throw Error("tokenizer_invalid", "The unk_token \"" + unk_token_ + "\" is not in the vocabulary");
  return id;
}

void WordLevel::encode(Pieces& pieces, Ids& ids) {
  for (const Piece& piece : pieces.list()) ids.push(piece.added >= 0 ? piece.added : id_of(pieces.text(piece)));
}

void WordLevel::encode(std::string_view piece, bool, std::vector<ModelToken>& tokens) {
  tokens.push_back({id_of(piece), 0, static_cast<uint32_t>(piece.size())});
}

void WordLevel::write(json::Writer& writer) const {
  writer.begin_object();
  writer.field("type", "WordLevel");
  writer.key("vocab");
  vocabulary_->write(writer);
  writer.field("unk_token", unk_token_);
  writer.end_object();
}

}  // namespace gt::tokenizer
