// StateDict: the tensors of a checkpoint, as JavaScript sees them. See NativeStateDict in lib/native_interface.ts.
#include "bindings/state_dict.h"

#include <cmath>
#include <exception>

#include "bindings/bindings.h"
#include "bindings/guarded.h"
#include "checkpoint/low_rank.h"

namespace gt::bindings {

namespace {

using checkpoint::DType;
using checkpoint::StateDict;
using checkpoint::Tensor;

constexpr napi_type_tag type_tag = {0x6b1f0c5e9d3a4e27, 0x8c42b7d1f05e6a93};

bool is_state_dict(const Napi::Value& value) { return value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&type_tag); }

[[noreturn]] void expected(const char* what, const char* argument, const Napi::Value& value) {
  static constexpr const char* types[] = {"undefined", "null", "boolean", "number", "string", "symbol", "object", "function", "external", "bigint"};
  const napi_valuetype type = value.Type();
  const bool shown = type == napi_boolean || type == napi_number || type == napi_string || type == napi_bigint;
  const std::string received = (shown ? value.ToString().Utf8Value() + " of type " : std::string()) + types[type];
  throw TypeError(std::string("Expected ") + what + " for " + argument + " but received " + received);
}

std::string string_argument(const Napi::Value& value, const char* argument) {
  if (!value.IsString()) expected("a string", argument, value);
  return value.As<Napi::String>();
}

std::string path_argument(const Napi::Value& value, const char* argument) {
  std::string path = string_argument(value, argument);
  if (path.empty() || path.find('\0') != std::string::npos) throw TypeError(std::string("Expected a file's path for ") + argument);
  return path;
}

std::vector<std::string> strings_argument(const Napi::Value& value, const char* argument) {
  if (!value.IsArray()) expected("an array of strings", argument, value);
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> result;
  for (uint32_t i = 0; i < array.Length(); i++) result.push_back(string_argument(array.Get(i), argument));
  return result;
}

DType dtype_argument(const Napi::Value& value, const char* argument) {
  const std::string name = string_argument(value, argument);
  const auto type = checkpoint::dtype_from_name(name);
  if (!type) throw TypeError(std::string("Expected a dtype of safetensors such as F32 for ") + argument + " but received " + name);
  return *type;
}

int64_t natural_argument(const Napi::Value& value, const char* argument) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= 9007199254740991.0 && std::floor(number) == number)) expected("a non-negative integer", argument, value);
  return static_cast<int64_t>(number);
}

std::vector<int64_t> shape_argument(const Napi::Value& value) {
  if (!value.IsArray()) expected("an array of non-negative integers", "shape", value);
  const auto array = value.As<Napi::Array>();
  std::vector<int64_t> shape;
  for (uint32_t i = 0; i < array.Length(); i++) shape.push_back(natural_argument(array.Get(i), "shape"));
  return shape;
}

struct Bytes {
  uint8_t* data = nullptr;
  size_t count = 0;
};

Bytes bytes_argument(const Napi::Value& value, const char* argument) {
  if (!value.IsTypedArray()) expected("a typed array", argument, value);
  void* data = nullptr;
  napi_get_typedarray_info(value.Env(), value, nullptr, nullptr, &data, nullptr, nullptr);
  return {static_cast<uint8_t*>(data), value.As<Napi::TypedArray>().ByteLength()};
}

