// What a Split or Replace looks for, and how a text is cut where it is found.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "regex/regex.h"
#include "tokenizer/json.h"
#include "tokenizer/pieces.h"
#include "tokenizer/scanner.h"

namespace gt::tokenizer {

// A string, a known expression, or any other regular expression.
class Pattern {
 public:
  // Reads {"String": ...} or {"Regex": ...}.
  static Pattern read(const json::Node& node);
  void write(json::Writer& writer) const;

  // Replaces `out` by the parts of `text` in order, those that match and those between them.
  void find(std::string_view text, std::vector<Match>& out) const;
  // True if the pattern matches all of any text, one piece after another: then scan() gives the pieces.
  const Scanner* scanner() const { return scanner_ ? &*scanner_ : nullptr; }
  const std::string& source() const { return source_; }
  // The string, if it is one.
  const std::string* literal() const { return is_regex_ ? nullptr : &source_; }

 private:
  std::string source_;
  bool is_regex_ = false;
  std::optional<Scanner> scanner_;
  std::shared_ptr<const regex::Regex> regex_;
};

// The parts of `text` whose characters satisfy `is_match`, each character a match of its own.
template <class IsMatch>
void find_characters(std::string_view text, std::vector<Match>& out, IsMatch&& is_match) {
  out.clear();
  uint32_t last = 0;
  for (uint32_t i = 0; i < text.size();) {
    size_t width;
    const bool matches = is_match(unicode::decode(text.data() + i, width));
    const uint32_t next = i + static_cast<uint32_t>(width);
    if (matches) {
      if (last < i) out.push_back({last, i, false});
      out.push_back({i, next, true});
      last = next;
    }
    i = next;
  }
  if (last < text.size()) out.push_back({last, static_cast<uint32_t>(text.size()), false});
}

// Rust's SplitDelimiterBehavior.
enum class Behavior : uint8_t { removed, isolated, merged_with_previous, merged_with_next, contiguous };

Behavior read_behavior(const json::Node& node);
const char* behavior_name(Behavior behavior);

// Joins and drops `matches` in place, so that every one of those left is a piece.
void apply_behavior(Behavior behavior, std::vector<Match>& matches);

}  // namespace gt::tokenizer
