#include "tokenizer/model.h"

#include "tokenizer/bpe.h"
#include "tokenizer/unigram.h"
#include "tokenizer/word_level.h"
#include "tokenizer/word_piece.h"

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

std::unique_ptr<Model> Model::read(const json::Node& node) {
  const std::string name = type_of(node);
  if (name == "BPE") return BPE::read(node);
  if (name == "WordPiece") return std::make_unique<WordPiece>(node);
  if (name == "WordLevel") return std::make_unique<WordLevel>(node);
  if (name == "Unigram") return Unigram::read(node);
  node.at("type").fail("a type of model");
}

}  // namespace gt::tokenizer
