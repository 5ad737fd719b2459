// NativeLlamaEngine of lib/native_interface.ts.
#pragma once

#include <napi.h>

#include <limits>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "bindings/environment.h"
#include "bindings/js_queue.h"
#include "bindings/llama_options.h"
#include "llama/engine.h"

namespace gt::bindings {

// llama::Engine for the registry of what must stop.
class StoppableEngine final : public Stoppable, public llama::Engine {
 public:
  using llama::Engine::Engine;
  void stop() override { llama::Engine::stop(); }
};

class LlamaEngine final : public Napi::ObjectWrap<LlamaEngine> {
 public:
  static Napi::Function define(Napi::Env env);

  explicit LlamaEngine(const Napi::CallbackInfo& info) : Napi::ObjectWrap<LlamaEngine>(info) {}
  ~LlamaEngine() override;

  // Starts to load; the promise becomes this object.
  Napi::Value load(Napi::Env env, const Napi::Object& options, const Napi::Value& on_progress);
  void cancel_loading() { engine_->cancel_loading(); }

 private:
  // A promise that the engine's thread will settle. This and all maps below belong to the JavaScript thread.
  struct Promise {
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference result;  // keeps the memory that the engine writes into
  };

  // One generate() call.
  struct Call {
    Napi::ObjectReference events;
    Napi::ObjectReference hooks;
    Napi::ObjectReference failure;  // what a hook threw
    uint64_t request = 0;
    uint32_t cache = 0;  // that it continues
  };

  struct Cache {
    std::shared_ptr<generation::Cache> cache;
    bool busy = false;      // a request continues it
    bool released = false;  // to be released when it is no longer busy
  };

  Napi::Value info(const Napi::CallbackInfo& info);
  Napi::Value forward(const Napi::CallbackInfo& info);
  Napi::Value generate(const Napi::CallbackInfo& info);
  Napi::Value save_gguf(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);
  void release_cache(const Napi::CallbackInfo& info);

  static constexpr int64_t max_id = std::numeric_limits<uint32_t>::max();
  static Napi::Value js_error(Napi::Env env, const std::exception_ptr& failure);

  void check_usable() const;
  // While anything is held, neither this object nor Node ends.
  void hold(Napi::Env env);
  void let_go(Napi::Env env);
  // Tells V8 of the weights, so that it collects engines that nobody disposed of.
  void count_memory(Napi::Env env, int64_t bytes);
  uint32_t open_promise(Napi::Env env, const Napi::Object& result);
  void settle(Napi::Env env, uint32_t id, const std::exception_ptr& failure);
  std::shared_ptr<generation::Cache> take_cache(uint32_t handle);
  void give_back_cache(uint32_t handle);
  uint32_t keep_cache(std::shared_ptr<generation::Cache> cache);
  void finish_call(Napi::Env env, uint32_t id, const char* event, const Napi::Value& value);

  std::shared_ptr<JsQueue> queue_;
  std::shared_ptr<StoppableEngine> engine_;
  std::shared_ptr<llama::ModelInfo> info_;
  Napi::FunctionReference on_progress_;
  std::map<uint32_t, Promise> promises_;
  std::map<uint32_t, Call> calls_;
  std::map<uint32_t, Cache> caches_;
  uint32_t last_id_ = 0;
  int64_t memory_ = 0;
  std::thread disposer_;
  Napi::ObjectReference disposal_;  // the promise of dispose()
};

}  // namespace gt::bindings
