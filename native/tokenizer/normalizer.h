// Normalizers: they rewrite the text before it is split.
#pragma once

#include <memory>

#include "tokenizer/json.h"
#include "tokenizer/pieces.h"

namespace gt::tokenizer {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  // Reads a component of any type.
  static std::unique_ptr<Normalizer> read(const json::Node& node);

  virtual void normalize(Pieces& pieces) const = 0;
  virtual void write(json::Writer& writer) const = 0;
};

}  // namespace gt::tokenizer
