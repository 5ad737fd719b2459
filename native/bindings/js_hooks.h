// The JavaScript functions of a generate() call, called for the engine's thread while it waits.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "bindings/js_queue.h"
#include "generation/host_hooks.h"

namespace gt::bindings {

class JsHooks final : public generation::HostHooks, public std::enable_shared_from_this<JsHooks> {
 public:
  // Both are called on the JavaScript thread: `find` gives the object with the functions (empty when the call has
  // ended), `keep` gets what one of them threw.
  struct Owner {
    std::function<Napi::Object()> find;
    std::function<void(const Napi::Error&)> keep;
  };

  // Throws TypeError if a property of `hooks` is no function.
  JsHooks(std::shared_ptr<JsQueue> queue, const Napi::Object& hooks, Owner owner);

  void process_logits(size_t group, const std::vector<generation::Ids>& ids, float* scores, int32_t vocab_size) override;
  std::vector<uint8_t> should_stop(const std::vector<generation::Ids>& ids, const float* scores, int32_t vocab_size) override;
  std::vector<int32_t> allowed_tokens(int32_t batch_id, const generation::Ids& ids) override;
  void get_candidates(const generation::Ids& ids, int32_t count, std::vector<double> uniforms, Answer answer) override;
  std::vector<double> uniforms(size_t count) override;
  void interrupt() override;

 private:
  // A question and its answer live apart from both threads: either may give up on the other.
  template <class Reply>
  Reply ask(std::function<Reply(Napi::Env, const Napi::Object&)> question);

  std::shared_ptr<JsQueue> queue_;
  Owner owner_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool interrupted_ = false;
};

}  // namespace gt::bindings
