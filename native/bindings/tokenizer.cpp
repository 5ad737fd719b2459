// Tokenizer and Encoding, over native/tokenizer.
#include "tokenizer/tokenizer.h"

#include <cmath>
#include <cstring>

#include "bindings/bindings.h"
#include "bindings/guarded.h"

namespace gt::bindings {

namespace {

using tokenizer::AddedToken;
using tokenizer::Direction;
using tokenizer::Input;
using tokenizer::OffsetUnit;
using tokenizer::Token;
using tokenizer::Truncation;

[[noreturn]] void expected(const std::string& what, const std::string& argument) {
  throw TypeError("Expected " + what + " for " + argument);
}

// In plain Node-API: half the time of Napi::Int32Array::New.
Napi::Value int32_array(Napi::Env env, const int32_t* values, size_t n) {
  void* data;
  napi_value buffer, array;
  if (napi_create_arraybuffer(env, n * sizeof(int32_t), &data, &buffer) != napi_ok) throw Napi::Error::New(env);
  if (n > 0) std::memcpy(data, values, n * sizeof(int32_t));
  if (napi_create_typedarray(env, napi_int32_array, n, buffer, 0, &array) != napi_ok) throw Napi::Error::New(env);
  return Napi::Value(env, array);
}

Napi::Value int32_array(Napi::Env env, const std::vector<int32_t>& values) {
  return int32_array(env, values.data(), values.size());
}

Napi::String to_string(Napi::Env env, std::string_view text) {
  napi_value value;
  if (napi_create_string_utf8(env, text.data(), text.size(), &value) != napi_ok) throw Napi::Error::New(env);
  return Napi::String(env, value);
}

std::string string_argument(const Napi::Value& value, const char* name) {
  if (!value.IsString()) expected("a string", name);
  return value.As<Napi::String>();
}

bool boolean_argument(const Napi::Value& value, const char* name) {
  if (!value.IsBoolean()) expected("a boolean", name);
  return value.As<Napi::Boolean>();
}

size_t size_argument(const Napi::Value& value, const char* name) {
  if (!value.IsNumber()) expected("a number", name);
  const double number = value.As<Napi::Number>();
  if (!(number >= 0 && number <= INT32_MAX) || number != std::floor(number)) {
    throw RangeError(std::string("Expected an integer from 0 to 2147483647 for ") + name);
  }
  return static_cast<size_t>(number);
}

Direction direction_argument(const Napi::Value& value, const char* name) {
  const std::string text = string_argument(value, name);
  if (text != "left" && text != "right") expected("\"left\" or \"right\"", name);
  return text == "left" ? Direction::left : Direction::right;
}

std::vector<std::string> strings_argument(const Napi::Value& value, const char* name) {
  if (!value.IsArray()) expected("a list of strings", name);
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> result;
  for (uint32_t i = 0; i < array.Length(); i++) result.push_back(string_argument(array.Get(i), name));
  return result;
}

Input input_argument(const Napi::Value& value, bool is_pretokenized, const char* name) {
  if (is_pretokenized) return {strings_argument(value, name), true};
  return {{string_argument(value, name)}, false};
}

// Ids of tokens; what is no id becomes one that no token has.
std::vector<uint32_t> ids_argument(const Napi::Value& value) {
  std::vector<uint32_t> ids;
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_int32_array) {
    const auto array = value.As<Napi::Int32Array>();
    ids.assign(array.Data(), array.Data() + array.ElementLength());
    return ids;
  }
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

// ---- Encoding

class Encoding : public Napi::ObjectWrap<Encoding> {
 public:
  explicit Encoding(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "An Encoding is made by a Tokenizer");
    encoding_ = *info[0].As<Napi::External<std::shared_ptr<tokenizer::Encoding>>>().Data();
  }

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Encoding",
                       {
                           InstanceAccessor<&Encoding::length>("length"),
                           InstanceAccessor<&Encoding::ids>("ids"),
                           InstanceAccessor<&Encoding::type_ids>("type_ids"),
                           InstanceAccessor<&Encoding::attention_mask>("attention_mask"),
                           InstanceAccessor<&Encoding::special_tokens_mask>("special_tokens_mask"),
                           InstanceAccessor<&Encoding::tokens>("tokens"),
                           InstanceAccessor<&Encoding::word_ids>("word_ids"),
                           InstanceAccessor<&Encoding::sequence_ids>("sequence_ids"),
                           InstanceAccessor<&Encoding::n_sequences>("n_sequences"),
                           InstanceAccessor<&Encoding::overflowing>("overflowing"),
                           InstanceMethod<&Encoding::offsets>("offsets"),
                           InstanceMethod<&Encoding::truncate>("truncate"),
                           InstanceMethod<&Encoding::pad>("pad"),
                       });
  }

  // `type` is what define() gave in this environment.
  static Napi::Object make(const Napi::Function& type, std::shared_ptr<tokenizer::Encoding> encoding) {
    return type.New({Napi::External<std::shared_ptr<tokenizer::Encoding>>::New(type.Env(), &encoding)});
  }

 private:
  template <class Field>
  Napi::Value column(Napi::Env env, Field&& field) const {
    Napi::Int32Array array = Napi::Int32Array::New(env, encoding_->size());
    int32_t* out = array.Data();
    for (const Token& token : encoding_->tokens) *out++ = field(token);
    return array;
  }

  Napi::Value length(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(encoding_->size())); }
  Napi::Value ids(const Napi::CallbackInfo& info) { return column(info.Env(), [](const Token& t) { return t.id; }); }
  Napi::Value type_ids(const Napi::CallbackInfo& info) { return column(info.Env(), [](const Token& t) { return t.type_id; }); }
  Napi::Value attention_mask(const Napi::CallbackInfo& info) { return column(info.Env(), [](const Token& t) { return t.is_attended; }); }
  Napi::Value special_tokens_mask(const Napi::CallbackInfo& info) { return column(info.Env(), [](const Token& t) { return t.is_special; }); }
  Napi::Value word_ids(const Napi::CallbackInfo& info) { return column(info.Env(), [](const Token& t) { return t.word; }); }
  Napi::Value sequence_ids(const Napi::CallbackInfo& info) { return int32_array(info.Env(), encoding_->sequence_ids()); }
  Napi::Value n_sequences(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(encoding_->n_sequences()));
  }

  Napi::Value tokens(const Napi::CallbackInfo& info) {
    Napi::Array array = Napi::Array::New(info.Env(), encoding_->size());
    uint32_t i = 0;
    for (const Token& token : encoding_->tokens) array.Set(i++, to_string(info.Env(), encoding_->token_text(token)));
    return array;
  }

  Napi::Value overflowing(const Napi::CallbackInfo& info) {
    Napi::Array array = Napi::Array::New(info.Env(), encoding_->overflowing.size());
    const auto type = info.This().As<Napi::Object>().Get("constructor").As<Napi::Function>();
    uint32_t i = 0;
    for (const auto& other : encoding_->overflowing) array.Set(i++, make(type, other));
    return array;
  }

  Napi::Value offsets(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const std::string unit = string_argument(info[0], "unit");
      if (unit != "utf16" && unit != "code_point") expected("\"utf16\" or \"code_point\"", "unit");
      return int32_array(info.Env(), encoding_->offsets(unit == "utf16" ? OffsetUnit::utf16 : OffsetUnit::code_point));
    });
  }

  void truncate(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] {
      encoding_->truncate(size_argument(info[0], "max_length"), size_argument(info[1], "stride"), direction_argument(info[2], "direction"));
    });
  }

  void pad(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] {
      encoding_->pad(size_argument(info[0], "length"), static_cast<int32_t>(size_argument(info[1], "pad_id")),
                     static_cast<int32_t>(size_argument(info[2], "pad_type_id")), string_argument(info[3], "pad_token"),
                     direction_argument(info[4], "direction"));
    });
  }

  std::shared_ptr<tokenizer::Encoding> encoding_;
};

