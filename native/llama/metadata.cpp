#include "llama/metadata.h"

#include "errors.h"

namespace gt::llama {

namespace {

struct Setter {
  gguf_context* gguf;
  const char* key;

  void operator()(uint32_t v) const { gguf_set_val_u32(gguf, key, v); }
  void operator()(int32_t v) const { gguf_set_val_i32(gguf, key, v); }
  void operator()(float v) const { gguf_set_val_f32(gguf, key, v); }
  void operator()(bool v) const { gguf_set_val_bool(gguf, key, v); }
  void operator()(const std::string& v) const { gguf_set_val_str(gguf, key, v.c_str()); }
  void operator()(const std::vector<uint32_t>& v) const { gguf_set_arr_data(gguf, key, GGUF_TYPE_UINT32, v.data(), v.size()); }
  void operator()(const std::vector<int32_t>& v) const { gguf_set_arr_data(gguf, key, GGUF_TYPE_INT32, v.data(), v.size()); }
  void operator()(const std::vector<float>& v) const { gguf_set_arr_data(gguf, key, GGUF_TYPE_FLOAT32, v.data(), v.size()); }
  void operator()(const std::vector<bool>& v) const {
    const std::vector<int8_t> bytes(v.begin(), v.end());
    gguf_set_arr_data(gguf, key, GGUF_TYPE_BOOL, bytes.data(), bytes.size());
  }
  void operator()(const std::vector<std::string>& v) const {
    std::vector<const char*> texts;
    texts.reserve(v.size());
    for (const std::string& text : v) texts.push_back(text.c_str());
    gguf_set_arr_str(gguf, key, texts.data(), texts.size());
  }
};

int64_t integer(const gguf_context* gguf, int64_t id, int64_t fallback) {
  switch (gguf_get_kv_type(gguf, id)) {
    case GGUF_TYPE_UINT8: return gguf_get_val_u8(gguf, id);
    case GGUF_TYPE_UINT16: return gguf_get_val_u16(gguf, id);
    case GGUF_TYPE_UINT32: return gguf_get_val_u32(gguf, id);
    case GGUF_TYPE_INT32: return gguf_get_val_i32(gguf, id);
    case GGUF_TYPE_UINT64: return static_cast<int64_t>(gguf_get_val_u64(gguf, id));
    case GGUF_TYPE_INT64: return gguf_get_val_i64(gguf, id);
    case GGUF_TYPE_ARRAY: {
      const gguf_type type = gguf_get_arr_type(gguf, id);
      if (gguf_get_arr_n(gguf, id) == 0 || (type != GGUF_TYPE_UINT32 && type != GGUF_TYPE_INT32)) return fallback;
      return *static_cast<const int32_t*>(gguf_get_arr_data(gguf, id));
    }
    default: return fallback;
  }
}

}  // namespace

void put_metadata(gguf_context* gguf, const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    if (key == "general.alignment" || key.rfind("split.", 0) == 0)
      throw TypeError("metadata must not hold '" + key + "': it describes the file, not the model");
    std::visit(Setter{gguf, key.c_str()}, value);
  }
}

int64_t hyperparameter(const gguf_context* gguf, const std::string& name, int64_t fallback) {
  const std::string key = text_value(gguf, "general.architecture") + "." + name;
  const int64_t id = gguf_find_key(gguf, key.c_str());
  return id < 0 ? fallback : integer(gguf, id, fallback);
}

std::string text_value(const gguf_context* gguf, const char* key) {
  const int64_t id = gguf_find_key(gguf, key);
  return id < 0 || gguf_get_kv_type(gguf, id) != GGUF_TYPE_STRING ? "" : gguf_get_val_str(gguf, id);
}

// What llama_model_base::load_hparams asserts on. https://github.com/ggml-org/llama.cpp/blob/master/src/llama-model.cpp
void check_hyperparameters(const gguf_context* gguf) {
  const auto get = [&](const char* name, int64_t fallback = 0) { return hyperparameter(gguf, name, fallback); };
  const auto check = [&](bool ok, const char* name) {
    if (!ok)
      throw Error("load_failed", "the model's metadata has an impossible value for " +
                                     text_value(gguf, "general.architecture") + "." + name + ": " +
                                     std::to_string(get(name)));
  };
  if (text_value(gguf, "general.architecture").empty())
    throw Error("load_failed", "the model's metadata lacks general.architecture");
  const int64_t layers = get("block_count");
  check(layers > 0 && layers <= 512, "block_count");
  check(get("nextn_predict_layers") >= 0 && get("nextn_predict_layers") <= layers, "nextn_predict_layers");
  check(get("embedding_length") > 0, "embedding_length");
  check(get("context_length") > 0, "context_length");
  check(get("attention.head_count") >= 0, "attention.head_count");
  const int64_t experts = get("expert_count");
  const int64_t groups = get("expert_group_count");
  check(experts >= 0 && experts <= 1024, "expert_count");
  check(experts > 0 ? get("expert_used_count") > 0 && get("expert_used_count") <= experts : get("expert_used_count") == 0,
        "expert_used_count");
  check(groups == 0 || groups < experts, "expert_group_count");
  check(groups <= 1 || (experts % groups == 0 && get("expert_group_used_count") > 0 && get("expert_group_used_count") < groups),
        "expert_group_used_count");
  const std::string scaling = text_value(gguf, (text_value(gguf, "general.architecture") + ".rope.scaling.type").c_str());
  if (!scaling.empty() && scaling != "none" && scaling != "linear" && scaling != "yarn" && scaling != "longrope")
    throw Error("load_failed", "the model's metadata has an unknown rope.scaling.type: '" + scaling + "'");
}

}  // namespace gt::llama
