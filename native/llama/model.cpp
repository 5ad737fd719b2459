#include "llama/model.h"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstring>
#include <fstream>
#include <set>
#include <thread>

#include "../src/llama-ext.h"
#include "errors.h"
#include "llama/log.h"
#include "llama/quantization.h"

namespace gt::llama {

namespace {

// llama_model_params with what they point to.
struct Params {
  llama_model_params params = llama_model_default_params();
  std::vector<ggml_backend_dev_t> devices;

  explicit Params(const ModelOptions& options) {
    params.n_gpu_layers = options.n_gpu_layers;
    params.lazy_mode = LLAMA_LAZY_MODE_OFF;
    if (options.device.empty()) return;
    ggml_backend_dev_t device = ggml_backend_dev_by_name(options.device.c_str());
    if (!device) throw TypeError("Expected a name that devices() lists for device but received '" + options.device + "'");
    if (ggml_backend_dev_type(device) != GGML_BACKEND_DEVICE_TYPE_CPU) devices.push_back(device);
    devices.push_back(nullptr);
    params.devices = devices.data();
  }
};

[[noreturn]] void fail(const ErrorLog& log, const std::atomic<bool>& aborted, const std::string& what) {
  if (aborted) throw Error("aborted", "loading was cancelled");
  throw Error("load_failed", "cannot load " + what + ": " + log.first("libllama gave no reason"));
}

llama_model_kv_override text_override(const char* key, const char* value) {
  llama_model_kv_override result{};
  result.tag = LLAMA_KV_OVERRIDE_TYPE_STR;
  std::strncpy(result.key, key, sizeof(result.key) - 1);
  std::strncpy(result.val_str, value, sizeof(result.val_str) - 1);
  return result;
}

llama_model_kv_override integer_override(const std::string& key, int64_t value) {
  llama_model_kv_override result{};
  result.tag = LLAMA_KV_OVERRIDE_TYPE_INT;
  std::strncpy(result.key, key.c_str(), sizeof(result.key) - 1);
  result.val_i64 = value;
  return result;
}

Gguf open_gguf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  if (!file) throw Error("load_failed", "cannot open the file " + path);
  file.read(magic, sizeof(magic));
  if (std::memcmp(magic, "GGUF", 4) != 0) throw Error("load_failed", "not a GGUF file: " + path);
  Gguf gguf(gguf_init_from_file(path.c_str(), {/*no_alloc*/ true, /*ctx*/ nullptr}));
  if (!gguf) throw Error("load_failed", "a damaged GGUF file: " + path);
  check_hyperparameters(gguf.get());
  return gguf;
}

// What generation cannot do without.
void check_model(const llama_model* model) {
  if (llama_vocab_n_tokens(llama_model_get_vocab(model)) < 1) throw Error("load_failed", "the model does not say the size of its vocabulary");
  if (llama_model_has_encoder(model) || !llama_model_has_decoder(model))
    throw Error("unsupported", "the llama engine runs decoder-only models");
}

// Tokenizing is not libllama's task here: without its vocabulary files load faster, and those with an unknown one load.
std::vector<llama_model_kv_override> without_vocabulary(const gguf_context* gguf) {
  const int64_t tokens = gguf_find_key(gguf, "tokenizer.ggml.tokens");
  if (tokens < 0 || gguf_get_kv_type(gguf, tokens) != GGUF_TYPE_ARRAY) return {};
  const std::string key = text_value(gguf, "general.architecture") + ".vocab_size";
  return {text_override("tokenizer.ggml.model", "no_vocab"),
          integer_override(key, static_cast<int64_t>(gguf_get_arr_n(gguf, tokens))), llama_model_kv_override{}};
}

// The key or the value of metadata entry `i`.
template <class Get>
std::string metadata_text(const llama_model* model, Get get, int32_t i) {
  std::vector<char> text(256);
  const int32_t length = get(model, i, text.data(), text.size());
  if (length >= static_cast<int32_t>(text.size())) {
    text.resize(static_cast<size_t>(length) + 1);
    get(model, i, text.data(), text.size());
  }
  return text.data();
}

// Weights, repacked ones too, are read from end to end for every token: with pages of 4 KB looking addresses up costs a
// tenth of the time.
void prefer_large_pages(ggml_backend_buffer_t buffer) {
#ifdef __linux__
  ggml_backend_dev_t device = ggml_backend_buft_get_device(ggml_backend_buffer_get_type(buffer));
  if (device && ggml_backend_dev_type(device) != GGML_BACKEND_DEVICE_TYPE_CPU) return;  // plain CPU buffers name none
  constexpr uintptr_t page = 4096;
  const auto base = reinterpret_cast<uintptr_t>(ggml_backend_buffer_get_base(buffer));
  const uintptr_t begin = (base + page - 1) & ~(page - 1);
  const uintptr_t end = (base + ggml_backend_buffer_get_size(buffer)) & ~(page - 1);
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#else
  (void)buffer;
#endif
}

// Fills the tensors that libllama allocated, one after another.
class Filler {
 public:
  Filler(const std::vector<Weight>& weights, int threads, const Progress& progress, const std::atomic<bool>& aborted)
      : threads_(threads), progress_(progress), aborted_(aborted) {
    for (const Weight& weight : weights) {
      by_name_[weight.name()] = &weight;
      total_ += weight.rows() * weight.columns();
    }
  }

