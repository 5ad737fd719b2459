#include "tokenizer/scanner.h"

#include <array>
#include <cstring>
#include <vector>

#include "unicode/unicode.h"
#include "unicode/utf8.h"

namespace gt::tokenizer {

namespace {

// What the patterns tell apart, as bits.
enum Class : uint8_t { kUpper = 1, kLower = 2, kOtherLetter = 4, kMark = 8, kNumber = 16, kSpace = 32, kNewline = 64, kRest = 128 };
constexpr uint8_t kLetters = kUpper | kLower | kOtherLetter;
constexpr uint8_t kSpaces = kSpace | kNewline;

uint8_t class_of(char32_t c) {
  using namespace unicode;
  if (c == '\r' || c == '\n') return kNewline;
  if (is_white_space(c)) return kSpace;
  const uint32_t category = bit(unicode::category(c));
  if (category & (bit(Lu) | bit(Lt))) return kUpper;
  if (category & bit(Ll)) return kLower;
  if (category & unicode::kLetter) return kOtherLetter;
  if (category & unicode::kMark) return kMark;
  if (category & unicode::kNumber) return kNumber;
  return kRest;
}

// Classes in two stages, the first page for ASCII.
struct Classes {
  std::array<uint16_t, 0x110000 / 128> pages;
  std::vector<uint8_t> values;

  Classes() {
    std::array<uint8_t, 128> page;
    int uniform[256];
    std::fill(std::begin(uniform), std::end(uniform), -1);
    for (size_t i = 0; i < pages.size(); i++) {
      bool same = true;
      for (uint32_t c = 0; c < 128; c++) {
        page[c] = class_of(static_cast<char32_t>(i << 7 | c));
        same = same && page[c] == page[0];
      }
      if (same && uniform[page[0]] >= 0) {
        pages[i] = static_cast<uint16_t>(uniform[page[0]]);
        continue;
      }
      pages[i] = static_cast<uint16_t>(values.size() >> 7);
      if (same) uniform[page[0]] = pages[i];
      values.insert(values.end(), page.begin(), page.end());
    }
  }
};

const Classes& classes() {
  static const Classes table;
  return table;
}

// ASCII letters in 8 bytes, as the high bits of the bytes; only small ones unless `Set` has capitals.
template <uint8_t Set>
uint64_t ascii_letters(uint64_t bytes) {
  constexpr uint64_t kEach = 0x0101010101010101ull, kHigh = 0x80 * kEach;
  const uint64_t low = (Set & kUpper ? bytes | 0x20 * kEach : bytes) & ~kHigh;
  return (low + (0x80 - 'a') * kEach) & ~(low + (0x7f - 'z') * kEach) & ~bytes & kHigh;
}

// Reads characters with their classes. `end` is never passed.
struct Reader {
  const uint8_t* values;
  const uint16_t* pages;
  const char* end;

