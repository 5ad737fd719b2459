// The life of an addon instance: one for each Node environment (main thread, worker, Electron process).
#include "bindings/environment.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <vector>

namespace gt::bindings {

namespace {

struct Entry {
  std::weak_ptr<Stoppable> one;  // weak: whoever stops it keeps it alive meanwhile, although another thread may drop it
  napi_env env;
};

struct Registry {
  std::mutex mutex;
  std::map<const Stoppable*, Entry> entries;
  std::set<napi_env> environments;  // those that tell us of their end
};

// Never destroyed: atexit may come after static destructors.
Registry& registry() {
  static auto* all = new Registry();
  return *all;
}

// Stops what belongs to `env`; null: everything.
void stop(napi_env env) {
  std::vector<std::shared_ptr<Stoppable>> all;
  {
    std::lock_guard<std::mutex> lock(registry().mutex);
    for (const auto& [key, entry] : registry().entries)
      if (auto one = entry.one.lock(); one && (!env || entry.env == env)) all.push_back(std::move(one));
  }
  for (const auto& one : all) one->stop();
}

void stop_one(void* key) {
  std::shared_ptr<Stoppable> one;
  {
    std::lock_guard<std::mutex> lock(registry().mutex);
    const auto found = registry().entries.find(static_cast<const Stoppable*>(key));
    if (found == registry().entries.end()) return;
    one = found->second.one.lock();
    registry().entries.erase(found);
  }
  if (one) one->stop();
}

void forget_environment(void* env) {
  std::lock_guard<std::mutex> lock(registry().mutex);
  registry().environments.erase(static_cast<napi_env>(env));
}

// process.exit() and an uncaught exception run no cleanup hook, but they tell the listeners of "exit". What comes after
// that destroys objects that the threads of engines use; atexit is for a program that ends without JavaScript.
void watch(Napi::Env env) {
  {
    std::lock_guard<std::mutex> lock(registry().mutex);
    if (!registry().environments.insert(env).second) return;
  }
  static std::once_flag once;
  std::call_once(once, [] { std::atexit([] { stop(nullptr); }); });
  napi_add_env_cleanup_hook(env, forget_environment, static_cast<napi_env>(env));
  const Napi::Object process = env.Global().Get("process").As<Napi::Object>();
  const Napi::Function listener = Napi::Function::New(env, [](const Napi::CallbackInfo& info) { stop(info.Env()); });
  process.Get("once").As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), listener});
}

}  // namespace

void register_stoppable(Napi::Env env, const std::shared_ptr<Stoppable>& one) {
  watch(env);
  {
    std::lock_guard<std::mutex> lock(registry().mutex);
    registry().entries[one.get()] = {one, env};
  }
  napi_add_env_cleanup_hook(env, stop_one, one.get());
}

void unregister_stoppable(Napi::Env env, const Stoppable* one) {
  {
    std::lock_guard<std::mutex> lock(registry().mutex);
    if (registry().entries.erase(one) == 0) return;
  }
  napi_remove_env_cleanup_hook(env, stop_one, const_cast<Stoppable*>(one));
}

}  // namespace gt::bindings
