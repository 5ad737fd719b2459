// Reading of JavaScript objects, with errors that name the argument, what was expected and what came.
#pragma once

#include <napi.h>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "errors.h"

namespace gt::bindings {

[[noreturn]] inline void expected(const std::string& what, const std::string& argument, const Napi::Value& value) {
  throw TypeError("Expected " + what + " for " + argument + " but received " + value.ToString().Utf8Value());
}

inline bool given(const Napi::Value& value) { return !value.IsUndefined() && !value.IsNull(); }

// The property `name`; undefined and null are "not given".
inline std::optional<Napi::Value> property(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  return given(value) ? std::optional<Napi::Value>(value) : std::nullopt;
}

inline int64_t integer(const Napi::Value& value, const std::string& argument, int64_t least, int64_t most) {
  if (!value.IsNumber()) expected("an integer", argument, value);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (number != std::floor(number)) expected("an integer", argument, value);
  if (number < static_cast<double>(least) || number > static_cast<double>(most))
    throw RangeError("Expected an integer from " + std::to_string(least) + " to " + std::to_string(most) + " for " + argument +
                     " but received " + value.ToString().Utf8Value());
  return static_cast<int64_t>(number);
}

inline int64_t integer(const Napi::Object& object, const char* name, int64_t fallback, int64_t least, int64_t most) {
  const auto value = property(object, name);
  return value ? integer(*value, name, least, most) : fallback;
}

inline std::string text(const Napi::Value& value, const std::string& argument) {
  if (!value.IsString()) expected("a string", argument, value);
  return value.As<Napi::String>().Utf8Value();
}

inline std::string text(const Napi::Object& object, const char* name, const std::string& fallback) {
  const auto value = property(object, name);
  return value ? text(*value, name) : fallback;
}

inline bool flag(const Napi::Object& object, const char* name, bool fallback) {
  const auto value = property(object, name);
  if (value && !value->IsBoolean()) expected("a boolean", name, *value);
  return value ? value->As<Napi::Boolean>().Value() : fallback;
}

inline Napi::Object object(const Napi::Value& value, const std::string& argument) {
  if (!value.IsObject()) expected("an object", argument, value);
  return value.As<Napi::Object>();
}

// A typed array of the given element type, such as napi_int32_array.
inline Napi::TypedArray typed_array(const Napi::Value& value, napi_typedarray_type type, const char* what, const std::string& argument) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) expected(what, argument, value);
  return value.As<Napi::TypedArray>();
}

}  // namespace gt::bindings
