// NativeLlamaEngine of lib/native_engines.ts.
#pragma once

#include <map>
#include <vector>

#include "bindings/engine_object.h"
#include "bindings/llama_options.h"
#include "llama/engine.h"

namespace gt::bindings {

class LlamaEngine final : public Napi::ObjectWrap<LlamaEngine>, public EngineObject {
 public:
  static Napi::Function define(Napi::Env env);

  explicit LlamaEngine(const Napi::CallbackInfo& info) : Napi::ObjectWrap<LlamaEngine>(info) {}
  ~LlamaEngine() override { close(Env()); }

  // Starts to load; the promise becomes this object.
  Napi::Value load(Napi::Env env, const Napi::Object& options, const Napi::Value& on_progress);
  void cancel_loading() { llama_->cancel_loading(); }

 private:
  Napi::Value info(const Napi::CallbackInfo& info);
  Napi::Value forward(const Napi::CallbackInfo& info);
  Napi::Value generate(const Napi::CallbackInfo& info);
  Napi::Value save_gguf(const Napi::CallbackInfo& info);
  Napi::Value add_adapter(const Napi::CallbackInfo& info);
  void use_adapters(const Napi::CallbackInfo& info);
  void remove_adapter(const Napi::CallbackInfo& info);

  void add_reference() override { Ref(); }
  void drop_reference() override { Unref(); }
  // Throws Error("disposed"), or TypeError for an object that load_llama_engine() did not make.
  void check_usable() const;

  std::shared_ptr<EngineOf<llama::Engine>> llama_;
  std::shared_ptr<llama::ModelInfo> info_;
  bool has_logits_ = true;
  uint32_t last_adapter_ = 0;
  std::vector<uint32_t> used_adapters_;  // by the calls from now on
  Napi::FunctionReference on_progress_;
  std::map<uint32_t, Napi::FunctionReference> save_progress_;  // by the promises of save_gguf()
};

}  // namespace gt::bindings
