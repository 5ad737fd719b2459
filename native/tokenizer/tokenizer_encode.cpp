// The part of Tokenizer that encodes texts, one or many: rows of ids and encodings.
#include <algorithm>

#include "tokenizer/parallel.h"
#include "tokenizer/visit_tokens.h"

namespace gt::tokenizer {

namespace {

constexpr size_t kGrain = 8;  // texts that a thread takes at a time

}  // namespace

Workspace& Tokenizer::workspace(size_t worker) {
  auto& list = workspaces_.list;
  while (list.size() <= worker) list.push_back(std::make_unique<Workspace>());
  return *list[worker];
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

Row Tokenizer::encode_row(std::string_view text, const RowOptions& options) {
  Workspace& mine = workspace(0);
  mine.ids.clear();
  mine.offsets.clear();
  append_row(text, options, mine);
  return {mine.ids, mine.offsets};
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
