// A strict scanner of JSON text, which refuses what serde_json refuses. The caller asks for what must come next.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace gt::checkpoint {

struct JsonError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Every method throws JsonError, with the place, when something else comes.
class JsonScanner {
 public:
  // `text` must be UTF-8: see is_utf8.
  explicit JsonScanner(std::string_view text) : text_(text) {}

  // Calls `member(key)` for each member; it must take the value.
  template <class Member>
  void object(Member&& member) {
    expect('{', "an object");
    if (accept('}')) return;
    do {
      std::string key = string();
      expect(':', "':'");
      member(std::move(key));
    } while (accept(','));
    expect('}', "',' or '}'");
  }

  // Calls `element()` for each element; it must take it.
  template <class Element>
  void array(Element&& element) {
    expect('[', "an array");
    if (accept(']')) return;
    do element();
    while (accept(','));
    expect(']', "',' or ']'");
  }

  std::string string();
  // The first character of what comes next; 0 at the end.
  char next();
  double number();
  bool boolean();
  // An integer from 0 to 2^64 - 1, written without sign, fraction or exponent.
  uint64_t natural();
  // True, and taken, if null comes next.
  bool null();
  // Takes any value; deeper than 127 levels is refused.
  void skip(int depth = 2);
  // Nothing but white space may follow.
  void end();

  [[noreturn]] void fail(const std::string& expected) const;

 private:
  void skip_space();
  bool accept(char c);
  void expect(char c, const char* what);
  bool accept_word(std::string_view word);
  void skip_number();
  uint32_t hex4();
  void escape(std::string& target);

  std::string_view text_;
  size_t at_ = 0;
};

bool is_utf8(std::string_view text);

}  // namespace gt::checkpoint
