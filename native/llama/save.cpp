#include "llama/save.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "errors.h"
#include "llama/log.h"
#include "llama/quantization.h"

namespace gt::llama {

namespace {

namespace fs = std::filesystem;

// A file beside `target` that becomes it by commit(), and is removed otherwise.
class TemporaryFile {
 public:
  TemporaryFile(const fs::path& target, const char* suffix) : target_(target), path_(target) {
    path_ += suffix;
  }
  ~TemporaryFile() {
    std::error_code ignored;
    if (!committed_) fs::remove(path_, ignored);
  }
  const fs::path& path() const { return path_; }
  void commit() {
    std::error_code error;
    fs::rename(path_, target_, error);
    if (error) throw Error("io_error", "cannot write " + target_.u8string() + ": " + error.message());
    committed_ = true;
  }

 private:
  fs::path target_;
  fs::path path_;
  bool committed_ = false;
};

class Output {
 public:
  explicit Output(const fs::path& path) : path_(path), file_(path, std::ios::binary | std::ios::trunc) { check(); }
  void write(const void* data, size_t size) {
    file_.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
    check();
  }
  void pad(size_t size, size_t alignment) {
    static const char zeros[256] = {};
    write(zeros, GGML_PAD(size, alignment) - size);
  }
  void close() {
    file_.close();
    check();
  }

 private:
  void check() const {
    if (!file_) throw Error("io_error", "cannot write " + path_.u8string() + ": " + std::strerror(errno));
  }
  fs::path path_;
  std::ofstream file_;
};

void write_header(Output& output, const gguf_context* gguf) {
  std::vector<uint8_t> header(gguf_get_meta_size(gguf));
  gguf_get_meta_data(gguf, header.data());
  output.write(header.data(), header.size());
}

// How much of a work is done.
class Counter {
 public:
  Counter(const Progress& progress, int64_t total) : progress_(progress), total_(std::max<int64_t>(1, total)) {}
  void add(int64_t count) {
    done_ += count;
    progress_(std::min(1.0f, static_cast<float>(static_cast<double>(done_) / static_cast<double>(total_))));
  }

