// Tokenizer::visit_tokens, for the files that use it.
#pragma once

#include "tokenizer/tokenizer.h"

namespace gt::tokenizer {

// The tokens of a prepared word or text that stands at byte `base`.
template <class Visitor>
void Tokenizer::visit_prepared(uint32_t base, Visitor&& visitor, Workspace& prepared) const {
  const Pieces& pieces = prepared.pieces;
  const auto visit = [&](const Piece& piece, const std::vector<ModelToken>& tokens) {
    const uint32_t size = piece.end - piece.begin;
    for (const ModelToken& found : tokens) {
      Span span;
      if (found.begin == found.end) {
        span = {piece.shift + found.begin, piece.shift + found.end};
      } else if (found.end > size) {
        span = {found.begin, found.end};  // fallback bytes of an affix: Rust leaves them unaligned
      } else {
        span = pieces.origin(piece.begin + found.begin, piece.begin + found.end);
      }
      visitor.token(found.id, Span{span.begin + base, span.end + base}, found.text);
    }
    visitor.end_piece();
  };
  model_->tokens(prepared, [&](size_t count) { visitor.expect(count); }, visit);
}

// Calls visitor.token(id, span in the text, its own text if it is not the vocabulary's) for each token, visitor.end_piece()
// behind those of a piece, and visitor.expect(count) before some.
template <class Visitor>
void Tokenizer::visit_tokens(std::string_view text, Visitor&& visitor, Workspace& workspace) const {
  workspace.raw_list.clear();
  const size_t first = workspace.ids.size();
  const bool are_pieces = raw_words_ && !raw_words_->have_blanks();
  if (!are_pieces || !append_raw_words(text, workspace, &workspace.raw_list)) {
    prepare(text, true, workspace);
    visit_prepared(0, visitor, workspace);
    return;
  }
  visitor.expect(workspace.ids.size() - first);
  size_t begin = first;
  for (const RawWord& word : workspace.raw_list) {
    const std::string_view part = text.substr(word.begin, word.end - word.begin);
    const int32_t *ids = workspace.ids.data() + begin, *ids_end = workspace.ids.data() + word.ids_end;
    begin = word.ids_end;
    if (word.added >= 0) {
      visitor.token(word.added, Span{word.begin, word.end}, part);
      visitor.end_piece();
    } else if (unicode::is_ascii(part) && model_->align(part, ids, ids_end, workspace)) {
      for (const ModelToken& found : workspace.tokens) {
        visitor.token(found.id, Span{word.begin + found.begin, word.begin + found.end}, {});
      }
      visitor.end_piece();
    } else {
      prepare_word(part, Start::inside, true, *workspace.of_word);
      visit_prepared(word.begin, visitor, *workspace.of_word);
    }
  }
  workspace.ids.keep(workspace.ids.data() + first);
}

}  // namespace gt::tokenizer
