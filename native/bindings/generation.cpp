// Logits processors and stop strings by themselves, and the loop over a table of scores, for tests.
#include <condition_variable>
#include <limits>
#include <mutex>

#include "bindings/arguments.h"
#include "bindings/bindings.h"
#include "bindings/generation_options.h"
#include "bindings/guarded.h"
#include "bindings/token_strings.h"
#include "generation/assistant_strategy.h"
#include "generation/bigram_decoder.h"
#include "generation/scheduler.h"

namespace gt::bindings {

using generation::Ids;

namespace {

constexpr napi_type_tag token_strings_tag = {0x5d1f0b6f6c4a4e0bULL, 0x9a2f7c0b3c1de5a4ULL};

// process_logits(processors, input_ids, scores): changes scores [rows, vocab_size] in place.
Napi::Value process_logits(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const std::vector<Ids> ids = id_rows(info[1], "input_ids");
    if (ids.empty() || ids[0].empty()) throw TypeError("Expected input_ids with at least one token in each row");
    auto scores = typed_array(info[2], napi_float32_array, "a Float32Array", "scores").As<Napi::Float32Array>();
    const size_t vocab_size = scores.ElementLength() / ids.size();
    if (vocab_size == 0 || vocab_size * ids.size() != scores.ElementLength())
      throw TypeError("Expected scores of shape [" + std::to_string(ids.size()) + ", vocab_size] but received " +
                      std::to_string(scores.ElementLength()) + " numbers");
    std::vector<generation::ScoresRow> rows(ids.size());
    for (size_t i = 0; i < ids.size(); i++) {
      if (ids[i].size() != ids[0].size()) throw TypeError("Expected input_ids with rows of one length");
      rows[i].row = static_cast<int32_t>(i);
      rows[i].ids = &ids[i];
      rows[i].scores = scores.Data() + i * vocab_size;
      rows[i].vocab_size = static_cast<int32_t>(vocab_size);
    }
    if (!info[0].IsArray()) expected("a list of processors", "processors", info[0]);
    const auto specs = info[0].As<Napi::Array>();
    for (uint32_t i = 0; i < specs.Length(); i++)
      logits_processor(object(specs.Get(i), "processors"), static_cast<int32_t>(vocab_size))->process_all(rows);
    return scores;
  });
}

// check_logits_processor(spec): throws what is wrong with it, whatever the vocabulary.
void check_logits_processor(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] { logits_processor(object(info[0], "processor"), std::numeric_limits<int32_t>::max()); });
}

Napi::Array arrays(Napi::Env env, const std::vector<Ids>& rows) {
  Napi::Array result = Napi::Array::New(env);
  for (const Ids& row : rows) {
    Napi::Int32Array ids = Napi::Int32Array::New(env, row.size());
    std::copy(row.begin(), row.end(), ids.Data());
    result.Set(result.Length(), ids);
  }
  return result;
}

Napi::Array arrays(Napi::Env env, const std::vector<std::vector<float>>& rows) {
  Napi::Array result = Napi::Array::New(env);
  for (const auto& row : rows) {
    Napi::Float32Array values = Napi::Float32Array::New(env, row.size());
    std::copy(row.begin(), row.end(), values.Data());
    result.Set(result.Length(), values);
  }
  return result;
}

// One request to the table, and what came of it.
struct TableCall {
  generation::Request request;
  uint64_t id = 0;
  size_t cancel_after = 0;  // tokens of the first row; 0: never
  Ids streamed;             // tokens of all rows, step by step
  bool ended = false;
  std::exception_ptr error;
  generation::Result result;
};

Napi::Object table_result(Napi::Env env, const TableCall& call) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("streamed", arrays(env, {call.streamed}).Get(0u));
  if (call.error) {
    try {
      std::rethrow_exception(call.error);
    } catch (const std::exception& error) {
      result.Set("error", to_js_error(env, error).Value());
    }
    return result;
  }
  result.Set("sequences", arrays(env, call.result.sequences));
  result.Set("scores", arrays(env, call.result.scores));
  result.Set("logits", arrays(env, call.result.logits));
  result.Set("sequences_scores", arrays(env, {call.result.sequences_scores}).Get(0u));
  result.Set("beam_indices", arrays(env, call.result.beam_indices));
  return result;
}

