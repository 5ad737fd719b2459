// Decoders: they turn tokens back into text.
// Rust: https://github.com/huggingface/tokenizers/tree/v0.22.2/tokenizers/src/decoders
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tokenizer/json.h"

namespace gt::tokenizer {

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Reads a component of any type.
  static std::unique_ptr<Decoder> read(const json::Node& node);

  // Rewrites the tokens in place; joined they are the text.
  virtual void decode(std::vector<std::string>& tokens) const = 0;
  // Rewrites one token behind others to the bytes that it adds to the text.
  virtual void token_bytes(std::string& token) const { static_cast<void>(token); }
  // True if the text is the lossy UTF-8 of the token_bytes of all tokens.
  virtual bool is_byte_level() const { return false; }
  virtual void write(json::Writer& writer) const = 0;
};

}  // namespace gt::tokenizer
