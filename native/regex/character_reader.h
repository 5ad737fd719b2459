// The part of a pattern's parser that reads characters and sets of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "regex/char_set.h"
#include "regex/parser.h"

namespace gt::regex {

class CharacterReader {
 protected:
  struct Options {
    bool ignore_case = false, dot_all = false, extended = false;
  };

  static constexpr int kMaxDepth = 100;  // of nested groups or classes

  explicit CharacterReader(std::string_view pattern) : pattern_(pattern) {}

  [[noreturn]] void fail(const std::string& what) const { throw SyntaxError(what + " at byte " + std::to_string(at_)); }

  bool more() const { return at_ < pattern_.size(); }
  char peek(size_t ahead = 0) const { return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0'; }
  bool take(std::string_view text) {
    if (pattern_.substr(at_, text.size()) != text) return false;
    at_ += text.size();
    return true;
  }
  char32_t next();

  // The set as it is without case, where that is asked for.
  CharSet with_case(CharSet set) const;

  // The set of \d, \p{..} and their like, after the backslash; nothing if it is another escape.
  std::optional<CharSet> escaped_set();
  // The character of an escape such as \n, \x{41} or \., after the backslash.
  char32_t escaped_character();
  // The set of a class, behind its '['.
  CharSet char_class(int depth);

  std::string_view pattern_;
  size_t at_ = 0;
  Options options_;

 private:
  uint32_t hex(size_t most);
  char32_t code_point(uint32_t value) const;
  void class_item(CharSet& out, int depth);
};

}  // namespace gt::regex