 private:
  const Progress& progress_;
  const int64_t total_;
  int64_t done_ = 0;
};

void write_weight(Output& output, const Weight& weight, ggml_type type, size_t alignment, Counter& counter,
                  const std::atomic<bool>& aborted) {
  constexpr size_t slab_bytes = 64 << 20;
  const size_t row = ggml_row_size(type, weight.columns());
  const auto slab = static_cast<int64_t>(std::max<size_t>(1, slab_bytes / row));
  std::vector<uint8_t> buffer;
  for (int64_t begin = 0; begin < weight.rows(); begin += slab) {
    const int64_t end = std::min(weight.rows(), begin + slab);
    buffer.resize(static_cast<size_t>(end - begin) * row);
    convert(weight, type, begin, end, buffer.data(), physical_cores(), aborted);
    output.write(buffer.data(), buffer.size());
    counter.add((end - begin) * weight.columns());
  }
  output.pad(static_cast<size_t>(weight.rows()) * row, alignment);
}

void save_recipe(const Recipe& recipe, const std::string& dtype, const SaveOptions& options, const fs::path& path,
                 const std::atomic<bool>& aborted) {
  const Gguf gguf(gguf_init_empty());
  put_metadata(gguf.get(), recipe.metadata);
  put_metadata(gguf.get(), options.metadata);
  const llama_ftype ftype = ftype_of(dtype);
  gguf_set_val_u32(gguf.get(), "general.file_type", ftype);
  gguf_set_val_u32(gguf.get(), "general.quantization_version", GGML_QNT_VERSION);
  if (gguf_find_key(gguf.get(), "tokenizer.ggml.model") < 0) gguf_set_val_str(gguf.get(), "tokenizer.ggml.model", "no_vocab");

  const std::vector<ggml_type> types = choose_types(gguf.get(), recipe.weights, ftype);
  for (size_t i = 0; i < types.size(); i++) {
    ggml_tensor tensor;
    describe(recipe.weights[i], types[i], &tensor);
    gguf_add_tensor(gguf.get(), &tensor);
  }
  Output output(path);
  write_header(output, gguf.get());
  int64_t total = 0;
  for (const Weight& weight : recipe.weights) total += weight.rows() * weight.columns();
  Counter counter(options.progress, total);
  for (size_t i = 0; i < types.size(); i++)
    write_weight(output, recipe.weights[i], types[i], gguf_get_alignment(gguf.get()), counter, aborted);
  output.close();
}

// The tensors of `source` as they are, under new metadata.
void copy_gguf(const fs::path& source, const SaveOptions& options, const fs::path& path, const std::atomic<bool>& aborted) {
  ggml_context* tensors = nullptr;
  const Gguf from(gguf_init_from_file(source.u8string().c_str(), {/*no_alloc*/ true, &tensors}));
  const std::unique_ptr<ggml_context, void (*)(ggml_context*)> owner(tensors, ggml_free);
  std::ifstream input(source, std::ios::binary);
  if (!from || !input) throw Error("io_error", "cannot read " + source.u8string());
  if (gguf_find_key(from.get(), "split.count") >= 0)
    throw Error("unsupported", "saving a model that was loaded from a GGUF file in parts");

  const Gguf to(gguf_init_empty());
  gguf_set_kv(to.get(), from.get());
  put_metadata(to.get(), options.metadata);
  for (int64_t i = 0; i < gguf_get_n_tensors(from.get()); i++)
    gguf_add_tensor(to.get(), ggml_get_tensor(tensors, gguf_get_tensor_name(from.get(), i)));
  Output output(path);
  write_header(output, to.get());
  std::vector<char> buffer(8 << 20);
  int64_t total = 0;
  for (int64_t i = 0; i < gguf_get_n_tensors(from.get()); i++) total += static_cast<int64_t>(gguf_get_tensor_size(from.get(), i));
  Counter counter(options.progress, total);
  for (int64_t i = 0; i < gguf_get_n_tensors(from.get()); i++) {
    const size_t size = gguf_get_tensor_size(from.get(), i);
    input.seekg(static_cast<std::streamoff>(gguf_get_data_offset(from.get()) + gguf_get_tensor_offset(from.get(), i)));
    for (size_t done = 0, count; done < size; done += count) {
      if (aborted) throw Error("aborted", "saving was cancelled");
      count = std::min(buffer.size(), size - done);
      if (!input.read(buffer.data(), static_cast<std::streamsize>(count))) throw Error("io_error", "cannot read " + source.u8string());
      output.write(buffer.data(), count);
      counter.add(static_cast<int64_t>(count));
    }
    output.pad(size, gguf_get_alignment(to.get()));
  }
  output.close();
}

void quantize_gguf(const std::string& source, const std::string& dtype, const fs::path& path) {
  ErrorLog log;
  llama_model_quantize_params params = llama_model_quantize_default_params();
  params.ftype = ftype_of(dtype);
  params.nthread = physical_cores();
  if (llama_model_quantize(source.c_str(), path.u8string().c_str(), &params) != 0)
    throw Error("unsupported", "cannot save " + source + " as " + dtype + ": " + log.first("libllama gave no reason"));
}

}  // namespace

void save_gguf(const Model& model, const std::string& path, const SaveOptions& options, const std::atomic<bool>& aborted) {
  const fs::path target = fs::u8path(path);
  TemporaryFile file(target, ".incomplete");
  if (model.path().empty()) {
    const std::string& dtype = options.dtype.empty() ? model.dtype() : options.dtype;
    save_recipe(model.recipe(), dtype, options, file.path(), aborted);
  } else if (options.dtype.empty()) {
    copy_gguf(fs::u8path(model.path()), options, file.path(), aborted);
  } else {
    const TemporaryFile quantised(target, ".quantised");
    quantize_gguf(model.path(), options.dtype, quantised.path());
    copy_gguf(quantised.path(), options, file.path(), aborted);
  }
  file.commit();
}

}  // namespace gt::llama
