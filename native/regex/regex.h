// Regular expressions of Oniguruma's dialect over UTF-8: a backtracking machine with a limit, so that no pattern hangs.
// Not there: absent operators, conditions, calls, callouts, \X; case folding maps one character to one.
#pragma once

#include <bitset>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "regex/parser.h"

namespace gt::regex {

class Regex {
 public:
  // Throws SyntaxError.
  explicit Regex(std::string_view pattern);

  // Calls found(begin, end) for each match from left to right. An empty match right behind another one is passed over.
  // Throws Error{"regex_limit"} if that takes too many steps.
  void find_all(std::string_view text, const std::function<void(size_t, size_t)>& found) const;

 private:
  friend class Compiler;
  friend class Machine;

  enum class Op : uint8_t {
    set, run, split, jump, save, back_reference, atomic, look, behind, end, empty_begin, empty_check,
    line_begin, line_end, text_begin, text_end, text_end_newline, word_boundary, no_word_boundary, search_begin, keep
  };
  struct Instruction {
    Op op;
    bool flag = false;       // negative look; back reference without case
    uint32_t x = 0, y = 0;   // targets, a set, a slot; the shortest and longest length of a look-behind, the ends of a run
    uint32_t z = 0;
  };

  std::vector<Instruction> program_;
  std::vector<CharSet> sets_;
  uint32_t slots_ = 0;          // for captures and for the checks of empty rounds
  std::bitset<256> first_;      // bytes that a match can start with
  bool can_be_empty_ = false;
};

}  // namespace gt::regex
