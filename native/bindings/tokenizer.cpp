// NativeTokenizer of lib/native_interface.ts, over native/tokenizer.
#include "tokenizer/tokenizer.h"

#include <algorithm>

#include <cstring>

#include "bindings/bindings.h"
#include "bindings/encoding.h"
#include "bindings/guarded.h"
#include "bindings/tokenizer_options.h"
#include "bindings/trainer_options.h"

namespace gt::bindings {

namespace {

using namespace tokens;

class Tokenizer : public Napi::ObjectWrap<Tokenizer> {
 public:
  explicit Tokenizer(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    encoding_type_ = Napi::Persistent(info.NewTarget().As<Napi::Object>().Get("Encoding").As<Napi::Function>());
    guarded(info.Env(), [&] {
      if (info[0].IsExternal()) {  // from clone()
        tokenizer_ = std::make_unique<tokenizer::Tokenizer>(*info[0].As<Napi::External<tokenizer::Tokenizer>>().Data());
      } else if (info[0].IsTypedArray() && info[0].As<Napi::TypedArray>().TypedArrayType() == napi_uint8_array) {
        const auto bytes = info[0].As<Napi::Uint8Array>();
        tokenizer_ = std::make_unique<tokenizer::Tokenizer>(
            std::string_view(reinterpret_cast<const char*>(bytes.Data()), bytes.ElementLength()));
      } else {
        if (!info[0].IsString()) expected("a string or Uint8Array", "json");
        tokenizer_ = std::make_unique<tokenizer::Tokenizer>(std::string(info[0].As<Napi::String>()));
      }
    });
  }

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Tokenizer",
                       {
                           StaticValue("Encoding", Encoding::define(env)),
                           InstanceMethod<&Tokenizer::encode_ids>("encode_ids"),
                           InstanceMethod<&Tokenizer::set_out>("set_out"),
                           InstanceMethod<&Tokenizer::encode_ids_into>("encode_ids_into"),
                           InstanceMethod<&Tokenizer::encode_rows>("encode_rows"),
                           InstanceMethod<&Tokenizer::encode>("encode"),
                           InstanceMethod<&Tokenizer::encode_batch>("encode_batch"),
                           InstanceMethod<&Tokenizer::clone>("clone"),
                           InstanceAccessor<&Tokenizer::has_type_ids>("has_type_ids"),
                           InstanceAccessor<&Tokenizer::frame>("frame"),
                           InstanceMethod<&Tokenizer::post_process>("post_process"),
                           InstanceMethod<&Tokenizer::normalize>("normalize"),
                           InstanceMethod<&Tokenizer::pre_tokenize>("pre_tokenize"),
                           InstanceMethod<&Tokenizer::decode>("decode"),
                           InstanceMethod<&Tokenizer::decode_tokens>("decode_tokens"),
                           InstanceMethod<&Tokenizer::token_to_id>("token_to_id"),
                           InstanceMethod<&Tokenizer::id_to_token>("id_to_token"),
                           InstanceMethod<&Tokenizer::vocab_size>("vocab_size"),
                           InstanceMethod<&Tokenizer::continuing_subword_prefix>("continuing_subword_prefix"),
                           InstanceMethod<&Tokenizer::get_vocab>("get_vocab"),
                           InstanceMethod<&Tokenizer::add_tokens>("add_tokens"),
                           InstanceMethod<&Tokenizer::added_tokens>("added_tokens"),
                           InstanceMethod<&Tokenizer::num_special_tokens_to_add>("num_special_tokens_to_add"),
                           InstanceMethod<&Tokenizer::set_component>("set_component"),
                           InstanceMethod<&Tokenizer::set_normalized_added_tokens>("set_normalized_added_tokens"),
                           InstanceMethod<&Tokenizer::set_encode_special_tokens>("set_encode_special_tokens"),
                           InstanceMethod<&Tokenizer::to_json>("to_json"),
                           InstanceMethod<&Tokenizer::compile>("compile"),
                           InstanceMethod<&Tokenizer::token_bytes>("token_bytes"),
                           InstanceMethod<&Tokenizer::token_texts>("token_texts"),
                           InstanceMethod<&Tokenizer::count_words>("count_words"),
                           InstanceMethod<&Tokenizer::train>("train"),
                       });
  }

