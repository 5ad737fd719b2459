// The life of an addon instance: one for each Node environment (main thread, worker, Electron process).
#include "bindings/environment.h"

#include <cstdlib>
#include <mutex>
#include <set>

#include "bindings/bindings.h"

namespace gt::bindings {

namespace {

std::mutex mutex;
std::set<Stoppable*>& running() {
  static auto* all = new std::set<Stoppable*>();  // never destroyed: atexit may come after static destructors
  return *all;
}

// process.exit() and an uncaught exception run no environment hook, only atexit: both stop the threads.
void stop_all() {
  std::set<Stoppable*> all;
  {
    std::lock_guard<std::mutex> lock(mutex);
    all = running();
  }
  for (Stoppable* one : all) one->stop();
}

void stop_one(void* one) { static_cast<Stoppable*>(one)->stop(); }

}  // namespace

void register_stoppable(Napi::Env env, Stoppable* one) {
  static std::once_flag once;
  // After the backends are loaded, so that it runs before their destructors.
  std::call_once(once, [] { std::atexit(stop_all); });
  {
    std::lock_guard<std::mutex> lock(mutex);
    running().insert(one);
  }
  napi_add_env_cleanup_hook(env, stop_one, one);
}

void unregister_stoppable(Napi::Env env, Stoppable* one) {
  {
    std::lock_guard<std::mutex> lock(mutex);
    running().erase(one);
  }
  napi_remove_env_cleanup_hook(env, stop_one, one);
}

void init_environment(Napi::Env, Napi::Object) {}

}  // namespace gt::bindings
