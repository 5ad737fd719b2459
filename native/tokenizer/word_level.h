// One token for each piece that is in the vocabulary.
#pragma once

#include "tokenizer/model.h"

namespace gt::tokenizer {

class WordLevel : public Model {
 public:
  explicit WordLevel(const json::Node& node);

  void write(json::Writer& writer) const override;

 private:
  Found word(std::string_view word, Workspace& workspace) const override;
  void word_tokens(std::string_view word, Workspace& workspace) const override;
  size_t width(int32_t, bool, bool) const override { return 0; }
  int32_t id_of(std::string_view word) const;

  std::string unk_token_;
};

}  // namespace gt::tokenizer