// generate_table(table, requests, limits): runs all requests at once over a BigramDecoder and waits for them.
Napi::Value generate_table(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    const auto table = typed_array(info[0], napi_float32_array, "a Float32Array", "table").As<Napi::Float32Array>();
    const Napi::Object limits = object(info[2], "limits");
    generation::BigramOptions options;
    options.table.assign(table.Data(), table.Data() + table.ElementLength());
    options.max_positions = static_cast<int32_t>(integer(limits, "max_positions", 1 << 20, 1, 1 << 20));
    options.max_rows = static_cast<int32_t>(integer(limits, "max_rows", 1 << 20, 1, 1 << 20));
    options.max_tokens = static_cast<int32_t>(integer(limits, "max_tokens", 1 << 30, 1, 1 << 30));

    const auto requests = info[1].As<Napi::Array>();
    std::vector<TableCall> calls(requests.Length());
    for (uint32_t i = 0; i < requests.Length(); i++) {
      const Napi::Object request = object(requests.Get(i), "requests");
      calls[i].request.input_ids = id_rows(request.Get("input_ids"), "input_ids");
      if (const auto mask = property(request, "attention_mask"))
        for (const Ids& row : id_rows(*mask, "attention_mask")) calls[i].request.attention_mask.emplace_back(row.begin(), row.end());
      calls[i].request.options = generation_options(object(request.Get("options"), "options"));
      calls[i].cancel_after = static_cast<size_t>(integer(request, "cancel_after", 0, 0, 1 << 30));
    }

    std::mutex mutex;
    std::condition_variable ended;
    size_t open = calls.size();
    generation::Scheduler scheduler([&](const std::atomic<bool>& aborted) {
      return std::make_unique<generation::BigramDecoder>(options, aborted);
    });
    for (TableCall& call : calls) {
      const auto end = [&] {
        std::lock_guard<std::mutex> lock(mutex);
        if (--open == 0) ended.notify_one();
      };
      const size_t rows = call.request.input_ids.size() * static_cast<size_t>(call.request.options.num_return_sequences);
      call.request.on_tokens = [&call, &scheduler, rows](const int32_t* tokens, const int32_t*, size_t count) {
        call.streamed.insert(call.streamed.end(), tokens, tokens + count);
        if (call.cancel_after && call.streamed.size() == call.cancel_after * rows) scheduler.cancel(call.id);
      };
      call.request.on_done = [&call, end](generation::Result result) {
        call.result = std::move(result);
        end();
      };
      call.request.on_error = [&call, end](std::exception_ptr error) {
        call.error = error;
        end();
      };
    }
    {
      std::unique_lock<std::mutex> lock(mutex);
      // The thread waits until every id is known.
      scheduler.run([&](generation::Decoder*) { std::lock_guard<std::mutex> wait(mutex); });
      for (TableCall& call : calls) call.id = scheduler.submit(std::move(call.request));
      ended.wait(lock, [&] { return open == 0; });
    }
    scheduler.stop();
    Napi::Array result = Napi::Array::New(env);
    for (const TableCall& call : calls) result.Set(result.Length(), table_result(env, call));
    return result;
  });
}

// assistant_strategy(state, heuristic, rounds): what an assistant has learned after each.
Napi::Value assistant_strategy(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    const Napi::Object begin = object(info[0], "state");
    const auto number = [](const Napi::Value& value) { return value.As<Napi::Number>().DoubleValue(); };
    generation::AssistantStrategy strategy({number(begin.Get("num_assistant_tokens")), number(begin.Get("confidence_threshold"))},
                                           info[1].ToBoolean().Value());
    Napi::Array result = Napi::Array::New(env);
    const auto rounds = info[2].As<Napi::Array>();
    for (uint32_t i = 0; i < rounds.Length(); i++) {
      const Napi::Object round = object(rounds.Get(i), "rounds");
      const auto list = round.Get("probabilities").As<Napi::Array>();
      std::vector<float> probabilities;
      for (uint32_t k = 0; k < list.Length(); k++) probabilities.push_back(static_cast<float>(number(list.Get(k))));
      strategy.add(probabilities);
      strategy.update(static_cast<size_t>(integer(round, "candidates", 0, 0, 1 << 20)), static_cast<size_t>(integer(round, "matches", 0, 0, 1 << 20)));
      Napi::Object state = Napi::Object::New(env);
      state.Set("num_assistant_tokens", strategy.state().num_assistant_tokens);
      state.Set("confidence_threshold", strategy.state().confidence_threshold);
      result.Set(i, state);
    }
    return result;
  });
}

}  // namespace

