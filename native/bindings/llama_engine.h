// NativeLlamaEngine of lib/native_engines.ts.
#pragma once

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

  void add_reference() override { Ref(); }
  void drop_reference() override { Unref(); }
  // Throws Error("disposed"), or TypeError for an object that load_llama_engine() did not make.
  void check_usable() const;

  std::shared_ptr<EngineOf<llama::Engine>> llama_;
  std::shared_ptr<llama::ModelInfo> info_;
  bool has_logits_ = true;
  Napi::FunctionReference on_progress_;
};

}  // namespace gt::bindings
