#include "bindings/js_hooks.h"

#include <algorithm>
#include <cstring>

#include "bindings/arguments.h"

namespace gt::bindings {

namespace {

// Rows of one length, one after another.
std::vector<int32_t> flat(const std::vector<generation::Ids>& ids) {
  std::vector<int32_t> result;
  for (const generation::Ids& row : ids) result.insert(result.end(), row.begin(), row.end());
  return result;
}

Napi::Int32Array js_ids(Napi::Env env, const std::vector<int32_t>& ids) {
  Napi::Int32Array array = Napi::Int32Array::New(env, ids.size());
  std::copy(ids.begin(), ids.end(), array.Data());
  return array;
}

Napi::Float32Array js_scores(Napi::Env env, const std::vector<float>& scores) {
  Napi::Float32Array array = Napi::Float32Array::New(env, scores.size());
  std::copy(scores.begin(), scores.end(), array.Data());
  return array;
}

Napi::Value call(const Napi::Object& hooks, const char* name, const std::vector<napi_value>& arguments) {
  return hooks.Get(name).As<Napi::Function>().Call(hooks, arguments);
}

// Tokens, and the scores of all tokens that each was drawn from, one after another.
generation::Candidates read_candidates(const Napi::Value& tokens, const Napi::Value& scores) {
  const auto ids = typed_array(tokens, napi_int32_array, "an Int32Array", "candidates").As<Napi::Int32Array>();
  generation::Candidates result{{ids.Data(), ids.Data() + ids.ElementLength()}, {}};
  if (!given(scores) || result.tokens.empty()) return result;
  const auto all = typed_array(scores, napi_float32_array, "a Float32Array", "the candidates' scores").As<Napi::Float32Array>();
  const size_t size = all.ElementLength() / result.tokens.size();
  for (size_t i = 0; i < result.tokens.size(); i++) result.scores.emplace_back(all.Data() + i * size, all.Data() + (i + 1) * size);
  return result;
}

bool has(const Napi::Object& hooks, const char* name) {
  const auto value = property(hooks, name);
  if (value && !value->IsFunction()) expected("a function", name, *value);
  return value.has_value();
}

}  // namespace

JsHooks::JsHooks(std::shared_ptr<JsQueue> queue, const Napi::Object& hooks, Owner owner)
    : queue_(std::move(queue)), owner_(std::move(owner)) {
  has_logits_processor = has(hooks, "logits_processor");
  has_stopping_criteria = has(hooks, "stopping_criteria");
  has_prefix_allowed_tokens = has(hooks, "prefix_allowed_tokens_fn");
  has_uniforms = has(hooks, "uniform");
  has_candidates = has(hooks, "candidates");
}

template <class Reply>
Reply JsHooks::ask(std::function<Reply(Napi::Env, const Napi::Object&)> question) {
  struct Exchange {
    Reply answer{};
    std::exception_ptr failure;
    bool answered = false;
  };
  auto exchange = std::make_shared<Exchange>();
  queue_->post([self = shared_from_this(), exchange, question = std::move(question)](Napi::Env env) {
    Reply answer{};
    std::exception_ptr failure;
    try {
      const Napi::Object hooks = self->owner_.find();
      if (!hooks.IsEmpty()) answer = question(env, hooks);
    } catch (const Napi::Error& error) {
      self->owner_.keep(error);
      failure = std::make_exception_ptr(Error("hook_failed", error.Message()));
    } catch (...) {
      failure = std::current_exception();
    }
    std::lock_guard<std::mutex> lock(self->mutex_);
    exchange->answer = std::move(answer);
    exchange->failure = failure;
    exchange->answered = true;
    self->wake_.notify_all();
  });
  std::unique_lock<std::mutex> lock(mutex_);
  wake_.wait(lock, [&] { return exchange->answered || interrupted_; });
  if (!exchange->answered) throw Error("aborted", "the request was cancelled");
  if (exchange->failure) std::rethrow_exception(exchange->failure);
  return std::move(exchange->answer);
}

void JsHooks::interrupt() {
  std::lock_guard<std::mutex> lock(mutex_);
  interrupted_ = true;
  wake_.notify_all();
}

void JsHooks::process_logits(size_t group, const std::vector<generation::Ids>& ids, float* scores, int32_t vocab_size) {
  const std::vector<float> before(scores, scores + ids.size() * static_cast<size_t>(vocab_size));
  const auto after = ask<std::vector<float>>([ids = flat(ids), before, rows = ids.size(), group](Napi::Env env, const Napi::Object& hooks) {
    Napi::Value scores = js_scores(env, before);
    const Napi::Value returned =
        call(hooks, "logits_processor", {js_ids(env, ids), scores, Napi::Number::New(env, static_cast<double>(rows)), Napi::Number::New(env, static_cast<double>(group))});
    if (given(returned)) scores = returned;
    const auto array = typed_array(scores, napi_float32_array, "a Float32Array", "the result of logits_processor").As<Napi::Float32Array>();
    if (array.ElementLength() != before.size())
      throw RangeError("Expected " + std::to_string(before.size()) + " scores of logits_processor but received " +
                       std::to_string(array.ElementLength()));
    return std::vector<float>(array.Data(), array.Data() + array.ElementLength());
  });
  std::copy(after.begin(), after.end(), scores);
}

std::vector<uint8_t> JsHooks::should_stop(const std::vector<generation::Ids>& ids, const float* scores, int32_t vocab_size) {
  const size_t rows = ids.size();
  const std::vector<float> copied(scores, scores + rows * static_cast<size_t>(vocab_size));
  return ask<std::vector<uint8_t>>([ids = flat(ids), copied, rows](Napi::Env env, const Napi::Object& hooks) {
    const Napi::Value answer = call(hooks, "stopping_criteria",
                                    {js_ids(env, ids), js_scores(env, copied), Napi::Number::New(env, static_cast<double>(rows))});
    if (answer.IsBoolean()) return std::vector<uint8_t>(rows, answer.As<Napi::Boolean>().Value());
    if (!answer.IsArray() || answer.As<Napi::Array>().Length() != rows)
      expected("a boolean, or one for each of " + std::to_string(rows) + " rows,", "the result of stopping_criteria", answer);
    std::vector<uint8_t> done;
    for (uint32_t row = 0; row < rows; row++) done.push_back(answer.As<Napi::Array>().Get(row).ToBoolean().Value());
    return done;
  });
}

std::vector<int32_t> JsHooks::allowed_tokens(int32_t batch_id, const generation::Ids& ids) {
  return ask<std::vector<int32_t>>([ids, batch_id](Napi::Env env, const Napi::Object& hooks) {
    const Napi::Value answer = call(hooks, "prefix_allowed_tokens_fn", {Napi::Number::New(env, batch_id), js_ids(env, ids)});
    const auto array =
        typed_array(answer, napi_int32_array, "an Int32Array", "the result of prefix_allowed_tokens_fn").As<Napi::Int32Array>();
    return std::vector<int32_t>(array.Data(), array.Data() + array.ElementLength());
  });
}

// JavaScript answers when it can: the function that it is given may be called after the request is over.
void JsHooks::get_candidates(const generation::Ids& ids, int32_t count, std::vector<double> uniforms, Answer answer) {
  queue_->post([self = shared_from_this(), ids, count, uniforms = std::move(uniforms), answer = std::move(answer)](Napi::Env env) {
    const auto take = [answer](const Napi::CallbackInfo& info) {
      try {
        if (given(info[0])) {
          const Napi::Object error = object(info[0], "error");
          throw Error(text(error, "code", "hook_failed"), text(error, "message", ""));
        }
        answer(read_candidates(info[1], info[2]), nullptr);
      } catch (...) {
        answer({}, std::current_exception());
      }
    };
    try {
      const Napi::Object hooks = self->owner_.find();
      if (hooks.IsEmpty()) return;
      Napi::Float64Array numbers = Napi::Float64Array::New(env, uniforms.size());
      std::copy(uniforms.begin(), uniforms.end(), numbers.Data());
      call(hooks, "candidates", {js_ids(env, ids), Napi::Number::New(env, count), numbers, Napi::Function::New(env, take)});
    } catch (const Napi::Error& error) {
      self->owner_.keep(error);
      answer({}, std::make_exception_ptr(Error("hook_failed", error.Message())));
    }
  });
}

std::vector<double> JsHooks::uniforms(size_t count) {
  return ask<std::vector<double>>([count](Napi::Env, const Napi::Object& hooks) {
    std::vector<double> result;
    while (result.size() < count) {
      const Napi::Value value = call(hooks, "uniform", {});
      if (!value.IsNumber()) expected("a number", "the result of generator", value);
      const double number = value.As<Napi::Number>().DoubleValue();
      if (!(number >= 0 && number < 1)) throw RangeError("Expected a number in [0, 1) of generator but received " + value.ToString().Utf8Value());
      result.push_back(number);
    }
    return result;
  });
}

}  // namespace gt::bindings
