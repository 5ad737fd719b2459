#include "bindings/llama_engine.h"

#include <algorithm>
#include <limits>

#include "bindings/arguments.h"
#include "bindings/bindings.h"
#include "bindings/guarded.h"
#include "llama/forward.h"
#include "llama/save.h"

namespace gt::bindings {

namespace {

// Rows of token ids. Each has at least one token.
std::vector<std::vector<int32_t>> token_rows(const Napi::Value& value) {
  if (!value.IsArray() || value.As<Napi::Array>().Length() == 0) expected("an array of Int32Array", "input_ids", value);
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<std::vector<int32_t>> rows;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const std::string name = "input_ids[" + std::to_string(i) + "]";
    const auto row = typed_array(array.Get(i), napi_int32_array, "an Int32Array", name).As<Napi::Int32Array>();
    if (row.ElementLength() == 0) throw RangeError("Expected at least one token for " + name + " but received none");
    rows.emplace_back(row.Data(), row.Data() + row.ElementLength());
  }
  return rows;
}

std::vector<int32_t> int32_values(const Napi::Object& request, const char* name, size_t count) {
  const auto value = property(request, name);
  if (!value) return {};
  const auto array = typed_array(*value, napi_int32_array, "an Int32Array", name).As<Napi::Int32Array>();
  if (array.ElementLength() != count)
    throw RangeError("Expected one value for each of " + std::to_string(count) + " rows for " + name + " but received " +
                     std::to_string(array.ElementLength()));
  return {array.Data(), array.Data() + array.ElementLength()};
}

Napi::Float32Array floats(Napi::Env env, int64_t rows, int64_t columns) {
  return Napi::Float32Array::New(env, static_cast<size_t>(rows * columns));
}

}  // namespace

Napi::Function LlamaEngine::define(Napi::Env env) {
  return DefineClass(env, "LlamaEngine",
                     {InstanceMethod<&LlamaEngine::info>("info"), InstanceMethod<&LlamaEngine::forward>("forward"),
                      InstanceMethod<&LlamaEngine::generate>("generate"), InstanceMethod("target", &LlamaEngine::target),
                      InstanceMethod("release_cache", &LlamaEngine::release_cache),
                      InstanceMethod<&LlamaEngine::save_gguf>("save_gguf"), InstanceMethod<&LlamaEngine::add_adapter>("add_adapter"),
                      InstanceMethod<&LlamaEngine::use_adapters>("use_adapters"),
                      InstanceMethod<&LlamaEngine::remove_adapter>("remove_adapter"), InstanceMethod("dispose", &LlamaEngine::dispose)});
}

Napi::Value LlamaEngine::load(Napi::Env env, const Napi::Object& arguments, const Napi::Value& on_progress) {
  auto options = std::make_shared<LoadOptions>(load_options(arguments));
  if (given(on_progress)) {
    if (!on_progress.IsFunction()) expected("a function", "on_progress", on_progress);
    on_progress_ = Napi::Persistent(on_progress.As<Napi::Function>());
  }
  queue_ = JsQueue::create(env, "ggml_transformers.llama_engine");
  const uint32_t id = open_promise(env, Value());
  auto info = std::make_shared<llama::ModelInfo>();

  const auto report = [this, queue = queue_, told = -1.0f](float progress) mutable {
    if (progress < 1.0f && progress - told < 0.01f) return;
    told = progress;
    queue->post([this, progress](Napi::Env env) {
      if (!on_progress_.IsEmpty()) on_progress_.Call({Napi::Number::New(env, progress)});
    });
  };
  const bool reports = !on_progress_.IsEmpty();
  const auto load_model = [options, info, report, reports](const std::atomic<bool>& aborted) {
    const llama::Progress progress = reports ? llama::Progress(report) : [](float) {};
    auto model = options->gguf_path.empty()
                     ? llama::Model::from_recipe(std::move(options->recipe), options->dtype, options->model, progress, aborted)
                     : llama::Model::from_gguf(options->gguf_path, options->model, progress, aborted);
    *info = model->info();
    return model;
  };
  const auto loaded = [this, queue = queue_, info, id](const std::exception_ptr& failure) {
    queue->post([this, info, id, failure](Napi::Env env) {
      on_progress_.Reset();
      info_ = info;
      count_memory(env, static_cast<int64_t>(info->size));
      settle(env, id, failure);
    });
  };
  has_logits_ = options->decoder.logits;
  llama_ = std::make_shared<EngineOf<llama::Engine>>(load_model, options->decoder, loaded);
  open(env, llama_);
  return promise(id);
}