// Writes a file on a thread of the pool, and settles its promise.
class SaveWorker final : public Napi::AsyncWorker {
 public:
  SaveWorker(Napi::Env env, std::string path, std::vector<checkpoint::NamedTensor> tensors, checkpoint::Metadata metadata,
             std::optional<DType> dtype)
      : AsyncWorker(env), deferred_(env), path_(std::move(path)), tensors_(std::move(tensors)), metadata_(std::move(metadata)), dtype_(dtype) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override {
    try {
      checkpoint::save_safetensors(path_, std::move(tensors_), metadata_, dtype_);
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  void OnOK() override {
    try {
      if (failure_) std::rethrow_exception(failure_);
      deferred_.Resolve(Env().Undefined());
    } catch (const std::exception& error) {
      deferred_.Reject(to_js_error(Env(), error).Value());
    }
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::string path_;
  std::vector<checkpoint::NamedTensor> tensors_;
  checkpoint::Metadata metadata_;
  std::optional<DType> dtype_;
  std::exception_ptr failure_;
};

class StateDictObject final : public Napi::ObjectWrap<StateDictObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "StateDict",
                       {
                           InstanceAccessor<&StateDictObject::guard<&StateDictObject::size>>("size"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::keys>>("keys"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::has>>("has"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::info>>("info"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::metadata>>("metadata"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::ties>>("ties"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::read>>("read"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::read_f32>>("read_f32"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::set>>("set"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::add_low_rank>>("add_low_rank"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::alias>>("alias"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::erase>>("delete"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::rename>>("rename"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::shares_storage>>("shares_storage"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::save>>("save"),
                           InstanceMethod<&StateDictObject::guard<&StateDictObject::dispose>>("dispose"),
                       });
  }

  explicit StateDictObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    info.This().As<Napi::Object>().TypeTag(&type_tag);
    guarded(info.Env(), [&] {
      if (is_state_dict(info[0])) {
        dict_ = std::make_shared<StateDict>(*unwrap_state_dict(info[0]));
        return;
      }
      std::vector<std::string> paths;
      if (!info[0].IsUndefined()) paths = strings_argument(info[0], "paths");
      for (const std::string& path : paths) path_argument(Napi::String::New(info.Env(), path), "paths");
      dict_ = std::make_shared<StateDict>(StateDict::open(paths));
    });
  }

  std::shared_ptr<const StateDict> snapshot() const {
    if (!dict_) throw Error("disposed", "The state dict was disposed");
    return dict_;
  }

 private:
  template <Napi::Value (StateDictObject::*method)(const Napi::CallbackInfo&)>
  Napi::Value guard(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      // Node unwraps whatever object the method was called on.
      if (!is_state_dict(info.This())) throw TypeError("Expected a StateDict as the receiver of the call");
      return (this->*method)(info);
    });
  }

  static Napi::Array names(Napi::Env env, const std::vector<std::string>& values) {
    Napi::Array result = Napi::Array::New(env, values.size());
    for (uint32_t i = 0; i < values.size(); i++) result.Set(i, values[i]);
    return result;
  }

  // Consumers keep what they have: a dict that one of them holds is copied before it changes.
  StateDict& changeable() {
    snapshot();
    if (dict_.use_count() > 1) dict_ = std::make_shared<StateDict>(*dict_);
    return *dict_;
  }

  Napi::Value size(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), static_cast<double>(snapshot()->size())); }

  Napi::Value keys(const Napi::CallbackInfo& info) {
    return names(info.Env(), snapshot()->names());
  }

  Napi::Value has(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), snapshot()->has(string_argument(info[0], "name")));
  }

  Napi::Value info(const Napi::CallbackInfo& info) {
    const Tensor& tensor = snapshot()->at(string_argument(info[0], "name"));
    Napi::Object result = Napi::Object::New(info.Env());
    Napi::Array shape = Napi::Array::New(info.Env(), tensor.shape.size());
    for (uint32_t i = 0; i < tensor.shape.size(); i++) shape.Set(i, static_cast<double>(tensor.shape[i]));
    result.Set("dtype", checkpoint::dtype_name(tensor.dtype));
    result.Set("shape", shape);
    result.Set("nbytes", static_cast<double>(tensor.nbytes));
    if (!tensor.storage->path().empty()) result.Set("file", tensor.storage->path());
    return result;
  }

  Napi::Value metadata(const Napi::CallbackInfo& info) {
    Napi::Object result = Napi::Object::New(info.Env());
    for (const auto& [key, value] : snapshot()->metadata()) result.Set(key, value);
    return result;
  }

  Napi::Value ties(const Napi::CallbackInfo& info) {
    Napi::Array result = Napi::Array::New(info.Env());
    for (const auto& group : snapshot()->ties()) result.Set(result.Length(), names(info.Env(), group));
    return result;
  }

  Napi::Value read(const Napi::CallbackInfo& info) {
    const Tensor& tensor = snapshot()->at(string_argument(info[0], "name"));
    const Bytes target = bytes_argument(info[1], "target");
    const auto begin = info[2].IsUndefined() ? 0 : static_cast<size_t>(natural_argument(info[2], "begin"));
    tensor.read(begin, target.count, target.data);
    return info.Env().Undefined();
  }

  Napi::Value read_f32(const Napi::CallbackInfo& info) {
    const Tensor& tensor = snapshot()->at(string_argument(info[0], "name"));
    const bool floats = info[1].IsTypedArray() && info[1].As<Napi::TypedArray>().TypedArrayType() == napi_float32_array;
    if (!floats) expected("a Float32Array", "target", info[1]);
    const Bytes target = bytes_argument(info[1], "target");
    const auto begin = info[2].IsUndefined() ? 0 : static_cast<size_t>(natural_argument(info[2], "begin"));
    tensor.read_f32(begin, target.count / sizeof(float), reinterpret_cast<float*>(target.data));
    return info.Env().Undefined();
  }

  Napi::Value set(const Napi::CallbackInfo& info) {
    const std::string name = string_argument(info[0], "name");
    const DType dtype = dtype_argument(info[1], "dtype");
    std::vector<int64_t> shape = shape_argument(info[2]);
    const Bytes bytes = bytes_argument(info[3], "data");
    const auto length = checkpoint::byte_length(dtype, shape);
    if (!length || *length != bytes.count)
      throw RangeError("Expected data of " + (length ? std::to_string(*length) + " bytes" : std::string("a possible length")) + " for " + name +
                       ", " + checkpoint::dtype_name(dtype) + " of shape " + checkpoint::shape_text(shape) + ", but received " +
                       std::to_string(bytes.count));
    auto storage = checkpoint::own_memory(std::vector<uint8_t>(bytes.data, bytes.data + bytes.count));
    changeable().set(name, Tensor{dtype, std::move(shape), std::move(storage), 0, bytes.count});
    return info.Env().Undefined();
  }

  Napi::Value add_low_rank(const Napi::CallbackInfo& info) {
    const std::string name = string_argument(info[0], "name");
    const auto adapter = unwrap_state_dict(info[1]);
    const Tensor &a = adapter->at(string_argument(info[2], "a")), &b = adapter->at(string_argument(info[3], "b"));
    if (!info[4].IsNumber()) expected("a number", "scale", info[4]);
    if (!info[5].IsBoolean()) expected("a boolean", "transposed", info[5]);
    const float scale = info[4].As<Napi::Number>().FloatValue();
    Tensor sum = checkpoint::add_low_rank(snapshot()->at(name), a, b, scale, info[5].As<Napi::Boolean>().Value());
    changeable().set(name, std::move(sum));
    return info.Env().Undefined();
  }

  Napi::Value alias(const Napi::CallbackInfo& info) {
    changeable().alias(string_argument(info[0], "name"), string_argument(info[1], "existing"));
    return info.Env().Undefined();
  }

  Napi::Value erase(const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), changeable().erase(string_argument(info[0], "name")));
  }

  Napi::Value rename(const Napi::CallbackInfo& info) {
    changeable().rename(string_argument(info[0], "from"), string_argument(info[1], "to"));
    return info.Env().Undefined();
  }

  Napi::Value shares_storage(const Napi::CallbackInfo& info) {
    const auto dict = snapshot();
    const Tensor& a = dict->at(string_argument(info[0], "a"));
    return Napi::Boolean::New(info.Env(), a.shares_storage(dict->at(string_argument(info[1], "b"))));
  }

  Napi::Value save(const Napi::CallbackInfo& info) {
    const auto dict = snapshot();
    std::string path = path_argument(info[0], "path");
    if (!info[1].IsObject()) expected("an object", "options", info[1]);
    const auto options = info[1].As<Napi::Object>();

    std::vector<checkpoint::NamedTensor> tensors;
    for (const std::string& name : strings_argument(options.Get("names"), "names")) tensors.push_back({name, dict->at(name)});

    checkpoint::Metadata metadata;
    if (const Napi::Value given = options.Get("metadata"); !given.IsUndefined()) {
      if (!given.IsObject()) expected("an object of strings", "metadata", given);
      const auto object = given.As<Napi::Object>();
      for (const std::string& key : strings_argument(object.GetPropertyNames(), "metadata"))
        metadata[key] = string_argument(object.Get(key), "metadata");
    }

    std::optional<DType> dtype;
    if (const Napi::Value given = options.Get("dtype"); !given.IsUndefined()) {
      dtype = dtype_argument(given, "dtype");
      if (dtype != DType::F32 && dtype != DType::F16 && dtype != DType::BF16) expected("F32, F16 or BF16", "dtype", given);
    }
    auto* worker = new SaveWorker(info.Env(), std::move(path), std::move(tensors), std::move(metadata), dtype);
    const Napi::Promise promise = worker->promise();
    worker->Queue();
    return promise;
  }

  Napi::Value dispose(const Napi::CallbackInfo& info) {
    dict_.reset();
    return info.Env().Undefined();
  }

  std::shared_ptr<StateDict> dict_;
};

}  // namespace

std::shared_ptr<const StateDict> unwrap_state_dict(const Napi::Value& value) {
  if (!is_state_dict(value)) expected("a StateDict", "state_dict", value);
  return StateDictObject::Unwrap(value.As<Napi::Object>())->snapshot();
}

void init_state_dict(Napi::Env env, Napi::Object exports) { exports.Set("StateDict", StateDictObject::define(env)); }

}  // namespace gt::bindings
