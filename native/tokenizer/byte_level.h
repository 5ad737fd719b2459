// GPT-2's byte-level alphabet: a printable character for each byte.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace gt::tokenizer {

namespace detail {

struct ByteLevelAlphabet {
  std::array<char32_t, 256> character{};
  std::array<int16_t, 0x144> byte{};

  constexpr ByteLevelAlphabet() {
    for (int16_t& b : byte) b = -1;
    char32_t next = 256;
    for (int b = 0; b < 256; b++) {
      const bool printable = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      const char32_t c = printable ? static_cast<char32_t>(b) : next++;
      character[b] = c;
      byte[c] = static_cast<int16_t>(b);
    }
  }
};
inline constexpr ByteLevelAlphabet kByteLevelAlphabet{};

}  // namespace detail

inline char32_t byte_level_character(uint8_t byte) { return detail::kByteLevelAlphabet.character[byte]; }

// The byte of a character, -1 if it is none of the alphabet.
inline int byte_level_byte(char32_t c) { return c < 0x144 ? detail::kByteLevelAlphabet.byte[c] : -1; }

// The text that spells `bytes`.
std::string spell_byte_level(std::string_view bytes);

// Appends the bytes that `text` spells; if a character is none of the alphabet, its own UTF-8.
void append_byte_level(std::string& out, std::string_view text);

}  // namespace gt::tokenizer
