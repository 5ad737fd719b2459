// The text on its way through the pipeline: cut into pieces, rewritten, and still aligned with the original.
// Rust's NormalizedString and PreTokenizedString in one: https://github.com/huggingface/tokenizers/blob/v0.22.2/tokenizers/src/tokenizer/normalizer.rs
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "unicode/utf8.h"

namespace gt::tokenizer {

// Bytes from `begin` to before `end`.
struct Span {
  uint32_t begin, end;
};

struct Piece {
  uint32_t begin, end;   // in the current text
  uint32_t shift;        // where the piece starts in the original
  int32_t added = -1;    // the id, if the piece is an added token
};

// Where a text may be cut into parts that are prepared one by one.
inline bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// Where an original begins: with the text, behind an added token, or inside of what is prepared in parts.
enum class Start : uint8_t { text, part, inside };

// A part of a text, and whether it is what a pattern looked for.
struct Match {
  uint32_t begin, end;
  bool is_match;
};

class Pieces {
 public:
  // Starts with one piece: `original`, which must stay. With `aligned`, spans can be turned into those of the original.
  void reset(std::string_view original, bool aligned, Start start = Start::text);
  Start start() const { return start_; }

  const std::vector<Piece>& list() const { return pieces_; }
  // The current text as a whole.
  std::string_view text() const { return text_; }
  // True if it is not the original.
  bool is_changed() const { return changed_; }
  // True if it is not, and each of its bytes has a span of the original.
  bool is_aligned() const { return aligned_ && changed_; }
  std::string_view text(const Piece& piece) const { return text_.substr(piece.begin, piece.end - piece.begin); }
  // True if each byte of the text stands for its character of the byte-level alphabet.
  bool is_bytes() const { return bytes_; }
  void set_bytes() { bytes_ = true; }
  // Writes the byte-level characters out.
  void spell_bytes();

  // The part of the original that a byte of the text was made from.
  Span origin(uint32_t byte) const;
  // The same for the bytes from `begin` to before `end`, of which there are some.
  Span origin(uint32_t begin, uint32_t end) const {
    if (!changed_ && is_ascii_) return {begin, end};
    return {origin(begin).begin, origin(end - 1).end};
  }

  // Cuts every piece that is no added token: `cut(text, emit)` calls `emit(begin, end, added)` for the parts to keep.
  template <class Cut>
  void split(Cut&& cut);

  // Rewrites every piece that is no added token and for which `concerns(text)` or `concerns(text, piece)`:
  // `body(text, rewriter)`.
  template <class Concerns, class Body>
  void rewrite(Concerns&& concerns, Body&& body);

  class Rewriter;

  // Scratch of those that cut.
  std::vector<Match>& matches() { return matches_; }

 private:
  std::string_view original_, text_;
  std::string buffer_, next_buffer_;
  std::vector<Span> alignment_, next_alignment_;
  std::vector<Piece> pieces_, next_pieces_;
  std::vector<Match> matches_;
  bool aligned_ = false, changed_ = false, bytes_ = false, is_ascii_ = false;
  Start start_ = Start::text;
};

// Makes the new text of a piece, character by character, with Rust's way of saying what each was made from.
class Pieces::Rewriter {
 public:
  // `change`: 0 replaces the next character, 1 is inserted, -n replaces one and removes the n after it.
  void put(char32_t c, int change) {
    const Span origin = !pieces_.aligned_ ? Span{0, 0} : change > 0 ? before() : at(position_);
    if (change <= 0) skip(1 - change);
    char bytes[4];
    add(bytes, unicode::encode(c, bytes), origin);
  }
  // Takes `n` bytes of whole characters over as they are.
  void copy(size_t n);
  // Steps over characters; what is put next counts as inserted behind them.
  void skip(int characters) {
    for (; characters > 0 && position_ < end_; characters--) {
      position_ += static_cast<uint32_t>(unicode::length(static_cast<uint8_t>(pieces_.text_[position_])));
    }
  }
  // Replaces the next `n` bytes by `content`, as Rust's NormalizedString::replace.
  void replace(size_t n, std::string_view content) {
    position_ += static_cast<uint32_t>(n);
    add(content.data(), content.size(), pieces_.aligned_ ? before() : Span{0, 0});
  }
  // Puts `content` before the first character, as Rust's NormalizedString::prepend.
  void prepend(std::string_view content) {
    add(content.data(), content.size(), pieces_.aligned_ ? at(position_) : Span{0, 0});
  }
  size_t rest() const { return end_ - position_; }

 private:
  friend class Pieces;
  Rewriter(Pieces& pieces, const Piece& piece)
      : pieces_(pieces), shift_(piece.shift), position_(piece.begin), begin_(piece.begin), end_(piece.end) {}

  Span before() const { return position_ == begin_ ? Span{shift_, shift_} : at(position_ - 1); }
  Span at(uint32_t byte) const { return pieces_.origin(byte < end_ ? byte : end_ - 1); }
  void add(const char* bytes, size_t n, Span origin) {
    pieces_.next_buffer_.append(bytes, n);
    for (size_t i = 0; i < n && pieces_.aligned_; i++) pieces_.next_alignment_.push_back(origin);
  }

  Pieces& pieces_;
  uint32_t shift_, position_, begin_, end_;
};

template <class Cut>
void Pieces::split(Cut&& cut) {
  next_pieces_.clear();
  for (const Piece& piece : pieces_) {
    if (piece.added >= 0) {
      next_pieces_.push_back(piece);
      continue;
    }
    cut(text(piece), [&](size_t begin, size_t end, int32_t added) {
      if (begin >= end) return;
      const uint32_t start = piece.begin + static_cast<uint32_t>(begin);
      const uint32_t shift = is_aligned() ? alignment_[start].begin : piece.shift + static_cast<uint32_t>(begin);
      next_pieces_.push_back({start, piece.begin + static_cast<uint32_t>(end), shift, added});
    });
  }
  pieces_.swap(next_pieces_);
}

template <class Concerns, class Body>
void Pieces::rewrite(Concerns&& concerns, Body&& body) {
  const auto is_meant = [&](const Piece& piece) {
    if (piece.added >= 0) return false;
    if constexpr (std::is_invocable_v<Concerns, std::string_view, const Piece&>) return concerns(text(piece), piece);
    else return concerns(text(piece));
  };
  size_t first = 0;
  while (first < pieces_.size() && !is_meant(pieces_[first])) first++;
  if (first == pieces_.size()) return;
  next_buffer_.clear();
  next_alignment_.clear();
  size_t count = 0;
  for (size_t i = 0; i < pieces_.size(); i++) {
    Piece piece = pieces_[i];
    Rewriter rewriter(*this, piece);
    const auto begin = static_cast<uint32_t>(next_buffer_.size());
    if (i == first || (i > first && is_meant(piece))) body(text(piece), rewriter);
    else rewriter.copy(rewriter.rest());
    const auto end = static_cast<uint32_t>(next_buffer_.size());
    if (begin == end) continue;
    piece.begin = begin;
    piece.end = end;
    pieces_[count++] = piece;
  }
  pieces_.resize(count);
  buffer_.swap(next_buffer_);
  alignment_.swap(next_alignment_);
  text_ = buffer_;
  changed_ = true;
}

}  // namespace gt::tokenizer
