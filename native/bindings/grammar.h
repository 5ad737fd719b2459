// NativeGrammarVocabulary and NativeGrammar of lib/native_engines.ts.
#pragma once

#include <napi.h>

#include <memory>

#include "grammar/grammar.h"

namespace gt::bindings {

class GrammarVocabulary final : public Napi::ObjectWrap<GrammarVocabulary> {
 public:
  static Napi::Function define(Napi::Env env);
  static std::shared_ptr<const grammar::Vocabulary> of(const Napi::Value& value);

  explicit GrammarVocabulary(const Napi::CallbackInfo& info);

 private:
  std::shared_ptr<const grammar::Vocabulary> vocabulary_;
};

class Grammar final : public Napi::ObjectWrap<Grammar> {
 public:
  static Napi::Function define(Napi::Env env);
  // What `value`, an instance, holds; throws TypeError for others.
  static std::shared_ptr<const grammar::Grammar> of(const Napi::Value& value);

  explicit Grammar(const Napi::CallbackInfo& info);

 private:
  Napi::Value matches(const Napi::CallbackInfo& info);
  Napi::Value allowed_tokens(const Napi::CallbackInfo& info);

  std::shared_ptr<const grammar::Grammar> grammar_;
};

}  // namespace gt::bindings
