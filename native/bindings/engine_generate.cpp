// EngineObject::generate(): one request to the scheduler, its events on the JavaScript thread.
#include "bindings/arguments.h"
#include "bindings/engine_object.h"
#include "bindings/generation_options.h"
#include "bindings/guarded.h"
#include "bindings/js_hooks.h"

namespace gt::bindings {

namespace {

// New tokens on their way to JavaScript: one callback for all that wait.
struct Stream {
  std::mutex mutex;
  std::vector<int32_t> tokens;
  std::vector<int32_t> rows;
  std::vector<int32_t> steps;  // tokens of each

  // True if a callback must be posted.
  bool push(const int32_t* new_tokens, const int32_t* new_rows, size_t count) {
    std::lock_guard<std::mutex> lock(mutex);
    const bool first = tokens.empty();
    tokens.insert(tokens.end(), new_tokens, new_tokens + count);
    rows.insert(rows.end(), new_rows, new_rows + count);
    steps.push_back(static_cast<int32_t>(count));
    return first && count > 0;
  }
};

template <class Array, class T>
Array typed(Napi::Env env, const std::vector<T>& values) {
  Array array = Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

template <class Array, class T>
Napi::Array arrays(Napi::Env env, const std::vector<std::vector<T>>& rows) {
  Napi::Array result = Napi::Array::New(env, rows.size());
  for (uint32_t i = 0; i < rows.size(); i++) result.Set(i, typed<Array>(env, rows[i]));
  return result;
}

// NativeGenerateResult of lib/native_engines.ts, without the cache.
Napi::Object js_result(Napi::Env env, const generation::Result& result) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("sequences", arrays<Napi::Int32Array>(env, result.sequences));
  if (!result.scores.empty()) object.Set("scores", arrays<Napi::Float32Array>(env, result.scores));
  if (!result.logits.empty()) object.Set("logits", arrays<Napi::Float32Array>(env, result.logits));
  if (!result.sequences_scores.empty()) object.Set("sequences_scores", typed<Napi::Float32Array>(env, result.sequences_scores));
  if (!result.beam_indices.empty()) object.Set("beam_indices", arrays<Napi::Int32Array>(env, result.beam_indices));
  if (!result.running_tokens.empty()) {
    object.Set("running_tokens", arrays<Napi::Int32Array>(env, result.running_tokens));
    object.Set("running_sources", arrays<Napi::Int32Array>(env, result.running_sources));
  }
  if (!result.cache_lengths.empty()) object.Set("cache_lengths", typed<Napi::Int32Array>(env, result.cache_lengths));
  object.Set("decode_time", result.decode_time);
  if (result.assistant) {
    Napi::Object assistant = Napi::Object::New(env);
    assistant.Set("num_assistant_tokens", result.assistant->num_assistant_tokens);
    assistant.Set("confidence_threshold", result.assistant->confidence_threshold);
    object.Set("assistant", assistant);
  }
  return object;
}

// Without hooks, cache and callbacks.
generation::Request read_request(const Napi::Object& arguments) {
  generation::Request request;
  request.input_ids = id_rows(arguments.Get("input_ids"), "input_ids");
  if (const auto logits = property(arguments, "first_logits")) {
    const auto array = typed_array(*logits, napi_float32_array, "a Float32Array", "first_logits").As<Napi::Float32Array>();
    request.first_logits.assign(array.Data(), array.Data() + array.ElementLength());
  }
  if (request.input_ids.empty() || (request.input_ids[0].empty() && request.first_logits.empty()))
    throw RangeError("Expected at least one token for input_ids");
  const size_t length = request.input_ids[0].size();
  for (const generation::Ids& row : request.input_ids)
    if (row.size() != length) throw RangeError("Expected rows of one length for input_ids");
  if (const auto mask = property(arguments, "attention_mask")) {
    for (const generation::Ids& row : id_rows(*mask, "attention_mask")) {
      if (row.size() != length) throw RangeError("Expected rows as long as those of input_ids for attention_mask");
      request.attention_mask.emplace_back(row.begin(), row.end());
    }
    if (request.attention_mask.size() != request.input_ids.size())
      throw RangeError("Expected one row for each of input_ids for attention_mask");
  }
  if (const auto inputs = property(arguments, "row_inputs")) {
    const Napi::Object named = object(*inputs, "row_inputs");
    const Napi::Array names = named.GetPropertyNames();
    for (uint32_t i = 0; i < names.Length(); i++) {
      const std::string name = names.Get(i).As<Napi::String>();
      request.row_inputs[name] = id_rows(named.Get(name), name);
    }
  }
  const Napi::Object options = object(arguments.Get("options"), "options");
  request.options = generation_options(options);
  if (const auto value = property(arguments, "assistant")) request.assistant = assistant(object(*value, "assistant"));
  request.keep_cache = flag(options, "return_dict_in_generate", false) && flag(options, "use_cache", true);
  return request;
}

}  // namespace

Napi::Value EngineObject::generate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    check_alive();
    const Napi::Object arguments = object(info[0], "request");
    const Napi::Object events = object(info[1], "events");
    for (const char* name : {"on_done", "on_error"})
      if (!events.Get(name).IsFunction()) expected("a function", name, events.Get(name));