void LlamaEngine::check_usable() const {
  if (!llama_ || !info_) throw TypeError("Expected an engine of load_llama_engine()");
  check_alive();
}

Napi::Value LlamaEngine::generate(const Napi::CallbackInfo& call) {
  guarded(call.Env(), [&] {
    check_usable();
    if (!has_logits_) throw Error("unsupported", "the engine was loaded without its head");
  });
  return EngineObject::generate(call);
}

Napi::Value LlamaEngine::info(const Napi::CallbackInfo& call) {
  const Napi::Env env = call.Env();
  return guarded(env, [&] {
    check_usable();
    Napi::Object result = Napi::Object::New(env);
    result.Set("n_vocab", info_->n_vocab);
    result.Set("n_ctx_train", info_->n_ctx_train);
    result.Set("n_embd", info_->n_embd);
    result.Set("n_layer", info_->n_layer);
    result.Set("n_head", info_->n_head);
    result.Set("n_params", static_cast<double>(info_->n_params));
    result.Set("size", static_cast<double>(info_->size));
    result.Set("description", info_->description);
    result.Set("ftype", info_->ftype);
    Napi::Array devices = Napi::Array::New(env);
    for (const std::string& name : info_->devices) devices.Set(devices.Length(), name);
    result.Set("devices", devices);
    Napi::Object metadata = Napi::Object::New(env);
    for (const auto& [key, value] : info_->metadata) metadata.Set(key, value);
    result.Set("metadata", metadata);
    return result;
  });
}

Napi::Value LlamaEngine::forward(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    check_usable();
    const Napi::Object arguments = object(info[0], "request");
    struct State {
      llama::ForwardRequest request;
      std::shared_ptr<generation::Cache> cache;
      int64_t cache_size = 0;
    };
    auto state = std::make_shared<State>();
    llama::ForwardRequest& request = state->request;
    request.input_ids = token_rows(arguments.Get("input_ids"));
    request.first_position = int32_values(arguments, "first_position", request.input_ids.size());
    for (const int32_t position : request.first_position)
      if (position < 0) throw RangeError("Expected positions of at least 0 but received " + std::to_string(position));
    request.beam_idx = int32_values(arguments, "beam_idx", request.input_ids.size());
    request.logits_to_keep = static_cast<int32_t>(integer(arguments, "logits_to_keep", 0, 0, std::numeric_limits<int32_t>::max()));
    request.use_cache = flag(arguments, "use_cache", false);

    // The engine writes into memory of V8, which the result keeps in place.
    Napi::Object result = Napi::Object::New(env);
    if (flag(arguments, "output_logits", has_logits_)) {
      if (!has_logits_) throw TypeError("Expected output_logits: false, as the engine was loaded with it");
      Napi::Float32Array logits = floats(env, request.kept_tokens(), info_->n_vocab);
      request.logits = logits.Data();
      result.Set("logits", logits);
    }
    const bool all = flag(arguments, "output_hidden_states", false);
    if (all || flag(arguments, "output_last_hidden_state", false)) {
      request.hidden = all ? llama::Hidden::all : llama::Hidden::last;
      request.hidden_states.assign(static_cast<size_t>(info_->n_layer) + 1, nullptr);
      Napi::Array layers = Napi::Array::New(env);
      for (int32_t layer = all ? 0 : info_->n_layer; layer <= info_->n_layer; layer++) {
        Napi::Float32Array states = floats(env, request.tokens(), info_->n_embd);
        request.hidden_states[static_cast<size_t>(layer)] = states.Data();
        layers.Set(layers.Length(), states);
      }
      result.Set("hidden_states", layers);
    }

    const auto handle = static_cast<uint32_t>(integer(arguments, "cache", 0, 0, max_id));
    request.cache = take_cache(handle);
    const uint32_t id = open_promise(env, result);
    llama_->run([state](const llama::Model&, llama::LlamaDecoder& decoder, const std::atomic<bool>&) {
                   state->cache = llama::forward(decoder, state->request);
                   if (state->cache) state->cache_size = decoder.cache_size(*state->cache);
                 },
                 [this, queue = queue_, state, id, handle](const std::exception_ptr& failure) {
                   queue->post([this, state, id, handle, failure](Napi::Env env) {
                     give_back_cache(env, handle);
                     if (state->cache) this->result(id).Set("cache", static_cast<double>(keep_cache(env, handle, state->cache, state->cache_size)));
                     settle(env, id, failure);
                   });
                 });
    return promise(id);
  });
}

