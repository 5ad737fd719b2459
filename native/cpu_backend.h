// The functions of ggml's CPU backend, which may be a loadable library: they are found through the registry.
#pragma once

#include <ggml-backend.h>

namespace gt {

// Null if the backend has no such function: `cpu_function<decltype(ggml_threadpool_new)>("ggml_threadpool_new")`.
template <class Function>
Function* cpu_function(const char* name) {
  ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  return reinterpret_cast<Function*>(ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), name));
}

}  // namespace gt
