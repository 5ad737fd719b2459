#include "checkpoint/json_scanner.h"

#include "json_number.h"

namespace gt::checkpoint {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(uint32_t code, std::string& target) {
  const auto tail = [&](int shift) { target += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    target += static_cast<char>(code);
  } else if (code < 0x800) {
    target += static_cast<char>(0xC0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    target += static_cast<char>(0xE0 | (code >> 12));
    tail(6), tail(0);
  } else {
    target += static_cast<char>(0xF0 | (code >> 18));
    tail(12), tail(6), tail(0);
  }
}

}  // namespace

bool is_utf8(std::string_view text) {
  static constexpr uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i++]);
    if (lead < 0x80) continue;
    const int tails = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC0 || lead > 0xF7) return false;
    uint32_t code = lead & (0x3F >> tails);
    for (int k = 0; k < tails; k++) {
      if (i == text.size()) return false;
      const auto tail = static_cast<uint8_t>(text[i++]);
      if ((tail & 0xC0) != 0x80) return false;
      code = (code << 6) | (tail & 0x3F);
    }
    if (code < smallest[tails] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
  }
  return true;
}

void JsonScanner::fail(const std::string& expected) const {
  throw JsonError("expected " + expected + " at byte " + std::to_string(at_) + " of the JSON text");
}

void JsonScanner::skip_space() {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) at_++;
}

bool JsonScanner::accept(char c) {
  skip_space();
  if (at_ == text_.size() || text_[at_] != c) return false;
  at_++;
  return true;
}

void JsonScanner::expect(char c, const char* what) {
  if (!accept(c)) fail(what);
}

bool JsonScanner::accept_word(std::string_view word) {
  skip_space();
  if (text_.substr(at_, word.size()) != word) return false;
  at_ += word.size();
  return true;
}

void JsonScanner::end() {
  skip_space();
  if (at_ != text_.size()) fail("the end");
}

bool JsonScanner::null() { return accept_word("null"); }

std::string JsonScanner::string() {
  expect('"', "a string");
  std::string result;
  for (;;) {
    const size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' && static_cast<uint8_t>(text_[at_]) >= 0x20) at_++;
    result.append(text_, begin, at_ - begin);
    if (at_ == text_.size() || static_cast<uint8_t>(text_[at_]) < 0x20) fail("the end of a string");
    if (text_[at_++] == '"') return result;
    escape(result);
  }
}

uint32_t JsonScanner::hex4() {
  uint32_t code = 0;
  for (int i = 0; i < 4; i++, at_++) {
    const char c = at_ < text_.size() ? text_[at_] : '\0';
    if (is_digit(c)) code = code * 16 + static_cast<uint32_t>(c - '0');
    else if (c >= 'a' && c <= 'f') code = code * 16 + static_cast<uint32_t>(c - 'a' + 10);
    else if (c >= 'A' && c <= 'F') code = code * 16 + static_cast<uint32_t>(c - 'A' + 10);
    else fail("four hexadecimal digits");
  }
  return code;
}

void JsonScanner::escape(std::string& target) {
  static constexpr std::string_view letters = "\"\\/bfnrt", values = "\"\\/\b\f\n\r\t";
  const char c = at_ < text_.size() ? text_[at_] : '\0';
  if (const size_t i = letters.find(c); c != '\0' && i != std::string_view::npos) {
    target += values[i];
    at_++;
    return;
  }
  if (c != 'u') fail("an escape sequence");
  at_++;
  uint32_t code = hex4();
  if (code >= 0xDC00 && code <= 0xDFFF) fail("a surrogate pair");
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (text_.substr(at_, 2) != "\\u") fail("a surrogate pair");
    at_ += 2;
    const uint32_t low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) fail("a surrogate pair");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(code, target);
}

uint64_t JsonScanner::natural() {
  static constexpr const char* what = "an integer from 0 to 2^64 - 1";
  skip_space();
  const size_t begin = at_;
  uint64_t value = 0;
  for (; at_ < text_.size() && is_digit(text_[at_]); at_++) {
    const auto digit = static_cast<uint64_t>(text_[at_] - '0');
    if (value > (UINT64_MAX - digit) / 10) fail(what);
    value = value * 10 + digit;
  }
  const bool leading_zero = at_ - begin > 1 && text_[begin] == '0';
  const bool fraction = at_ < text_.size() && (text_[at_] == '.' || text_[at_] == 'e' || text_[at_] == 'E');
  if (at_ == begin || leading_zero || fraction) fail(what);
  return value;
}

char JsonScanner::next() {
  skip_space();
  return at_ < text_.size() ? text_[at_] : '\0';
}

double JsonScanner::number() {
  skip_space();
  const size_t begin = at_;
  skip_number();
  return json_number(text_.substr(begin, at_ - begin));
}

bool JsonScanner::boolean() {
  if (accept_word("true")) return true;
  if (!accept_word("false")) fail("true or false");
  return false;
}

void JsonScanner::skip_number() {
  const auto digits = [&] {
    const size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) at_++;
    if (at_ == begin) fail("a value");
  };
  const auto next_is = [&](std::string_view set) { return at_ < text_.size() && set.find(text_[at_]) != std::string_view::npos; };
  if (next_is("-")) at_++;
  if (next_is("0")) at_++;
  else digits();
  if (next_is(".")) at_++, digits();
  if (next_is("eE")) {
    at_++;
    if (next_is("+-")) at_++;
    digits();
  }
}

void JsonScanner::skip(int depth) {
  const char c = next();
  if ((c == '{' || c == '[') && depth >= 127) fail("less than 128 levels");
  if (c == '{') object([&](const std::string&) { skip(depth + 1); });
  else if (c == '[') array([&] { skip(depth + 1); });
  else if (c == '"') string();
  else if (!accept_word("true") && !accept_word("false") && !accept_word("null")) skip_number();
}

}  // namespace gt::checkpoint
