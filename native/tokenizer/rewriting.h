// Rewritings that several components share.
#pragma once

#include <string_view>

#include "tokenizer/pieces.h"
#include "unicode/unicode.h"

namespace gt::tokenizer {

void normalize_to(Pieces& pieces, unicode::Form form);
void lowercase(Pieces& pieces);
void replace(Pieces& pieces, std::string_view what, std::string_view content);

// Keeps the characters that satisfy `keep`.
template <class Keep>
void filter(Pieces& pieces, Keep&& keep) {
  const auto concerns = [&](std::string_view text) {
    for (size_t i = 0, width; i < text.size(); i += width) {
      if (!keep(unicode::decode(text.data() + i, width))) return true;
    }
    return false;
  };
  pieces.rewrite(concerns, [&](std::string_view text, Pieces::Rewriter& out) {
    for (size_t i = 0, width; i < text.size(); i += width) {
      if (keep(unicode::decode(text.data() + i, width))) out.copy(width);
      else out.skip(1);
    }
  });
}

// Puts to(c) for each character c.
template <class To>
void map(Pieces& pieces, To&& to) {
  const auto concerns = [&](std::string_view text) {
    for (size_t i = 0, width; i < text.size(); i += width) {
      const char32_t c = unicode::decode(text.data() + i, width);
      if (to(c) != c) return true;
    }
    return false;
  };
  pieces.rewrite(concerns, [&](std::string_view text, Pieces::Rewriter& out) {
    for (size_t i = 0, width; i < text.size(); i += width) out.put(to(unicode::decode(text.data() + i, width)), 0);
  });
}

}  // namespace gt::tokenizer
