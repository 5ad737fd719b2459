// NativeGraphEngine of lib/native_interface.ts.
#include <limits>
#include <map>
#include <thread>

#include "bindings/arguments.h"
#include "bindings/bindings.h"
#include "bindings/environment.h"
#include "bindings/guarded.h"
#include "bindings/js_queue.h"
#include "bindings/state_dict.h"
#include "graph/engine.h"

namespace gt::bindings {

namespace {

constexpr int64_t max_id = std::numeric_limits<uint32_t>::max();

class StoppableGraphEngine final : public Stoppable, public graph::Engine {
 public:
  using graph::Engine::Engine;
  void stop() override { graph::Engine::stop(); }
};

class GraphEngine final : public Napi::ObjectWrap<GraphEngine> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "GraphEngine",
                       {InstanceMethod<&GraphEngine::add_program>("add_program"),
                        InstanceMethod<&GraphEngine::remove_program>("remove_program"), InstanceMethod<&GraphEngine::run>("run"),
                        InstanceMethod<&GraphEngine::dispose>("dispose")});
  }

  explicit GraphEngine(const Napi::CallbackInfo& info) : Napi::ObjectWrap<GraphEngine>(info) {
    const Napi::Env env = info.Env();
    guarded(env, [&] {
      const Napi::Object arguments = object(info[0], "options");
      graph::EngineOptions options;
      options.state = unwrap_state_dict(arguments.Get("state_dict"));
      options.dtype = text(arguments, "dtype", "f32");
      options.device = text(arguments, "device", "");
      options.n_threads = static_cast<int>(integer(arguments, "n_threads", 0, 0, 4096));
      engine_ = std::make_shared<StoppableGraphEngine>(options);
      queue_ = JsQueue::create(env, "ggml_transformers.graph_engine");
      register_stoppable(env, engine_);
    });
  }

  ~GraphEngine() override {
    if (!engine_) return;
    engine_->stop();
    if (disposer_.joinable()) disposer_.join();
    unregister_stoppable(Env(), engine_.get());
    queue_->close();
  }

 private:
  // A promise that the engine's thread will settle.
  struct Promise {
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference result;  // keeps the memory that the engine writes into
  };

  Napi::Value add_program(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const uint32_t id = engine_->add_program(graph::parse_program(text(info[0], "program")));
      return Napi::Number::New(info.Env(), id);
    });
  }

  void remove_program(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { engine_->remove_program(static_cast<uint32_t>(integer(info[0], "program", 0, max_id))); });
  }

  Napi::Value run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&] {
      if (!disposal_.IsEmpty()) throw Error("disposed", "the model was disposed of");
      const auto id = static_cast<uint32_t>(integer(info[0], "program", 0, max_id));
      const std::shared_ptr<const graph::Program> program = engine_->program(id);
      auto run = std::make_shared<graph::Run>();
      const Napi::Object inputs = object(info[1], "inputs");
      const Napi::Array names = inputs.GetPropertyNames();
      for (uint32_t i = 0; i < names.Length(); i++) {
        const std::string name = names.Get(i).As<Napi::String>();
        const Napi::Value value = inputs.Get(name);
        if (!value.IsTypedArray() || value.As<Napi::TypedArray>().ElementSize() != 4) expected("an Int32Array or a Float32Array", name.c_str(), value);
        const auto array = value.As<Napi::TypedArray>();
        const auto* bytes = static_cast<const uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset();
        run->inputs.emplace_back(name, std::vector<uint8_t>(bytes, bytes + array.ByteLength()));
      }
      // The engine writes into memory of V8, which the result keeps in place.
      Napi::Object result = Napi::Object::New(env);
      for (const graph::Output& output : program->outputs) {
        const graph::Node& node = program->nodes[static_cast<size_t>(output.node)];
        Napi::Float32Array values = Napi::Float32Array::New(env, static_cast<size_t>(graph::n_elements(node.shape)));
        run->outputs.push_back({output.name, values.Data(), values.ByteLength()});
        result.Set(output.name, values);
      }
      const uint32_t promise = open_promise(env, result);
      engine_->run(id, run, [this, queue = queue_, promise](const std::exception_ptr& failure) {
        queue->post([this, promise, failure](Napi::Env env) { settle(env, promise, failure); });
      });
      return promises_.at(promise).deferred.Promise();
    });
  }

  Napi::Value dispose(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!disposal_.IsEmpty()) return disposal_.Value();
    const uint32_t id = open_promise(env, {});
    disposal_ = Napi::Persistent(promises_.at(id).deferred.Promise().As<Napi::Object>());
    disposer_ = std::thread([this, queue = queue_, engine = engine_, id] {
      engine->stop();
      queue->post([this, id](Napi::Env env) {
        disposer_.join();
        unregister_stoppable(env, engine_.get());
        settle(env, id, nullptr);
      });
    });
    return disposal_.Value();
  }

  // While a promise is open, neither this object nor Node ends.
  uint32_t open_promise(Napi::Env env, const Napi::Object& result) {
    Promise promise{Napi::Promise::Deferred::New(env), {}};
    if (!result.IsEmpty()) promise.result = Napi::Persistent(result);
    promises_.emplace(++last_id_, std::move(promise));
    Ref();
    queue_->hold(env);
    return last_id_;
  }

  void settle(Napi::Env env, uint32_t id, const std::exception_ptr& failure) {
    const auto found = promises_.find(id);
    const Promise promise = std::move(found->second);
    promises_.erase(found);
    queue_->let_go(env);
    Unref();
    if (!failure) return promise.deferred.Resolve(promise.result.IsEmpty() ? env.Undefined() : promise.result.Value());
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      promise.deferred.Reject(to_js_error(env, error).Value());
    }
  }

  std::shared_ptr<JsQueue> queue_;
  std::shared_ptr<StoppableGraphEngine> engine_;
  std::map<uint32_t, Promise> promises_;
  uint32_t last_id_ = 0;
  std::thread disposer_;
  Napi::ObjectReference disposal_;  // the promise of dispose()
};

}  // namespace

void init_graph_engine(Napi::Env env, Napi::Object exports) { exports.Set("GraphEngine", GraphEngine::define(env)); }

}  // namespace gt::bindings
