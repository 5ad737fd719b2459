// One token for each piece that is in the vocabulary.
#pragma once

#include "tokenizer/model.h"

namespace gt::tokenizer {

class WordLevel : public Model {
 public:
  explicit WordLevel(const json::Node& node);

  void encode(Pieces& pieces, Ids& ids) override;
  void encode(std::string_view piece, bool is_bytes, std::vector<ModelToken>& tokens) override;
  void write(json::Writer& writer) const override;

 private:
  int32_t id_of(std::string_view piece) const;

  std::string unk_token_;
};

}  // namespace gt::tokenizer
