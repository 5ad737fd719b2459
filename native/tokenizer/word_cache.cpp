#include "tokenizer/word_cache.h"

#include <cstdlib>
#include <new>

namespace gt::tokenizer {

void WordCache::allocate() {
  constexpr size_t kLine = 64;
  memory_.reset(std::calloc((size_t{1} << kWordBits) * sizeof(Word) + kLine, 1));
  const auto address = (reinterpret_cast<uintptr_t>(memory_.get()) + kLine - 1) / kLine * kLine;
  words_ = memory_ ? reinterpret_cast<Word*>(address) : nullptr;
  long_words_.reset(static_cast<LongWord*>(std::calloc(size_t{1} << kLongBits, sizeof(LongWord))));
  if (!words_ || !long_words_) throw std::bad_alloc();
}

// An empty word has length 0, which no word asks for.
void WordCache::clear() {
  std::memset(words_, 0, (size_t{1} << kWordBits) * sizeof(Word));
  std::memset(long_words_.get(), 0, (size_t{1} << kLongBits) * sizeof(LongWord));
  arena_.clear();
  bytes_.clear();
}

}  // namespace gt::tokenizer
