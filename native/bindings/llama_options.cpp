#include "bindings/llama_options.h"

#include <cstring>
#include <limits>
#include <map>
#include <memory>

#include "bindings/arguments.h"
#include "bindings/state_dict.h"
#include "llama/quantization.h"

namespace gt::bindings {

namespace {

using llama::Transform;

constexpr int64_t max_int = std::numeric_limits<int32_t>::max();

// The elements of an array or a typed array.
template <class Convert>
auto elements(const Napi::Value& value, const std::string& argument, Convert convert) {
  if (!value.IsArray() && !value.IsTypedArray()) expected("an array", argument, value);
  const Napi::Object array = value.As<Napi::Object>();
  const uint32_t length = array.Get("length").ToNumber().Uint32Value();
  std::vector<decltype(convert(value, argument))> result;
  result.reserve(length);
  for (uint32_t i = 0; i < length; i++) result.push_back(convert(array.Get(i), argument + "[" + std::to_string(i) + "]"));
  return result;
}

uint32_t to_u32(const Napi::Value& value, const std::string& argument) {
  return static_cast<uint32_t>(integer(value, argument, 0, std::numeric_limits<uint32_t>::max()));
}

int32_t to_i32(const Napi::Value& value, const std::string& argument) {
  return static_cast<int32_t>(integer(value, argument, std::numeric_limits<int32_t>::min(), max_int));
}

float to_f32(const Napi::Value& value, const std::string& argument) {
  if (!value.IsNumber()) expected("a number", argument, value);
  return value.As<Napi::Number>().FloatValue();
}

bool to_bool(const Napi::Value& value, const std::string& argument) {
  if (!value.IsBoolean()) expected("a boolean", argument, value);
  return value.As<Napi::Boolean>().Value();
}

std::string to_text(const Napi::Value& value, const std::string& argument) { return text(value, argument); }

Napi::Object to_object(const Napi::Value& value, const std::string& argument) { return object(value, argument); }

llama::Value gguf_value(const Napi::Object& entry, const std::string& key) {
  const std::string type = text(entry.Get("type"), key + ".type");
  const Napi::Value value = entry.Get("value");
  if (type == "u32") return to_u32(value, key);
  if (type == "i32") return to_i32(value, key);
  if (type == "f32") return to_f32(value, key);
  if (type == "bool") return to_bool(value, key);
  if (type == "string") return text(value, key);
  if (type == "u32[]") return elements(value, key, to_u32);
  if (type == "i32[]") return elements(value, key, to_i32);
  if (type == "f32[]") return elements(value, key, to_f32);
  if (type == "bool[]") return elements(value, key, to_bool);
  if (type == "string[]") return elements(value, key, to_text);
  expected("a type of GgufValue", key + ".type", entry.Get("type"));
}

Transform transform_of(const Napi::Object& source) {
  static const std::map<std::string, Transform> names = {
      {"", Transform::none},      {"permute_heads", Transform::permute_heads}, {"concat", Transform::concat},
      {"stack", Transform::stack}, {"rows", Transform::rows},                  {"transpose", Transform::transpose},
      {"add_one", Transform::add_one}};
  const auto found = names.find(text(source, "transform", ""));
  if (found == names.end()) expected("a transform of TensorSource", "transform", source.Get("transform"));
  return found->second;
}

// Values that JavaScript computed: copied, because its memory may move.
llama::Source computed(const Napi::Object& source, const std::string& name) {
  const auto data = typed_array(source.Get("data"), napi_float32_array, "a Float32Array", name + ".data").As<Napi::Float32Array>();
  std::vector<uint8_t> bytes(data.ByteLength());
  std::memcpy(bytes.data(), data.Data(), bytes.size());
  std::vector<int64_t> shape = {static_cast<int64_t>(data.ElementLength())};
  if (const auto given = property(source, "shape"))
    shape = elements(*given, name + ".shape", [](const Napi::Value& v, const std::string& a) { return integer(v, a, 1, max_int); });
  if (checkpoint::byte_length(checkpoint::DType::F32, shape) != bytes.size())
    throw RangeError("Expected values of shape " + checkpoint::shape_text(shape) + " for " + name + " but received " +
                     std::to_string(data.ElementLength()));
  const size_t size = bytes.size();
  return {"data", {checkpoint::DType::F32, std::move(shape), checkpoint::own_memory(std::move(bytes)), 0, size}};
}

llama::Weight weight(const Napi::Object& source, const checkpoint::StateDict* state_dict) {
  const std::string name = text(source.Get("name"), "tensors.name");
  if (name.size() >= GGML_MAX_NAME) throw RangeError("Expected a shorter name of a tensor than '" + name + "'");
  const Transform transform = transform_of(source);
  std::vector<llama::Source> sources;
  if (property(source, "data")) {
    sources.push_back(computed(source, name));
  } else {
    if (!state_dict) throw TypeError("Expected a state_dict for the sources of " + name);
    for (const std::string& from : elements(source.Get("sources"), name + ".sources", to_text))
      sources.push_back({from, state_dict->at(from)});
  }
  if (transform == Transform::permute_heads)
    return {name, std::move(sources), transform, integer(source.Get("n_head"), name + ".n_head", 1, max_int)};
  return {name, std::move(sources), transform, integer(source, "begin", 0, 0, max_int), integer(source, "end", 0, 0, max_int)};
}

}  // namespace

llama::Metadata gguf_metadata(const Napi::Object& metadata) {
  llama::Metadata result;
  for (const auto& [key, value] : metadata) {
    const std::string name = key.ToString().Utf8Value();
    result[name] = gguf_value(object(value, name), name);
  }
  return result;
}

std::vector<llama::LoraPair> lora_pairs(const Napi::Value& state_dict, const Napi::Value& pairs) {
  const auto tensors = unwrap_state_dict(state_dict);
  std::vector<llama::LoraPair> result;
  for (const Napi::Object& pair : elements(pairs, "pairs", to_object))
    result.push_back({text(pair.Get("tensor"), "pairs.tensor"), weight(object(pair.Get("a"), "pairs.a"), tensors.get()),
                      weight(object(pair.Get("b"), "pairs.b"), tensors.get()), to_f32(pair.Get("scale"), "pairs.scale")});
  return result;
}

LoadOptions load_options(const Napi::Object& options) {
  LoadOptions result;
  result.gguf_path = text(options, "gguf_path", "");
  result.model.device = text(options, "device", "");
  result.model.n_gpu_layers = static_cast<int>(integer(options, "n_gpu_layers", -1, 0, max_int));
  result.model.n_threads = static_cast<int>(integer(options, "n_threads", 0, 1, 512));
  result.decoder.n_threads = result.model.n_threads;
  result.decoder.logits = flag(options, "output_logits", true);
  result.decoder.max_positions = static_cast<int32_t>(integer(options, "max_positions", 0, 1, max_int));
  if (!result.gguf_path.empty()) {
    for (const char* other : {"state_dict", "metadata", "tensors", "dtype"})
      if (property(options, other)) throw TypeError(std::string("Expected no ") + other + " together with gguf_path");
    return result;
  }
  result.dtype = text(options, "dtype", "f32");
  llama::ftype_of(result.dtype);
  result.recipe.metadata = gguf_metadata(object(options.Get("metadata"), "metadata"));
  const auto state_dict = property(options, "state_dict");
  const auto tensors = state_dict ? unwrap_state_dict(*state_dict) : nullptr;
  for (const Napi::Object& source : elements(options.Get("tensors"), "tensors", to_object))
    result.recipe.weights.push_back(weight(source, tensors.get()));
  return result;
}

}  // namespace gt::bindings
