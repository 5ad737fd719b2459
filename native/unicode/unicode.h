// Properties of characters, from Unicode 16 and some of 17, with the ages that make older versions of it.
// The Rust tokenizers mix versions (its regexes know 16, its categories 8, its normalisation 9); ids depend on them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace gt::unicode {

// General categories; the order is that of scripts/unicode.mjs.
enum Category : uint8_t {
  Cn, Cc, Cf, Co, Cs, Ll, Lm, Lo, Lt, Lu, Mc, Me, Mn, Nd, Nl, No, Pc, Pd, Pe, Pf, Pi, Po, Ps, Sc, Sk, Sm, So, Zl, Zp, Zs
};

// Sets of categories as bits.
constexpr uint32_t bit(Category c) { return 1u << c; }
constexpr uint32_t kLetter = bit(Ll) | bit(Lm) | bit(Lo) | bit(Lt) | bit(Lu);
constexpr uint32_t kMark = bit(Mc) | bit(Me) | bit(Mn);
constexpr uint32_t kNumber = bit(Nd) | bit(Nl) | bit(No);
constexpr uint32_t kPunctuation = bit(Pc) | bit(Pd) | bit(Pe) | bit(Pf) | bit(Pi) | bit(Po) | bit(Ps);
constexpr uint32_t kSymbol = bit(Sc) | bit(Sk) | bit(Sm) | bit(So);
constexpr uint32_t kSeparator = bit(Zl) | bit(Zp) | bit(Zs);
constexpr uint32_t kOther = bit(Cn) | bit(Cc) | bit(Cf) | bit(Co) | bit(Cs);

// The newest version in which a character is looked for.
enum class Version : uint8_t { v8, v9, v16, v17 };

enum class Form : uint8_t { NFC, NFD, NFKC, NFKD };

// A value for each code point in two stages.
class Table {
 public:
  uint16_t operator[](char32_t c) const { return values_[pages_[c >> 7] << 7 | (c & 127)]; }

  Table(const struct Run* runs, size_t count);

 private:
  std::array<uint16_t, 0x110000 / 128> pages_{};
  std::vector<uint16_t> values_;
};

// Property words: category, age, flags.
const Table& properties();

inline bool is_known(uint16_t property, Version version) { return (property >> 5 & 3) <= static_cast<int>(version); }
inline Category category_of(uint16_t property) { return static_cast<Category>(property & 31); }

// The category that a character had in Unicode 8 or 9, where another one since makes a difference to tokenizers.
inline Category earlier_category(char32_t c, Version version, Category now) {
  switch (c) {
    case 0x166d: case 0x111c9: return Po;
    case 0x1734: case 0x1171e: return Mn;
    case 0x1885: case 0x1886: return version == Version::v8 ? Lo : now;
    case 0x1cf2: case 0x1cf3: case 0xa9bd: return Mc;
    default: return now;
  }
}

// Cn for what `version` does not know.
inline Category category(char32_t c, Version version = Version::v16) {
  const uint16_t property = properties()[c];
  if (!is_known(property, version)) return Cn;
  return version > Version::v9 ? category_of(property) : earlier_category(c, version, category_of(property));
}

inline bool is_in(char32_t c, uint32_t categories, Version version = Version::v16) {
  return bit(category(c, version)) & categories;
}

inline bool is_white_space(char32_t c) { return properties()[c] >> 7 & 1; }
// A flag of a property word, for what Unicode 16 knows.
inline bool has_flag(char32_t c, int flag) {
  const uint16_t property = properties()[c];
  return (property >> flag & 1) && is_known(property, Version::v16);
}
inline bool is_alphabetic(char32_t c) { return has_flag(c, 8); }
inline bool is_lowercase(char32_t c) { return has_flag(c, 13); }
inline bool is_uppercase(char32_t c) { return has_flag(c, 14); }
// \w of Oniguruma: letters, marks, decimal digits, connectors and the rest of Alphabetic.
inline bool is_word(char32_t c) { return is_alphabetic(c) || is_in(c, kMark | bit(Nd) | bit(Pc)); }
// \w of Rust's regex crate.
inline bool is_word_or_joiner(char32_t c) { return is_word(c) || c == 0x200c || c == 0x200d; }
// Rust's char::is_numeric.
inline bool is_numeric(char32_t c) { return is_in(c, kNumber, Version::v17); }

inline bool is_ascii_punctuation(char32_t c) {
  return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126);
}
// What BertPreTokenizer and Punctuation split at.
inline bool is_punctuation(char32_t c) { return is_ascii_punctuation(c) || is_in(c, kPunctuation, Version::v8); }

// True if normalising to `form` may change `c` or a neighbour of it.
inline bool is_unstable(char32_t c, Form form) { return properties()[c] >> (9 + static_cast<int>(form)) & 1; }

// The simple lower case. U+0130 has a longer one: see to_lower.
char32_t simple_lower(char32_t c);

// Rust's char::to_lowercase: writes 1 or 2 characters, returns how many.
size_t to_lower(char32_t c, char32_t out[2]);

// The simple case folding, and all characters that fold to the same as `c`, itself included.
char32_t fold(char32_t c);
std::vector<char32_t> case_variants(char32_t c);

// The number of a character's script, 0 for Unknown; the name of a number, null behind the last.
int script(char32_t c);
const char* script_name(int number);
std::optional<int> script_number(std::string_view name);

}  // namespace gt::unicode
