// NativeGraphEngine of lib/native_engines.ts.
#include "bindings/arguments.h"
#include "bindings/bindings.h"
#include "bindings/engine_object.h"
#include "bindings/guarded.h"
#include "bindings/state_dict.h"
#include "graph/engine.h"

namespace gt::bindings {

namespace {

// Copies of what a program is fed, by name or in its order.
void read_inputs(const Napi::Object& inputs, const graph::Program& program, graph::Run& run) {
  const bool is_list = inputs.IsArray();
  run.inputs.reserve(program.inputs.size());
  for (uint32_t i = 0; i < program.inputs.size(); i++) {
    const std::string& name = program.inputs[i];
    const Napi::Value value = is_list ? inputs.Get(i) : inputs.Get(name.c_str());
    napi_typedarray_type type;
    size_t length;
    void* data;
    if (napi_get_typedarray_info(inputs.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
        (type != napi_int32_array && type != napi_float32_array)) {
      if (value.IsUndefined()) continue;
      expected("an Int32Array or a Float32Array", name, value);
    }
    const auto* bytes = static_cast<const uint8_t*>(data);
    run.inputs.emplace_back(name, std::vector<uint8_t>(bytes, bytes + length * 4));
  }
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

// Where an output of this shape goes: a GraphTarget.
graph::Run::Target read_target(const std::string& name, const graph::Shape& shape, const Napi::Object& where) {
  const bool has_places = !where.IsTypedArray();
  const Napi::Value array = has_places ? Napi::Value(where.Get("data")) : Napi::Value(where);
  auto data = typed_array(array, napi_float32_array, "a Float32Array", name).As<Napi::Float32Array>();
  graph::Run::Target target{name, data.Data(), data.ElementLength()};
  const auto all = static_cast<size_t>(graph::n_elements(shape));
  if (!has_places && target.count > all)
    throw RangeError("Expected at most " + std::to_string(all) + " values for " + name + " but received room for " + std::to_string(target.count));
  if (!has_places) return target;
  const auto rows = typed_array(where.Get("places"), napi_int32_array, "an Int32Array", name).As<Napi::Int32Array>();
  target.row_size = all / static_cast<size_t>(shape.at(0));
  target.places.assign(rows.Data(), rows.Data() + rows.ElementLength());
  if (target.places.size() > static_cast<size_t>(shape.at(0)))
    throw RangeError("Expected at most " + std::to_string(shape.at(0)) + " places for " + name + " but received " + std::to_string(target.places.size()));
  const size_t count = target.count / target.row_size;
  for (const int32_t place : target.places)
    if (place < 0 || static_cast<size_t>(place) >= count)
      throw RangeError("Expected places from 0 to " + std::to_string(count) + " (not included) for " + name + " but received " + std::to_string(place));
  return target;
}

void read_targets(const Napi::Value& value, const graph::Program& program, graph::Run& run) {
  if (!value.IsArray() || value.As<Napi::Array>().Length() != program.outputs.size())
    expected("an array of " + std::to_string(program.outputs.size()) + " targets", "targets", value);
  for (uint32_t i = 0; i < program.outputs.size(); i++) {
    const graph::Output& output = program.outputs[i];
    run.outputs.push_back(read_target(output.name, program.nodes[static_cast<size_t>(output.node)].shape,
                                      object(value.As<Napi::Array>().Get(i), "targets")));
  }
}

// What a promise gives: it keeps the memory of V8 in place that the engine writes into.
Napi::Object make_result(Napi::Env env, const graph::Program& program, const Napi::Value& targets, graph::Run& run) {
  Napi::Object result = Napi::Object::New(env);
  if (given(targets)) {
    read_targets(targets, program, run);
    result.Set("targets", targets);
  } else {
    result.Set("outputs", new_outputs(env, program, run));
  }
  return result;
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
      const uint32_t id = graph_->add_program(graph::parse_program(text(info[0], "program")));
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
      const std::shared_ptr<const graph::Program> program = graph_->program(id);
      auto run = std::make_shared<graph::CachedRun>();
      read_inputs(object(info[1], "inputs"), *program, run->run);
      const Napi::Object result = make_result(env, *program, info[3], run->run);
      return given(info[2]) ? run_cached(env, id, run, result, object(info[2], "cached")) : run_plain(env, id, run, result);
    });
  }

  Napi::Value run_plain(Napi::Env env, uint32_t id, const std::shared_ptr<graph::CachedRun>& run, const Napi::Object& result) {
    const uint32_t promise = open_promise(env, result);
    graph_->run(id, std::shared_ptr<const graph::Run>(run, &run->run), [this, queue = queue_, promise](const std::exception_ptr& failure) {
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
