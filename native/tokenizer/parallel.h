// A loop over many texts on several threads.
#pragma once

#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace gt::tokenizer {

// Calls body(worker, i) for each i below `count`; workers, numbered below `threads`, take `grain` of them at a time.
// The calling thread is worker 0. All threads have ended on return; then the first exception is thrown again.
template <class Body>
void parallel_for(size_t count, size_t threads, size_t grain, Body&& body) {
  std::atomic<size_t> next{0};
  std::exception_ptr error;
  std::mutex mutex;
  const auto work = [&](size_t worker) {
    try {
      for (size_t begin; (begin = next.fetch_add(grain)) < count;) {
        for (size_t i = begin; i < count && i < begin + grain; i++) body(worker, i);
      }
    } catch (...) {
      next = count;
      const std::lock_guard<std::mutex> lock(mutex);
      if (!error) error = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  try {
    while (others.size() + 1 < threads && (others.size() + 1) * grain < count) others.emplace_back(work, others.size() + 1);
  } catch (const std::system_error&) {  // the system gives no more threads: those that are there do it
  }
  work(0);
  for (std::thread& thread : others) thread.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace gt::tokenizer
