// The device that graphs run on.
#pragma once

#include <ggml-backend.h>

#include <atomic>
#include <string>
#include <utility>

struct ggml_threadpool;

namespace gt::graph {

class Backend {
 public:
  // `device`: a name in ggml's registry; "": the first GPU, else the CPU. `n_threads` 0: one for each physical core.
  // `aborted` ends a computation early. Throws Error("device_not_found"), Error("load_failed").
  Backend(const std::string& device, int n_threads, const std::atomic<bool>& aborted);
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  ggml_backend_t get() const { return backend_; }
  ggml_backend_buffer_type_t buffer_type() const { return ggml_backend_get_default_buffer_type(backend_); }
  // Our own kernels run on the CPU; elsewhere ggml's do.
  bool is_cpu() const { return is_cpu_; }
  int n_threads() const { return n_threads_; }
  std::string name() const;

  // Looks at another flag from now on; returns the one before.
  const std::atomic<bool>& heed(const std::atomic<bool>& aborted) { return *std::exchange(aborted_, &aborted); }
  // Throws Error("aborted") or Error("compute_failed"). `n_threads`: at most those of the backend.
  void compute(ggml_cgraph* graph, int n_threads);
  // Time that ggml took for the last computation. From any thread.
  int64_t compute_nanoseconds() const { return nanoseconds_.load(std::memory_order_relaxed); }

 private:
  void use_threads(int n_threads);

  ggml_backend_t backend_ = nullptr;
  // Made when they are needed first. One thread alone has a pool of its own: the others sleep meanwhile.
  ggml_threadpool* alone_ = nullptr;
  ggml_threadpool* together_ = nullptr;
  const std::atomic<bool>* aborted_;
  bool is_cpu_;
  int n_threads_;
  int used_threads_ = 0;
  std::atomic<int64_t> nanoseconds_{0};
};

}  // namespace gt::graph
