// Turns C++ exceptions into JavaScript errors, on the JavaScript thread.
#pragma once

#include <napi.h>

#include <exception>
#include <utility>

#include "errors.h"

namespace gt::bindings {

// The JavaScript error for `error`; lib/errors.ts turns one with a `code` into a TransformersError.
inline Napi::Error to_js_error(Napi::Env env, const std::exception& error) {
  if (auto* e = dynamic_cast<const Napi::Error*>(&error)) return *e;
  if (dynamic_cast<const TypeError*>(&error)) return Napi::TypeError::New(env, error.what());
  if (dynamic_cast<const RangeError*>(&error)) return Napi::RangeError::New(env, error.what());
  Napi::Error result = Napi::Error::New(env, error.what());
  auto* e = dynamic_cast<const Error*>(&error);
  result.Set("code", Napi::String::New(env, e ? e->code : "internal"));
  return result;
}

inline Napi::Value to_js_error(Napi::Env env, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return to_js_error(env, error).Value();
  }
}

// Runs `body`; what it throws is thrown in JavaScript.
template <class Body>
auto guarded(Napi::Env env, Body&& body) -> decltype(body()) {
  try {
    return std::forward<Body>(body)();
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw to_js_error(env, error);
  }
}

}  // namespace gt::bindings
