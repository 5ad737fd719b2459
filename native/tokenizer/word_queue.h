// Appends the ids of words to a list. Words wait for their memory: they are looked up kAhead at a time.
#pragma once

#include <string_view>
#include <utility>

#include "tokenizer/workspace.h"

namespace gt::tokenizer {

// `miss(word)` returns {ids, count} for a word that the cache does not know: at most `per_byte` for each of its bytes and
// `more`.
template <class Miss>
class WordQueue {
 public:
  WordQueue(WordCache& cache, Ids& ids, size_t per_byte, size_t more, Miss miss)
      : cache_(cache), ids_(ids), per_byte_(per_byte), more_(more), miss_(std::move(miss)) {}

  // The words must stay until flush(). `text_end` is the end of readable memory. Whenever words leave, each gives
  // done(its place among those that waited, the end of its ids).
  template <class Done>
  void add(std::string_view word, const char* text_end, Done&& done) {
    keys_[count_++] = cache_.key(word, text_end);
    bytes_ += word.size();
    if (count_ == kAhead) flush(done);
  }

  template <class Done>
  void flush(Done&& done) {
    int32_t* out = ids_.room(bytes_ * per_byte_ + count_ * more_ + WordCache::kSlack);
    for (size_t i = 0; i < count_; i++) {
      out = cache_.get(keys_[i], out, miss_);
      done(i, static_cast<size_t>(out - ids_.data()));
    }
    ids_.keep(out);
    count_ = bytes_ = 0;
  }

  static constexpr size_t kAhead = 32;
  // The place that the next word will have among those that wait.
  size_t count() const { return count_; }

 private:
  WordCache& cache_;
  Ids& ids_;
  const size_t per_byte_, more_;
  Miss miss_;
  WordCache::Key keys_[kAhead];
  size_t count_ = 0, bytes_ = 0;
};

}  // namespace gt::tokenizer
