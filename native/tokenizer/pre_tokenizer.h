// Pre-tokenizers: they cut the text into the pieces that the model sees.
#pragma once

#include <memory>

#include "tokenizer/json.h"
#include "tokenizer/pieces.h"

namespace gt::tokenizer {

// What becomes of a character where only its kind counts: a space goes, some stand alone, and neighbours of one kind stay
// together.
enum class Kind : uint8_t { unknown, space, alone, word, other };

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Reads a component of any type.
  static std::unique_ptr<PreTokenizer> read(const json::Node& node);

  // May leave the pieces as bytes of the byte-level alphabet: Pieces::is_bytes.
  virtual void split(Pieces& pieces) const = 0;
  // For those that cut at kinds of characters; `unknown` for all characters from others.
  virtual Kind kind(char32_t) const { return Kind::unknown; }
  // True if it cuts, before all else, in front of each `c` that stands behind something.
  virtual bool cuts_before(char32_t) const { return false; }
  // True if it never cuts, or only where there is a space.
  virtual bool keeps_words() const { return false; }
  // True if it asks where in the original a piece starts.
  virtual bool needs_alignment() const { return false; }
  virtual void write(json::Writer& writer) const = 0;
};

}  // namespace gt::tokenizer