  uint8_t at(const char* p, size_t& width) const {
    const auto byte = static_cast<uint8_t>(*p);
    if (byte < 0x80) return width = 1, values[byte];
    const char32_t c = unicode::decode(p, width);
    return values[pages[c >> 7] << 7 | (c & 127)];
  }
  const char* run(const char* p, uint8_t set) const {
    size_t width;
    while (p < end && (at(p, width) & set)) p += width;
    return p;
  }
  // As run(p, Set), where of ASCII the set has letters alone: 8 bytes at a time.
  template <uint8_t Set>
  const char* word(const char* p) const {
    while (end - p >= 8) {
      uint64_t bytes;
      std::memcpy(&bytes, p, 8);
      const uint64_t others = ascii_letters<Set>(bytes) ^ 0x8080808080808080ull;
      const int n = others == 0 ? 8 : unicode::trailing_zeros(others) / 8;
      p += n;
      if (n == 8) continue;
      size_t width;
      if (static_cast<uint8_t>(*p) < 0x80 || !(at(p, width) & Set)) return p;
      p += width;
    }
    return run(p, Set);
  }
  const char* run(const char* p, uint8_t set, uint32_t most) const {
    size_t width;
    for (; most > 0 && p < end && (at(p, width) & set); most--) p += width;
    return p;
  }
};

// Bytes of the contraction at `p`: 's 't 're 've 'm 'll 'd, or 0. Without case the long s is an s, as in Oniguruma.
size_t contraction(const char* p, const char* end, bool any_case) {
  if (end - p < 2 || *p != '\'') return 0;
  const char fold = any_case ? 32 : 0;
  const char a = static_cast<char>(p[1] | fold);
  if (a == 's' || a == 't' || a == 'm' || a == 'd') return 2;
  if (end - p < 3) return 0;
  if (any_case && p[1] == '\xc5' && p[2] == '\xbf') return 3;
  const char b = static_cast<char>(p[2] | fold);
  return (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l') ? 3 : 0;
}

// \s*[\r\n]+|\s+(?!\S)|\s+ ; the first alternative only with `newlines`.
const char* white_space(const Reader& in, const char* p, bool newlines) {
  const char *q = p, *last = p, *newline = nullptr;
  size_t width;
  for (; q < in.end; q += width) {
    const uint8_t k = in.at(q, width);
    if (!(k & kSpaces)) break;
    last = q;
    if (k == kNewline) newline = q + width;
  }
  if (newlines && newline) return newline;
  return q == in.end || last == p ? q : last;
}

//  's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
const char* next_gpt2(const Reader& in, const char* p) {
  size_t width;
  uint8_t k = in.at(p, width);
  const char* start = p;
  if (k & kLetters) return in.word<kLetters>(p + width);
  if (*p == '\'') {
    if (const size_t n = contraction(p, in.end, false)) return p + n;
  } else if (*p == ' ' && p + 1 < in.end) {
    start = p + 1;
    k = in.at(start, width);
  }
  if (k & kLetters) return in.word<kLetters>(start + width);
  if (k & kNumber) return in.run(start + width, kNumber);
  if (k & (kMark | kRest)) return in.run(start + width, kMark | kRest);
  return white_space(in, p, false);
}

// ` ?[^\s\p{L}\p{N}]+[\r\n]*` with `tail` for the slash of o200k; null if it does not match.
template <uint8_t Letters, bool Slash>
const char* symbols(const Reader& in, const char* p, uint8_t k, size_t width) {
  constexpr auto kSymbols = static_cast<uint8_t>((kMark | kRest) & ~Letters);
  const char* start = p;
  if (*p == ' ' && p + 1 < in.end) k = in.at(start = p + 1, width);
  if (!(k & kSymbols)) return nullptr;
  const char* q = in.run(start + width, kSymbols);
  while (q < in.end && (*q == '\r' || *q == '\n' || (Slash && *q == '/'))) q++;
  return q;
}

// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
template <uint8_t Letters>
const char* next_cl100k(const Reader& in, const char* p, uint32_t digits) {
  size_t width;
  const uint8_t k = in.at(p, width);
  if (k & Letters) return in.word<Letters>(p + width);
  if (*p == '\'') {
    if (const size_t n = contraction(p, in.end, true)) return p + n;
  }
  if (k & kNumber) return in.run(p + width, kNumber, digits - 1);
  if (k != kNewline && p + width < in.end) {
    size_t after;
    if (in.at(p + width, after) & Letters) return in.word<Letters>(p + width + after);
  }
  if (const char* q = symbols<Letters, false>(in, p, k, width)) return q;
  return white_space(in, p, true);
}

constexpr uint8_t kHead = kUpper | kOtherLetter | kMark;
constexpr uint8_t kTail = kLower | kOtherLetter | kMark;

// [head]*[tail]+ at `p`, or null.
const char* head_then_tail(const Reader& in, const char* p) {
  size_t width;
  const char *q = p, *both = nullptr;
  for (; q < in.end; q += width) {
    const uint8_t k = in.at(q, width);
    if (!(k & kHead)) break;
    if (k & kTail) both = q + width;
  }
  const char* end = in.word<kTail>(q);
  return end > q ? end : both;
}

// o200k: a word is an optional symbol, capitals and small letters; then as cl100k, with slashes behind symbols.
const char* next_o200k(const Reader& in, const char* p, uint32_t digits, bool contractions) {
  size_t width;
  const uint8_t k = in.at(p, width);
  const bool takes_symbol = !(k & (kLetters | kNumber | kNewline));
  const char* end = takes_symbol && p + width < in.end ? head_then_tail(in, p + width) : nullptr;
  if (!end) end = head_then_tail(in, p);
  if (!end && takes_symbol) {
    const char* q = in.run(p + width, kHead);
    if (q > p + width) end = q;
  }
  if (!end) {
    const char* q = in.run(p, kHead);
    if (q > p) end = q;
  }
  if (end) return contractions ? end + contraction(end, in.end, true) : end;
  if (k & kNumber) return in.run(p + width, kNumber, digits - 1);
  if (const char* q = symbols<kLetters, true>(in, p, k, width)) return q;
  return white_space(in, p, true);
}

template <class Next>
size_t scan_with(std::string_view text, size_t from, uint32_t* ends, size_t most, Next&& next) {
  const Classes& table = classes();
  const Reader in{table.values.data(), table.pages.data(), text.data() + text.size()};
  size_t count = 0;
  for (const char* p = text.data() + from; p < in.end && count < most;) {
    p = next(in, p);
    ends[count++] = static_cast<uint32_t>(p - text.data());
  }
  return count;
}

// Takes `prefix` off `text`.
bool strip(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

size_t Scanner::scan(std::string_view text, size_t from, uint32_t* ends) const {
  const auto with = [&](auto&& next) { return scan_with(text, from, ends, kChunk, next); };
  const auto cl100k = [this](const Reader& in, const char* p) { return next_cl100k<kLetters>(in, p, digits_); };
  const auto marked = [this](const Reader& in, const char* p) { return next_cl100k<kLetters | kMark>(in, p, digits_); };
  const auto o200k = [this](const Reader& in, const char* p) { return next_o200k(in, p, digits_, contractions_); };
  if (family_ == Family::gpt2) return with(next_gpt2);
  if (family_ == Family::o200k) return with(o200k);
  return marks_ ? with(marked) : with(cl100k);
}

std::optional<Scanner> Scanner::of(std::string_view regex) {
  constexpr std::string_view kContractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  constexpr std::string_view kEnd = R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
  std::string_view rest = regex;
  if (rest == R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)") return gpt2();

  // OpenAI's own spelling of cl100k: possessive, which matches the same.
  if (rest == R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)") {
    return Scanner(Family::cl100k);
  }

  const auto digits = [&](Scanner& scanner) {
    if (!strip(rest, R"(|\p{N})")) return false;
    scanner.digits_ = 1;
    if (strip(rest, "{1,3}")) scanner.digits_ = 3;
    else if (strip(rest, "{1,2}")) scanner.digits_ = 2;
    else if (strip(rest, "+")) scanner.digits_ = UINT32_MAX;
    return true;
  };

  Scanner cl100k(Family::cl100k);
  if (strip(rest, kContractions)) {
    if (strip(rest, R"(|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+)")) cl100k.marks_ = true;
    else if (!strip(rest, R"(|[^\r\n\p{L}\p{N}]?\p{L}+)")) return std::nullopt;
    if (!digits(cl100k)) return std::nullopt;
    if (!strip(rest, cl100k.marks_ ? R"(| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)" : R"(| ?[^\s\p{L}\p{N}]+[\r\n]*)")) return std::nullopt;
    return rest == kEnd ? std::optional(cl100k) : std::nullopt;
  }

  Scanner o200k(Family::o200k);
  if (!strip(rest, R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)")) return std::nullopt;
  const auto contractions = [&] { return strip(rest, kContractions) && strip(rest, "?"); };
  o200k.contractions_ = contractions();
  if (!strip(rest, R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)")) return std::nullopt;
  if (contractions() != o200k.contractions_ || !digits(o200k)) return std::nullopt;
  if (!strip(rest, R"(| ?[^\s\p{L}\p{N}]+[\r\n/]*)")) return std::nullopt;
  return rest == kEnd ? std::optional(o200k) : std::nullopt;
}

}  // namespace gt::tokenizer