  // Exceptions leave through libllama, which logs them and gives up; `failure` keeps the reason.
  static void fill(ggml_tensor* tensor, void* self) { static_cast<Filler*>(self)->fill(tensor); }

  std::exception_ptr failure;

 private:
  void fill(ggml_tensor* tensor) {
    try {
      const Weight& weight = *by_name_.at(tensor->name);
      if (buffers_.insert(tensor->buffer).second) prefer_large_pages(tensor->buffer);
      if (ggml_backend_buffer_is_host(tensor->buffer)) {
        convert(weight, tensor->type, 0, weight.rows(), static_cast<uint8_t*>(tensor->data), threads_, aborted_);
      } else {
        std::vector<uint8_t> staging(ggml_nbytes(tensor));
        convert(weight, tensor->type, 0, weight.rows(), staging.data(), threads_, aborted_);
        ggml_backend_tensor_set(tensor, staging.data(), 0, staging.size());
      }
      done_ += weight.rows() * weight.columns();
      progress_(std::min(1.0f, static_cast<float>(done_) / static_cast<float>(total_)));
    } catch (...) {
      failure = std::current_exception();
      throw;
    }
  }

  std::map<std::string, const Weight*> by_name_;
  int threads_;
  const Progress& progress_;
  const std::atomic<bool>& aborted_;
  int64_t total_ = 0;
  int64_t done_ = 0;
  std::set<ggml_backend_buffer_t> buffers_;  // met so far
};

}  // namespace

int physical_cores() {
  // Linux names the threads of each core; elsewhere half of the hardware threads is a fair guess.
  std::set<std::string> cores;
  for (int cpu = 0;; cpu++) {
    std::ifstream file("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings");
    std::string siblings;
    if (!std::getline(file, siblings)) break;
    cores.insert(siblings);
  }
  const int threads = static_cast<int>(std::thread::hardware_concurrency());  // those that this process may use
  if (!cores.empty()) return std::max(1, std::min(static_cast<int>(cores.size()), threads));
#ifdef __APPLE__
  return std::max(1, threads);
#else
  return std::max(1, threads / 2);
#endif
}

