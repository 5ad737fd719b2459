#include "bindings/encoding.h"

#include <vector>

#include "bindings/guarded.h"
#include "bindings/token_arguments.h"

namespace gt::bindings {

using namespace tokens;
using tokenizer::Token;

Encoding::Encoding(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  if (!info[0].IsExternal()) throw Napi::TypeError::New(info.Env(), "An Encoding is made by a Tokenizer");
  encoding_ = *info[0].As<Napi::External<std::shared_ptr<tokenizer::Encoding>>>().Data();
}

Napi::Function Encoding::define(Napi::Env env) {
  return DefineClass(env, "Encoding",
                     {
                         StaticMethod<&Encoding::merge>("merge"),
                         InstanceAccessor<&Encoding::length>("length"),
                         InstanceAccessor<&Encoding::ids>("ids"),
                         InstanceAccessor<&Encoding::type_ids>("type_ids"),
                         InstanceAccessor<&Encoding::attention_mask>("attention_mask"),
                         InstanceAccessor<&Encoding::special_tokens_mask>("special_tokens_mask"),
                         InstanceAccessor<&Encoding::tokens>("tokens"),
                         InstanceAccessor<&Encoding::word_ids>("word_ids"),
                         InstanceAccessor<&Encoding::sequence_ids>("sequence_ids"),
                         InstanceAccessor<&Encoding::sequence_ranges>("sequence_ranges"),
                         InstanceAccessor<&Encoding::n_sequences>("n_sequences"),
                         InstanceAccessor<&Encoding::overflowing>("overflowing"),
                         InstanceMethod<&Encoding::offsets>("offsets"),
                         InstanceMethod<&Encoding::truncate>("truncate"),
                         InstanceMethod<&Encoding::pad>("pad"),
                     });
}

Napi::Object Encoding::make(const Napi::Function& type, std::shared_ptr<tokenizer::Encoding> encoding) {
  return type.New({Napi::External<std::shared_ptr<tokenizer::Encoding>>::New(type.Env(), &encoding)});
}

const tokenizer::Encoding& Encoding::of(const Napi::Function& type, const Napi::Value& value, const char* name) {
  if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(type)) expected("an Encoding", name);
  return *Unwrap(value.As<Napi::Object>())->encoding_;
}

template <class Field>
Napi::Value Encoding::column(Napi::Env env, Field&& field) const {
  Napi::Int32Array array = Napi::Int32Array::New(env, encoding_->size());
  int32_t* out = array.Data();
  for (const Token& token : encoding_->tokens) *out++ = field(token);
  return array;
}

Napi::Value Encoding::length(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(encoding_->size())); }
Napi::Value Encoding::ids(const Napi::CallbackInfo& info) { return column(info.Env(), [](const Token& t) { return t.id; }); }
Napi::Value Encoding::type_ids(const Napi::CallbackInfo& info) { return column(info.Env(), [](const Token& t) { return t.type_id; }); }
Napi::Value Encoding::attention_mask(const Napi::CallbackInfo& info) { return column(info.Env(), [](const Token& t) { return t.is_attended; }); }
Napi::Value Encoding::special_tokens_mask(const Napi::CallbackInfo& info) { return column(info.Env(), [](const Token& t) { return t.is_special; }); }
Napi::Value Encoding::word_ids(const Napi::CallbackInfo& info) { return column(info.Env(), [](const Token& t) { return t.word; }); }
Napi::Value Encoding::sequence_ids(const Napi::CallbackInfo& info) { return int32_array(info.Env(), encoding_->sequence_ids()); }
Napi::Value Encoding::sequence_ranges(const Napi::CallbackInfo& info) {
  std::vector<int32_t> result;
  for (const auto& [sequence, range] : encoding_->sequences) {
    for (const size_t value : {sequence, range.first, range.second}) result.push_back(static_cast<int32_t>(value));
  }
  return int32_array(info.Env(), result);
}
Napi::Value Encoding::n_sequences(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(encoding_->n_sequences()));
}

Napi::Value Encoding::tokens(const Napi::CallbackInfo& info) {
  Napi::Array array = Napi::Array::New(info.Env(), encoding_->size());
  uint32_t i = 0;
  for (const Token& token : encoding_->tokens) array.Set(i++, to_string(info.Env(), encoding_->token_text(token)));
  return array;
}

Napi::Value Encoding::overflowing(const Napi::CallbackInfo& info) {
  Napi::Array array = Napi::Array::New(info.Env(), encoding_->overflowing.size());
  const auto type = info.This().As<Napi::Object>().Get("constructor").As<Napi::Function>();
  uint32_t i = 0;
  for (const auto& other : encoding_->overflowing) array.Set(i++, make(type, other));
  return array;
}

Napi::Value Encoding::offsets(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return int32_array(info.Env(), encoding_->offsets(unit_argument(info[0], "unit")));
  });
}

void Encoding::truncate(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    encoding_->truncate(size_argument(info[0], "max_length"), size_argument(info[1], "stride"), direction_argument(info[2], "direction"));
  });
}

void Encoding::pad(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    encoding_->pad(size_argument(info[0], "length"), static_cast<int32_t>(size_argument(info[1], "pad_id")),
                   static_cast<int32_t>(size_argument(info[2], "pad_type_id")), string_argument(info[3], "pad_token"),
                   direction_argument(info[4], "direction"));
  });
}

Napi::Value Encoding::merge(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsArray() || !info.This().IsFunction()) expected("a list of Encodings", "encodings");
    const auto type = info.This().As<Napi::Function>();
    const auto list = info[0].As<Napi::Array>();
    std::vector<const tokenizer::Encoding*> encodings;
    for (uint32_t i = 0; i < list.Length(); i++) encodings.push_back(&of(type, list.Get(i), "encodings"));
    const bool growing_offsets = boolean_argument(info[1], "growing_offsets");
    return make(type, std::make_shared<tokenizer::Encoding>(tokenizer::merge(encodings, growing_offsets)));
  });
}

}  // namespace gt::bindings
