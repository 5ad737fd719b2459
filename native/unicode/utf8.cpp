#include "unicode/utf8.h"

#include <cstring>

namespace gt::unicode {

size_t count(std::string_view text) {
  size_t n = 0;
  for (const char c : text) n += !is_continuation(static_cast<uint8_t>(c));
  return n;
}

bool is_ascii(std::string_view text) {
  const char* p = text.data();
  size_t n = text.size();
  uint64_t all = 0;
  for (; n >= 8; p += 8, n -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    all |= word;
  }
  for (; n > 0; p++, n--) all |= static_cast<uint8_t>(*p);
  return (all & 0x8080808080808080ull) == 0;
}

namespace {

// Bytes of the valid character at `p`, or 0 with `bad` = the bytes of the maximal ill-formed subpart.
size_t valid_length(const uint8_t* p, const uint8_t* end, size_t& bad) {
  const uint8_t lead = *p;
  bad = 1;
  if (lead < 0x80) return 1;
  size_t need;
  uint8_t low = 0x80, high = 0xbf;
  if (lead >= 0xc2 && lead <= 0xdf) need = 1;
  else if (lead >= 0xe0 && lead <= 0xef) {
    need = 2;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    need = 3;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  } else return 0;
  for (size_t i = 1; i <= need; i++) {
    if (p + i >= end || p[i] < low || p[i] > high) return bad = i, 0;
    low = 0x80, high = 0xbf;
  }
  return need + 1;
}

}  // namespace

bool is_valid(std::string_view text) {
  const auto* p = reinterpret_cast<const uint8_t*>(text.data());
  const uint8_t* end = p + text.size();
  while (p < end) {
    if (end - p >= 8) {
      uint64_t word;
      std::memcpy(&word, p, 8);
      const uint64_t others = word & 0x8080808080808080ull;
      p += others == 0 ? 8 : trailing_zeros(others) / 8;
      if (others == 0) continue;
      if (end - p >= 2 && *p >= 0xc2 && *p <= 0xdf && is_continuation(p[1])) {
        p += 2;
        continue;
      }
    }
    size_t bad;
    const size_t n = valid_length(p, end, bad);
    if (n == 0) return false;
    p += n;
  }
  return true;
}

std::string lossy(std::string_view bytes) {
  std::string result;
  result.reserve(bytes.size());
  const auto* p = reinterpret_cast<const uint8_t*>(bytes.data());
  const uint8_t* end = p + bytes.size();
  while (p < end) {
    size_t bad;
    const size_t n = valid_length(p, end, bad);
    if (n > 0) {
      result.append(reinterpret_cast<const char*>(p), n);
      p += n;
    } else {
      result.append("\xef\xbf\xbd");
      p += bad;
    }
  }
  return result;
}

}  // namespace gt::unicode
