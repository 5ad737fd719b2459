#include "graph/backend.h"

#include <ggml-cpu.h>

#include <algorithm>
#include <chrono>

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
  if (auto* set = cpu_function<decltype(ggml_backend_cpu_set_abort_callback)>("ggml_backend_set_abort_callback"))
    set(backend_, is_raised, &aborted_);
}

Backend::~Backend() {
  if (backend_) ggml_backend_free(backend_);
  for (ggml_threadpool* pool : {alone_, together_})
    if (pool) cpu_function<decltype(ggml_threadpool_free)>("ggml_threadpool_free")(pool);
}

std::string Backend::name() const { return ggml_backend_dev_name(ggml_backend_get_device(backend_)); }

void Backend::use_threads(int n_threads) {
  if (n_threads == used_threads_) return;
  ggml_threadpool*& pool = n_threads == 1 ? alone_ : together_;
  if (!pool) {
    ggml_threadpool_params params = ggml_threadpool_params_default(n_threads == 1 ? 1 : n_threads_);
    params.poll = 0;  // who has no work sleeps: JavaScript may need the core
    if (auto* create = cpu_function<decltype(ggml_threadpool_new)>("ggml_threadpool_new")) pool = create(&params);
  }
  if (auto* set = cpu_function<decltype(ggml_backend_cpu_set_threadpool)>("ggml_backend_cpu_set_threadpool")) set(backend_, pool);
  if (auto* set = cpu_function<decltype(ggml_backend_cpu_set_n_threads)>("ggml_backend_set_n_threads")) set(backend_, n_threads);
  used_threads_ = n_threads;
}

void Backend::compute(ggml_cgraph* graph, int n_threads) {
  if (is_cpu_) use_threads(std::clamp(n_threads, 1, n_threads_));
  const auto start = std::chrono::steady_clock::now();
  const ggml_status status = ggml_backend_graph_compute(backend_, graph);
  nanoseconds_ = std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
  if (status == GGML_STATUS_ABORTED) throw Error("aborted", "the computation was stopped");
  if (status != GGML_STATUS_SUCCESS) throw Error("compute_failed", "the computation failed: " + std::string(ggml_status_to_string(status)));
}

}  // namespace gt::graph
