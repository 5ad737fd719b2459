// Numbers as JSON writes them.
#pragma once

#include <charconv>
#include <clocale>
#include <cstdlib>
#include <string>
#include <string_view>

namespace gt {

// The value of a number that was found to be one.
inline double json_number(std::string_view text) {
#ifdef __cpp_lib_to_chars  // with that of doubles; four times as fast
  double value;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc()) return value;
#endif
  // strtod goes by the locale that the host set. It also has infinity and zero for what is too large or too small.
  static const std::string point = std::localeconv()->decimal_point;
  std::string copy(text);
  const size_t dot = point == "." ? std::string::npos : copy.find('.');
  if (dot != std::string::npos) copy.replace(dot, 1, point);
  return std::strtod(copy.c_str(), nullptr);
}

}  // namespace gt