    generation::Request request = read_request(arguments);
    const uint32_t id = ++last_id_;
    Call call;
    call.events = Napi::Persistent(events);
    if (const auto hooks = property(arguments, "hooks")) {
      call.hooks = Napi::Persistent(object(*hooks, "hooks"));
      JsHooks::Owner owner;
      owner.find = [this, id] {
        const auto found = calls_.find(id);
        return found == calls_.end() ? Napi::Object() : found->second.hooks.Value();
      };
      owner.keep = [this, id](const Napi::Error& error) {
        const auto found = calls_.find(id);
        if (found != calls_.end()) found->second.failure = Napi::Persistent(error.Value());
      };
      request.hooks = std::make_shared<JsHooks>(queue_, call.hooks.Value(), std::move(owner));
    }
    listen(id, request, events);
    const uint32_t cache = static_cast<uint32_t>(integer(arguments, "cache", 0, 0, max_id));
    const uint32_t guidance = static_cast<uint32_t>(integer(arguments, "guidance_cache", 0, 0, max_id));
    request.cache_length = static_cast<int32_t>(integer(arguments, "cache_length", -1, -1, std::numeric_limits<int32_t>::max()));
    try {
      request.cache = take_cache(cache);
      call.cache = cache;
      request.guidance_cache = take_cache(guidance);
      call.guidance = guidance;
      call.request = engine_->submit(std::move(request));
    } catch (...) {
      give_back_cache(env, call.cache);
      give_back_cache(env, call.guidance);
      throw;
    }
    calls_.emplace(id, std::move(call));
    hold(env);

    Napi::Object handle = Napi::Object::New(env);
    handle.Set("cancel", Napi::Function::New(env, [this, id](const Napi::CallbackInfo&) {
                 const auto found = calls_.find(id);
                 if (found != calls_.end()) engine_->cancel(found->second.request);
               }));
    handle.Set("engine", info.This());  // stays as long as the handle
    return handle;
  });
}

// What the request tells comes to the events of call `id`.
void EngineObject::listen(uint32_t id, generation::Request& request, const Napi::Object& events) {
  if (property(events, "on_tokens")) {
    request.on_tokens = [this, queue = queue_, id, stream = std::make_shared<Stream>()](const int32_t* tokens, const int32_t* rows, size_t count) {
      if (!stream->push(tokens, rows, count)) return;
      queue->post([this, id, stream](Napi::Env env) {
        std::vector<int32_t> tokens, rows, steps;
        {
          std::lock_guard<std::mutex> lock(stream->mutex);
          tokens.swap(stream->tokens);
          rows.swap(stream->rows);
          steps.swap(stream->steps);
        }
        const Napi::Object events = calls_.at(id).events.Value();
        const auto array = [env](const std::vector<int32_t>& values) { return typed<Napi::Int32Array>(env, values); };
        events.Get("on_tokens").As<Napi::Function>().Call(events, {array(tokens), array(rows), array(steps)});
      });
    };
  }
  request.on_done = [this, queue = queue_, id](generation::Result result) {
    queue->post([this, id, result = std::make_shared<generation::Result>(std::move(result))](Napi::Env env) {
      const Napi::Object object = js_result(env, *result);
      if (result->cache) object.Set("cache", keep_cache(env, calls_.at(id).cache, result->cache, result->cache_size));
      finish_call(env, id, "on_done", object);
    });
  };
  request.on_error = [this, queue = queue_, id](const std::exception_ptr& error) {
    queue->post([this, id, error](Napi::Env env) {
      const auto& thrown = calls_.at(id).failure;
      finish_call(env, id, "on_error", thrown.IsEmpty() ? to_js_error(env, error) : thrown.Value());
    });
  };
}

void EngineObject::finish_call(Napi::Env env, uint32_t id, const char* event, const Napi::Value& value) {
  const auto found = calls_.find(id);
  const Call call = std::move(found->second);
  calls_.erase(found);
  give_back_cache(env, call.cache);
  give_back_cache(env, call.guidance);
  let_go(env);
  const Napi::Object events = call.events.Value();
  events.Get(event).As<Napi::Function>().Call(events, {value});
}

}  // namespace gt::bindings
