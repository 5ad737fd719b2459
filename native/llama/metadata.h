// Metadata of a GGUF file: typed values under string keys.
#pragma once

#include <gguf.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace gt::llama {

using Value = std::variant<uint32_t, int32_t, float, bool, std::string, std::vector<uint32_t>, std::vector<int32_t>,
                           std::vector<float>, std::vector<bool>, std::vector<std::string>>;
using Metadata = std::map<std::string, Value>;

struct GgufDeleter {
  void operator()(gguf_context* context) const { gguf_free(context); }
};
using Gguf = std::unique_ptr<gguf_context, GgufDeleter>;

// Puts `metadata` into `gguf`, over what is there. Throws TypeError for keys that GGUF reserves.
void put_metadata(gguf_context* gguf, const Metadata& metadata);

// The hyperparameter `<architecture>.<name>`, or the first of an array; `fallback` if there is none.
int64_t hyperparameter(const gguf_context* gguf, const std::string& name, int64_t fallback);

// The string at `key`, or "".
std::string text_value(const gguf_context* gguf, const char* key);

// Refuses hyperparameters on which libllama would abort the process. Throws Error("load_failed").
void check_hyperparameters(const gguf_context* gguf);

}  // namespace gt::llama
