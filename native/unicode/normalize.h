// NFC, NFD, NFKC and NFKD of Unicode 9, with what each character was made from.
#pragma once

#include <string_view>
#include <vector>

#include "unicode/unicode.h"

namespace gt::unicode {

// `change`: 0 stands for one character, 1 was added, -n stands for n + 1 characters.
struct Changed {
  char32_t c;
  int change;
};

// Appends the normalised `text`.
void normalize(std::string_view text, Form form, std::vector<Changed>& out);

// Finds the next part of `text` from `from` on that `form` may change; what lies between stays as it is.
// Returns false if there is none.
bool next_unstable(std::string_view text, Form form, size_t from, size_t& begin, size_t& end);

// General category M of Unicode 9, what StripAccents removes.
inline bool is_combining_mark(char32_t c) { return is_in(c, kMark, Version::v9); }

}  // namespace gt::unicode
