// NativeEncoding of lib/native_interface.ts, over tokenizer/encoding.h.
#pragma once

#include <napi.h>

#include <memory>

#include "tokenizer/encoding.h"

namespace gt::bindings {

class Encoding final : public Napi::ObjectWrap<Encoding> {
 public:
  static Napi::Function define(Napi::Env env);
  // `type` is what define() gave in this environment.
  static Napi::Object make(const Napi::Function& type, std::shared_ptr<tokenizer::Encoding> encoding);
  // What `value`, an instance of `type`, holds; throws TypeError for others.
  static const tokenizer::Encoding& of(const Napi::Function& type, const Napi::Value& value, const char* name);

  explicit Encoding(const Napi::CallbackInfo& info);

 private:
  template <class Field>
  Napi::Value column(Napi::Env env, Field&& field) const;

  Napi::Value length(const Napi::CallbackInfo& info);
  Napi::Value ids(const Napi::CallbackInfo& info);
  Napi::Value type_ids(const Napi::CallbackInfo& info);
  Napi::Value attention_mask(const Napi::CallbackInfo& info);
  Napi::Value special_tokens_mask(const Napi::CallbackInfo& info);
  Napi::Value word_ids(const Napi::CallbackInfo& info);
  Napi::Value sequence_ids(const Napi::CallbackInfo& info);
  Napi::Value sequence_ranges(const Napi::CallbackInfo& info);
  Napi::Value n_sequences(const Napi::CallbackInfo& info);
  Napi::Value tokens(const Napi::CallbackInfo& info);
  Napi::Value overflowing(const Napi::CallbackInfo& info);
  Napi::Value offsets(const Napi::CallbackInfo& info);
  void truncate(const Napi::CallbackInfo& info);
  void pad(const Napi::CallbackInfo& info);
  // Encoding.merge(encodings, growing_offsets)
  static Napi::Value merge(const Napi::CallbackInfo& info);

  std::shared_ptr<tokenizer::Encoding> encoding_;
};

}  // namespace gt::bindings
