#include "llama/log.h"

#include <llama.h>

#include <mutex>

namespace gt::llama {

namespace {

thread_local ErrorLog* current = nullptr;

void collect(ggml_log_level level, const char* text, void*) {
  if (level == GGML_LOG_LEVEL_ERROR && current) current->text += text;
}

}  // namespace

ErrorLog::ErrorLog() : outer_(current) {
  static std::once_flag once;
  std::call_once(once, [] { llama_log_set(collect, nullptr); });
  current = this;
}

ErrorLog::~ErrorLog() { current = outer_; }

std::string ErrorLog::first(const std::string& fallback) const {
  std::string line = text.substr(0, text.find('\n'));
  for (const char* prefix : {"llama_model_load: ", "error loading model: ", "check_tensor_dims: "}) {
    const std::string p = prefix;
    if (line.compare(0, p.size(), p) == 0) line.erase(0, p.size());
  }
  return line.empty() ? fallback : line;
}

}  // namespace gt::llama
