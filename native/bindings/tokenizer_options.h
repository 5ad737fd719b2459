// What the bindings of Tokenizer read from JavaScript.
#pragma once

#include <napi.h>

#include <optional>
#include <vector>

#include "bindings/token_arguments.h"
#include "tokenizer/tokenizer.h"

namespace gt::bindings::tokens {

using tokenizer::AddedToken;
using tokenizer::Input;
using tokenizer::Limit;
using tokenizer::RowOptions;
using tokenizer::Truncation;

inline Input input_argument(const Napi::Value& value, bool is_pretokenized, const char* name) {
  if (is_pretokenized) return {strings_argument(value, name), true};
  return {{string_argument(value, name)}, false};
}

inline std::optional<Input> pair_argument(const Napi::Value& value, bool is_pretokenized) {
  if (value.IsNull() || value.IsUndefined()) return std::nullopt;
  return input_argument(value, is_pretokenized, "pair");
}

// Ids of tokens; what is no id becomes one that no token has.
inline std::vector<uint32_t> ids_argument(const Napi::Value& value) {
  std::vector<uint32_t> ids;
  if (!value.IsObject()) expected("a list of ids", "ids");
  const auto list = value.As<Napi::Object>();
  const uint32_t n = list.Get("length").ToNumber();
  ids.reserve(n);
  for (uint32_t i = 0; i < n; i++) {
    const Napi::Value item = list.Get(i);
    if (!item.IsNumber()) expected("a list of ids", "ids");
    const double id = item.As<Napi::Number>();
    ids.push_back(id >= 0 && id < UINT32_MAX ? static_cast<uint32_t>(id) : UINT32_MAX);
  }
  return ids;
}

inline AddedToken added_token(const Napi::Value& value) {
  if (!value.IsObject()) expected("a list of added tokens", "tokens");
  const auto object = value.As<Napi::Object>();
  AddedToken token;
  token.content = string_argument(object.Get("content"), "content");
  token.single_word = boolean_argument(object.Get("single_word"), "single_word");
  token.lstrip = boolean_argument(object.Get("lstrip"), "lstrip");
  token.rstrip = boolean_argument(object.Get("rstrip"), "rstrip");
  token.normalized = boolean_argument(object.Get("normalized"), "normalized");
  token.special = boolean_argument(object.Get("special"), "special");
  return token;
}

inline size_t threads_argument(const Napi::Value& value) {
  const size_t threads = size_argument(value, "threads");
  if (threads < 1 || threads > 256) throw RangeError("Expected an integer from 1 to 256 for threads");
  return threads;
}

inline Truncation truncation_of(const Napi::Value& value) {
  if (!value.IsObject()) expected("an object", "truncation");
  const auto object = value.As<Napi::Object>();
  Truncation truncation;
  truncation.max_length = size_argument(object.Get("max_length"), "max_length");
  truncation.stride = size_argument(object.Get("stride"), "stride");
  truncation.direction = direction_argument(object.Get("direction"), "direction");
  const std::string strategy = string_argument(object.Get("strategy"), "strategy");
  if (strategy == "only_first") truncation.strategy = Truncation::Strategy::only_first;
  else if (strategy == "only_second") truncation.strategy = Truncation::Strategy::only_second;
  else if (strategy != "longest_first") expected("\"longest_first\", \"only_first\" or \"only_second\"", "strategy");
  return truncation;
}

// Of encode_ids: the ids that may stay and the end that goes, or nothing for no limit.
inline Limit limit_argument(const Napi::Value& most, const Napi::Value& direction) {
  if (most.IsUndefined()) return {};
  return {size_argument(most, "limit"), direction_argument(direction, "direction")};
}

inline std::optional<Truncation> truncation_in(const Napi::Object& options) {
  const Napi::Value value = options.Get("truncation");
  return value.IsUndefined() ? std::nullopt : std::optional(truncation_of(value));
}

// The options of encode().
struct EncodeRequest {
  bool add_special_tokens, is_pretokenized = false;
  std::optional<Truncation> truncation;

  explicit EncodeRequest(const Napi::Value& value) {
    if (!value.IsObject()) expected("an object", "options");
    const auto options = value.As<Napi::Object>();
    add_special_tokens = boolean_argument(options.Get("add_special_tokens"), "add_special_tokens");
    const Napi::Value words = options.Get("is_pretokenized");
    if (!words.IsUndefined()) is_pretokenized = boolean_argument(words, "is_pretokenized");
    truncation = truncation_in(options);
  }
  const Truncation* limit() const { return truncation ? &*truncation : nullptr; }
};

// Of encode_rows().
inline RowOptions row_options(const Napi::Value& value) {
  if (!value.IsObject()) expected("an object", "options");
  const auto options = value.As<Napi::Object>();
  RowOptions row;
  row.add_special_tokens = boolean_argument(options.Get("add_special_tokens"), "add_special_tokens");
  row.limit = limit_argument(options.Get("limit"), options.Get("direction"));
  if (const Napi::Value unit = options.Get("offsets"); !unit.IsUndefined()) row.offsets = unit_argument(unit, "offsets");
  return row;
}

}  // namespace gt::bindings::tokens