Napi::Function TokenStrings::define(Napi::Env env) {
  return DefineClass(env, "TokenStrings", {InstanceMethod("ends_with", &TokenStrings::ends_with)});
}

// What token_texts() of a tokenizer gives.
static std::shared_ptr<const generation::TokenStrings> token_texts(const Napi::Object& texts) {
  const auto array = [&](const char* name, napi_typedarray_type type) {
    const Napi::Value value = texts.Get(name);
    if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) expected("a typed array", name, value);
    return value.As<Napi::TypedArray>();
  };
  const auto bytes = array("bytes", napi_uint8_array).As<Napi::Uint8Array>();
  const auto ends = array("ends", napi_uint32_array).As<Napi::Uint32Array>();
  const auto known = array("known", napi_uint8_array).As<Napi::Uint8Array>();
  const uint32_t* first = ends.Data();
  const size_t count = ends.ElementLength();
  const size_t size = count == 0 ? 0 : first[count - 1];
  if (known.ElementLength() != count || size != bytes.ElementLength() || !std::is_sorted(first, first + count))
    expected("ends that ascend to that of the bytes, and as many flags", "ends", ends);
  const std::string_view text(reinterpret_cast<const char*>(bytes.Data()), size);
  return std::make_shared<generation::TokenStrings>(text, first, known.Data(), count);
}

TokenStrings::TokenStrings(const Napi::CallbackInfo& info) : Napi::ObjectWrap<TokenStrings>(info) {
  guarded(info.Env(), [&] {
    info.This().As<Napi::Object>().TypeTag(&token_strings_tag);
    if (info[0].IsObject() && info[0].As<Napi::Object>().Has("bytes")) {
      strings_ = token_texts(info[0].As<Napi::Object>());
      return;
    }
    if (!info[0].IsArray()) expected("a list of strings and nulls", "strings", info[0]);
    const auto array = info[0].As<Napi::Array>();
    std::vector<std::string> texts(array.Length());
    std::vector<const std::string*> strings;
    for (uint32_t i = 0; i < array.Length(); i++) {
      const Napi::HandleScope scope(info.Env());
      const Napi::Value value = array.Get(i);
      if (given(value)) texts[i] = text(value, "strings");
      strings.push_back(given(value) ? &texts[i] : nullptr);
    }
    strings_ = std::make_shared<generation::TokenStrings>(strings);
  });
}

std::shared_ptr<const generation::TokenStrings> TokenStrings::of(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&token_strings_tag))
    expected("an instance of TokenStrings", "token_strings", value);
  return Unwrap(value.As<Napi::Object>())->strings_;
}

Napi::Value TokenStrings::ends_with(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    if (!info[0].IsArray()) expected("a list of strings", "stop_strings", info[0]);
    std::vector<std::string> stops;
    const auto given_stops = info[0].As<Napi::Array>();
    for (uint32_t i = 0; i < given_stops.Length(); i++) stops.push_back(text(given_stops.Get(i), "stop_strings"));
    const generation::StopStrings matcher(stops, strings_);
    Napi::Array result = Napi::Array::New(info.Env());
    for (const Ids& row : id_rows(info[1], "input_ids")) result.Set(result.Length(), Napi::Boolean::New(info.Env(), matcher.matches(row)));
    return result;
  });
}

void init_generation(Napi::Env env, Napi::Object exports) {
  exports.Set("process_logits", Napi::Function::New(env, process_logits));
  exports.Set("check_logits_processor", Napi::Function::New(env, check_logits_processor));
  exports.Set("TokenStrings", TokenStrings::define(env));
  exports.Set("generate_table", Napi::Function::New(env, generate_table));
  exports.Set("assistant_strategy", Napi::Function::New(env, assistant_strategy));
}

}  // namespace gt::bindings
