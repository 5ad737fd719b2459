// The part of Tokenizer that finds the ids of a text and where they stand.
#include <algorithm>

#include "tokenizer/visit_tokens.h"
#include "tokenizer/word_queue.h"

namespace gt::tokenizer {

void Tokenizer::prepare(std::string_view text, bool aligned, Workspace& workspace) const {
  workspace.pieces.reset(text, aligned);
  if (added_.has_original()) added_.split_original(workspace.pieces);
  if (normalizer_) normalizer_->normalize(workspace.pieces);
  finish_pieces(workspace.pieces);
}

void Tokenizer::prepare_word(std::string_view word, Start start, bool aligned, Workspace& workspace) const {
  workspace.pieces.reset(word, aligned, start);
  if (normalizer_) normalizer_->normalize(workspace.pieces);
  finish_pieces(workspace.pieces);
}

void Tokenizer::finish_pieces(Pieces& pieces) const {
  if (normalizer_ || added_.has_normalized()) added_.split_normalized(pieces);
  if (pre_tokenizer_) pre_tokenizer_->split(pieces);
  if (!model_->takes_bytes()) pieces.spell_bytes();
}

bool Tokenizer::append_raw_words(std::string_view text, Workspace& workspace, std::vector<RawWord>* found) const {
  if (!raw_words_ || model_->is_random() || added_.has_normalized()) return false;
  Ids& ids = workspace.ids;
  const size_t before = ids.size();
  if (!workspace.of_word) workspace.of_word = std::make_unique<Workspace>();
  Workspace& of_word = *workspace.of_word;
  const size_t per_byte = RawWords::kMostBytes * model_->most_ids(1);
  bool is_possible = true;
  struct Found {
    const int32_t* ids;
    size_t count;
  };
  const auto encode_word = [&](std::string_view word, Start start) -> Found {
    of_word.ids.clear();
    if (!raw_words_->have_blanks()) {
      prepare_word(word, start, false, of_word);
    } else {
      Pieces& pieces = of_word.pieces;
      pieces.reset(word, needs_alignment(), start);
      if (normalizer_) normalizer_->normalize(pieces);
      is_possible = is_possible && raw_words_->is_apart(word, pieces, workspace.pieces_of_tail);
      finish_pieces(pieces);
      is_possible = is_possible && raw_words_->is_kept(word, pieces);
    }
    model_->encode(of_word);
    is_possible = is_possible && of_word.ids.size() <= per_byte * word.size();
    return is_possible ? Found{of_word.ids.data(), of_word.ids.size()} : Found{nullptr, 0};
  };
  const auto miss = [&](std::string_view word) { return encode_word(word, Start::inside); };
  WordQueue words(workspace.raw_words, ids, per_byte, 0, miss);
  size_t ended = 0;
  const auto done = [&](size_t, size_t end) {
    if (found) (*found)[ended++].ids_end = end;
  };
  const char* text_end = text.data() + text.size();
  // The first word of a text, and that behind an added token.
  const auto add_first = [&](std::string_view word, Start start) {
    const auto miss_first = [&](std::string_view first) { return encode_word(first, start); };
    words.flush(done);
    int32_t* out = ids.room(per_byte * word.size() + WordCache::kSlack);
    if (start == Start::text || !pre_tokenizer_ || !pre_tokenizer_->needs_alignment()) {
      WordCache& cache = workspace.first_words;
      ids.keep(cache.get(cache.key(word, text_end), out, miss_first));
    } else {
      const Found ids_of_word = miss_first(word);
      ids.keep(std::copy_n(ids_of_word.ids, ids_of_word.count, out));
    }
    done(0, ids.size());
  };
  Pieces& pieces = workspace.pieces;
  pieces.reset(text, false);
  if (added_.has_original()) added_.split_original(pieces);
  for (const Piece& piece : pieces.list()) {
    if (piece.added >= 0) {
      words.flush(done);
      ids.push(piece.added);
      if (found) found->push_back({piece.begin, piece.end, ids.size(), piece.added, Start::inside}), ended++;
      continue;
    }
    const std::string_view part = pieces.text(piece);
    if (found && !raw_words_->can_align(part, workspace.pieces_of_tail)) {
      is_possible = false;
      break;
    }
    const bool is_whole = raw_words_->scan(part, [&](size_t begin, size_t end) {
      const bool is_first = begin == 0 && raw_words_->have_blanks();
      const Start start = !is_first ? Start::inside : piece.begin == 0 ? Start::text : Start::part;
      if (found) {
        const auto at = [&](size_t byte) { return piece.begin + static_cast<uint32_t>(byte); };
        found->push_back({at(begin), at(end), 0, -1, start});
      }
      const std::string_view word = part.substr(begin, end - begin);
      is_first ? add_first(word, start) : words.add(word, text_end, done);
      return is_possible;
    });
    if (is_whole) continue;
    is_possible = false;
    break;
  }
  if (is_possible) words.flush(done);
  if (!is_possible) ids.keep(ids.data() + before);
  return is_possible;
}

void Tokenizer::append_sequence(std::string_view text, Workspace& workspace) const {
  if (append_raw_words(text, workspace, nullptr)) return;
  prepare(text, needs_alignment(), workspace);
  model_->encode(workspace);
}

namespace {

// Takes the spans of tokens, and their ids if `ids` is not null.
struct Collector {
  std::vector<int32_t>& spans;
  Ids* ids;

