#include "graph/backend.h"

#include <ggml-cpu.h>

#include <algorithm>

#include "cpu_backend.h"
#include "errors.h"
#include "llama/model.h"

namespace gt::graph {

namespace {

ggml_backend_dev_t find_device(const std::string& name) {
  if (!name.empty()) {
    if (ggml_backend_dev_t device = ggml_backend_dev_by_name(name.c_str())) return device;
    throw Error("device_not_found", "there is no device '" + name + "'");
  }
  if (ggml_backend_dev_t gpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_GPU)) return gpu;
  return ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
}

bool is_raised(void* flag) { return (*static_cast<const std::atomic<bool>**>(flag))->load(std::memory_order_relaxed); }

}  // namespace

Backend::Backend(const std::string& name, int n_threads, const std::atomic<bool>& aborted) : aborted_(&aborted) {
  ggml_backend_dev_t device = find_device(name);
  if (!device) throw Error("device_not_found", "ggml has no device: its CPU backend was not loaded");
  is_cpu_ = ggml_backend_dev_type(device) == GGML_BACKEND_DEVICE_TYPE_CPU;
  n_threads_ = std::max(1, n_threads > 0 ? n_threads : llama::physical_cores());
  backend_ = ggml_backend_dev_init(device, nullptr);
  if (!backend_) throw Error("load_failed", "the device " + std::string(ggml_backend_dev_name(device)) + " cannot be used");
  if (!is_cpu_) return;
  if (n_threads_ > 1) {
    ggml_threadpool_params params = ggml_threadpool_params_default(n_threads_);
    params.poll = 1;  // threads without work spin for some milliseconds, not for hundreds
    if (auto* create = cpu_function<decltype(ggml_threadpool_new)>("ggml_threadpool_new")) threadpool_ = create(&params);
    if (auto* set = cpu_function<decltype(ggml_backend_cpu_set_threadpool)>("ggml_backend_cpu_set_threadpool"))
      if (threadpool_) set(backend_, threadpool_);
  }
  if (auto* set = cpu_function<decltype(ggml_backend_cpu_set_abort_callback)>("ggml_backend_set_abort_callback"))
    set(backend_, is_raised, &aborted_);
}

Backend::~Backend() {
  if (backend_) ggml_backend_free(backend_);
  if (threadpool_) cpu_function<decltype(ggml_threadpool_free)>("ggml_threadpool_free")(threadpool_);
}

std::string Backend::name() const { return ggml_backend_dev_name(ggml_backend_get_device(backend_)); }

void Backend::compute(ggml_cgraph* graph, int n_threads) {
  n_threads = std::clamp(n_threads, 1, n_threads_);
  if (is_cpu_ && n_threads != used_threads_) {
    if (auto* set = cpu_function<decltype(ggml_backend_cpu_set_n_threads)>("ggml_backend_set_n_threads")) set(backend_, n_threads);
    used_threads_ = n_threads;
  }
  const ggml_status status = ggml_backend_graph_compute(backend_, graph);
  if (status == GGML_STATUS_ABORTED) throw Error("aborted", "the computation was stopped");
  if (status != GGML_STATUS_SUCCESS) throw Error("compute_failed", "the computation failed: " + std::string(ggml_status_to_string(status)));
}

}  // namespace gt::graph
