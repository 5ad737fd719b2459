#include "bindings/grammar.h"

#include "bindings/arguments.h"
#include "bindings/bindings.h"
#include "bindings/generation_options.h"
#include "bindings/guarded.h"

namespace gt::bindings {

namespace {

constexpr napi_type_tag vocabulary_tag = {0x1c1f8c5f62d14a3bULL, 0xb0a6f0a5b1d3428eULL};
constexpr napi_type_tag grammar_tag = {0x7f0c3e2a9d5b4c11ULL, 0x8e6d21f4a7c35b90ULL};

}  // namespace

Napi::Function GrammarVocabulary::define(Napi::Env env) { return DefineClass(env, "GrammarVocabulary", {}); }

// (bytes: Uint8Array, ends: Uint32Array, special: token ids)
GrammarVocabulary::GrammarVocabulary(const Napi::CallbackInfo& info) : Napi::ObjectWrap<GrammarVocabulary>(info) {
  guarded(info.Env(), [&] {
    const auto bytes = typed_array(info[0], napi_uint8_array, "a Uint8Array", "bytes").As<Napi::Uint8Array>();
    const auto ends = typed_array(info[1], napi_uint32_array, "a Uint32Array", "ends").As<Napi::Uint32Array>();
    vocabulary_ = std::make_shared<grammar::Vocabulary>(
        std::string(reinterpret_cast<const char*>(bytes.Data()), bytes.ElementLength()),
        std::vector<uint32_t>(ends.Data(), ends.Data() + ends.ElementLength()), token_ids(info[2], "special"));
    info.This().As<Napi::Object>().TypeTag(&vocabulary_tag);
  });
}

std::shared_ptr<const grammar::Vocabulary> GrammarVocabulary::of(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&vocabulary_tag))
    expected("an instance of GrammarVocabulary", "vocabulary", value);
  return Unwrap(value.As<Napi::Object>())->vocabulary_;
}

Napi::Function Grammar::define(Napi::Env env) {
  return DefineClass(env, "Grammar",
                     {InstanceMethod("matches", &Grammar::matches), InstanceMethod("allowed_tokens", &Grammar::allowed_tokens)});
}

// (text, vocabulary)
Grammar::Grammar(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Grammar>(info) {
  guarded(info.Env(), [&] {
    grammar_ = std::make_shared<grammar::Grammar>(text(info[0], "grammar"), GrammarVocabulary::of(info[1]));
    info.This().As<Napi::Object>().TypeTag(&grammar_tag);
  });
}

std::shared_ptr<const grammar::Grammar> Grammar::of(const Napi::Value& value) {
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&grammar_tag))
    expected("an instance of Grammar", "grammar", value);
  return Unwrap(value.As<Napi::Object>())->grammar_;
}

// matches(text, beginning): whether the grammar has the text, or one that begins with it.
Napi::Value Grammar::matches(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const bool beginning = info[1].IsBoolean() && info[1].As<Napi::Boolean>().Value();
    return Napi::Boolean::New(info.Env(), grammar_->matches(text(info[0], "text"), beginning));
  });
}

// allowed_tokens(ids): {tokens, complete} after these new tokens; null where they lead out of the grammar.
Napi::Value Grammar::allowed_tokens(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const generation::Ids ids = token_ids(info[0], "ids");
    grammar::Cursor cursor = grammar_->at(ids.data(), ids.size(), nullptr);
    const auto allowed = grammar_->allowed(cursor);
    if (!allowed) return info.Env().Null();
    auto tokens = Napi::Int32Array::New(info.Env(), static_cast<size_t>(allowed->count));
    size_t i = 0;
    for (int32_t token = 0; i < tokens.ElementLength(); token++)
      if (allowed->has(token)) tokens[i++] = token;
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("tokens", tokens);
    result.Set("complete", Napi::Boolean::New(info.Env(), allowed->complete));
    return result;
  });
}

void init_grammar(Napi::Env env, Napi::Object exports) {
  exports.Set("GrammarVocabulary", GrammarVocabulary::define(env));
  exports.Set("Grammar", Grammar::define(env));
}

}  // namespace gt::bindings
