#include <charconv>
#include <cstdlib>

#include "tokenizer/json.h"
#include "unicode/utf8.h"

namespace gt::tokenizer::json {

void Writer::newline() {
  if (!pretty_) return;
  out_.push_back('\n');
  out_.append(2 * static_cast<size_t>(depth_), ' ');
}

void Writer::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (depth_ == 0) return;
  if (!first_) out_.push_back(',');
  newline();
  first_ = false;
}

void Writer::begin(char bracket) {
  separate();
  out_.push_back(bracket);
  depth_++;
  first_ = true;
}

void Writer::end(char bracket) {
  depth_--;
  if (!first_) newline();
  out_.push_back(bracket);
  first_ = false;
}

Writer& Writer::key(std::string_view name) {
  string(name);
  out_.append(pretty_ ? ": " : ":");
  after_key_ = true;
  return *this;
}

void Writer::string(std::string_view text) {
  separate();
  out_.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"': out_.append("\\\""); break;
      case '\\': out_.append("\\\\"); break;
      case '\b': out_.append("\\b"); break;
      case '\f': out_.append("\\f"); break;
      case '\n': out_.append("\\n"); break;
      case '\r': out_.append("\\r"); break;
      case '\t': out_.append("\\t"); break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20) {
          out_.push_back(c);
        } else {
          const char* digits = "0123456789abcdef";
          out_.append("\\u00").append(1, digits[c >> 4]).append(1, digits[c & 15]);
        }
    }
  }
  out_.push_back('"');
}

void Writer::character(char32_t c) {
  std::string text;
  unicode::append(text, c);
  string(text);
}

void Writer::integer(int64_t value) {
  separate();
  out_.append(std::to_string(value));
}

// The shortest digits that give the value back, in the notation of Rust's ryu.
void Writer::number(double value) {
  separate();
  char digits[40] = {};  // its zeros end what atoi reads
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits - 1, value, std::chars_format::scientific);
  std::string_view text(digits, static_cast<size_t>(end - digits));
  const size_t e = text.find('e');
  const int exponent = std::atoi(text.data() + e + 1);
  if (exponent >= -5 && exponent <= 15) {
    char plain[64];
    const auto [stop, problem] = std::to_chars(plain, plain + sizeof plain, value, std::chars_format::fixed);
    out_.append(plain, stop);
    if (std::string_view(plain, static_cast<size_t>(stop - plain)).find('.') == std::string_view::npos) out_.append(".0");
    return;
  }
  out_.append(text.substr(0, e)).append("e").append(std::to_string(exponent));
}

void Writer::boolean(bool value) {
  separate();
  out_.append(value ? "true" : "false");
}

void Writer::null() {
  separate();
  out_.append("null");
}

}  // namespace gt::tokenizer::json
