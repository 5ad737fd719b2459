// What encoding gives: tokens with all that is known of each.
// Rust: https://github.com/huggingface/tokenizers/blob/v0.22.2/tokenizers/src/tokenizer/encoding.rs
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tokenizer/pieces.h"
#include "tokenizer/vocabulary.h"

namespace gt::tokenizer {

enum class Direction : uint8_t { left, right };
enum class OffsetUnit : uint8_t { code_point, utf16 };

// Counts the units before a byte of a text: quickly near the byte that it was asked for last.
class UnitCounter {
 public:
  UnitCounter(std::string_view text, OffsetUnit unit) : text_(text), unit_(unit), is_ascii_(unicode::is_ascii(text)) {}

  // Bytes inside a character have the units before it; those behind the text, unless it is ASCII, the units of it all.
  int32_t before(uint32_t byte) {
    if (is_ascii_) return static_cast<int32_t>(byte);
    while (at_ < text_.size()) {
      const size_t width = unicode::length(static_cast<uint8_t>(text_[at_]));
      if (at_ + width > byte) break;
      at_ += width;
      units_ += units_of(width);
    }
    while (at_ > byte) {
      const auto start = static_cast<size_t>(unicode::previous(text_.data(), text_.data() + at_) - text_.data());
      units_ -= units_of(at_ - start);
      at_ = start;
    }
    return units_;
  }

 private:
  int32_t units_of(size_t width) const { return unit_ == OffsetUnit::utf16 && width == 4 ? 2 : 1; }

  std::string_view text_;
  OffsetUnit unit_;
  bool is_ascii_;
  size_t at_ = 0;  // the start of a character, and the units before it
  int32_t units_ = 0;
};

struct Truncation {
  enum class Strategy : uint8_t { longest_first, only_first, only_second };
  size_t max_length = 512, stride = 0;
  Strategy strategy = Strategy::longest_first;
  Direction direction = Direction::right;
};

struct Token {
  static constexpr int32_t kNone = -1;

  int32_t id = 0;
  int32_t type_id = 0;
  int32_t word = kNone;
  int32_t source = kNone;    // the text that `span` lies in
  Span span{0, 0};           // bytes
  int32_t text = kNone;      // the text of the token where it isn't that of the vocabulary
  bool is_special = false;
  bool is_attended = true;
};

// The texts that the tokens of an encoding point at. Shared by its parts.
struct Texts {
  std::shared_ptr<const Vocabulary> vocabulary;
  std::vector<std::string> sources;
  std::vector<std::string> tokens;

  int32_t add_token(std::string text) {
    tokens.push_back(std::move(text));
    return static_cast<int32_t>(tokens.size() - 1);
  }
};

class Encoding {
 public:
  explicit Encoding(std::shared_ptr<Texts> texts) : texts_(std::move(texts)) {}

  std::vector<Token> tokens;
  std::vector<std::shared_ptr<Encoding>> overflowing;
  // Tokens of each sequence; empty: one sequence, all tokens.
  std::map<size_t, std::pair<size_t, size_t>> sequences;

  size_t size() const { return tokens.size(); }
  size_t n_sequences() const { return sequences.empty() ? 1 : sequences.size(); }
  void set_sequence(size_t sequence) { sequences[sequence] = {0, size()}; }
  std::vector<int32_t> sequence_ids() const;
  std::string_view token_text(const Token& token) const;
  // Pairs of start and end.
  std::vector<int32_t> offsets(OffsetUnit unit) const;
  Texts& texts() const { return *texts_; }
  const std::shared_ptr<Texts>& shared_texts() const { return texts_; }

  // What goes is appended to `overflowing`. Throws RangeError unless stride < max_length.
  void truncate(size_t max_length, size_t stride, Direction direction);
  void pad(size_t length, int32_t id, int32_t type_id, const std::string& token, Direction direction);
  // Appends an encoding of the same texts. With `growing_offsets` its offsets go on from where those of this one end.
  void append(const Encoding& other, bool growing_offsets = false);

 private:
  std::string text_until_end() const;
  std::shared_ptr<Encoding> part(size_t begin, size_t end) const;

  std::shared_ptr<Texts> texts_;
};

// Copies of encodings, of whatever tokenizers, that share their texts.
std::vector<Encoding> gather(const std::vector<const Encoding*>& encodings, std::shared_ptr<const Vocabulary> vocabulary);
// One after the other, as Rust's Encoding::merge.
Encoding merge(const std::vector<const Encoding*>& encodings, bool growing_offsets);

// Throws Error{"truncation"} where a strategy cannot shorten enough.
void truncate(Encoding& first, Encoding* second, const Truncation& truncation);

}  // namespace gt::tokenizer
