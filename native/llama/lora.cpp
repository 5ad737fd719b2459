#include "llama/lora.h"

#include <map>

#include "errors.h"
#include "llama/log.h"

namespace gt::llama {

namespace {

struct GgmlDeleter {
  void operator()(ggml_context* context) const { ggml_free(context); }
};

struct Part {
  const Weight* weight;
  float scale;
};

using Parts = std::map<std::string, Part>;

void add_tensor(gguf_context* gguf, ggml_context* context, const std::string& name, const Weight& weight) {
  ggml_tensor shape;
  describe(weight, GGML_TYPE_F32, &shape);
  ggml_tensor* tensor = ggml_new_tensor(context, GGML_TYPE_F32, GGML_MAX_DIMS, shape.ne);
  ggml_set_name(tensor, name.c_str());
  gguf_add_tensor(gguf, tensor);
}

void fill(ggml_tensor* tensor, void* data) {
  const Part& part = static_cast<const Parts*>(data)->at(tensor->name);
  std::vector<float> values(static_cast<size_t>(part.weight->rows() * part.weight->columns()));
  part.weight->read(0, part.weight->rows(), values.data());
  for (float& value : values) value *= part.scale;
  ggml_backend_tensor_set(tensor, values.data(), 0, values.size() * sizeof(float));
}

}  // namespace

Lora make_lora(const Model& model, const std::vector<LoraPair>& pairs) {
  ErrorLog log;
  const Gguf gguf(gguf_init_empty());
  gguf_set_val_str(gguf.get(), "general.type", "adapter");
  gguf_set_val_str(gguf.get(), "general.architecture", model.architecture().c_str());
  gguf_set_val_str(gguf.get(), "adapter.type", "lora");
  gguf_set_val_f32(gguf.get(), "adapter.lora.alpha", 0);  // the scales are in B
  const std::unique_ptr<ggml_context, GgmlDeleter> tensors(
      ggml_init({2 * pairs.size() * ggml_tensor_overhead() + 1024, nullptr, /*no_alloc*/ true}));
  Parts parts;
  for (const LoraPair& pair : pairs) {
    const std::string a = pair.tensor + ".lora_a", b = pair.tensor + ".lora_b";
    if (b.size() >= GGML_MAX_NAME) throw Error("bad_adapter", "the name of the tensor '" + pair.tensor + "' is too long");
    add_tensor(gguf.get(), tensors.get(), a, pair.a);
    add_tensor(gguf.get(), tensors.get(), b, pair.b);
    parts[a] = {&pair.a, 1.0f};
    parts[b] = {&pair.b, pair.scale};
  }
  llama_adapter_lora* adapter = llama_adapter_lora_init_from_user(model.get(), gguf.get(), tensors.get(), fill, &parts);
  if (!adapter) throw Error("bad_adapter", "cannot attach the adapter: " + log.first("libllama gave no reason"));
  return Lora(adapter);
}

}  // namespace gt::llama
