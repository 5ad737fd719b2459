#include "bindings/js_queue.h"

namespace gt::bindings {

std::shared_ptr<JsQueue> JsQueue::create(Napi::Env env, const char* name) {
  std::shared_ptr<JsQueue> queue(new JsQueue());
  auto* context = new std::shared_ptr<JsQueue>(queue);
  const Napi::String resource = Napi::String::New(env, name);
  const napi_status status = napi_create_threadsafe_function(env, nullptr, nullptr, resource, 0, 1, nullptr, finalize,
                                                             context, call, &queue->function_);
  if (status != napi_ok) {
    delete context;
    throw Napi::Error::New(env);
  }
  napi_unref_threadsafe_function(env, queue->function_);
  return queue;
}

void JsQueue::post(Function function) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!function_) return;
  waiting_.push_back(std::move(function));
  if (waiting_.size() == 1) napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
}

void JsQueue::hold(Napi::Env env) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (holders_++ == 0 && function_) napi_ref_threadsafe_function(env, function_);
}

void JsQueue::let_go(Napi::Env env) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (--holders_ == 0 && function_) napi_unref_threadsafe_function(env, function_);
}

void JsQueue::close() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (function_) napi_release_threadsafe_function(function_, napi_tsfn_abort);
  function_ = nullptr;
}

void JsQueue::call(napi_env env, napi_value, void* context, void*) {
  if (!env) return;  // the environment has ended, and `context` with it
  const std::shared_ptr<JsQueue> self = *static_cast<std::shared_ptr<JsQueue>*>(context);
  std::vector<Function> functions;
  {
    std::lock_guard<std::mutex> lock(self->mutex_);
    functions.swap(self->waiting_);
  }
  for (Function& function : functions) {
    Napi::HandleScope scope(env);
    try {
      function(env);
    } catch (const Napi::Error& error) {
      // What a callback of the user throws is uncaught there; the others still run.
      napi_fatal_exception(env, error.Value());
    }
  }
}

void JsQueue::finalize(napi_env, void*, void* context) {
  auto* self = static_cast<std::shared_ptr<JsQueue>*>(context);
  {
    std::lock_guard<std::mutex> lock((*self)->mutex_);
    (*self)->function_ = nullptr;
  }
  delete self;
}

}  // namespace gt::bindings
