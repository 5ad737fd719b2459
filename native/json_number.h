// Numbers as JSON writes them.
#pragma once

#include <clocale>
#include <cstdlib>
#include <string>

namespace gt {

// The value of a number that was found to be one. strtod goes by the locale that the host set; std::from_chars of doubles
// is not in every standard library yet.
inline double json_number(std::string text) {
  static const std::string point = std::localeconv()->decimal_point;
  const size_t dot = point == "." ? std::string::npos : text.find('.');
  if (dot != std::string::npos) text.replace(dot, 1, point);
  return std::strtod(text.c_str(), nullptr);
}

}  // namespace gt