Napi::Value LlamaEngine::save_gguf(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    check_usable();
    const std::string path = text(info[0], "path");
    llama::SaveOptions options;
    if (given(info[1])) {
      const Napi::Object arguments = object(info[1], "options");
      options.dtype = text(arguments, "dtype", "");
      if (const auto metadata = property(arguments, "metadata")) options.metadata = gguf_metadata(object(*metadata, "metadata"));
    }
    if (given(info[2]) && !info[2].IsFunction()) expected("a function", "on_progress", info[2]);
    const uint32_t id = open_promise(env, {});
    if (given(info[2])) {
      save_progress_[id] = Napi::Persistent(info[2].As<Napi::Function>());
      options.progress = [this, queue = queue_, id, told = -1.0f](float progress) mutable {
        if (progress < 1.0f && progress - told < 0.01f) return;
        told = progress;
        queue->post([this, id, progress](Napi::Env env) { save_progress_.at(id).Call({Napi::Number::New(env, progress)}); });
      };
    }
    llama_->run_aside([path, options](const llama::Model& model, const std::atomic<bool>& aborted) {
                        llama::save_gguf(model, path, options, aborted);
                      },
                      [this, queue = queue_, id](const std::exception_ptr& failure) {
                        queue->post([this, id, failure](Napi::Env env) {
                          save_progress_.erase(id);
                          settle(env, id, failure);
                        });
                      });
    return promise(id);
  });
}

Napi::Value LlamaEngine::add_adapter(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    check_usable();
    std::vector<llama::LoraPair> pairs = lora_pairs(info[0], info[1]);
    Napi::Object result = Napi::Object::New(env);
    result.Set("adapter", ++last_adapter_);
    const uint32_t id = open_promise(env, result);
    llama_->add_adapter(last_adapter_, std::move(pairs), [this, queue = queue_, id](const std::exception_ptr& failure) {
      queue->post([this, id, failure](Napi::Env env) { settle(env, id, failure); });
    });
    return promise(id);
  });
}

void LlamaEngine::use_adapters(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    check_usable();
    if (!info[0].IsArray()) expected("an array of adapters", "adapters", info[0]);
    const Napi::Array array = info[0].As<Napi::Array>();
    std::vector<uint32_t> ids;
    for (uint32_t i = 0; i < array.Length(); i++)
      ids.push_back(static_cast<uint32_t>(integer(array.Get(i), "adapters[" + std::to_string(i) + "]", 1, last_adapter_)));
    if (ids == used_adapters_) return;
    used_adapters_ = ids;
    llama_->use_adapters(std::move(ids));
  });
}

void LlamaEngine::remove_adapter(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    check_usable();
    const auto adapter = static_cast<uint32_t>(integer(info[0], "adapter", 1, max_id));
    used_adapters_.erase(std::remove(used_adapters_.begin(), used_adapters_.end(), adapter), used_adapters_.end());
    llama_->remove_adapter(adapter);
  });
}

// load_llama_engine(options, on_progress) -> {promise, cancel}
static Napi::Value load_llama_engine(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    const auto* constructor = static_cast<Napi::FunctionReference*>(info.Data());
    const Napi::Object instance = constructor->New({});
    LlamaEngine* engine = LlamaEngine::Unwrap(instance);
    Napi::Object result = Napi::Object::New(env);
    result.Set("promise", engine->load(env, object(info[0], "options"), info[1]));
    Napi::Function cancel = Napi::Function::New(env, [engine](const Napi::CallbackInfo&) { engine->cancel_loading(); });
    cancel.Set("engine", instance);  // stays as long as the function
    result.Set("cancel", cancel);
    return result;
  });
}

void init_llama_engine(Napi::Env env, Napi::Object exports) {
  auto* constructor = new Napi::FunctionReference(Napi::Persistent(LlamaEngine::define(env)));
  env.AddCleanupHook([constructor] { delete constructor; });
  exports.Set("load_llama_engine", Napi::Function::New(env, load_llama_engine, "load_llama_engine", constructor));
}

}  // namespace gt::bindings
