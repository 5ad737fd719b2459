// Sets of characters: what a class or a property of a regular expression matches.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace gt::regex {

class CharSet {
 public:
  static CharSet any();
  static CharSet of(char32_t c) { return range(c, c); }
  static CharSet range(char32_t first, char32_t last);
  static CharSet categories(uint32_t bits);
  // \p{name}: a category, a script, a POSIX class or a binary property. Nothing if it is not known.
  static std::optional<CharSet> property(std::string_view name);
  // What [:name:] means inside a class.
  static std::optional<CharSet> posix(std::string_view name);
  static CharSet white_space();
  static CharSet word();
  static CharSet digit();

  void add(const CharSet& other) { parts_.push_back(other); }
  void add(char32_t first, char32_t last) { ranges_.emplace_back(first, last); }
  void intersect(const CharSet& other) { limits_.push_back(other); }
  void negate() { negated_ = !negated_; }
  // Lets each character match where one of its case variants does.
  void ignore_case() { ignores_case_ = true; }
  // Must follow the last change.
  void finish();

  bool has(char32_t c) const { return c < 0x80 ? ascii_[c >> 6] >> (c & 63) & 1 : test(c); }
  // A member, if it is the only one.
  std::optional<char32_t> single() const;

 private:
  enum class Flag : uint8_t { none, white_space, word, alphabetic, lowercase, uppercase };

  static CharSet flag(Flag flag);
  bool test(char32_t c) const;
  bool contains(char32_t c) const;

  std::vector<std::pair<char32_t, char32_t>> ranges_;
  uint32_t categories_ = 0;
  int script_ = -1;
  Flag flag_ = Flag::none;
  std::vector<CharSet> parts_, limits_;
  bool negated_ = false, ignores_case_ = false;
  std::array<uint64_t, 2> ascii_{};
};

}  // namespace gt::regex
