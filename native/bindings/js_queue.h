// Functions that run on the JavaScript thread, posted from any thread: one call for all that wait.
#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace gt::bindings {

class JsQueue {
 public:
  using Function = std::function<void(Napi::Env)>;

  // Does not keep Node alive until hold().
  static std::shared_ptr<JsQueue> create(Napi::Env env, const char* name);

  // From any thread; never blocks. When the environment has ended, `function` is destroyed and not called: it must not
  // own JavaScript values.
  void post(Function function);

  // On the JavaScript thread. Node stays alive while somebody holds.
  void hold(Napi::Env env);
  void let_go(Napi::Env env);
  void close();

 private:
  JsQueue() = default;
  static void call(napi_env env, napi_value, void* context, void*);
  static void finalize(napi_env, void*, void* context);

  std::mutex mutex_;
  napi_threadsafe_function function_ = nullptr;  // null: closed
  std::vector<Function> waiting_;                // a call is under way unless empty
  int holders_ = 0;
};

}  // namespace gt::bindings
