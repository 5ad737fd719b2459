// Decoders: they turn tokens back into text.
// Rust: https://github.com/huggingface/tokenizers/tree/v0.22.2/tokenizers/src/decoders
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
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
  // Whether the text is made of the token_bytes of its tokens.
  enum class Parts : uint8_t {
    none,
    all,           // it is the lossy UTF-8 of them all
    behind_first,  // of the tokens behind the first that shows; runs of fallback bytes that are no UTF-8 become U+FFFDs
  };
  virtual Parts parts() const { return Parts::none; }
  virtual void write(json::Writer& writer) const = 0;

  // What a Sequence asks of its members.
  enum class Scope : uint8_t {
    all,            // what it makes of a token depends on others
    token,          // on whether it is the first at most
    byte_fallback,  // it joins runs of bytes
    fuse,           // it joins everything
    start,          // once everything is joined: it takes away from the start alone
  };
  virtual Scope scope() const { return Scope::all; }
};

// The byte of a token like <0x41>, or -1.
int fallback_byte(std::string_view token);

}  // namespace gt::tokenizer
