// The engine's thread: owns a decoder, takes messages, and steps all generations under way in one batch.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "generation/decoder.h"
#include "generation/request.h"

namespace gt::generation {

class Generation;

// All public members may be called from any thread; callbacks of requests and tasks run on the engine's.
class Scheduler {
 public:
  // `open` makes the decoder, on the caller's thread; the decoder ends a decode early when its argument becomes true.
  explicit Scheduler(const std::function<std::unique_ptr<Decoder>(const std::atomic<bool>& aborted)>& open);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Starts when there is room, in the order of submission. Throws Error("disposed") after stop().
  uint64_t submit(Request request);
  // Its on_error gets Error("aborted"), within a step. Nothing happens if it has ended.
  void cancel(uint64_t id);
  // Runs `task` between two steps, after the messages before it; with nullptr if the thread stops first.
  void run(std::function<void(Decoder*)> task);
  // … when nothing is under way: what was sent before has ended, what comes after waits.
  void run_alone(std::function<void(Decoder*)> task);
  // Closes the rows of `cache` between two steps.
  void release(std::shared_ptr<Cache> cache);
  // Ends everything and joins; requests under way get Error("disposed"). More calls do nothing.
  // Not from the engine's thread.
  void stop();

 private:
  struct Job {
    uint64_t id = 0;
    Request request;
    std::unique_ptr<Generation> generation;
    std::function<void(Decoder*)> task;  // instead of a generation
    bool alone = false;                  // a task that waits until nothing is active
    bool ended = false;
    bool idle = false;  // others must answer before it can go on
  };

  void loop();
  void wake();
  void linger();
  bool take_messages();
  void take(const std::shared_ptr<Job>& job);
  void take_task(std::function<void(Decoder*)> task, bool alone);
  void post(std::function<void(Decoder*)> task, bool alone);
  void start_waiting();
  void look_ahead();
  void step();
  void finish(Job& job, std::exception_ptr error);
  void drop_ended();

  std::atomic<bool> aborted_{false};
  std::unique_ptr<Decoder> decoder_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void(Decoder*)>> messages_;
  std::vector<std::pair<uint64_t, std::shared_ptr<HostHooks>>> interruptible_;  // hooks of jobs not yet ended
  uint64_t last_id_ = 0;
  bool stopping_ = false;
  std::atomic<bool> news_{false};  // there is something new in the above

  // The engine's thread only.
  std::deque<std::shared_ptr<Job>> waiting_;  // for room, or for what stands before them
  std::vector<std::shared_ptr<Job>> active_;

  std::mutex join_mutex_;
  std::thread thread_;
};

}  // namespace gt::generation
