// One model with its threads: a short one that loads it, then the scheduler's. JavaScript's wishes are messages.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "generation/scheduler.h"
#include "llama/llama_decoder.h"
#include "llama/model.h"

namespace gt::llama {

// All members may be called from any thread but the engine's own.
class Engine {
 public:
  using Load = std::function<std::unique_ptr<Model>(const std::atomic<bool>& aborted)>;
  // Null: it went well. Called once, on the engine's thread, or at once if the engine has stopped.
  using Done = std::function<void(std::exception_ptr)>;

  using Task = std::function<void(const Model&, LlamaDecoder&, const std::atomic<bool>& aborted)>;

  Engine(Load load, const DecoderOptions& options, Done loaded);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // These throw Error("disposed") after stop().
  uint64_t submit(generation::Request request);
  // Runs `task` between two steps of generation. `done` gets what it throws, or Error("disposed") if it never ran.
  void run(Task task, Done done);

  // LoRA adapters, under numbers of the caller's. The calls made before use_adapters() and remove_adapter() end first.
  // `done` gets what the making throws.
  void add_adapter(uint32_t id, std::vector<LoraPair> pairs, Done done);
  void use_adapters(std::vector<uint32_t> ids);
  void remove_adapter(uint32_t id);

  // Runs `task` on a thread of its own, one after another; it may read what the model was made of, not the model.
  using Aside = std::function<void(const Model&, const std::atomic<bool>& aborted)>;
  void run_aside(Aside task, Done done);

  void cancel(uint64_t request);
  void release(std::shared_ptr<generation::Cache> cache);
  // While it loads: ends that, with Error("aborted").
  void cancel_loading();
  // Ends what runs and what waits, joins the threads and frees the model. Whoever calls second waits too.
  void stop();

 private:
  generation::Scheduler& scheduler();
  void run_alone(std::function<void(LlamaDecoder&)> task);

  std::atomic<bool> aborted_{false};
  std::mutex mutex_;  // of the next two
  std::unique_ptr<Model> model_;
  std::unique_ptr<generation::Scheduler> scheduler_;
  std::mutex stop_mutex_;
  std::thread loader_;
  std::thread aside_;  // the last of them, which joins the one before
};

}  // namespace gt::llama
