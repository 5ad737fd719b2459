#include "tokenizer/word_cache.h"

#include <cstdlib>
#include <new>

namespace gt::tokenizer {

void WordCache::allocate() {
  words_.reset(static_cast<Word*>(std::calloc(size_t{1} << kWordBits, sizeof(Word))));
  long_words_.reset(static_cast<LongWord*>(std::calloc(size_t{1} << kLongBits, sizeof(LongWord))));
  if (!words_ || !long_words_) throw std::bad_alloc();
}

// An empty word has length 0, which no word asks for.
void WordCache::clear() {
  std::memset(words_.get(), 0, (size_t{1} << kWordBits) * sizeof(Word));
  std::memset(long_words_.get(), 0, (size_t{1} << kLongBits) * sizeof(LongWord));
  arena_.clear();
  bytes_.clear();
}

}  // namespace gt::tokenizer
