// The life of an addon instance: one for each Node environment (main thread, worker, Electron process).
#include "bindings/environment.h"

#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "bindings/bindings.h"

namespace gt::bindings {

namespace {

// Weak: whoever stops one keeps it alive meanwhile, although another thread may drop it.
using Registry = std::map<const Stoppable*, std::weak_ptr<Stoppable>>;

// Never destroyed: atexit may come after static destructors.
std::mutex& registry_mutex() {
  static auto* mutex = new std::mutex();
  return *mutex;
}

Registry& registry() {
  static auto* all = new Registry();
  return *all;
}

// process.exit() and an uncaught exception run no environment hook, only atexit.
void stop_all() {
  std::vector<std::shared_ptr<Stoppable>> all;
  {
    std::lock_guard<std::mutex> lock(registry_mutex());
    for (auto& [key, weak] : registry())
      if (auto one = weak.lock()) all.push_back(std::move(one));
  }
  for (auto& one : all) one->stop();
}

void stop_one(void* key) {
  std::shared_ptr<Stoppable> one;
  {
    std::lock_guard<std::mutex> lock(registry_mutex());
    const auto found = registry().find(static_cast<const Stoppable*>(key));
    if (found == registry().end()) return;
    one = found->second.lock();
    registry().erase(found);
  }
  if (one) one->stop();
}

}  // namespace

void register_stoppable(Napi::Env env, const std::shared_ptr<Stoppable>& one) {
  // After the backends are loaded, so that it runs before their destructors.
  static std::once_flag once;
  std::call_once(once, [] { std::atexit(stop_all); });
  {
    std::lock_guard<std::mutex> lock(registry_mutex());
    registry()[one.get()] = one;
  }
  napi_add_env_cleanup_hook(env, stop_one, one.get());
}

void unregister_stoppable(Napi::Env env, const Stoppable* one) {
  {
    std::lock_guard<std::mutex> lock(registry_mutex());
    if (registry().erase(one) == 0) return;
  }
  napi_remove_env_cleanup_hook(env, stop_one, const_cast<Stoppable*>(one));
}

}  // namespace gt::bindings
