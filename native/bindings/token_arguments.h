// What the bindings of tokenizers read from and give to JavaScript.
#pragma once

#include <napi.h>

#include <cmath>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "errors.h"
#include "tokenizer/encoding.h"

namespace gt::bindings::tokens {

[[noreturn]] inline void expected(const std::string& what, const std::string& argument) {
  throw TypeError("Expected " + what + " for " + argument);
}

// In plain Node-API: half the time of Napi::Int32Array::New.
inline Napi::Value int32_array(Napi::Env env, const int32_t* values, size_t n) {
  void* data;
  napi_value buffer, array;
  if (napi_create_arraybuffer(env, n * sizeof(int32_t), &data, &buffer) != napi_ok) throw Napi::Error::New(env);
  if (n > 0) std::memcpy(data, values, n * sizeof(int32_t));
  if (napi_create_typedarray(env, napi_int32_array, n, buffer, 0, &array) != napi_ok) throw Napi::Error::New(env);
  return Napi::Value(env, array);
}

template <class Integer>
Napi::Value int32_array(Napi::Env env, const std::vector<Integer>& values) {
  static_assert(sizeof(Integer) == sizeof(int32_t), "the bytes are copied");
  return int32_array(env, reinterpret_cast<const int32_t*>(values.data()), values.size());
}

inline Napi::Value uint8_array(Napi::Env env, std::string_view bytes) {
  Napi::Uint8Array array = Napi::Uint8Array::New(env, bytes.size());
  if (!bytes.empty()) std::memcpy(array.Data(), bytes.data(), bytes.size());
  return array;
}

inline Napi::String to_string(Napi::Env env, std::string_view text) {
  napi_value value;
  if (napi_create_string_utf8(env, text.data(), text.size(), &value) != napi_ok) throw Napi::Error::New(env);
  return Napi::String(env, value);
}

inline std::string string_argument(const Napi::Value& value, const char* name) {
  if (!value.IsString()) expected("a string", name);
  return value.As<Napi::String>();
}

inline bool boolean_argument(const Napi::Value& value, const char* name) {
  if (!value.IsBoolean()) expected("a boolean", name);
  return value.As<Napi::Boolean>();
}

inline size_t size_argument(const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) expected("a number", name);
  const double number = value.As<Napi::Number>();
  if (!(number >= 0 && number <= INT32_MAX) || number != std::floor(number)) {
    throw RangeError(std::string("Expected an integer from 0 to 2147483647 for ") + name);
  }
  return static_cast<size_t>(number);
}

inline tokenizer::Direction direction_argument(const Napi::Value& value, const char* name) {
  const std::string text = string_argument(value, name);
  if (text != "left" && text != "right") expected("\"left\" or \"right\"", name);
  return text == "left" ? tokenizer::Direction::left : tokenizer::Direction::right;
}

inline tokenizer::OffsetUnit unit_argument(const Napi::Value& value, const char* name) {
  const std::string text = string_argument(value, name);
  if (text != "utf16" && text != "code_point") expected("\"utf16\" or \"code_point\"", name);
  return text == "utf16" ? tokenizer::OffsetUnit::utf16 : tokenizer::OffsetUnit::code_point;
}

inline std::vector<std::string> strings_argument(const Napi::Value& value, const char* name) {
  if (!value.IsArray()) expected("a list of strings", name);
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> result;
  for (uint32_t i = 0; i < array.Length(); i++) result.push_back(string_argument(array.Get(i), name));
  return result;
}

}  // namespace gt::bindings::tokens
