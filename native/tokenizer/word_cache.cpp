#include "tokenizer/word_cache.h"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace gt::tokenizer {

void WordCache::allocate(int bits) {
  constexpr size_t kLine = 64, kLargePage = size_t{1} << 21;
  const size_t size = (size_t{1} << bits) * sizeof(Word);
  const size_t alignment = size >= kLargePage ? kLargePage : kLine;
  std::unique_ptr<void, Free> before(std::calloc(size + alignment, 1));
  if (!before) throw std::bad_alloc();
  if (!long_words_) long_words_.reset(static_cast<LongWord*>(std::calloc(size_t{1} << kLongBits, sizeof(LongWord))));
  if (!long_words_) throw std::bad_alloc();
  before.swap(memory_);
  const Word* old = words_;
  const size_t count = old ? size_t{1} << bits_ : 0;
  words_ = reinterpret_cast<Word*>((reinterpret_cast<uintptr_t>(memory_.get()) + alignment - 1) / alignment * alignment);
  bits_ = bits;
#ifdef MADV_HUGEPAGE
  // Words are looked up all over it: with small pages, most of the time goes into finding these.
  if (alignment == kLargePage) madvise(words_, size, MADV_HUGEPAGE);
#endif
  for (size_t i = count; i-- > 0;) {  // the newer of two comes last
    if (old[i].length == 0) continue;
    Word* words = place_of(hash_short(old[i].low, old[i].high, old[i].length));
    words[1] = words[0];
    words[0] = old[i];
  }
}

// An empty word has length 0, which no word asks for.
void WordCache::clear() {
  std::memset(words_, 0, (size_t{1} << bits_) * sizeof(Word));
  std::memset(long_words_.get(), 0, (size_t{1} << kLongBits) * sizeof(LongWord));
  arena_.clear();
  bytes_.clear();
}

}  // namespace gt::tokenizer
