#include "tokenizer/word_piece.h"

#include "errors.h"

namespace gt::tokenizer {

WordPiece::WordPiece(const json::Node& node, TableReader* tables)
    : Model(tables ? std::make_shared<const Vocabulary>(*tables) : std::make_shared<const Vocabulary>(node.at("vocab"))),
      unk_token_(node.at("unk_token").string()),
      prefix_(node.at("continuing_subword_prefix").string()),
      max_characters_(node.at("max_input_chars_per_word").natural()),
      unk_id_(vocabulary_->find(unk_token_)) {
  if (tables) {
    starts_ = Trie(*tables, vocabulary_->end_id());
    rests_ = Trie(*tables, vocabulary_->end_id());
    return;
  }
  std::vector<Trie::Entry> starts, rests;
  for (uint32_t id = 0; id < vocabulary_->end_id(); id++) {
    if (!vocabulary_->has(id)) continue;
    const std::string_view token = vocabulary_->token(id);
    starts.push_back({token, id});
    if (token.substr(0, prefix_.size()) == prefix_) rests.push_back({token.substr(prefix_.size()), id});
  }
  starts_ = Trie(starts);
  rests_ = Trie(rests);
}

void WordPiece::split(std::string_view word, Workspace& workspace) const {
  workspace.symbols.clear();
  workspace.lengths.clear();
  if (word.size() > max_characters_ && unicode::count(word) > max_characters_) return split_unknown(word, workspace);
  for (size_t at = 0; at < word.size();) {
    size_t end = 0;
    uint32_t id = 0;
    (at == 0 ? starts_ : rests_).prefixes(word, at, [&](size_t stop, uint32_t found) { end = stop, id = found; });
    if (end == 0) return split_unknown(word, workspace);
    workspace.symbols.push_back(static_cast<int32_t>(id));
    workspace.lengths.push_back(static_cast<uint32_t>(end));
    at = end;
  }
}

void WordPiece::split_unknown(std::string_view word, Workspace& workspace) const {
  if (unk_id_ < 0) throw Error("tokenizer_invalid", "The unk_token \"" + unk_token_ + "\" is not in the vocabulary");
  workspace.symbols.assign(1, unk_id_);
  workspace.lengths.assign(1, static_cast<uint32_t>(word.size()));
}

Model::Found WordPiece::word(std::string_view word, Workspace& workspace) const {
  split(word, workspace);
  return {workspace.symbols.data(), workspace.symbols.size()};
}

void WordPiece::word_tokens(std::string_view word, Workspace& workspace) const {
  split(word, workspace);
  uint32_t begin = 0;
  for (size_t i = 0; i < workspace.symbols.size(); i++) {
    workspace.tokens.push_back({workspace.symbols[i], begin, workspace.lengths[i]});
    begin = workspace.lengths[i];
  }
}

size_t WordPiece::width(int32_t id, bool is_first, bool) const {
  if (id == unk_id_) return 0;
  const size_t size = vocabulary_->token(static_cast<uint32_t>(id)).size();
  return is_first ? size : size - prefix_.size();
}

bool WordPiece::write_tables(TableWriter& tables) const {
  vocabulary_->write(tables);
  starts_.write(tables);
  rests_.write(tables);
  return true;
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
