// The half of Tokenizer that encodes.
#include <algorithm>

#include "tokenizer/parallel.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/word_queue.h"

namespace gt::tokenizer {

namespace {

constexpr size_t kGrain = 8;  // texts that a thread takes at a time

}  // namespace

Workspace& Tokenizer::workspace(size_t worker) {
  auto& list = workspaces_.list;
  while (list.size() <= worker) list.push_back(std::make_unique<Workspace>());
  return *list[worker];
}

void Tokenizer::prepare(std::string_view text, bool aligned, Workspace& workspace) const {
  workspace.pieces.reset(text, aligned);
  if (added_.has_original()) added_.split_original(workspace.pieces);
  finish_pieces(workspace.pieces);
}

void Tokenizer::prepare_word(std::string_view word, bool aligned, Workspace& workspace) const {
  workspace.pieces.reset(word, aligned);
  finish_pieces(workspace.pieces);
}

void Tokenizer::finish_pieces(Pieces& pieces) const {
  if (normalizer_) normalizer_->normalize(pieces);
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
  struct Found {
    const int32_t* ids;
    size_t count;
  };
  const auto miss = [&](std::string_view word) -> Found {
    of_word.ids.clear();
    prepare_word(word, false, of_word);
    model_->encode(of_word);
    return {of_word.ids.data(), of_word.ids.size()};
  };
  WordQueue words(workspace.raw_words, ids, RawWords::kMostBytes * model_->most_ids(1), 0, miss);
  size_t ended = 0;
  const auto done = [&](size_t, size_t end) {
    if (found) (*found)[ended++].ids_end = end;
  };
  Pieces& pieces = workspace.pieces;
  pieces.reset(text, false);
  if (added_.has_original()) added_.split_original(pieces);
  for (const Piece& piece : pieces.list()) {
    if (piece.added >= 0) {
      words.flush(done);
      ids.push(piece.added);
      if (found) found->push_back({piece.begin, piece.end, ids.size(), piece.added}), ended++;
      continue;
    }
    const std::string_view part = pieces.text(piece);
    const char* text_end = text.data() + text.size();
    const bool is_whole = raw_words_->scan(part, [&](size_t begin, size_t end) {
      if (found) found->push_back({piece.begin + static_cast<uint32_t>(begin), piece.begin + static_cast<uint32_t>(end), 0, -1});
      words.add(part.substr(begin, end - begin), text_end, done);
    });
    if (is_whole) continue;
    ids.keep(ids.data() + before);
    return false;
  }
  words.flush(done);
  return true;
}

// Calls visitor.token(id, span in the text, its own text if it is not the vocabulary's) for each token, visitor.end_piece()
// behind those of a piece, and visitor.expect(count) before some.
template <class Visitor>
void Tokenizer::visit_tokens(std::string_view text, Visitor&& visitor, Workspace& workspace) const {
  // The tokens of a piece of what stands at byte `base` of the text.
  const auto visit = [&](const Pieces& pieces, uint32_t base, const Piece& piece, const std::vector<ModelToken>& tokens) {
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
  const auto visit_all = [&](uint32_t base, Workspace& prepared) {
    model_->tokens(
        prepared, [&](size_t count) { visitor.expect(count); },
        [&](const Piece& piece, const std::vector<ModelToken>& tokens) { visit(prepared.pieces, base, piece, tokens); });
  };

  workspace.raw_list.clear();
  const size_t first = workspace.ids.size();
  if (!append_raw_words(text, workspace, &workspace.raw_list)) {
    prepare(text, true, workspace);
    visit_all(0, workspace);
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
      prepare_word(part, true, *workspace.of_word);
      visit_all(word.begin, *workspace.of_word);
    }
  }
  workspace.ids.keep(workspace.ids.data() + first);
}

void Tokenizer::append_sequence(std::string_view text, Workspace& workspace) const {
  if (append_raw_words(text, workspace, nullptr)) return;
  prepare(text, needs_alignment(), workspace);
  model_->encode(workspace);
}

void Tokenizer::append_sequence(std::string_view text, OffsetUnit unit, Workspace& workspace) const {
  struct Collector {
    std::vector<int32_t>& ids;
    std::vector<Span>& spans;
    void expect(size_t) {}
    void token(int32_t id, Span span, std::string_view) { ids.push_back(id), spans.push_back(span); }
    void end_piece() {}
  };
  workspace.row_ids.clear();
  workspace.row_spans.clear();
  visit_tokens(text, Collector{workspace.row_ids, workspace.row_spans}, workspace);
  UnitCounter units(text, unit);
  for (const Span& span : workspace.row_spans) {
    workspace.offsets.push_back(units.before(span.begin));
    workspace.offsets.push_back(units.before(span.end));
  }
  for (const int32_t id : workspace.row_ids) workspace.ids.push(id);
}

void Tokenizer::append_row(std::string_view text, const RowOptions& options, Workspace& workspace) const {
  Ids& ids = workspace.ids;
  std::vector<int32_t>& offsets = workspace.offsets;
  const Limit& limit = options.limit;
  const auto append = [&] {
    const size_t begin = ids.size();
    if (options.offsets) append_sequence(text, *options.offsets, workspace);
    else append_sequence(text, workspace);
    const size_t count = ids.size() - begin;
    if (count <= limit.most) return;
    int32_t* first = ids.data() + begin;
    const size_t cut = limit.direction == Direction::left ? count - limit.most : 0;
    std::copy(first + cut, first + cut + limit.most, first);
    ids.keep(first + limit.most);
    if (!options.offsets) return;
    const auto first_offset = offsets.end() - static_cast<std::ptrdiff_t>(2 * count);
    std::copy(first_offset + static_cast<std::ptrdiff_t>(2 * cut), offsets.end(), first_offset);
    offsets.resize(offsets.size() - 2 * (count - limit.most));
  };
  if (!options.add_special_tokens) return append();
  for (const int32_t id : plan_) {
    if (id == kSequence) {
      append();
      continue;
    }
    ids.push(id);
    if (options.offsets) offsets.insert(offsets.end(), 2, 0);
  }
}

const Ids& Tokenizer::encode_ids(std::string_view text, bool add_special_tokens, const Limit& limit) {
  Workspace& mine = workspace(0);
  mine.ids.clear();
  append_row(text, {add_special_tokens, limit, std::nullopt}, mine);
  return mine.ids;
}

Rows Tokenizer::encode_rows(const std::vector<std::string_view>& texts, const RowOptions& options, size_t threads) {
  struct Place {
    size_t worker, begin, end;  // in the ids of its worker
  };
  std::vector<Place> places(texts.size());
  threads = std::max<size_t>(threads, 1);
  workspace(threads - 1);
  const auto& workspaces = workspaces_.list;
  for (const auto& each : workspaces) {
    each->ids.clear();
    each->offsets.clear();
  }
  parallel_for(texts.size(), threads, kGrain, [&](size_t worker, size_t i) {
    Workspace& mine = *workspaces[worker];
    const size_t begin = mine.ids.size();
    append_row(texts[i], options, mine);
    places[i] = {worker, begin, mine.ids.size()};
  });
  Rows rows;
  size_t count = 0;
  for (const auto& each : workspaces) count += each->ids.size();
  rows.ids.reserve(count);
  rows.ends.reserve(texts.size());
  if (options.offsets) rows.offsets.reserve(2 * count);
  for (const Place& place : places) {
    const Workspace& mine = *workspaces[place.worker];
    rows.ids.insert(rows.ids.end(), mine.ids.data() + place.begin, mine.ids.data() + place.end);
    rows.ends.push_back(static_cast<uint32_t>(rows.ids.size()));
    if (!options.offsets) continue;
    const int32_t* offsets = mine.offsets.data();
    rows.offsets.insert(rows.offsets.end(), offsets + 2 * place.begin, offsets + 2 * place.end);
  }
  return rows;
}

void Tokenizer::count_words(std::string_view text, WordCounts& counts) {
  Workspace& mine = workspace(0);
  prepare(text, needs_alignment(), mine);
  mine.pieces.spell_bytes();
  for (const Piece& piece : mine.pieces.list()) counts[std::string(mine.pieces.text(piece))]++;
}

void Tokenizer::encode_sequence(const Input& input, int32_t type_id, Encoding& out, Workspace& workspace) const {
  // Makes tokens of an encoding.
  struct Builder {
    Encoding& out;
    Token next;
    bool counts_words;
    void expect(size_t count) {
      if (out.tokens.empty()) out.tokens.reserve(count);
    }
    void token(int32_t id, Span span, std::string_view own_text) {
      Token& token = out.tokens.emplace_back(next);
      token.id = id;
      token.span = span;
      if (!own_text.empty()) token.text = out.texts().add_token(std::string(own_text));
    }
    void end_piece() { next.word += counts_words; }
  };
  for (size_t i = 0; i < input.texts.size(); i++) {
    Token next;
    next.type_id = type_id;
    next.word = input.is_pretokenized ? static_cast<int32_t>(i) : 0;
    next.source = static_cast<int32_t>(out.texts().sources.size());
    out.texts().sources.push_back(input.texts[i]);
    visit_tokens(input.texts[i], Builder{out, next, !input.is_pretokenized}, workspace);
  }
}

Encoding Tokenizer::encode(const Input& input, const Input* pair, bool add_special_tokens, const Truncation* truncation) {
  return encode(input, pair, add_special_tokens, truncation, workspace(0));
}

std::vector<Encoding> Tokenizer::encode(const std::vector<Input>& inputs, const std::vector<std::optional<Input>>& pairs,
                                        bool add_special_tokens, const Truncation* truncation, size_t threads) {
  std::vector<Encoding> result(inputs.size(), Encoding(nullptr));
  threads = std::max<size_t>(threads, 1);
  workspace(threads - 1);
  parallel_for(inputs.size(), threads, kGrain, [&](size_t worker, size_t i) {
    const Input* pair = !pairs.empty() && pairs[i] ? &*pairs[i] : nullptr;
    result[i] = encode(inputs[i], pair, add_special_tokens, truncation, *workspaces_.list[worker]);
  });
  return result;
}

Encoding Tokenizer::encode(const Input& input, const Input* pair, bool add_special_tokens, const Truncation* truncation,
                           Workspace& workspace) const {
  const auto texts = std::make_shared<Texts>();
  texts->vocabulary = model_->vocabulary();
  std::vector<Encoding> sequences;
  sequences.emplace_back(texts);
  encode_sequence(input, 0, sequences[0], workspace);
  if (pair) {
    sequences.emplace_back(texts);
    encode_sequence(*pair, 1, sequences[1], workspace);
  }
  return finish(std::move(sequences), add_special_tokens, truncation);
}

Encoding Tokenizer::finish(std::vector<Encoding> sequences, bool add_special_tokens, const Truncation* truncation) const {
  const bool is_pair = sequences.size() == 2;
  if (truncation) {
    Truncation room = *truncation;
    const size_t added = add_special_tokens ? special_tokens_to_add(is_pair) : 0;
    // A limit below the special tokens alone limits nothing, as in Rust, where the difference wraps around.
    if (added <= room.max_length) {
      room.max_length -= added;
      truncate(sequences[0], is_pair ? &sequences[1] : nullptr, room);
    }
  }
  return tokenizer::post_process(post_processor_.get(), std::move(sequences), add_special_tokens);
}

Encoding Tokenizer::post_process(const std::vector<const Encoding*>& sequences, bool add_special_tokens,
                                 const Truncation* truncation) const {
  return finish(gather(sequences, model_->vocabulary()), add_special_tokens, truncation);
}

std::string Tokenizer::normalize(std::string_view text) {
  Pieces& pieces = workspace(0).pieces;
  pieces.reset(text, false);
  if (normalizer_) normalizer_->normalize(pieces);
  return std::string(pieces.text());
}

Encoding Tokenizer::pre_tokenize(std::string_view text) {
  const auto texts = std::make_shared<Texts>();
  texts->vocabulary = model_->vocabulary();
  texts->sources.emplace_back(text);
  Pieces& pieces = workspace(0).pieces;
  pieces.reset(text, true);
  if (pre_tokenizer_) pre_tokenizer_->split(pieces);
  pieces.spell_bytes();
  Encoding result(texts);
  for (const Piece& piece : pieces.list()) {
    Token token;
    token.source = 0;
    token.span = {pieces.origin(piece.begin).begin, pieces.origin(piece.end - 1).end};
    token.text = texts->add_token(std::string(pieces.text(piece)));
    result.tokens.push_back(token);
  }
  return result;
}

}  // namespace gt::tokenizer
