#include "bindings/generation_options.h"

#include <algorithm>
#include <functional>
#include <map>

#include "bindings/arguments.h"
#include "bindings/engine_object.h"
#include "bindings/grammar.h"
#include "bindings/token_strings.h"
#include "generation/constraints.h"
#include "generation/grammar_processor.h"
#include "generation/penalties.h"
#include "generation/warpers.h"
#include "generation/watermark.h"

namespace gt::bindings {

using generation::GenerationOptions;
using generation::Ids;

namespace {

constexpr int64_t most = std::numeric_limits<int32_t>::max();

double number(const Napi::Value& value, const std::string& argument) {
  if (!value.IsNumber()) expected("a number", argument, value);
  return value.As<Napi::Number>().DoubleValue();
}

double number(const Napi::Object& object, const char* name, double fallback) {
  const auto value = property(object, name);
  return value ? number(*value, name) : fallback;
}

int32_t count(const Napi::Object& object, const char* name, int32_t fallback, int64_t least = 0) {
  return static_cast<int32_t>(integer(object, name, fallback, least, most));
}

// Calls `use` with each element of an array or a typed array.
template <class Use>
void for_each(const Napi::Value& value, const char* what, const std::string& argument, Use&& use) {
  if (!value.IsArray() && !value.IsTypedArray()) expected(what, argument, value);
  const auto object = value.As<Napi::Object>();
  const uint32_t length =
      value.IsArray() ? value.As<Napi::Array>().Length() : static_cast<uint32_t>(value.As<Napi::TypedArray>().ElementLength());
  for (uint32_t i = 0; i < length; i++) use(object.Get(i));
}

Ids ids_of(const Napi::Object& object, const char* name) {
  const auto value = property(object, name);
  return value ? token_ids(*value, name) : Ids();
}

std::vector<Ids> rows_of(const Napi::Object& object, const char* name) {
  const auto value = property(object, name);
  return value ? id_rows(*value, name) : std::vector<Ids>();
}

std::vector<std::pair<Ids, float>> biases(const Napi::Value& value, const std::string& argument) {
  std::vector<std::pair<Ids, float>> result;
  for_each(value, "a list of [token ids, bias]", argument, [&](const Napi::Value& entry) {
    if (!entry.IsArray() || entry.As<Napi::Array>().Length() != 2) expected("pairs of token ids and a bias", argument, entry);
    const auto pair = entry.As<Napi::Object>();
    result.emplace_back(token_ids(pair.Get(0u), argument), static_cast<float>(number(pair.Get(1u), argument)));
  });
  return result;
}

std::pair<int32_t, double> decay(const Napi::Value& value, const std::string& argument) {
  if (!value.IsArray() || value.As<Napi::Array>().Length() != 2) expected("[start, factor]", argument, value);
  const auto pair = value.As<Napi::Object>();
  return {static_cast<int32_t>(integer(pair.Get(0u), argument, 0, most)), number(pair.Get(1u), argument)};
}

generation::Watermarking watermarking(const Napi::Object& object) {
  generation::Watermarking result;
  result.greenlist_ratio = static_cast<float>(number(object, "greenlist_ratio", 0.25));
  result.bias = static_cast<float>(number(object, "bias", 2.0));
  result.hashing_key = integer(object, "hashing_key", result.hashing_key, 0, int64_t{1} << 53);
  const std::string scheme = text(object, "seeding_scheme", "lefthash");
  if (scheme != "lefthash" && scheme != "selfhash")
    throw TypeError("seeding_scheme has to be one of [`selfhash`, `lefthash`], but found " + scheme);
  result.self_hash = scheme == "selfhash";
  result.context_width = count(object, "context_width", 1, 1);
  return result;
}

generation::EarlyStopping early_stopping(const Napi::Object& object) {
  const auto value = property(object, "early_stopping");
  if (!value) return generation::EarlyStopping::no;
  if (value->IsBoolean())
    return value->As<Napi::Boolean>().Value() ? generation::EarlyStopping::yes : generation::EarlyStopping::no;
  if (value->IsString() && value->As<Napi::String>().Utf8Value() == "never") return generation::EarlyStopping::never;
  expected("a boolean or 'never'", "early_stopping", *value);
}

void read_output(const Napi::Object& object, GenerationOptions& o) {
  o.output_scores = flag(object, "output_scores", false);
  o.output_logits = flag(object, "output_logits", false);
  o.output_states = flag(object, "output_hidden_states", false) || flag(object, "output_attentions", false);
  // Python makes them for a dictionary alone.
  if (!flag(object, "return_dict_in_generate", true)) o.output_scores = o.output_logits = o.output_states = false;
  if (property(object, "seed")) o.seed = static_cast<uint64_t>(integer(object, "seed", 0, 0, int64_t{1} << 53));
  if (const auto uniforms = property(object, "uniforms")) {
    for_each(*uniforms, "an array of numbers", "uniforms", [&](const Napi::Value& value) { o.uniforms.push_back(number(value, "uniforms")); });
    if (o.uniforms.empty()) throw RangeError("Expected at least one number for uniforms but received none");
  }
}

// Specs as of process_logits(), each with the size of the vocabulary; null for a group of the host's.
void read_user_processors(const Napi::Object& object, GenerationOptions& o) {
  const auto value = property(object, "user_processors");
  if (!value) return;
  for_each(*value, "a list of processors", "user_processors", [&](const Napi::Value& spec) {
    if (!given(spec)) return o.user_processors.push_back(nullptr);
    const auto processor = bindings::object(spec, "user_processors");
    o.user_processors.push_back(logits_processor(processor, count(processor, "vocab_size", 0, 1)));
  });
}

void read_processors(const Napi::Object& object, GenerationOptions& o) {
  if (property(object, "guidance_scale")) o.guidance_scale = static_cast<float>(number(object, "guidance_scale", 1));
  o.negative_prompt_ids = rows_of(object, "negative_prompt_ids");
  for (const Ids& row : rows_of(object, "negative_prompt_attention_mask"))
    o.negative_prompt_attention_mask.emplace_back(row.begin(), row.end());
  if (property(object, "guidance_token")) o.guidance_token = count(object, "guidance_token", 0, 0);
  if (const auto value = property(object, "sequence_bias")) o.sequence_bias = biases(*value, "sequence_bias");
  o.encoder_repetition_penalty = static_cast<float>(number(object, "encoder_repetition_penalty", 1));
  o.repetition_penalty = static_cast<float>(number(object, "repetition_penalty", 1));
  o.prompt_ignore_length = count(object, "prompt_ignore_length", 0);
  o.no_repeat_ngram_size = count(object, "no_repeat_ngram_size", 0);
  o.encoder_no_repeat_ngram_size = count(object, "encoder_no_repeat_ngram_size", 0);
  o.encoder_input_ids = rows_of(object, "encoder_input_ids");
  o.bad_words_ids = rows_of(object, "bad_words_ids");
  if (property(object, "forced_bos_token_id")) o.forced_bos_token_id = count(object, "forced_bos_token_id", 0);
  o.forced_eos_token_id = ids_of(object, "forced_eos_token_id");
  o.remove_invalid_values = flag(object, "remove_invalid_values", false);
  if (const auto value = property(object, "exponential_decay_length_penalty"))
    o.exponential_decay_length_penalty = decay(*value, "exponential_decay_length_penalty");
  o.suppress_tokens = ids_of(object, "suppress_tokens");
  o.begin_suppress_tokens = ids_of(object, "begin_suppress_tokens");
  if (const auto value = property(object, "grammar")) o.grammar = Grammar::of(*value);
  o.temperature = static_cast<float>(number(object, "temperature", 1));
  o.top_k = object.Get("top_k").IsNull() ? 0 : count(object, "top_k", o.top_k);
  o.top_p = number(object, "top_p", 1);
  if (property(object, "min_p")) o.min_p = number(object, "min_p", 0);
  o.typical_p = number(object, "typical_p", 1);
  o.epsilon_cutoff = number(object, "epsilon_cutoff", 0);
  o.eta_cutoff = number(object, "eta_cutoff", 0);
  if (const auto value = property(object, "watermarking_config"))
    o.watermarking_config = watermarking(gt::bindings::object(*value, "watermarking_config"));
  o.renormalize_logits = flag(object, "renormalize_logits", false);
  read_user_processors(object, o);
}

}  // namespace

Ids token_ids(const Napi::Value& value, const std::string& argument) {
  const auto one = [&](const Napi::Value& id) { return static_cast<int32_t>(integer(id, argument, 0, most)); };
  if (value.IsNumber()) return {one(value)};
  if (value.IsTypedArray() && value.As<Napi::TypedArray>().TypedArrayType() == napi_int32_array) {
    const auto array = value.As<Napi::Int32Array>();
    Ids ids(array.Data(), array.Data() + array.ElementLength());
    if (std::any_of(ids.begin(), ids.end(), [](int32_t id) { return id < 0; })) expected("token ids of at least 0", argument, value);
    return ids;
  }
  Ids result;
  for_each(value, "token ids", argument, [&](const Napi::Value& id) { result.push_back(one(id)); });
  return result;
}

std::vector<Ids> id_rows(const Napi::Value& value, const std::string& argument) {
  std::vector<Ids> result;
  for_each(value, "rows of token ids", argument, [&](const Napi::Value& row) {
    if (row.IsNumber()) expected("rows of token ids", argument, value);
    result.push_back(token_ids(row, argument));
  });
  return result;
}

GenerationOptions generation_options(const Napi::Object& object) {
  GenerationOptions o;
  o.max_length = count(object, "max_length", o.max_length, 1);
  o.min_length = count(object, "min_length", 0);
  o.min_new_tokens = count(object, "min_new_tokens", 0);
  o.max_time = number(object, "max_time", o.max_time);
  if (const auto value = property(object, "stop_strings")) {
    if (value->IsString()) o.stop_strings.push_back(text(*value, "stop_strings"));
    else for_each(*value, "strings", "stop_strings", [&](const Napi::Value& one) { o.stop_strings.push_back(text(one, "stop_strings")); });
  }
  if (const auto value = property(object, "token_strings")) o.token_strings = TokenStrings::of(*value);
  o.do_sample = flag(object, "do_sample", false);
  o.num_beams = count(object, "num_beams", 1, 1);
  o.num_return_sequences = count(object, "num_return_sequences", 1, 1);
  o.early_stopping = early_stopping(object);
  o.length_penalty = number(object, "length_penalty", 1);
  o.eos_token_id = ids_of(object, "eos_token_id");
  if (property(object, "stop_token_id")) o.stop_token_id = ids_of(object, "stop_token_id");
  o.pad_token_id = count(object, "pad_token_id", o.eos_token_id.empty() ? 0 : o.eos_token_id[0]);
  if (property(object, "prompt_lookup_num_tokens")) {
    o.prompt_lookup_num_tokens = count(object, "prompt_lookup_num_tokens", 0, 1);
    if (const int32_t size = count(object, "max_matching_ngram_size", 0)) o.max_matching_ngram_size = size;
  }
  if (flag(object, "is_assistant", false)) o.assistant_confidence_threshold = number(object, "assistant_confidence_threshold", 0);
  read_processors(object, o);
  read_output(object, o);
  return o;
}

std::shared_ptr<const generation::Assistant> assistant(const Napi::Object& object) {
  auto result = std::make_shared<generation::Assistant>();
  if (const auto engine = property(object, "engine")) {
    const EngineObject::Target& target = EngineObject::target_of(*engine, "assistant.engine");
    result->engine = target.engine;
    result->cache = target.cache;
  }
  result->options = generation_options(gt::bindings::object(object.Get("options"), "assistant.options"));
  result->max_positions = count(object, "max_positions", most, 1);
  result->heuristic = flag(object, "heuristic", false);
  result->adapts_now = flag(object, "adapts_now", false);
  result->state.num_assistant_tokens = number(object, "num_assistant_tokens", 20);
  result->state.confidence_threshold = number(object, "confidence_threshold", 0);
  result->options.assistant_confidence_threshold = result->state.confidence_threshold;
  return result;
}

std::shared_ptr<generation::LogitsProcessor> logits_processor(const Napi::Object& spec, int32_t vocab_size) {
  using namespace generation;
  using Made = std::shared_ptr<LogitsProcessor>;
  const auto value = [&](const char* name) { return number(spec.Get(name), name); };
  const auto whole = [&](const char* name) { return static_cast<int32_t>(integer(spec.Get(name), name, -most, most)); };
  const auto ids = [&](const char* name) { return bindings::token_ids(spec.Get(name), name); };
  const auto rows = [&](const char* name) { return bindings::id_rows(spec.Get(name), name); };
  const auto eos = [&] { return ids_of(spec, "eos_token_id"); };
  const int32_t keep = static_cast<int32_t>(integer(spec, "min_tokens_to_keep", 1, -most, most));
  const auto filter = static_cast<float>(number(spec, "filter_value", static_cast<double>(removed)));
  const std::map<std::string, std::function<Made()>> makers = {
      {"SequenceBiasLogitsProcessor", [&]() -> Made { return std::make_shared<SequenceBiasLogitsProcessor>(biases(spec.Get("sequence_bias"), "sequence_bias"), vocab_size); }},
      {"EncoderRepetitionPenaltyLogitsProcessor", [&]() -> Made { return std::make_shared<EncoderRepetitionPenaltyLogitsProcessor>(static_cast<float>(value("penalty")), rows("encoder_input_ids")); }},
      {"RepetitionPenaltyLogitsProcessor", [&]() -> Made { return std::make_shared<RepetitionPenaltyLogitsProcessor>(static_cast<float>(value("penalty")), count(spec, "prompt_ignore_length", 0)); }},
      {"NoRepeatNGramLogitsProcessor", [&]() -> Made { return std::make_shared<NoRepeatNGramLogitsProcessor>(whole("ngram_size")); }},
      {"EncoderNoRepeatNGramLogitsProcessor", [&]() -> Made { return std::make_shared<EncoderNoRepeatNGramLogitsProcessor>(whole("encoder_ngram_size"), rows("encoder_input_ids")); }},
      {"NoBadWordsLogitsProcessor", [&]() -> Made { return std::make_shared<SequenceBiasLogitsProcessor>(rows("bad_words_ids"), eos(), vocab_size); }},
      {"MinLengthLogitsProcessor", [&]() -> Made { return std::make_shared<MinLengthLogitsProcessor>(whole("min_length"), ids("eos_token_id")); }},
      {"MinNewTokensLengthLogitsProcessor", [&]() -> Made { return std::make_shared<MinNewTokensLengthLogitsProcessor>(whole("prompt_length_to_skip"), whole("min_new_tokens"), ids("eos_token_id")); }},
      {"ForcedBOSTokenLogitsProcessor", [&]() -> Made { return std::make_shared<ForcedBOSTokenLogitsProcessor>(whole("bos_token_id")); }},
      {"ForcedEOSTokenLogitsProcessor", [&]() -> Made { return std::make_shared<ForcedEOSTokenLogitsProcessor>(whole("max_length"), ids("eos_token_id")); }},
      {"InfNanRemoveLogitsProcessor", [&]() -> Made { return std::make_shared<InfNanRemoveLogitsProcessor>(); }},
      {"ExponentialDecayLengthPenalty", [&]() -> Made {
         const auto [start, factor] = decay(spec.Get("exponential_decay_length_penalty"), "exponential_decay_length_penalty");
         return std::make_shared<ExponentialDecayLengthPenalty>(start, factor, ids("eos_token_id"), whole("input_ids_seq_length"));
       }},
      {"SuppressTokensLogitsProcessor", [&]() -> Made { return std::make_shared<SuppressTokensLogitsProcessor>(ids("suppress_tokens")); }},
      {"SuppressTokensAtBeginLogitsProcessor", [&]() -> Made { return std::make_shared<SuppressTokensAtBeginLogitsProcessor>(ids("begin_suppress_tokens"), whole("begin_index")); }},
      {"TemperatureLogitsWarper", [&]() -> Made { return std::make_shared<TemperatureLogitsWarper>(static_cast<float>(value("temperature"))); }},
      {"TopKLogitsWarper", [&]() -> Made { return std::make_shared<TopKLogitsWarper>(whole("top_k"), keep, filter); }},
      {"TopPLogitsWarper", [&]() -> Made { return std::make_shared<TopPLogitsWarper>(value("top_p"), keep, filter); }},
      {"MinPLogitsWarper", [&]() -> Made { return std::make_shared<MinPLogitsWarper>(value("min_p"), keep, filter); }},
      {"TypicalLogitsWarper", [&]() -> Made { return std::make_shared<TypicalLogitsWarper>(number(spec, "mass", 0.9), keep, filter); }},
      {"EpsilonLogitsWarper", [&]() -> Made { return std::make_shared<EpsilonLogitsWarper>(value("epsilon"), keep, filter); }},
      {"EtaLogitsWarper", [&]() -> Made { return std::make_shared<EtaLogitsWarper>(value("epsilon"), keep, filter); }},
      {"WatermarkLogitsProcessor", [&]() -> Made { return std::make_shared<WatermarkLogitsProcessor>(watermarking(spec), vocab_size); }},
      {"GrammarLogitsProcessor", [&]() -> Made {
         GenerationOptions options;
         options.grammar = Grammar::of(spec.Get("grammar"));
         options.eos_token_id = eos();
         options.num_beams = count(spec, "num_beams", 1, 1);
         return std::make_shared<GrammarLogitsProcessor>(options, whole("prompt_length"));
       }},
      {"LogitNormalization", [&]() -> Made { return std::make_shared<LogitNormalization>(); }},
  };
  const std::string name = text(spec.Get("class"), "class");
  const auto maker = makers.find(name);
  if (maker == makers.end()) throw TypeError("Expected the name of a native logits processor for class but received " + name);
  return maker->second();
}

}  // namespace gt::bindings
