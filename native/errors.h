// The errors that cross from plain C++ to JavaScript: bindings turn each into the JavaScript error of its kind.
#pragma once

#include <stdexcept>
#include <string>

namespace gt {

// A fault of the caller: TypeError in JavaScript.
struct TypeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A value out of its range: RangeError in JavaScript.
struct RangeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Anything else (files, engines): TransformersError in JavaScript, with `code`.
struct Error : std::runtime_error {
  Error(std::string code, const std::string& message) : std::runtime_error(message), code(std::move(code)) {}
  std::string code;
};

}  // namespace gt