std::unique_ptr<Model> Model::from_gguf(const std::string& path, const ModelOptions& options, const Progress& progress,
                                        const std::atomic<bool>& aborted) {
  ErrorLog log;
  Params params(options);
  const Gguf gguf = open_gguf(path);
  const auto overrides = without_vocabulary(gguf.get());
  if (!overrides.empty()) params.params.kv_overrides = overrides.data();
  struct State {
    const Progress& progress;
    const std::atomic<bool>& aborted;
  } state{progress, aborted};
  params.params.progress_callback_user_data = &state;
  params.params.progress_callback = [](float value, void* data) {
    auto* s = static_cast<State*>(data);
    s->progress(value);
    return !s->aborted;
  };

  std::unique_ptr<Model> model(new Model());
  model->model_ = llama_model_load_from_file(path.c_str(), params.params);
  if (!model->model_) fail(log, aborted, path);
  check_model(model->model_);
  model->path_ = path;
  model->exact_ = true;
  for (int64_t i = 0; i < gguf_get_n_tensors(gguf.get()); i++)
    model->exact_ &= gguf_get_tensor_type(gguf.get(), i) == GGML_TYPE_F32;
  return model;
}

std::unique_ptr<Model> Model::from_recipe(Recipe recipe, const std::string& dtype, const ModelOptions& options,
                                          const Progress& progress, const std::atomic<bool>& aborted) {
  ErrorLog log;
  Params params(options);
  const Gguf gguf(gguf_init_empty());
  put_metadata(gguf.get(), recipe.metadata);
  gguf_set_val_str(gguf.get(), "tokenizer.ggml.model", "no_vocab");
  check_hyperparameters(gguf.get());
  const llama_ftype ftype = ftype_of(dtype);
  gguf_set_val_u32(gguf.get(), "general.file_type", ftype);

  const std::vector<ggml_type> types = choose_types(gguf.get(), recipe.weights, ftype);
  for (size_t i = 0; i < recipe.weights.size(); i++) {
    if (gguf_find_tensor(gguf.get(), recipe.weights[i].name().c_str()) >= 0)
      throw Error("bad_tensor", "the tensor '" + recipe.weights[i].name() + "' is listed twice");
    ggml_tensor tensor;
    describe(recipe.weights[i], types[i], &tensor);
    gguf_add_tensor(gguf.get(), &tensor);
  }

  Filler filler(recipe.weights, options.n_threads > 0 ? options.n_threads : physical_cores(), progress, aborted);
  std::unique_ptr<Model> model(new Model());
  model->model_ = llama_model_init_from_user(gguf.get(), Filler::fill, &filler, params.params);
  if (filler.failure) std::rethrow_exception(filler.failure);
  if (!model->model_) fail(log, aborted, "the checkpoint");
  check_model(model->model_);
  model->recipe_ = std::move(recipe);
  model->dtype_ = dtype;
  model->exact_ = ftype == LLAMA_FTYPE_ALL_F32;
  return model;
}

Model::~Model() { llama_model_free(model_); }

int32_t Model::vocab_size() const { return llama_vocab_n_tokens(llama_model_get_vocab(model_)); }

std::string Model::architecture() const {
  char text[128] = {};
  llama_model_meta_val_str(model_, "general.architecture", text, sizeof(text));
  return text;
}

ModelInfo Model::info() const {
  char description[256] = {};
  llama_model_desc(model_, description, sizeof(description));
  ModelInfo info{vocab_size(),
                 llama_model_n_ctx_train(model_),
                 llama_model_n_embd(model_),
                 llama_model_n_layer(model_),
                 llama_model_n_head(model_),
                 llama_model_n_params(model_),
                 llama_model_size(model_),
                 description,
                 llama_ftype_name(llama_model_ftype(model_)),
                 {},
                 {}};
  for (int i = 0; i < llama_model_n_devices(model_); i++)
    info.devices.emplace_back(ggml_backend_dev_name(llama_model_get_device(model_, i)));
  for (int32_t i = 0; i < llama_model_meta_count(model_); i++)
    info.metadata[metadata_text(model_, llama_model_meta_key_by_index, i)] =
        metadata_text(model_, llama_model_meta_val_str_by_index, i);
  return info;
}

}  // namespace gt::llama
