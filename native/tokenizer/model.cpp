#include "tokenizer/model.h"

#include "tokenizer/bpe.h"

namespace gt::tokenizer {

std::unique_ptr<Model> Model::read(const json::Node& node) {
  const auto type = node.find("type");
  if (!type) {
    if (node.find("merges")) return BPE::read(node);
    node.error("'type' is missing");
  }
  const std::string name = type->string();
  if (name == "BPE") return BPE::read(node);
  type->fail("a type of model");
}

}  // namespace gt::tokenizer
