// Normalizers: they rewrite the text before it is split.
#pragma once

#include <memory>

#include "tokenizer/json.h"
#include "tokenizer/pieces.h"

namespace gt::tokenizer {

// Whether the parts of a text that is cut before its blanks can be normalised one by one, as far as that does not depend on
// the text: "last" if nothing may follow, because blanks are no longer blanks.
enum class ByParts : uint8_t { no, yes, last };

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  // Reads a component of any type.
  static std::unique_ptr<Normalizer> read(const json::Node& node);

  virtual void normalize(Pieces& pieces) const = 0;
  // True if each character is rewritten by itself, but for the order of the marks behind a letter.
  virtual bool is_per_character() const { return false; }
  // The blanks stay with what follows them: see RawWords.
  virtual ByParts by_parts() const { return ByParts::no; }
  // True if words of printable ASCII stay as they are.
  virtual bool keeps_ascii_words() const { return false; }
  virtual void write(json::Writer& writer) const = 0;
};

}  // namespace gt::tokenizer
