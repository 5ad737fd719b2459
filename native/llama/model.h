// A model of libllama: loaded from a GGUF file, or built from the tensors of a checkpoint.
#pragma once

#include <llama.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "llama/metadata.h"
#include "llama/weights.h"

namespace gt::llama {

struct ModelOptions {
  std::string device;    // a name in ggml's registry; "": every GPU
  int n_gpu_layers = -1; // -1: all
  int n_threads = 0;     // for casting and quantising; 0: one for each physical core
};

// What a model is built from, if not from a file. Kept by the model, so that it can be saved with other types.
struct Recipe {
  Metadata metadata;
  std::vector<Weight> weights;
};

// What a model says of itself; see LlamaInfo in lib/native_engines.ts.
struct ModelInfo {
  int32_t n_vocab, n_ctx_train, n_embd, n_layer, n_head;
  uint64_t n_params, size;
  std::string description, ftype;
  std::vector<std::string> devices;
  std::map<std::string, std::string> metadata;
};

using Progress = std::function<void(float)>;  // 0 to 1

int physical_cores();

class Model {
 public:
  // Both throw Error("load_failed") with libllama's reason, Error("aborted") when `aborted` becomes true.
  static std::unique_ptr<Model> from_gguf(const std::string& path, const ModelOptions& options, const Progress& progress,
                                          const std::atomic<bool>& aborted);
  // `dtype` as in quantization.h.
  static std::unique_ptr<Model> from_recipe(Recipe recipe, const std::string& dtype, const ModelOptions& options,
                                            const Progress& progress, const std::atomic<bool>& aborted);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  llama_model* get() const { return model_; }
  int32_t vocab_size() const;
  std::string architecture() const;
  ModelInfo info() const;
  // All weights are float32.
  bool exact() const { return exact_; }

  // Where it came from: one of them is empty.
  const std::string& path() const { return path_; }
  const Recipe& recipe() const { return recipe_; }
  const std::string& dtype() const { return dtype_; }

 private:
  Model() = default;

  llama_model* model_ = nullptr;
  std::string path_;
  std::string dtype_;
  Recipe recipe_;
  bool exact_ = false;
};

}  // namespace gt::llama
