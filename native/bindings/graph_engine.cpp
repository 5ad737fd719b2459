// NativeGraphEngine of lib/native_engines.ts.
#include "bindings/arguments.h"
#include "bindings/bindings.h"
#include "bindings/engine_object.h"
#include "bindings/guarded.h"
#include "bindings/state_dict.h"
#include "graph/engine.h"

#include <optional>

namespace gt::bindings {

namespace {

// A copy of what a program is fed; none for undefined.
std::optional<std::vector<uint8_t>> read_input(const Napi::Value& value, const std::string& name) {
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      (type != napi_int32_array && type != napi_float32_array)) {
    if (value.IsUndefined()) return std::nullopt;
    expected("an Int32Array or a Float32Array", name, value);
  }
  const auto* bytes = static_cast<const uint8_t*>(data);
  return std::vector<uint8_t>(bytes, bytes + length * 4);
}

void read_inputs_by_name(const Napi::Object& inputs, const graph::Program& program, graph::Run& run) {
  for (const std::string& name : program.inputs)
    if (auto input = read_input(inputs.Get(name.c_str()), name)) run.inputs.emplace_back(name, std::move(*input));
}

void read_inputs_in_order(const Napi::Array& inputs, graph::Run& run) {
  run.inputs.reserve(inputs.Length());
  for (uint32_t i = 0; i < inputs.Length(); i++)
    if (auto input = read_input(inputs.Get(i), "inputs")) run.inputs.emplace_back(std::string(), std::move(*input));
}

// New arrays for the outputs, by name.
Napi::Object new_outputs(Napi::Env env, const graph::Program& program, graph::Run& run) {
  Napi::Object outputs = Napi::Object::New(env);
  for (const graph::Output& output : program.outputs) {
    const graph::Node& node = program.nodes[static_cast<size_t>(output.node)];
    Napi::Float32Array values = Napi::Float32Array::New(env, static_cast<size_t>(graph::n_elements(node.shape)));
    run.outputs.push_back({output.name, values.Data(), values.ElementLength()});
    outputs.Set(output.name, values);
  }
  return outputs;
}

// A GraphTarget.
graph::Run::Target read_target(const Napi::Object& where) {
  const bool has_places = !where.IsTypedArray();
  const Napi::Value array = has_places ? Napi::Value(where.Get("data")) : Napi::Value(where);
  auto data = typed_array(array, napi_float32_array, "a Float32Array", "targets").As<Napi::Float32Array>();
  graph::Run::Target target{{}, data.Data(), data.ElementLength(), has_places};
  if (!has_places) return target;
  const auto places = typed_array(where.Get("places"), napi_int32_array, "an Int32Array", "places").As<Napi::Int32Array>();
  target.places.assign(places.Data(), places.Data() + places.ElementLength());
  return target;
}

void read_targets(const Napi::Value& value, graph::Run& run) {
  if (!value.IsArray()) expected("an array", "targets", value);
  const auto targets = value.As<Napi::Array>();
  run.outputs.reserve(targets.Length());
  for (uint32_t i = 0; i < targets.Length(); i++) run.outputs.push_back(read_target(object(targets.Get(i), "targets")));
}

std::vector<int32_t> counts(const Napi::Object& arguments, const char* name) {
  const auto array = typed_array(arguments.Get(name), napi_int32_array, "an Int32Array", name).As<Napi::Int32Array>();
  for (size_t i = 0; i < array.ElementLength(); i++)
    if (array[i] < 0) throw RangeError("Expected counts for " + std::string(name) + " but received " + std::to_string(array[i]));
  return {array.Data(), array.Data() + array.ElementLength()};
}

class GraphEngine final : public Napi::ObjectWrap<GraphEngine>, public EngineObject {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "GraphEngine",
                       {InstanceMethod<&GraphEngine::add_program>("add_program"),
                        InstanceMethod<&GraphEngine::remove_program>("remove_program"), InstanceMethod<&GraphEngine::run>("run"),
                        InstanceMethod<&GraphEngine::set_decoder>("set_decoder"), InstanceMethod("generate", &GraphEngine::generate),
                        InstanceMethod<&GraphEngine::compute_nanoseconds>("compute_nanoseconds"), InstanceMethod("target", &GraphEngine::target),
                        InstanceMethod("release_cache", &GraphEngine::release_cache), InstanceMethod("dispose", &GraphEngine::dispose)});
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
      graph_ = std::make_shared<EngineOf<graph::Engine>>(options);
      queue_ = JsQueue::create(env, "ggml_transformers.graph_engine");
      open(env, graph_);
    });
  }

  ~GraphEngine() override { close(Env()); }

 private:
  void add_reference() override { Ref(); }
  void drop_reference() override { Unref(); }

  static uint32_t program_id(const Napi::Value& value) { return static_cast<uint32_t>(integer(value, "program", 0, max_id)); }

  Napi::Value add_program(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const uint32_t id = graph_->add_program(text(info[0], "program"));
      return Napi::Number::New(info.Env(), id);
    });
  }

  void remove_program(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { graph_->remove_program(program_id(info[0])); });
  }

  Napi::Value compute_nanoseconds(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(graph_->compute_nanoseconds()));
  }

  void set_decoder(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] {
      const Napi::Object arguments = object(info[0], "decoder");
      std::vector<uint32_t> programs;
      const Napi::Value list = arguments.Get("programs");
      if (!list.IsArray()) expected("an array of numbers of programs", "programs", list);
      for (uint32_t i = 0; i < list.As<Napi::Array>().Length(); i++) programs.push_back(program_id(list.As<Napi::Array>().Get(i)));
      graph_->set_decoder(programs, static_cast<int32_t>(integer(arguments.Get("max_positions"), "max_positions", 1, std::numeric_limits<int32_t>::max())),
                          flag(arguments, "counts_padding", false));
    });
  }

  Napi::Value run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&] {
      check_alive();
      const uint32_t id = program_id(info[0]);
      auto run = std::make_shared<graph::CachedRun>();
      // What the promise gives: it keeps the memory of V8 in place that the engine writes into.
      Napi::Object result = Napi::Object::New(env);
      run->run.in_order = info[1].IsArray();
      if (run->run.in_order) {
        read_inputs_in_order(info[1].As<Napi::Array>(), run->run);
        read_targets(info[3], run->run);
        result.Set("targets", info[3]);
      } else {
        const graph::Program& program = graph_->program(id);
        read_inputs_by_name(object(info[1], "inputs"), program, run->run);
        result.Set("outputs", new_outputs(env, program, run->run));
      }
      return given(info[2]) ? run_cached(env, id, run, result, object(info[2], "cached")) : run_plain(env, id, run, result);
    });
  }

  Napi::Value run_plain(Napi::Env env, uint32_t id, const std::shared_ptr<graph::CachedRun>& run, const Napi::Object& result) {
    const uint32_t promise = open_promise(env, result);
    graph_->run(id, std::shared_ptr<graph::Run>(run, &run->run), [this, queue = queue_, promise](const std::exception_ptr& failure) {
      queue->post([this, promise, failure](Napi::Env env) { settle(env, promise, failure); });
    });
    return EngineObject::promise(promise);
  }

  Napi::Value run_cached(Napi::Env env, uint32_t id, const std::shared_ptr<graph::CachedRun>& run, const Napi::Object& result,
                         const Napi::Object& arguments) {
    run->hidden = counts(arguments, "hidden");
    run->visible = counts(arguments, "visible");
    if (property(arguments, "places")) run->places = counts(arguments, "places");
    if (const auto memory = property(arguments, "memory")) {
      run->memory_hidden = counts(object(*memory, "memory"), "hidden");
      run->memory_visible = counts(object(*memory, "memory"), "visible");
    }
    const auto handle = static_cast<uint32_t>(integer(arguments, "cache", 0, 0, max_id));
    run->cache = take_cache(handle);
    struct Kept {
      std::shared_ptr<generation::Cache> cache;
      int64_t size = 0;
    };
    const auto kept = std::make_shared<Kept>();
    const uint32_t promise = open_promise(env, result);
    graph_->run(
        id, run, [kept](std::shared_ptr<generation::Cache> cache, int64_t size) { *kept = {std::move(cache), size}; },
        [this, queue = queue_, promise, handle, kept](const std::exception_ptr& failure) {
          queue->post([this, promise, handle, kept, failure](Napi::Env env) {
            give_back_cache(env, handle);
            if (kept->cache)
              this->result(promise).Set("cache", static_cast<double>(keep_cache(env, handle, kept->cache, kept->size)));
            settle(env, promise, failure);
          });
        });
    return EngineObject::promise(promise);
  }

  std::shared_ptr<EngineOf<graph::Engine>> graph_;
};

}  // namespace

void init_graph_engine(Napi::Env env, Napi::Object exports) { exports.Set("GraphEngine", GraphEngine::define(env)); }

}  // namespace gt::bindings
