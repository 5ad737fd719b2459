// devices(): what ggml's registry knows. load_backends(folder): opens the loadable ones of a release build.
#include <ggml-backend.h>
#include <llama.h>

#include <mutex>

#include "bindings/bindings.h"
#include "bindings/guarded.h"

namespace gt::bindings {

namespace {

const char* type_name(enum ggml_backend_dev_type type) {
  switch (type) {
    case GGML_BACKEND_DEVICE_TYPE_CPU: return "cpu";
    case GGML_BACKEND_DEVICE_TYPE_ACCEL: return "accel";
    default: return "gpu";
  }
}

// ggml looks into the working directory when it gets no folder: it always gets the addon's own.
Napi::Value load_backends(const Napi::CallbackInfo& info) {
  static std::once_flag once;
  const std::string folder = info[0].As<Napi::String>();
  std::call_once(once, [&] {
    llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
    ggml_backend_load_all_from_path(folder.c_str());
    llama_backend_init();
  });
  return info.Env().Undefined();
}

Napi::Value devices(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Array result = Napi::Array::New(env);
  for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
    ggml_backend_dev_t device = ggml_backend_dev_get(i);
    size_t free = 0, total = 0;
    ggml_backend_dev_memory(device, &free, &total);
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", ggml_backend_dev_name(device));
    entry.Set("description", ggml_backend_dev_description(device));
    entry.Set("type", type_name(ggml_backend_dev_type(device)));
    entry.Set("memory_free", static_cast<double>(free));
    entry.Set("memory_total", static_cast<double>(total));
    result.Set(static_cast<uint32_t>(i), entry);
  }
  return result;
}

}  // namespace

void init_devices(Napi::Env env, Napi::Object exports) {
  exports.Set("load_backends", Napi::Function::New(env, load_backends));
  exports.Set("devices", Napi::Function::New(env, devices));
  exports.Set("system_info", Napi::Function::New(env, [](const Napi::CallbackInfo& info) -> Napi::Value {
                return Napi::String::New(info.Env(), llama_print_system_info());
              }));
}

}  // namespace gt::bindings