  void expect(size_t) {}
  void token(int32_t id, Span span, std::string_view) {
    if (ids) ids->push(id);
    spans.push_back(static_cast<int32_t>(span.begin));
    spans.push_back(static_cast<int32_t>(span.end));
  }
  void end_piece() {}
};

// Appends the spans of ids that follow one another from `begin` to `end`; false, and none, if their widths do not say so.
// The first one may cover `more` bytes before `begin`, where there is nothing.
bool append_widths(const int32_t* ids, const int32_t* ids_end, const Widths& widths, uint32_t begin, uint32_t end, std::vector<int32_t>& spans,
                   uint32_t more = 0) {
  const size_t before = spans.size();
  const auto count = static_cast<size_t>(ids_end - ids);
  spans.resize(before + 2 * count);
  int32_t* out = spans.data() + before;
  const uint8_t* of_id = widths.first.data();
  uint32_t at = begin - more;
  bool is_known = true;
  for (; ids < ids_end; ids++) {
    const uint8_t width = of_id[*ids];
    is_known = is_known && width > 0;
    *out++ = static_cast<int32_t>(at);
    *out++ = static_cast<int32_t>(at += width);
    of_id = widths.rest.data();
  }
  if (!is_known || at != end) {
    spans.resize(before);
    return false;
  }
  if (more > 0 && count > 0) {
    spans[before] = static_cast<int32_t>(begin);
    spans[before + 1] = std::max(spans[before + 1], spans[before] + 1);
  }
  return true;
}

// The blanks in front of a word, if all of them are such as can come to one.
uint32_t blanks_of(std::string_view word) {
  uint32_t n = 0;
  while (n < word.size() && is_blank(word[n]) && word[n] != '\r') n++;
  return n < word.size() && word[n] == '\r' ? 0 : n;
}

}  // namespace

// The offsets of a text by its words as they stand.
bool Tokenizer::append_word_spans(std::string_view text, bool is_ascii, Workspace& workspace) const {
  std::vector<RawWord>& list = workspace.raw_list;
  list.clear();
  const size_t first = workspace.ids.size();
  if (!append_raw_words(text, workspace, &list)) return false;
  std::vector<int32_t>& spans = workspace.offsets;
  const Widths& widths = model_->widths(raw_words_->have_blanks());
  const bool follow = !raw_words_->have_blanks() || raw_words_->spans_follow_ids();
  const int32_t* ids = workspace.ids.data() + first;
  for (const RawWord& word : list) {
    const std::string_view part = text.substr(word.begin, word.end - word.begin);
    const int32_t* ids_end = workspace.ids.data() + word.ids_end;
    const int32_t* word_ids = std::exchange(ids, ids_end);
    if (word.added >= 0) {
      spans.insert(spans.end(), {static_cast<int32_t>(word.begin), static_cast<int32_t>(word.end)});
      continue;
    }
    const bool is_plain = follow && (is_ascii || unicode::is_ascii(part));
    if (is_plain && word.start == Start::inside) {
      // Of several blanks one may be left, the last.
      const uint32_t blanks = raw_words_->joins_blanks() ? blanks_of(part) : 1;
      const uint32_t begin = word.begin + (blanks > 1 ? blanks - 1 : 0);
      if (append_widths(word_ids, ids_end, widths, begin, word.end, spans)) continue;
    } else if (is_plain && word_ids < ids_end && !is_blank(part[0])) {
      const bool is_longer = model_->vocabulary()->token(static_cast<uint32_t>(*word_ids)).substr(0, 3) == "\u2581";
      if (append_widths(word_ids, ids_end, widths, word.begin, word.end, spans, is_longer)) continue;
    }
    prepare_word(part, word.start, true, *workspace.of_word);
    workspace.of_word->ids.clear();
    const size_t before = spans.size();
    visit_prepared(word.begin, Collector{spans, nullptr}, *workspace.of_word);
    if (spans.size() - before != 2 * static_cast<size_t>(ids_end - word_ids)) {
      spans.resize(before);
      return false;
    }
  }
  return true;
}

// The same by the pieces of the text, if they are parts of it as it stands.
bool Tokenizer::append_piece_spans(bool is_ascii, Workspace& workspace) const {
  const Pieces& pieces = workspace.pieces;
  if (model_->is_random() || pieces.is_changed() || pieces.is_bytes() != model_->takes_bytes()) return false;
  std::vector<int32_t>& spans = workspace.offsets;
  const Widths& widths = model_->widths(false);
  const size_t first = workspace.ids.size(), first_span = spans.size();
  model_->encode(workspace, workspace.piece_ends);
  size_t begin = first, number = 0;
  for (const Piece& piece : pieces.list()) {
    const size_t end = workspace.piece_ends[number++];
    if (piece.added >= 0) {
      spans.insert(spans.end(), {static_cast<int32_t>(piece.begin), static_cast<int32_t>(piece.end)});
    } else if (!append_widths(workspace.ids.data() + begin, workspace.ids.data() + end, widths, piece.begin, piece.end, spans)) {
      workspace.ids.keep(workspace.ids.data() + first);
      spans.resize(first_span);
      return false;
    }
    begin = end;
  }
  // Parts of a character stand where it does.
  const std::string_view text = pieces.text();
  const auto is_inside = [&](int32_t byte) {
    return static_cast<size_t>(byte) < text.size() && unicode::is_continuation(static_cast<uint8_t>(text[static_cast<size_t>(byte)]));
  };
  for (size_t i = first_span; i < spans.size() && !is_ascii; i += 2) {
    while (is_inside(spans[i])) spans[i]--;
    while (is_inside(spans[i + 1])) spans[i + 1]++;
  }
  return true;
}

void Tokenizer::append_sequence(std::string_view text, OffsetUnit unit, Workspace& workspace) const {
  std::vector<int32_t>& spans = workspace.offsets;
  const size_t first = workspace.ids.size(), first_span = spans.size();
  const bool is_ascii = unicode::is_ascii(text);
  if (!append_word_spans(text, is_ascii, workspace)) {
    workspace.ids.keep(workspace.ids.data() + first);
    spans.resize(first_span);
    prepare(text, true, workspace);
    if (!append_piece_spans(is_ascii, workspace)) {
      workspace.row_ids.clear();
      visit_prepared(0, Collector{spans, &workspace.row_ids}, workspace);
      const size_t count = workspace.row_ids.size();
      workspace.ids.keep(std::copy_n(workspace.row_ids.data(), count, workspace.ids.room(count)));
    }
  }
  UnitCounter units(text, unit);
  for (size_t i = first_span; i < spans.size() && !is_ascii; i++) spans[i] = units.before(static_cast<uint32_t>(spans[i]));
}

}  // namespace gt::tokenizer
