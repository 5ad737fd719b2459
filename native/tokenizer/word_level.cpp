#include "tokenizer/word_level.h"

#include "errors.h"

namespace gt::tokenizer {

WordLevel::WordLevel(const json::Node& node)
    : Model(std::make_shared<const Vocabulary>(node.at("vocab"))), unk_token_(node.at("unk_token").string()) {}

int32_t WordLevel::id_of(std::string_view word) const {
  int32_t id = vocabulary_->find(word);
  if (id < 0) id = vocabulary_->find(unk_token_);
  if (id < 0) throw Error("tokenizer_invalid", "The unk_token \"" + unk_token_ + "\" is not in the vocabulary");
  return id;
}

Model::Found WordLevel::word(std::string_view word, Workspace& workspace) const {
  workspace.symbols.assign(1, id_of(word));
  return {workspace.symbols.data(), 1};
}

void WordLevel::word_tokens(std::string_view word, Workspace& workspace) const {
  workspace.tokens.push_back({id_of(word), 0, static_cast<uint32_t>(word.size())});
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
