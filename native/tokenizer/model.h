// What turns pieces of text into ids.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tokenizer/json.h"
#include "tokenizer/pieces.h"
#include "tokenizer/vocabulary.h"

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
  std::string text = {};  // the token's text where it isn't that of the vocabulary
};

class Model {
 public:
  virtual ~Model() = default;

  // Reads a component of any type; without `type`, the first that fits, as Rust does.
  static std::unique_ptr<Model> read(const json::Node& node);

  const std::shared_ptr<const Vocabulary>& vocabulary() const { return vocabulary_; }

  // Appends the ids of all pieces; an added token's piece gives its own id.
  virtual void encode(Pieces& pieces, Ids& ids) = 0;
  // Appends the tokens of one piece of `pieces`, whose bytes are spelled out if the model does not take bytes.
  virtual void encode(std::string_view piece, bool is_bytes, std::vector<ModelToken>& tokens) = 0;
  // True if the pieces may stay bytes of the byte-level alphabet.
  virtual bool takes_bytes() const { return false; }

  virtual void write(json::Writer& writer) const = 0;

 protected:
  explicit Model(std::shared_ptr<const Vocabulary> vocabulary) : vocabulary_(std::move(vocabulary)) {}

  std::shared_ptr<const Vocabulary> vocabulary_;
};

}  // namespace gt::tokenizer
