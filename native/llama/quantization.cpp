#include "llama/quantization.h"

#include "../src/llama-ext.h"
#include "errors.h"
#include "llama/metadata.h"

namespace gt::llama {

namespace {

struct Mix {
  const char* name;
  llama_ftype ftype;
};

// Those that need no importance matrix.
constexpr Mix mixes[] = {
    {"f32", LLAMA_FTYPE_ALL_F32},          {"f16", LLAMA_FTYPE_MOSTLY_F16},       {"bf16", LLAMA_FTYPE_MOSTLY_BF16},
    {"q8_0", LLAMA_FTYPE_MOSTLY_Q8_0},     {"q6_k", LLAMA_FTYPE_MOSTLY_Q6_K},     {"q5_0", LLAMA_FTYPE_MOSTLY_Q5_0},
    {"q5_1", LLAMA_FTYPE_MOSTLY_Q5_1},     {"q5_k", LLAMA_FTYPE_MOSTLY_Q5_K_M},   {"q5_k_m", LLAMA_FTYPE_MOSTLY_Q5_K_M},
    {"q5_k_s", LLAMA_FTYPE_MOSTLY_Q5_K_S}, {"q4_0", LLAMA_FTYPE_MOSTLY_Q4_0},     {"q4_1", LLAMA_FTYPE_MOSTLY_Q4_1},
    {"q4_k", LLAMA_FTYPE_MOSTLY_Q4_K_M},   {"q4_k_m", LLAMA_FTYPE_MOSTLY_Q4_K_M}, {"q4_k_s", LLAMA_FTYPE_MOSTLY_Q4_K_S},
    {"iq4_nl", LLAMA_FTYPE_MOSTLY_IQ4_NL}, {"iq4_xs", LLAMA_FTYPE_MOSTLY_IQ4_XS}, {"q3_k", LLAMA_FTYPE_MOSTLY_Q3_K_M},
    {"q3_k_l", LLAMA_FTYPE_MOSTLY_Q3_K_L}, {"q3_k_m", LLAMA_FTYPE_MOSTLY_Q3_K_M}, {"q3_k_s", LLAMA_FTYPE_MOSTLY_Q3_K_S},
    {"q2_k", LLAMA_FTYPE_MOSTLY_Q2_K},
};

struct QuantisationState {
  llama_model* model;
  llama_model_quantize_params params = llama_model_quantize_default_params();
  quantize_state_impl* state;

  QuantisationState(const gguf_context* gguf, llama_ftype ftype) {
    const std::string architecture = text_value(gguf, "general.architecture");
    const auto get = [&](const char* name, int64_t fallback) {
      return static_cast<uint32_t>(hyperparameter(gguf, name, fallback));
    };
    llama_quant_model_desc desc{};
    desc.architecture = architecture.c_str();
    desc.n_embd = get("embedding_length", 0);
    desc.n_ff = get("feed_forward_length", 0);
    desc.n_layer = get("block_count", 1);
    desc.n_head = get("attention.head_count", 1);
    desc.n_head_kv = get("attention.head_count_kv", desc.n_head);
    desc.n_expert = get("expert_count", 0);
    desc.n_embd_head_k = get("attention.key_length", desc.n_embd / std::max(1u, desc.n_head));
    desc.n_embd_head_v = get("attention.value_length", desc.n_embd_head_k);
    model = llama_quant_model_from_metadata(&desc);
    params.ftype = ftype;
    state = llama_quant_init(model, &params);
  }
  ~QuantisationState() {
    llama_quant_free(state);
    llama_model_free(model);
  }
};

}  // namespace

llama_ftype ftype_of(const std::string& dtype) {
  std::string names;
  for (const Mix& mix : mixes) {
    if (dtype == mix.name) return mix.ftype;
    names += std::string(names.empty() ? "" : ", ") + mix.name;
  }
  throw TypeError("Expected one of " + names + " for dtype but received '" + dtype + "'");
}

std::vector<ggml_type> choose_types(const gguf_context* gguf, const std::vector<Weight>& weights, llama_ftype ftype) {
  std::vector<ggml_type> types(weights.size(), GGML_TYPE_F32);
  if (ftype == LLAMA_FTYPE_ALL_F32) return types;

  QuantisationState quantisation(gguf, ftype);
  std::vector<ggml_tensor> tensors(weights.size());
  std::vector<ggml_tensor*> chosen;
  std::vector<size_t> index;
  for (size_t i = 0; i < weights.size(); i++) {
    describe(weights[i], GGML_TYPE_F32, &tensors[i]);
    if (!llama_quant_tensor_allows_quantization(quantisation.state, &tensors[i])) continue;
    chosen.push_back(&tensors[i]);
    index.push_back(i);
  }
  std::vector<ggml_type> result(chosen.size());
  llama_quant_compute_types(quantisation.state, ftype, chosen.data(), result.data(), chosen.size());
  for (size_t i = 0; i < chosen.size(); i++) types[index[i]] = result[i];
  return types;
}

}  // namespace gt::llama
