// Stops engine threads when their Node environment, or the process, ends.
#pragma once

#include <napi.h>

#include <memory>

namespace gt::bindings {

// Something with a thread of its own. stop() may be called from any thread, more than once; it joins the thread.
class Stoppable {
 public:
  virtual ~Stoppable() = default;
  virtual void stop() = 0;
};

// From here on `one` is stopped by whatever ends first: itself, the environment, the process.
void register_stoppable(Napi::Env env, const std::shared_ptr<Stoppable>& one);
// On the environment's thread. Does nothing if its environment has ended.
void unregister_stoppable(Napi::Env env, const Stoppable* one);

}  // namespace gt::bindings
