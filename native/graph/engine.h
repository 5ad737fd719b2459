// One model of the graph engine with its thread. JavaScript's wishes are messages to it.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "generation/scheduler.h"
#include "graph/decoder.h"

namespace gt::graph {

// All members may be called from any thread but the engine's own.
class Engine {
 public:
  // Null: it went well. Called once, on the engine's thread, or at once if the engine has stopped.
  using Done = std::function<void(std::exception_ptr)>;
  using Task = std::function<void(GraphDecoder&)>;

  // Throws TypeError for an unknown dtype, Error for a device that cannot be used.
  explicit Engine(const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // The number under which the program of this JSON runs. It is parsed on the engine's thread, or earlier by whoever asks.
  uint32_t add_program(std::string json);
  void remove_program(uint32_t id);
  // Throws RangeError if there is none, Error("invalid_program").
  const Program& program(uint32_t id) const { return source(id)->program(); }

  // `done` gets what the computation throws, or Error("disposed") if it never ran.
  void run(uint32_t program, std::shared_ptr<Run> run, Done done);
  // … of a run with a cache `cached` gets, before `done`, what GraphDecoder::run() gives and its bytes.
  using Cached = std::function<void(std::shared_ptr<generation::Cache>, int64_t size)>;
  void run(uint32_t program, std::shared_ptr<CachedRun> run, Cached cached, Done done);
  // Time that ggml took for the last run(): what is beside it is ours.
  int64_t compute_nanoseconds() const { return nanoseconds_.load(std::memory_order_relaxed); }
  // The programs that generate() runs, all that there are now. Throws Error("invalid_program").
  void set_decoder(const std::vector<uint32_t>& programs, int32_t max_positions, bool counts_padding);

  uint64_t submit(generation::Request request) { return scheduler_->submit(std::move(request)); }
  void cancel(uint64_t request) { scheduler_->cancel(request); }
  void release(std::shared_ptr<generation::Cache> cache) { scheduler_->release(std::move(cache)); }
  // Ends what runs and what waits, joins the thread and frees the memory. Whoever calls second waits too.
  void stop();

 private:
  void send(Task task, Done done);
  std::shared_ptr<const Source> source(uint32_t id) const;

  std::atomic<bool> stopped_{false};
  std::atomic<int64_t> nanoseconds_{0};
  mutable std::mutex mutex_;  // of the next two
  std::map<uint32_t, std::shared_ptr<const Source>> programs_;
  uint32_t last_id_ = 0;
  std::unique_ptr<generation::Scheduler> scheduler_;
};

}  // namespace gt::graph
