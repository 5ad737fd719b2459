// UTF-8: every text below the bindings is valid UTF-8, so decoding does not check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#ifdef _MSC_VER
#include <intrin.h>
#endif

namespace gt::unicode {

// Zero bits below the lowest that is set; `word` has one.
inline int trailing_zeros(uint64_t word) {
#ifdef _MSC_VER
  unsigned long n;
  _BitScanForward64(&n, word);
  return static_cast<int>(n);
#else
  return __builtin_ctzll(word);
#endif
}

// Bytes of the character that starts with `lead`.
inline size_t length(uint8_t lead) { return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4; }

inline bool is_continuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

// The character at `p`; `width` gets its bytes.
inline char32_t decode(const char* p, size_t& width) {
  const auto* s = reinterpret_cast<const uint8_t*>(p);
  const uint32_t lead = s[0];
  if (lead < 0x80) return width = 1, lead;
  if (lead < 0xe0) return width = 2, (lead & 31) << 6 | (s[1] & 63u);
  if (lead < 0xf0) return width = 3, (lead & 15) << 12 | (s[1] & 63u) << 6 | (s[2] & 63u);
  return width = 4, (lead & 7) << 18 | (s[1] & 63u) << 12 | (s[2] & 63u) << 6 | (s[3] & 63u);
}

// The start of the character before `p`, which lies behind `begin`.
inline const char* previous(const char* begin, const char* p) {
  do p--;
  while (p > begin && is_continuation(static_cast<uint8_t>(*p)));
  return p;
}

// Writes at most 4 bytes, returns how many.
inline size_t encode(char32_t c, char* out) {
  if (c < 0x80) return out[0] = static_cast<char>(c), 1;
  if (c < 0x800) {
    out[0] = static_cast<char>(0xc0 | c >> 6);
    out[1] = static_cast<char>(0x80 | (c & 63));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = static_cast<char>(0xe0 | c >> 12);
    out[1] = static_cast<char>(0x80 | (c >> 6 & 63));
    out[2] = static_cast<char>(0x80 | (c & 63));
    return 3;
  }
  out[0] = static_cast<char>(0xf0 | c >> 18);
  out[1] = static_cast<char>(0x80 | (c >> 12 & 63));
  out[2] = static_cast<char>(0x80 | (c >> 6 & 63));
  out[3] = static_cast<char>(0x80 | (c & 63));
  return 4;
}

inline void append(std::string& text, char32_t c) {
  char bytes[4];
  text.append(bytes, encode(c, bytes));
}

// Characters of `text`.
size_t count(std::string_view text);

bool is_ascii(std::string_view text);
bool is_valid(std::string_view text);

// Ill-formed parts become U+FFFD, one for each maximal subpart, as in WHATWG's decoder and Rust's from_utf8_lossy.
std::string lossy(std::string_view bytes);

}  // namespace gt::unicode
