// Extended grapheme clusters of Unicode 16 (UAX 29), what a reader takes for one character.
#pragma once

#include <cstddef>
#include <string_view>

namespace gt::unicode {

// The end of the cluster that starts at byte `begin` of `text`; `begin` must lie before the end.
size_t grapheme_end(std::string_view text, size_t begin);

}  // namespace gt::unicode
