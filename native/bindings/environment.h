// Stops engine threads when their Node environment, or the process, ends.
#pragma once

#include <napi.h>

namespace gt::bindings {

// Something with a thread of its own. stop() may be called from any thread, more than once; it joins the thread.
class Stoppable {
 public:
  virtual ~Stoppable() = default;
  virtual void stop() = 0;
};

// From registration to unregistration, `one` is stopped by whatever ends first: itself, the environment, the process.
void register_stoppable(Napi::Env env, Stoppable* one);
void unregister_stoppable(Napi::Env env, Stoppable* one);

}  // namespace gt::bindings
