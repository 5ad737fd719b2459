// Pre-tokenizers: they cut the text into the pieces that the model sees.
#pragma once

#include <memory>

#include "tokenizer/json.h"
#include "tokenizer/pieces.h"

namespace gt::tokenizer {

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Reads a component of any type.
  static std::unique_ptr<PreTokenizer> read(const json::Node& node);

  // May leave the pieces as bytes of the byte-level alphabet: Pieces::is_bytes.
  virtual void split(Pieces& pieces) const = 0;
  // True if it asks where in the original a piece starts.
  virtual bool needs_alignment() const { return false; }
  virtual void write(json::Writer& writer) const = 0;
};

}  // namespace gt::tokenizer
