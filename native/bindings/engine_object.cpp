#include "bindings/engine_object.h"

#include "bindings/arguments.h"
#include "bindings/guarded.h"

namespace gt::bindings {

void EngineObject::open(Napi::Env env, std::shared_ptr<AnyEngine> engine) {
  engine_ = std::move(engine);
  register_stoppable(env, engine_);
}

void EngineObject::close(Napi::Env env) {
  if (!engine_) return;
  engine_->stop();
  if (disposer_.joinable()) disposer_.join();
  unregister_stoppable(env, engine_.get());
  queue_->close();
  count_memory(env, -memory_);
}

void EngineObject::check_alive() const {
  if (!disposal_.IsEmpty()) throw Error("disposed", "the model was disposed of");
}

Napi::Value EngineObject::target(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    check_alive();
    auto target = std::make_unique<Target>(Target{engine_, nullptr});
    if (given(info[0])) {
      const auto handle = static_cast<uint32_t>(integer(info[0], "cache", 1, max_id));
      target->cache = take_cache(handle);
      count_memory(info.Env(), -caches_.at(handle).bytes);
      caches_.erase(handle);
    }
    const auto external = Napi::External<Target>::New(info.Env(), target.get(), [](Napi::Env, const Target* made) { delete made; });
    target.release();
    return external;
  });
}

const EngineObject::Target& EngineObject::target_of(const Napi::Value& value, const char* name) {
  if (!value.IsExternal()) expected("an engine's target()", name, value);
  return *value.As<Napi::External<Target>>().Data();
}

void EngineObject::count_memory(Napi::Env env, int64_t bytes) {
  memory_ += bytes;
  Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
}

void EngineObject::hold(Napi::Env env) {
  add_reference();
  queue_->hold(env);
}

void EngineObject::let_go(Napi::Env env) {
  queue_->let_go(env);
  drop_reference();
}

uint32_t EngineObject::open_promise(Napi::Env env, const Napi::Object& result) {
  Promise promise{Napi::Promise::Deferred::New(env), {}};
  if (!result.IsEmpty()) promise.result = Napi::Persistent(result);
  promises_.emplace(++last_id_, std::move(promise));
  hold(env);
  return last_id_;
}

void EngineObject::settle(Napi::Env env, uint32_t id, const std::exception_ptr& failure) {
  const auto found = promises_.find(id);
  const Promise promise = std::move(found->second);
  promises_.erase(found);
  let_go(env);
  if (failure) return promise.deferred.Reject(to_js_error(env, failure));
  promise.deferred.Resolve(promise.result.IsEmpty() ? env.Undefined() : promise.result.Value());
}

std::shared_ptr<generation::Cache> EngineObject::take_cache(uint32_t handle) {
  if (handle == 0) return nullptr;
  const auto found = caches_.find(handle);
  if (found == caches_.end() || found->second.released)
    throw RangeError("Expected past_key_values that were not released");
  if (found->second.busy) throw Error("cache_in_use", "another call is using these past_key_values");
  found->second.busy = true;
  return found->second.cache;
}

void EngineObject::give_back_cache(Napi::Env env, uint32_t handle) {
  const auto found = caches_.find(handle);
  if (found == caches_.end()) return;
  found->second.busy = false;
  if (!found->second.released) return;
  count_memory(env, -found->second.bytes);
  engine_->release(std::move(found->second.cache));
  caches_.erase(found);
}

uint32_t EngineObject::keep_cache(Napi::Env env, uint32_t handle, std::shared_ptr<generation::Cache> cache, int64_t bytes) {
  if (handle == 0) caches_[handle = ++last_id_].cache = std::move(cache);
  const auto found = caches_.find(handle);
  if (found == caches_.end()) return handle;
  count_memory(env, bytes - found->second.bytes);
  found->second.bytes = bytes;
  return handle;
}

void EngineObject::release_cache(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    const auto found = caches_.find(static_cast<uint32_t>(integer(info[0], "cache", 0, max_id)));
    if (found == caches_.end()) return;
    found->second.released = true;
    if (!found->second.busy) give_back_cache(info.Env(), found->first);
  });
}

Napi::Value EngineObject::dispose(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!engine_) return env.Undefined();
  if (!disposal_.IsEmpty()) return disposal_.Value();
  const uint32_t id = open_promise(env, {});
  disposal_ = Napi::Persistent(promises_.at(id).deferred.Promise().As<Napi::Object>());
  caches_.clear();
  disposer_ = std::thread([this, queue = queue_, engine = engine_, id] {
    engine->stop();
    queue->post([this, id](Napi::Env env) {
      disposer_.join();
      unregister_stoppable(env, engine_.get());
      count_memory(env, -memory_);
      settle(env, id, nullptr);
    });
  });
  return disposal_.Value();
}

}  // namespace gt::bindings
