// libllama says why something failed in its log only.
#pragma once

#include <string>

namespace gt::llama {

// While it lives, the errors that libllama logs on this thread are collected instead of lost.
class ErrorLog {
 public:
  ErrorLog();
  ~ErrorLog();
  ErrorLog(const ErrorLog&) = delete;
  ErrorLog& operator=(const ErrorLog&) = delete;

  // The first error, without the name of the function that logged it; `fallback` if there was none.
  std::string first(const std::string& fallback) const;

  std::string text;

 private:
  ErrorLog* outer_;
};

}  // namespace gt::llama
