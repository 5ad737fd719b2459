#include "llama/engine.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "errors.h"

namespace gt::llama {

namespace {

Error disposed() { return Error("disposed", "the model was disposed of"); }

// While it lives, `decoder` heeds `flag`: the scheduler's also rises when some other request is cancelled.
struct HeedInstead {
  LlamaDecoder& decoder;
  const std::atomic<bool>& before;

  HeedInstead(LlamaDecoder& decoder, const std::atomic<bool>& flag) : decoder(decoder), before(decoder.heed(flag)) {}
  ~HeedInstead() { decoder.heed(before); }
};

}  // namespace

Engine::Engine(Load load, const DecoderOptions& options, Done loaded) {
  loader_ = std::thread([this, load = std::move(load), options, loaded = std::move(loaded)] {
    try {
      std::unique_ptr<Model> model = load(aborted_);
      auto scheduler = std::make_unique<generation::Scheduler>([&](const std::atomic<bool>& aborted) {
        return std::make_unique<LlamaDecoder>(*model, options, aborted);
      });
      std::lock_guard<std::mutex> lock(mutex_);
      model_ = std::move(model);
      scheduler_ = std::move(scheduler);
    } catch (...) {
      return loaded(std::current_exception());
    }
    loaded(nullptr);
  });
}

Engine::~Engine() { stop(); }

generation::Scheduler& Engine::scheduler() {
  if (!scheduler_) throw disposed();
  return *scheduler_;
}

uint64_t Engine::submit(generation::Request request) {
  std::lock_guard<std::mutex> lock(mutex_);
  return scheduler().submit(std::move(request));
}

void Engine::run(Task task, Done done) {
  std::lock_guard<std::mutex> lock(mutex_);
  scheduler().run([this, task = std::move(task), done = std::move(done), &model = *model_](generation::Decoder* decoder) mutable {
    std::exception_ptr failure;
    try {
      if (!decoder) throw disposed();
      const HeedInstead heed(static_cast<LlamaDecoder&>(*decoder), aborted_);
      task(model, heed.decoder, aborted_);
    } catch (...) {
      failure = aborted_ ? std::make_exception_ptr(disposed()) : std::current_exception();
    }
    task = nullptr;  // frees what it holds before anybody hears that it is done
    done(failure);
  });
}

void Engine::add_adapter(uint32_t id, std::vector<LoraPair> pairs, Done done) {
  auto shared = std::make_shared<const std::vector<LoraPair>>(std::move(pairs));
  run([id, shared](const Model& model, LlamaDecoder& decoder, const std::atomic<bool>&) {
    decoder.add_adapter(id, make_lora(model, *shared));
  }, std::move(done));
}

void Engine::run_alone(std::function<void(LlamaDecoder&)> task) {
  std::lock_guard<std::mutex> lock(mutex_);
  scheduler().run_alone([task = std::move(task)](generation::Decoder* decoder) {
    if (decoder) task(static_cast<LlamaDecoder&>(*decoder));
  });
}

void Engine::use_adapters(std::vector<uint32_t> ids) {
  run_alone([ids = std::move(ids)](LlamaDecoder& decoder) { decoder.use_adapters(ids); });
}

void Engine::remove_adapter(uint32_t id) {
  run_alone([id](LlamaDecoder& decoder) { decoder.remove_adapter(id); });
}

void Engine::run_aside(Aside task, Done done) {
  std::lock_guard<std::mutex> lock(mutex_);
  scheduler();
  aside_ = std::thread([this, before = std::move(aside_), task = std::move(task), done = std::move(done), &model = *model_]() mutable {
    if (before.joinable()) before.join();
    std::exception_ptr failure;
    try {
      if (aborted_) throw disposed();
      task(model, aborted_);
    } catch (...) {
      failure = aborted_ ? std::make_exception_ptr(disposed()) : std::current_exception();
    }
    task = nullptr;  // frees what it holds before anybody hears that it is done
    done(failure);
  });
}

void Engine::cancel(uint64_t request) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (scheduler_) scheduler_->cancel(request);
}

void Engine::release(std::shared_ptr<generation::Cache> cache) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (scheduler_) scheduler_->release(std::move(cache));
}

void Engine::cancel_loading() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!scheduler_) aborted_ = true;
}

void Engine::stop() {
  aborted_ = true;
  std::lock_guard<std::mutex> lock(stop_mutex_);
  if (loader_.joinable()) loader_.join();
  std::unique_ptr<Model> model;
  std::unique_ptr<generation::Scheduler> scheduler;
  std::thread aside;
  {
    std::lock_guard<std::mutex> members(mutex_);
    model = std::move(model_);
    scheduler = std::move(scheduler_);
    aside = std::move(aside_);
  }
  if (aside.joinable()) aside.join();
  if (scheduler) scheduler->stop();
  scheduler.reset();  // its decoder before the model
  model.reset();
#ifdef __GLIBC__
  malloc_trim(0);  // the threads that end here leave what they freed in arenas of their own
#endif
}

}  // namespace gt::llama
