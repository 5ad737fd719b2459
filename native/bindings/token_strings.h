// NativeTokenStrings of lib/native_engines.ts: what stop strings are matched with.
#pragma once

#include <napi.h>

#include <memory>

#include "generation/stopping.h"

namespace gt::bindings {

class TokenStrings final : public Napi::ObjectWrap<TokenStrings> {
 public:
  static Napi::Function define(Napi::Env env);
  // What `value`, an instance, holds; throws TypeError for others.
  static std::shared_ptr<const generation::TokenStrings> of(const Napi::Value& value);

  explicit TokenStrings(const Napi::CallbackInfo& info);

 private:
  // ends_with(stop_strings, rows): for each row of ids whether it ends with one of them, as StopStringCriteria says.
  Napi::Value ends_with(const Napi::CallbackInfo& info);

  std::shared_ptr<const generation::TokenStrings> strings_;
};

}  // namespace gt::bindings
