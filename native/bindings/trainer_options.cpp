#include "bindings/trainer_options.h"

#include "bindings/arguments.h"
#include "unicode/utf8.h"

namespace gt::bindings {

namespace {

std::optional<size_t> size(const Napi::Object& object, const char* name) {
  const auto value = property(object, name);
  return value ? std::optional(static_cast<size_t>(integer(*value, name, 0, INT32_MAX))) : std::nullopt;
}

std::vector<std::string> strings(const Napi::Value& value, const std::string& argument) {
  if (!value.IsArray()) expected("a list of strings", argument, value);
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> result;
  for (uint32_t i = 0; i < array.Length(); i++) result.push_back(text(array.Get(i), argument));
  return result;
}

std::u32string characters(const Napi::Object& object, const char* name) {
  const std::string all = text(object, name, "");
  std::u32string result;
  size_t width;
  for (size_t at = 0; at < all.size(); at += width) result.push_back(unicode::decode(all.data() + at, width));
  return result;
}

}  // namespace

tokenizer::TrainerOptions trainer_options(const Napi::Value& value) {
  const Napi::Object given = object(value, "options");
  tokenizer::TrainerOptions options;
  options.vocab_size = size(given, "vocab_size").value_or(options.vocab_size);
  options.min_frequency = size(given, "min_frequency").value_or(0);
  options.special_tokens = strings(given.Get("special_tokens"), "special_tokens");
  options.limit_alphabet = size(given, "limit_alphabet");
  options.max_token_length = size(given, "max_token_length");
  options.continuing_subword_prefix = text(given, "continuing_subword_prefix", "");
  options.end_of_word_suffix = text(given, "end_of_word_suffix", "");
  options.initial_alphabet = characters(given, "initial_alphabet");
  return options;
}

tokenizer::UnigramOptions unigram_options(const Napi::Value& value) {
  const Napi::Object given = object(value, "options");
  tokenizer::UnigramOptions options;
  options.vocab_size = size(given, "vocab_size").value_or(options.vocab_size);
  options.special_tokens = strings(given.Get("special_tokens"), "special_tokens");
  options.initial_alphabet = characters(given, "initial_alphabet");
  if (const auto unk = property(given, "unk_token")) options.unk_token = text(*unk, "unk_token");
  if (const auto factor = property(given, "shrinking_factor")) {
    const double number = factor->IsNumber() ? factor->As<Napi::Number>().DoubleValue() : 0;
    if (!(number > 0 && number < 1)) expected("a number between 0 and 1", "shrinking_factor", *factor);
    options.shrinking_factor = number;
  }
  options.n_sub_iterations = size(given, "n_sub_iterations").value_or(options.n_sub_iterations);
  options.max_piece_length = size(given, "max_piece_length").value_or(options.max_piece_length);
  options.seed_size = size(given, "seed_size").value_or(options.seed_size);
  return options;
}

}  // namespace gt::bindings
