#pragma once

namespace gt::tokenizer {

// Asks the processor for memory that is needed soon.
inline void prefetch(const void* p) {
#if defined(__GNUC__)
  __builtin_prefetch(p);
#else
  static_cast<void>(p);
#endif
}

}  // namespace gt::tokenizer
