#include "tokenizer/merges_reader.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <thread>

#include "tokenizer/parallel.h"

namespace gt::tokenizer {

namespace {

constexpr size_t kBlock = 4096;  // merges that a thread takes at a time
constexpr size_t kMostThreads = 4;

struct Merge {
  uint32_t a, b, result;
};

// A comment, as old files have one for their first merge.
bool is_version(const json::Value& merge, std::string& scratch) {
  return merge.is(json::Type::string) && merge.string(scratch).substr(0, 8) == "#version";
}

// Looks the tokens of merges up: several at a time, which wait for the vocabulary's memory together.
class Reader {
 public:
  // `out` gets the merges, the first of which is number `index`.
  Reader(const json::Node& list, const Vocabulary& vocabulary, size_t prefix_size, size_t index, Merge* out)
      : list_(list), vocabulary_(vocabulary), prefix_size_(prefix_size), index_(index), out_(out) {}

  // False for a comment.
  bool add(const json::Value& merge) {
    if (is_version(merge, scratch_)) return false;
    const auto fail = [&](const char* expected) {
      json::Node(merge, list_.path() + "[" + std::to_string(index_ + count_) + "]").fail(expected);
    };
    if (merge.is(json::Type::string)) {
      const std::string_view text = merge.string(scratch_);
      const size_t space = text.find(' ');
      if (space == text.npos || text.find(' ', space + 1) != text.npos) fail("two tokens with one space between them");
      add(text.substr(0, space), text.substr(space + 1));
    } else {
      if (!merge.is(json::Type::array)) fail("two tokens");
      std::string_view parts[2];
      int count = 0;
      for (const json::Value part : merge) {
        if (count == 2 || !part.is(json::Type::string)) fail("two tokens");
        parts[count] = part.string(count == 0 ? scratch_ : other_);
        count++;
      }
      if (count != 2) fail("two tokens");
      add(parts[0], parts[1]);
    }
    return true;
  }

  void flush() {
    std::string_view tokens[2 * kAhead];
    int32_t ids[2 * kAhead];
    for (size_t i = 0; i < count_; i++) {
      const std::string_view text = texts_[i];
      tokens[2 * i] = text.substr(0, sizes_[i]);
      tokens[2 * i + 1] = text.substr(sizes_[i]);
    }
    vocabulary_.find(tokens, 2 * count_, ids);
    for (size_t i = 0; i < 2 * count_; i++) {
      if (ids[i] < 0) fail(index_ + i / 2, tokens[i], "is not in the vocabulary");
    }
    for (size_t i = 0; i < count_; i++) {
      texts_[i].erase(sizes_[i], prefix_size_);
      *out_++ = {static_cast<uint32_t>(ids[2 * i]), static_cast<uint32_t>(ids[2 * i + 1]), result(index_ + i, texts_[i])};
    }
    index_ += count_;
    count_ = 0;
  }

 private:
  static constexpr size_t kAhead = 32;
  static_assert(2 * kAhead <= Vocabulary::kMostTokens, "they are searched at once");

  void add(std::string_view a, std::string_view b) {
    if (b.size() < prefix_size_) fail(index_ + count_, b, "has no prefix");
    texts_[count_].assign(a).append(b);
    sizes_[count_++] = a.size();
    if (count_ == kAhead) flush();
  }

  [[noreturn]] void fail(size_t index, std::string_view token, const char* problem) const {
    list_.error("merge " + std::to_string(index) + ": \"" + std::string(token) + "\" " + problem);
  }

  // Most vocabularies have the results in the order of the merges.
  uint32_t result(size_t index, std::string_view token) {
    for (const uint32_t guess : {next_ - 1, next_}) {
      if (vocabulary_.has(guess) && vocabulary_.token(guess) == token) return next_ = guess + 1, guess;
    }
    const int32_t found = vocabulary_.find(token);
    if (found < 0) fail(index, token, "is not in the vocabulary");
    next_ = static_cast<uint32_t>(found) + 1;
    return static_cast<uint32_t>(found);
  }

  const json::Node& list_;
  const Vocabulary& vocabulary_;
  const size_t prefix_size_;
  size_t index_;
  Merge* out_;
  std::string scratch_, other_;
  std::array<std::string, kAhead> texts_;  // both tokens of merges that wait
  std::array<size_t, kAhead> sizes_;       // of the first
  size_t count_ = 0;
  uint32_t next_ = 0;
};

}  // namespace

Merges read_merges(const json::Node& list, const Vocabulary& vocabulary, size_t prefix_size) {
  if (!list.value().is(json::Type::array)) list.fail("an array of merges");
  std::vector<json::Value::Iterator> blocks;
  std::string scratch;
  size_t count = 0;
  for (json::Value::Iterator i = list.value().begin(), end = list.value().end(); i != end; ++i) {
    if (is_version(*i, scratch)) continue;
    if (count++ % kBlock == 0) blocks.push_back(i);
  }
  std::vector<Merge> found(count);
  const size_t threads = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kMostThreads);
  parallel_for(blocks.size(), threads, 1, [&](size_t, size_t block) {
    const size_t first = block * kBlock;
    Reader reader(list, vocabulary, prefix_size, first, found.data() + first);
    json::Value::Iterator merge = blocks[block];
    for (size_t i = first; i < std::min(first + kBlock, count); ++merge) {
      if (reader.add(*merge)) i++;
    }
    reader.flush();
  });
  try {
    Merges merges(vocabulary.end_id(), count);
    constexpr size_t kAhead = 16;
    for (size_t i = 0; i < count + kAhead; i++) {
      if (i < count) merges.ask_for(found[i].a, found[i].b);
      if (i >= kAhead) merges.add(found[i - kAhead].a, found[i - kAhead].b, found[i - kAhead].result);
    }
    return merges;
  } catch (const std::length_error& error) {
    list.error(error.what());
  }
}

}  // namespace gt::tokenizer
