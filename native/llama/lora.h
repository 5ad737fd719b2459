// LoRA adapters: low-rank additions to matrices of a loaded model, that its contexts switch on and off.
#pragma once

#include <llama.h>

#include <memory>
#include <vector>

#include "llama/model.h"
#include "llama/weights.h"

namespace gt::llama {

// W + scale * B A, or for the table of embeddings rows of A through B.
struct LoraPair {
  std::string tensor;  // its name in the model
  Weight a;            // [r, in]; of embeddings [tokens, r]
  Weight b;            // [out, r]
  float scale;
};

struct LoraDeleter {
  void operator()(llama_adapter_lora* adapter) const { llama_adapter_lora_free(adapter); }
};
using Lora = std::unique_ptr<llama_adapter_lora, LoraDeleter>;

// Valid as long as the model. Throws Error("bad_adapter") with libllama's reason.
Lora make_lora(const Model& model, const std::vector<LoraPair>& pairs);

}  // namespace gt::llama