// ---- Tokenizer

AddedToken added_token(const Napi::Value& value) {
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

Truncation truncation_of(const Napi::Value& value) {
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

std::optional<size_t> optional_size(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  return value.IsUndefined() ? std::nullopt : std::optional(size_argument(value, name));
}

tokenizer::TrainerOptions trainer_options(const Napi::Value& value) {
  if (!value.IsObject()) expected("an object", "options");
  const auto object = value.As<Napi::Object>();
  const auto text = [&](const char* name) {
    const Napi::Value item = object.Get(name);
    return item.IsUndefined() ? std::string() : string_argument(item, name);
  };
  tokenizer::TrainerOptions options;
  options.vocab_size = size_argument(object.Get("vocab_size"), "vocab_size");
  options.min_frequency = optional_size(object, "min_frequency").value_or(0);
  options.special_tokens = strings_argument(object.Get("special_tokens"), "special_tokens");
  options.limit_alphabet = optional_size(object, "limit_alphabet");
  options.max_token_length = optional_size(object, "max_token_length");
  options.continuing_subword_prefix = text("continuing_subword_prefix");
  options.end_of_word_suffix = text("end_of_word_suffix");
  const std::string alphabet = text("initial_alphabet");
  size_t width;
  for (size_t at = 0; at < alphabet.size(); at += width) {
    options.initial_alphabet.push_back(unicode::decode(alphabet.data() + at, width));
  }
  return options;
}

class Tokenizer : public Napi::ObjectWrap<Tokenizer> {
 public:
  explicit Tokenizer(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    encoding_type_ = Napi::Persistent(info.NewTarget().As<Napi::Object>().Get("Encoding").As<Napi::Function>());
    guarded(info.Env(), [&] {
      if (info[0].IsTypedArray() && info[0].As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
        const auto bytes = info[0].As<Napi::Uint8Array>();
        tokenizer_ = std::make_unique<tokenizer::Tokenizer>(
            std::string_view(reinterpret_cast<const char*>(bytes.Data()), bytes.ElementLength()));
      } else {
        if (!info[0].IsString()) expected("a string or Uint8Array", "json");
        tokenizer_ = std::make_unique<tokenizer::Tokenizer>(std::string(info[0].As<Napi::String>()));
      }
    });
  }

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Tokenizer",
                       {
                           StaticValue("Encoding", Encoding::define(env)),
                           InstanceMethod<&Tokenizer::encode_ids>("encode_ids"),
                           InstanceMethod<&Tokenizer::encode>("encode"),
                           InstanceMethod<&Tokenizer::decode>("decode"),
                           InstanceMethod<&Tokenizer::decode_tokens>("decode_tokens"),
                           InstanceMethod<&Tokenizer::token_to_id>("token_to_id"),
                           InstanceMethod<&Tokenizer::id_to_token>("id_to_token"),
                           InstanceMethod<&Tokenizer::vocab_size>("vocab_size"),
                           InstanceMethod<&Tokenizer::get_vocab>("get_vocab"),
                           InstanceMethod<&Tokenizer::add_tokens>("add_tokens"),
                           InstanceMethod<&Tokenizer::added_tokens>("added_tokens"),
                           InstanceMethod<&Tokenizer::num_special_tokens_to_add>("num_special_tokens_to_add"),
                           InstanceMethod<&Tokenizer::set_component>("set_component"),
                           InstanceMethod<&Tokenizer::set_encode_special_tokens>("set_encode_special_tokens"),
                           InstanceMethod<&Tokenizer::to_json>("to_json"),
                           InstanceMethod<&Tokenizer::token_bytes>("token_bytes"),
                           InstanceMethod<&Tokenizer::count_words>("count_words"),
                           InstanceMethod<&Tokenizer::train>("train"),
                       });
  }

 private:
  // The UTF-8 of a string; it stays until the next call. Lone surrogates become U+FFFD.
  std::string_view text_argument(Napi::Env env, napi_value value, const char* name) {
    size_t size = 0;
    if (text_.empty()) text_.resize(1024);
    if (napi_get_value_string_utf8(env, value, text_.data(), text_.size(), &size) != napi_ok) expected("a string", name);
    if (size + 4 >= text_.size()) {  // it may have been cut
      napi_get_value_string_utf8(env, value, nullptr, 0, &size);
      if (size + 1 > text_.size()) text_.resize(size * 2 + 8);
      napi_get_value_string_utf8(env, value, text_.data(), text_.size(), &size);
    }
    return {text_.data(), size};
  }

  Napi::Value encode_ids(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const std::string_view text = text_argument(info.Env(), info[0], "text");
      const tokenizer::Ids& ids = tokenizer_->encode_ids(text, boolean_argument(info[1], "add_special_tokens"));
      return int32_array(info.Env(), ids.data(), ids.size());
    });
  }

  Napi::Value encode(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[2].IsObject()) expected("an object", "options");
      const auto options = info[2].As<Napi::Object>();
      const Napi::Value words = options.Get("is_pretokenized");
      const bool is_pretokenized = !words.IsUndefined() && boolean_argument(words, "is_pretokenized");
      const bool add_special_tokens = boolean_argument(options.Get("add_special_tokens"), "add_special_tokens");
      const Input text = input_argument(info[0], is_pretokenized, "text");
      std::optional<Input> pair;
      if (!info[1].IsNull() && !info[1].IsUndefined()) pair = input_argument(info[1], is_pretokenized, "pair");
      std::optional<Truncation> truncation;
      const Napi::Value limit = options.Get("truncation");
      if (!limit.IsUndefined()) truncation = truncation_of(limit);
      return Encoding::make(encoding_type_.Value(),
                            std::make_shared<tokenizer::Encoding>(tokenizer_->encode(
                                text, pair ? &*pair : nullptr, add_special_tokens, truncation ? &*truncation : nullptr)));
    });
  }

  Napi::Value decode(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const std::vector<uint32_t> ids = ids_argument(info[0]);
      return to_string(info.Env(), tokenizer_->decode(ids.data(), ids.size(), boolean_argument(info[1], "skip_special_tokens")));
    });
  }

  Napi::Value decode_tokens(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return to_string(info.Env(), tokenizer_->decode(strings_argument(info[0], "tokens")));
    });
  }

  Napi::Value token_to_id(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const auto id = tokenizer_->token_to_id(string_argument(info[0], "token"));
      return id ? Napi::Value(Napi::Number::New(info.Env(), *id)) : info.Env().Undefined();
    });
  }

  Napi::Value id_to_token(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsNumber()) expected("a number", "id");
      const double id = info[0].As<Napi::Number>();
      if (!(id >= 0 && id <= UINT32_MAX)) return info.Env().Undefined();
      const auto token = tokenizer_->id_to_token(static_cast<uint32_t>(id));
      return token ? Napi::Value(to_string(info.Env(), *token)) : info.Env().Undefined();
    });
  }

  Napi::Value vocab_size(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return Napi::Number::New(info.Env(), static_cast<double>(tokenizer_->vocab_size(boolean_argument(info[0], "with_added_tokens"))));
    });
  }

  Napi::Value get_vocab(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      Napi::Object result = Napi::Object::New(info.Env());
      const auto set = [&](std::string_view token, uint32_t id) { result.Set(to_string(info.Env(), token), Napi::Number::New(info.Env(), id)); };
      const tokenizer::Vocabulary& vocabulary = tokenizer_->vocabulary();
      for (uint32_t id = 0; id < vocabulary.end_id(); id++) {
        if (vocabulary.has(id) && vocabulary.find(vocabulary.token(id)) == static_cast<int32_t>(id)) set(vocabulary.token(id), id);
      }
      if (boolean_argument(info[0], "with_added_tokens")) {
        for (const auto& [content, id] : tokenizer_->added().ids()) set(content, id);
      }
      return result;
    });
  }

  Napi::Value add_tokens(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsArray()) expected("a list of added tokens", "tokens");
      const auto array = info[0].As<Napi::Array>();
      std::vector<AddedToken> tokens;
      for (uint32_t i = 0; i < array.Length(); i++) tokens.push_back(added_token(array.Get(i)));
      return Napi::Number::New(info.Env(), static_cast<double>(tokenizer_->add_tokens(tokens)));
    });
  }

  Napi::Value added_tokens(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    Napi::Array array = Napi::Array::New(env);
    for (const auto& [id, token] : tokenizer_->added().by_id()) {
      Napi::Object object = Napi::Object::New(env);
      object.Set("id", Napi::Number::New(env, id));
      object.Set("content", to_string(env, token.content));
      object.Set("single_word", Napi::Boolean::New(env, token.single_word));
      object.Set("lstrip", Napi::Boolean::New(env, token.lstrip));
      object.Set("rstrip", Napi::Boolean::New(env, token.rstrip));
      object.Set("normalized", Napi::Boolean::New(env, token.normalized));
      object.Set("special", Napi::Boolean::New(env, token.special));
      array.Set(array.Length(), object);
    }
    return array;
  }

  Napi::Value num_special_tokens_to_add(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return Napi::Number::New(info.Env(), static_cast<double>(tokenizer_->special_tokens_to_add(boolean_argument(info[0], "pair"))));
    });
  }

  void set_component(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] {
      const std::string kind = string_argument(info[0], "kind");
      std::string text;
      std::optional<std::string_view> json;
      if (!info[1].IsNull()) json = text = string_argument(info[1], "json");
      if (kind == "normalizer") tokenizer_->set_normalizer(json);
      else if (kind == "pre_tokenizer") tokenizer_->set_pre_tokenizer(json);
      else if (kind == "post_processor") tokenizer_->set_post_processor(json);
      else if (kind == "decoder") tokenizer_->set_decoder(json);
      else expected("\"normalizer\", \"pre_tokenizer\", \"post_processor\" or \"decoder\"", "kind");
    });
  }

  void set_encode_special_tokens(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { tokenizer_->set_encode_special_tokens(boolean_argument(info[0], "value")); });
  }

  Napi::Value to_json(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return to_string(info.Env(), tokenizer_->to_json(boolean_argument(info[0], "pretty")));
    });
  }

  Napi::Value token_bytes(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const std::string bytes = tokenizer_->token_bytes(static_cast<uint32_t>(size_argument(info[0], "id")));
      Napi::Uint8Array array = Napi::Uint8Array::New(info.Env(), bytes.size());
      if (!bytes.empty()) std::memcpy(array.Data(), bytes.data(), bytes.size());
      return array;
    });
  }

  void count_words(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { tokenizer_->count_words(text_argument(info.Env(), info[0], "text"), words_); });
  }

  Napi::Value train(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const std::string type = string_argument(info[0], "type");
      const tokenizer::TrainerOptions options = trainer_options(info[1]);
      const auto train = type == "BPE"         ? tokenizer::train_bpe
                         : type == "WordPiece" ? tokenizer::train_word_piece
                         : type == "WordLevel" ? tokenizer::train_word_level
                                               : nullptr;
      if (!train) expected("\"BPE\", \"WordPiece\" or \"WordLevel\"", "type");
      const tokenizer::Trained trained = train(words_, options);
      words_.clear();
      return to_string(info.Env(), trained.to_json());
    });
  }

  std::unique_ptr<tokenizer::Tokenizer> tokenizer_;
  tokenizer::WordCounts words_;
  Napi::FunctionReference encoding_type_;
  std::string text_;
};

}  // namespace

void init_tokenizer(Napi::Env env, Napi::Object exports) {
  exports.Set("Tokenizer", Tokenizer::define(env));
}

}  // namespace gt::bindings
