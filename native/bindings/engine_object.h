// What the JavaScript objects of both engines have in common: promises that the engine's thread settles, generate()
// calls, caches, and their end.
#pragma once

#include <napi.h>

#include <limits>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "bindings/environment.h"
#include "bindings/js_queue.h"
#include "generation/request.h"

namespace gt::bindings {

// llama::Engine or graph::Engine, for those who need not know which.
class AnyEngine : public Stoppable, public generation::RequestTarget {};

template <class Engine>
class EngineOf final : public AnyEngine, public Engine {
 public:
  using Engine::Engine;
  void stop() override { Engine::stop(); }
  uint64_t submit(generation::Request request) override { return Engine::submit(std::move(request)); }
  void cancel(uint64_t request) override { Engine::cancel(request); }
  void release(std::shared_ptr<generation::Cache> cache) override { Engine::release(std::move(cache)); }
};

// A base of the wrapped object. All members belong to the JavaScript thread.
class EngineObject {
 public:
  virtual ~EngineObject() = default;

  // What target() gives: the engine, and a cache that goes with it. Who takes the cache closes its rows.
  struct Target {
    std::shared_ptr<generation::RequestTarget> engine;
    std::shared_ptr<generation::Cache> cache;
    ~Target() {
      if (cache && cache.use_count() == 1) engine->release(std::move(cache));
    }
  };
  // Throws TypeError for anything else.
  static const Target& target_of(const Napi::Value& value, const char* name);

  // target(cache), generate(request, events), release_cache(cache), dispose() of lib/native_engines.ts.
  Napi::Value target(const Napi::CallbackInfo& info);
  Napi::Value generate(const Napi::CallbackInfo& info);
  void release_cache(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);

 protected:
  static constexpr int64_t max_id = std::numeric_limits<uint32_t>::max();

  // References to the wrapped object itself.
  virtual void add_reference() = 0;
  virtual void drop_reference() = 0;

  // Takes over an engine, which may still be loading.
  void open(Napi::Env env, std::shared_ptr<AnyEngine> engine);
  // For destructors.
  void close(Napi::Env env);
  bool is_open() const { return engine_ != nullptr; }
  // Throws Error("disposed").
  void check_alive() const;

  // A promise; the result keeps the memory that the engine writes into. While it is open, neither this nor Node ends.
  uint32_t open_promise(Napi::Env env, const Napi::Object& result);
  Napi::Value promise(uint32_t id) const { return promises_.at(id).deferred.Promise(); }
  Napi::Object result(uint32_t id) const { return promises_.at(id).result.Value(); }
  void settle(Napi::Env env, uint32_t id, const std::exception_ptr& failure);

  // Handle 0: none. A cache is taken by one call at a time.
  std::shared_ptr<generation::Cache> take_cache(uint32_t handle);
  void give_back_cache(Napi::Env env, uint32_t handle);
  // What a call left: the cache under `handle`, if it continued that, else a new one. V8 is told of `bytes`.
  uint32_t keep_cache(Napi::Env env, uint32_t handle, std::shared_ptr<generation::Cache> cache, int64_t bytes);

  // Tells V8 of memory, so that it collects what nobody disposed of.
  void count_memory(Napi::Env env, int64_t bytes);

  std::shared_ptr<JsQueue> queue_;

 private:
  struct Promise {
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference result;
  };

  // One generate() call.
  struct Call {
    Napi::ObjectReference events;
    Napi::ObjectReference hooks;
    Napi::ObjectReference failure;  // what a hook threw
    uint64_t request = 0;
    uint32_t cache = 0;     // that it continues
    uint32_t guidance = 0;  // that its rows without the prompt begin from
  };

  struct Cache {
    std::shared_ptr<generation::Cache> cache;
    int64_t bytes = 0;
    bool busy = false;      // a request continues it
    bool released = false;  // to be released when it is no longer busy
  };

  // While anything is held, neither this object nor Node ends.
  void hold(Napi::Env env);
  void let_go(Napi::Env env);
  void listen(uint32_t id, generation::Request& request, const Napi::Object& events);
  void finish_call(Napi::Env env, uint32_t id, const char* event, const Napi::Value& value);

  std::shared_ptr<AnyEngine> engine_;
  std::map<uint32_t, Promise> promises_;
  std::map<uint32_t, Call> calls_;
  std::map<uint32_t, Cache> caches_;
  uint32_t last_id_ = 0;
  int64_t memory_ = 0;
  std::thread disposer_;
  Napi::ObjectReference disposal_;  // the promise of dispose()
};

}  // namespace gt::bindings