 private:
  // The UTF-8 of a string; it stays until the next call. Lone surrogates become U+FFFD.
  std::string_view text_argument(Napi::Env env, napi_value value, const char* name) {
    const size_t size = read_text(env, value, name, 0);
    return {text_.data(), size};
  }

  // Puts the UTF-8 of a string at `begin` of text_; returns its end.
  size_t read_text(Napi::Env env, napi_value value, const char* name, size_t begin) {
    constexpr size_t kLeast = 1024;
    size_t size = 0;
    if (text_.size() < begin + kLeast) text_.resize(begin * 2 + kLeast);
    const auto read = [&] { return napi_get_value_string_utf8(env, value, text_.data() + begin, text_.size() - begin, &size); };
    if (read() != napi_ok) expected("a string", name);
    if (begin + size + 4 >= text_.size()) {  // it may have been cut
      napi_get_value_string_utf8(env, value, nullptr, 0, &size);
      text_.resize((begin + size) * 2 + kLeast);
      read();
    }
    return begin + size;
  }

  Napi::Value encode_ids(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const std::string_view text = text_argument(info.Env(), info[0], "text");
      const tokenizer::Ids& ids = tokenizer_->encode_row(text, {boolean_argument(info[1], "add_special_tokens")}).ids;
      return int32_array(info.Env(), ids.data(), ids.size());
    });
  }

  // Their memory is looked up once, because that takes as long as to encode a short word.
  void set_out(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] {
      const auto memory = [&](const Napi::Value& value, const char* name, size_t& size) {
        napi_typedarray_type type;
        void* data;
        if (napi_get_typedarray_info(info.Env(), value, &type, &size, &data, nullptr, nullptr) != napi_ok || type != napi_int32_array) {
          expected("an Int32Array", name);
        }
        return static_cast<int32_t*>(data);
      };
      size_t room, spans;
      int32_t* ids = memory(info[0], "ids", room);
      int32_t* offsets = memory(info[1], "offsets", spans);
      if (spans < 2 * room) throw RangeError("Expected two offsets for each id but received " + std::to_string(spans) + " for " + std::to_string(room));
      out_ = ids;
      out_offsets_ = offsets;
      room_ = room;
      kept_out_ = Napi::Persistent(info[0].As<Napi::Object>());
      kept_offsets_ = Napi::Persistent(info[1].As<Napi::Object>());
    });
  }

  Napi::Value encode_ids_into(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const std::string_view text = text_argument(info.Env(), info[0], "text");
      RowOptions options;
      options.add_special_tokens = boolean_argument(info[1], "add_special_tokens");
      if (info.Length() > 2) options.limit = limit_argument(info[2], info[3]);
      if (info.Length() > 4) options.offsets = unit_argument(info[4], "offsets");
      const auto [ids, offsets] = tokenizer_->encode_row(text, options);
      if (ids.size() > 0 && ids.size() <= room_) {
        std::memcpy(out_, ids.data(), ids.size() * sizeof(int32_t));
        if (options.offsets) std::memcpy(out_offsets_, offsets.data(), offsets.size() * sizeof(int32_t));
      }
      return Napi::Number::New(info.Env(), static_cast<double>(ids.size()));
    });
  }

  Napi::Value encode_rows(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const Napi::Env env = info.Env();
      if (!info[0].IsArray()) expected("a list of strings", "texts");
      const auto list = info[0].As<Napi::Array>();
      std::vector<size_t> ends;
      size_t size = 0;
      for (uint32_t i = 0, n = list.Length(); i < n; i++) {
        const Napi::HandleScope scope(env);
        size = read_text(env, list.Get(i), "texts", size);
        ends.push_back(size);
      }
      std::vector<std::string_view> texts;
      for (size_t i = 0; i < ends.size(); i++) {
        const size_t begin = i == 0 ? 0 : ends[i - 1];
        texts.emplace_back(text_.data() + begin, ends[i] - begin);
      }
      const RowOptions options = row_options(info[1]);
      const auto rows = tokenizer_->encode_rows(texts, options, threads_argument(info[1].As<Napi::Object>().Get("threads")));
      Napi::Object result = Napi::Object::New(env);
      result.Set("ids", int32_array(env, rows.ids));
      result.Set("ends", int32_array(env, rows.ends));
      if (options.offsets) result.Set("offsets", int32_array(env, rows.offsets));
      return result;
    });
  }

  Napi::Value encode(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const EncodeRequest request(info[2]);
      const Input text = input_argument(info[0], request.is_pretokenized, "text");
      const std::optional<Input> pair = pair_argument(info[1], request.is_pretokenized);
      return Encoding::make(encoding_type_.Value(),
                            std::make_shared<tokenizer::Encoding>(tokenizer_->encode(
                                text, pair ? &*pair : nullptr, request.add_special_tokens, request.limit())));
    });
  }

  Napi::Value encode_batch(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const Napi::Env env = info.Env();
      const EncodeRequest request(info[2]);
      const bool has_pairs = !info[1].IsNull();
      if (!info[0].IsArray()) expected("a list of texts", "texts");
      if (has_pairs && !info[1].IsArray()) expected("a list of texts, or null", "pairs");
      const auto texts = info[0].As<Napi::Array>();
      std::vector<Input> inputs;
      std::vector<std::optional<Input>> pairs;
      for (uint32_t i = 0, n = texts.Length(); i < n; i++) {
        const Napi::HandleScope scope(env);
        inputs.push_back(input_argument(texts.Get(i), request.is_pretokenized, "texts"));
        if (has_pairs) pairs.push_back(pair_argument(info[1].As<Napi::Array>().Get(i), request.is_pretokenized));
      }
      std::vector<tokenizer::Encoding> encodings =
          tokenizer_->encode(inputs, pairs, request.add_special_tokens, request.limit(), threads_argument(info[3]));
      Napi::Array result = Napi::Array::New(env, encodings.size());
      const Napi::Function type = encoding_type_.Value();
      for (uint32_t i = 0; i < encodings.size(); i++) {
        const Napi::HandleScope scope(env);
        result.Set(i, Encoding::make(type, std::make_shared<tokenizer::Encoding>(std::move(encodings[i]))));
      }
      return result;
    });
  }

  Napi::Value clone(const Napi::CallbackInfo& info) {
    const auto type = info.This().As<Napi::Object>().Get("constructor").As<Napi::Function>();
    return type.New({Napi::External<tokenizer::Tokenizer>::New(info.Env(), tokenizer_.get())});
  }

  Napi::Value has_type_ids(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), tokenizer_->has_type_ids()); }

  // null where the rows' ids do not tell the offsets.
  Napi::Value frame(const Napi::CallbackInfo& info) {
    const auto frame = tokenizer_->frame();
    if (!frame) return info.Env().Null();
    Napi::Array result = Napi::Array::New(info.Env(), 2);
    result.Set(0u, Napi::Number::New(info.Env(), frame->first));
    result.Set(1u, Napi::Number::New(info.Env(), frame->second));
    return result;
  }

  Napi::Value post_process(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[2].IsObject()) expected("an object", "options");
      const auto options = info[2].As<Napi::Object>();
      const Napi::Function type = encoding_type_.Value();
      std::vector<const tokenizer::Encoding*> sequences = {&Encoding::of(type, info[0], "encoding")};
      if (!info[1].IsNull()) sequences.push_back(&Encoding::of(type, info[1], "pair"));
      const std::optional<Truncation> truncation = truncation_in(options);
      return Encoding::make(type, std::make_shared<tokenizer::Encoding>(tokenizer_->post_process(
                                      sequences, boolean_argument(options.Get("add_special_tokens"), "add_special_tokens"),
                                      truncation ? &*truncation : nullptr)));
    });
  }

  Napi::Value normalize(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return to_string(info.Env(), tokenizer_->normalize(text_argument(info.Env(), info[0], "text")));
    });
  }

  Napi::Value pre_tokenize(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return Encoding::make(encoding_type_.Value(), std::make_shared<tokenizer::Encoding>(
                                                        tokenizer_->pre_tokenize(text_argument(info.Env(), info[0], "text"))));
    });
  }

  Napi::Value decode(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const bool skip_special_tokens = boolean_argument(info[1], "skip_special_tokens");
      napi_typedarray_type type = napi_float32_array;
      size_t count = 0;
      void* data = nullptr;
      if (napi_get_typedarray_info(info.Env(), info[0], &type, &count, &data, nullptr, nullptr) == napi_ok && type == napi_int32_array) {
        if (!info[2].IsUndefined()) count = std::min(count, size_argument(info[2], "count"));
        return to_string(info.Env(), tokenizer_->decode(static_cast<const uint32_t*>(data), count, skip_special_tokens));
      }
      const std::vector<uint32_t> ids = ids_argument(info[0]);
      return to_string(info.Env(), tokenizer_->decode(ids.data(), ids.size(), skip_special_tokens));
    });
  }

  Napi::Value decode_tokens(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return to_string(info.Env(), tokenizer_->decode(strings_argument(info[0], "tokens")));
    });
  }

  Napi::Value token_to_id(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const auto id = tokenizer_->token_to_id(string_argument(info[0], "token"));
      return id ? Napi::Value(Napi::Number::New(info.Env(), *id)) : info.Env().Undefined();
    });
  }

  Napi::Value id_to_token(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsNumber()) expected("a number", "id");
      const double id = info[0].As<Napi::Number>();
      if (!(id >= 0 && id <= UINT32_MAX)) return info.Env().Undefined();
      const auto token = tokenizer_->id_to_token(static_cast<uint32_t>(id));
      return token ? Napi::Value(to_string(info.Env(), *token)) : info.Env().Undefined();
    });
  }

  // null where the model marks no pieces inside a word.
  Napi::Value continuing_subword_prefix(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const std::optional<std::string> prefix = tokenizer_->continuing_subword_prefix();
      return prefix ? to_string(info.Env(), *prefix) : info.Env().Null();
    });
  }

  Napi::Value vocab_size(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return Napi::Number::New(info.Env(), static_cast<double>(tokenizer_->vocab_size(boolean_argument(info[0], "with_added_tokens"))));
    });
  }

  Napi::Value get_vocab(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      Napi::Object result = Napi::Object::New(info.Env());
      const auto set = [&](std::string_view token, uint32_t id) { result.Set(to_string(info.Env(), token), Napi::Number::New(info.Env(), id)); };
      const tokenizer::Vocabulary& vocabulary = tokenizer_->vocabulary();
      for (uint32_t id = 0; id < vocabulary.end_id(); id++) {
        if (vocabulary.has(id) && vocabulary.find(vocabulary.token(id)) == static_cast<int32_t>(id)) set(vocabulary.token(id), id);
      }
      for (const auto& [token, id] : vocabulary.aliases()) set(token, id);
      if (boolean_argument(info[0], "with_added_tokens")) {
        for (const auto& [content, id] : tokenizer_->added().ids()) set(content, id);
      }
      return result;
    });
  }

  Napi::Value add_tokens(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      if (!info[0].IsArray()) expected("a list of added tokens", "tokens");
      const auto array = info[0].As<Napi::Array>();
      std::vector<AddedToken> tokens;
      for (uint32_t i = 0; i < array.Length(); i++) tokens.push_back(added_token(array.Get(i)));
      return Napi::Number::New(info.Env(), static_cast<double>(tokenizer_->add_tokens(tokens)));
    });
  }

  Napi::Value added_tokens(const Napi::CallbackInfo& info) {
    Napi::Env env = info.Env();
    Napi::Array array = Napi::Array::New(env);
    for (const auto& [id, token] : tokenizer_->added().by_id()) {
      Napi::Object object = Napi::Object::New(env);
      object.Set("id", Napi::Number::New(env, id));
      object.Set("content", to_string(env, token.content));
      object.Set("single_word", Napi::Boolean::New(env, token.single_word));
      object.Set("lstrip", Napi::Boolean::New(env, token.lstrip));
      object.Set("rstrip", Napi::Boolean::New(env, token.rstrip));
      object.Set("normalized", Napi::Boolean::New(env, token.normalized));
      object.Set("special", Napi::Boolean::New(env, token.special));
      array.Set(array.Length(), object);
    }
    return array;
  }

  Napi::Value num_special_tokens_to_add(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return Napi::Number::New(info.Env(), static_cast<double>(tokenizer_->special_tokens_to_add(boolean_argument(info[0], "pair"))));
    });
  }

  void set_component(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] {
      const std::string kind = string_argument(info[0], "kind");
      std::string text;
      std::optional<std::string_view> json;
      if (!info[1].IsNull()) json = text = string_argument(info[1], "json");
      if (kind == "normalizer") tokenizer_->set_normalizer(json);
      else if (kind == "pre_tokenizer") tokenizer_->set_pre_tokenizer(json);
      else if (kind == "post_processor") tokenizer_->set_post_processor(json);
      else if (kind == "decoder") tokenizer_->set_decoder(json);
      else if (kind == "truncation") tokenizer_->set_truncation(json);
      else if (kind == "padding") tokenizer_->set_padding(json);
      else if (kind == "model" && json) tokenizer_->set_model(*json);
      else expected("a part of a tokenizer.json", "kind");
    });
  }

  void set_normalized_added_tokens(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { tokenizer_->set_normalized_added_tokens(boolean_argument(info[0], "value")); });
  }

  void set_encode_special_tokens(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { tokenizer_->set_encode_special_tokens(boolean_argument(info[0], "value")); });
  }

  Napi::Value to_json(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const bool with_vocabulary = info[1].IsUndefined() || boolean_argument(info[1], "with_vocabulary");
      return to_string(info.Env(), tokenizer_->to_json(boolean_argument(info[0], "pretty"), with_vocabulary));
    });
  }

  Napi::Value compile(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value { return uint8_array(info.Env(), tokenizer_->compile()); });
  }

  Napi::Value token_bytes(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return table_object(info.Env(), tokenizer_->token_table(ids_argument(info[0])));
    });
  }

  static Napi::Object table_object(Napi::Env env, const tokenizer::Tokenizer::TokenTable& table) {
    auto ends = Napi::Uint32Array::New(env, table.ends.size());
    std::copy(table.ends.begin(), table.ends.end(), ends.Data());
    Napi::Object result = Napi::Object::New(env);
    result.Set("bytes", uint8_array(env, table.bytes));
    result.Set("ends", ends);
    return result;
  }

  // null where `prefix` is not found.
  Napi::Value token_texts(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const auto texts = tokenizer_->token_texts(strings_argument(info[0], "before"), string_argument(info[1], "prefix"));
      if (!texts) return info.Env().Null();
      Napi::Object result = table_object(info.Env(), texts->table);
      const auto& known = texts->is_known;
      result.Set("known", uint8_array(info.Env(), {reinterpret_cast<const char*>(known.data()), known.size()}));
      return result;
    });
  }

  void count_words(const Napi::CallbackInfo& info) {
    guarded(info.Env(), [&] { tokenizer_->count_words(text_argument(info.Env(), info[0], "text"), words_); });
  }

  Napi::Value train(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const std::string type = string_argument(info[0], "type");
      const tokenizer::WordCounts words = std::move(words_);
      words_.clear();
      if (type == "Unigram") return to_string(info.Env(), tokenizer::train_unigram(words, unigram_options(info[1])).to_json());
      const tokenizer::TrainerOptions options = trainer_options(info[1]);
      const auto train = type == "BPE"         ? tokenizer::train_bpe
                         : type == "WordPiece" ? tokenizer::train_word_piece
                         : type == "WordLevel" ? tokenizer::train_word_level
                                               : nullptr;
      if (!train) expected("\"BPE\", \"WordPiece\", \"WordLevel\" or \"Unigram\"", "type");
      return to_string(info.Env(), train(words, options).to_json());
    });
  }

  std::unique_ptr<tokenizer::Tokenizer> tokenizer_;
  tokenizer::WordCounts words_;
  Napi::FunctionReference encoding_type_;
  std::string text_;
  Napi::ObjectReference kept_out_, kept_offsets_;
  int32_t *out_ = nullptr, *out_offsets_ = nullptr;  // in these, with room for room_ ids
  size_t room_ = 0;
};

}  // namespace

void init_tokenizer(Napi::Env env, Napi::Object exports) {
  exports.Set("Tokenizer", Tokenizer::define(env));
}

}  // namespace gt::bindings
