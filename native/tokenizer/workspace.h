// What a thread needs to encode: scratch memory, and the words that it has met.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tokenizer/pieces.h"
#include "tokenizer/word_cache.h"

namespace gt::tokenizer {

// A growing list of ids that is written through a pointer.
class Ids {
 public:
  // Room for `n` more ids behind those that are there.
  int32_t* room(size_t n) {
    if (size_ + n > data_.size()) data_.resize((size_ + n) * 2);
    return data_.data() + size_;
  }
  // Keeps what was written before `end`.
  void keep(const int32_t* end) { size_ = static_cast<size_t>(end - data_.data()); }
  void push(int32_t id) {
    *room(1) = id;
    size_++;
  }
  void clear() { size_ = 0; }
  int32_t* data() { return data_.data(); }
  const int32_t* data() const { return data_.data(); }
  size_t size() const { return size_; }

 private:
  std::vector<int32_t> data_;
  size_t size_ = 0;
};

// A token with the bytes of its piece that it covers.
struct ModelToken {
  int32_t id;
  uint32_t begin, end;
  std::string_view text = {};  // where it isn't that of the vocabulary; a view of the piece
};

// The best way of a Unigram model to the byte where it stands.
struct Step {
  int32_t id;  // -1 if there is none
  uint32_t begin;
  double score;
};

// A word, or an added token, of a text as it stands.
struct RawWord {
  uint32_t begin, end;  // bytes
  size_t ids_end;       // of its ids
  int32_t added;        // its id as an added token, or -1
  Start start;
};

// One for each thread; the tokenizer itself never changes while it encodes.
struct Workspace {
  Pieces pieces;
  Ids ids;
  std::vector<int32_t> offsets;  // start and end for each id, if they are wanted
  WordCache words;
  WordCache raw_words;    // as they stand in texts
  WordCache first_words;  // those that texts begin with, where that makes a difference
  std::vector<RawWord> raw_list;
  std::unique_ptr<Workspace> of_word;  // for a raw word that is new
  std::vector<size_t> piece_ends;  // in ids
  Ids row_ids;                     // of one text
  Pieces pieces_of_tail;

  // Of the models, for one piece.
  std::vector<ModelToken> tokens;
  std::vector<int32_t> symbols;
  std::vector<uint32_t> lengths, ranks;
  std::vector<Step> steps;
  std::vector<Span> spans;
  std::string spelled;
  std::minstd_rand random{std::random_device{}()};
};

}  // namespace gt::tokenizer
