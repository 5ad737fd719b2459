#include "tokenizer/tokenizer.h"

#include <algorithm>

#include "errors.h"
#include "tokenizer/parallel.h"
#include "tokenizer/word_queue.h"

namespace gt::tokenizer {

namespace {

constexpr int32_t kSequence = -1;
constexpr size_t kGrain = 8;  // texts that a thread takes at a time

AddedToken read_added_token(const json::Node& node) {
  AddedToken token;
  node.at("id").natural();
  token.content = node.at("content").string();
  token.single_word = node.at("single_word").boolean();
  token.lstrip = node.at("lstrip").boolean();
  token.rstrip = node.at("rstrip").boolean();
  token.normalized = node.at("normalized").boolean();
  token.special = node.at("special").boolean();
  return token;
}

template <class Component>
std::unique_ptr<Component> read_component(std::optional<std::string_view> json, const char* name) {
  if (!json) return nullptr;
  const json::Document document(*json);
  return Component::read(json::Node(document.root(), name));
}

template <class Limit>
std::optional<Limit> read_limit(std::optional<std::string_view> json, const char* name) {
  if (!json) return std::nullopt;
  const json::Document document(*json);
  return Limit(json::Node(document.root(), name));
}

}  // namespace

Tokenizer::Tokenizer(std::string_view json) {
  const json::Document document(json);
  const json::Node root(document.root(), "");
  if (const auto version = root.find("version"); version && version->string() != "1.0") version->fail("\"1.0\"");
  if (const auto node = root.find("truncation")) truncation_.emplace(*node);
  if (const auto node = root.find("padding")) padding_.emplace(*node);
  if (const auto node = root.find("normalizer")) normalizer_ = Normalizer::read(*node);
  if (const auto node = root.find("pre_tokenizer")) pre_tokenizer_ = PreTokenizer::read(*node);
  if (const auto node = root.find("post_processor")) post_processor_ = PostProcessor::read(*node);
  if (const auto node = root.find("decoder")) decoder_ = Decoder::read(*node);
  model_ = Model::read(root.at("model"));
  std::vector<AddedToken> tokens;
  if (const auto node = root.find("added_tokens")) {
    for (const json::Node& item : node->items()) tokens.push_back(read_added_token(item));
  }
  add_tokens(tokens);
  find_raw_words();
  plan_special_tokens();
}

// ---- encoding

Workspace& Tokenizer::workspace(size_t worker) {
  auto& list = workspaces_.list;
  while (list.size() <= worker) list.push_back(std::make_unique<Workspace>());
  return *list[worker];
}

void Tokenizer::prepare(std::string_view text, bool aligned, Workspace& workspace) const {
  Pieces& pieces = workspace.pieces;
  pieces.reset(text, aligned);
  if (added_.has_original()) added_.split_original(pieces);
  if (normalizer_) normalizer_->normalize(pieces);
  if (normalizer_ || added_.has_normalized()) added_.split_normalized(pieces);
  if (pre_tokenizer_) pre_tokenizer_->split(pieces);
  if (!model_->takes_bytes()) pieces.spell_bytes();
}

// Everything between the added tokens and the model.
void Tokenizer::prepare_word(std::string_view word, bool aligned, Workspace& workspace) const {
  workspace.pieces.reset(word, aligned);
  if (normalizer_) normalizer_->normalize(workspace.pieces);
  pre_tokenizer_->split(workspace.pieces);
  if (!model_->takes_bytes()) workspace.pieces.spell_bytes();
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

void Tokenizer::append_ids(std::string_view text, bool add_special_tokens, const Limit& limit, Workspace& workspace) const {
  Ids& ids = workspace.ids;
  const auto append = [&] {
    const size_t begin = ids.size();
    if (!append_raw_words(text, workspace, nullptr)) {
      prepare(text, needs_alignment(), workspace);
      model_->encode(workspace);
    }
    if (ids.size() - begin <= limit.most) return;
    int32_t* first = ids.data() + begin;
    if (limit.direction == Direction::left) std::copy(ids.data() + ids.size() - limit.most, ids.data() + ids.size(), first);
    ids.keep(first + limit.most);
  };
  if (!add_special_tokens) return append();
  for (const int32_t id : plan_) {
    if (id == kSequence) append();
    else ids.push(id);
  }
}

const Ids& Tokenizer::encode_ids(std::string_view text, bool add_special_tokens, const Limit& limit) {
  Workspace& mine = workspace(0);
  mine.ids.clear();
  append_ids(text, add_special_tokens, limit, mine);
  return mine.ids;
}

BatchIds Tokenizer::encode_ids(const std::vector<std::string_view>& texts, bool add_special_tokens, const Limit& limit,
                               size_t threads) {
  struct Place {
    size_t worker, begin, end;  // in the ids of its worker
  };
  std::vector<Place> places(texts.size());
  threads = std::max<size_t>(threads, 1);
  workspace(threads - 1);
  const auto& workspaces = workspaces_.list;
  for (const auto& each : workspaces) each->ids.clear();
  parallel_for(texts.size(), threads, kGrain, [&](size_t worker, size_t i) {
    Workspace& mine = *workspaces[worker];
    const size_t begin = mine.ids.size();
    append_ids(texts[i], add_special_tokens, limit, mine);
    places[i] = {worker, begin, mine.ids.size()};
  });
  BatchIds batch;
  batch.ends.reserve(texts.size());
  for (const Place& place : places) {
    const int32_t* ids = workspaces[place.worker]->ids.data();
    batch.ids.insert(batch.ids.end(), ids + place.begin, ids + place.end);
    batch.ends.push_back(static_cast<uint32_t>(batch.ids.size()));
  }
  return batch;
}

void Tokenizer::count_words(std::string_view text, WordCounts& counts) {
  Workspace& mine = workspace(0);
  prepare(text, needs_alignment(), mine);
  mine.pieces.spell_bytes();
  for (const Piece& piece : mine.pieces.list()) counts[std::string(mine.pieces.text(piece))]++;
}

void Tokenizer::find_raw_words() {
  raw_words_ = RawWords::of(normalizer_, pre_tokenizer_);
  workspaces_.list.clear();  // what they know of words is the old components'
}

// What the post-processor makes of a sequence of one token.
void Tokenizer::plan_special_tokens() {
  Encoding sequence(std::make_shared<Texts>());
  sequence.texts().vocabulary = model_->vocabulary();
  Token token;
  token.id = kSequence;
  sequence.tokens.push_back(token);
  std::vector<Encoding> sequences;
  sequences.push_back(std::move(sequence));
  const Encoding result = tokenizer::post_process(post_processor_.get(), std::move(sequences), true);
  plan_.clear();
  has_type_ids_ = false;
  for (const Token& each : result.tokens) {
    plan_.push_back(each.id);
    has_type_ids_ = has_type_ids_ || each.type_id != 0;
  }
}

void Tokenizer::encode_sequence(const Input& input, int32_t type_id, Encoding& out, Workspace& workspace) const {
  Texts& texts = out.texts();
  for (size_t i = 0; i < input.texts.size(); i++) {
    const std::string& text = input.texts[i];
    Token next;
    next.type_id = type_id;
    next.word = input.is_pretokenized ? static_cast<int32_t>(i) : 0;
    next.source = static_cast<int32_t>(texts.sources.size());
    texts.sources.push_back(text);
    // The tokens of a piece of what stands at byte `base` of the text.
    const auto add = [&](const Pieces& pieces, uint32_t base, const Piece& piece, const std::vector<ModelToken>& tokens) {
      const uint32_t size = piece.end - piece.begin;
      for (const ModelToken& found : tokens) {
        Token& token = out.tokens.emplace_back(next);
        token.id = found.id;
        if (found.begin == found.end) {
          token.span = {piece.shift + found.begin, piece.shift + found.end};
        } else if (found.end > size) {
          token.span = {found.begin, found.end};  // fallback bytes of an affix: Rust leaves them unaligned
        } else {
          token.span = pieces.origin(piece.begin + found.begin, piece.begin + found.end);
        }
        token.span = {token.span.begin + base, token.span.end + base};
        if (!found.text.empty()) token.text = texts.add_token(std::string(found.text));
      }
      if (!input.is_pretokenized) next.word++;
    };
    const auto add_all = [&](uint32_t base, Workspace& prepared) {
      const auto reserve = [&](size_t count) {
        if (out.tokens.empty()) out.tokens.reserve(count);
      };
      model_->tokens(prepared, reserve, [&](const Piece& piece, const std::vector<ModelToken>& tokens) { add(prepared.pieces, base, piece, tokens); });
    };

    workspace.raw_list.clear();
    const size_t first = workspace.ids.size();
    if (!append_raw_words(text, workspace, &workspace.raw_list)) {
      prepare(text, true, workspace);
      add_all(0, workspace);
      continue;
    }
    out.tokens.reserve(out.tokens.size() + workspace.ids.size() - first);
    size_t begin = first;
    for (const RawWord& word : workspace.raw_list) {
      const std::string_view part = std::string_view(text).substr(word.begin, word.end - word.begin);
      const int32_t *ids = workspace.ids.data() + begin, *ids_end = workspace.ids.data() + word.ids_end;
      begin = word.ids_end;
      if (word.added >= 0) {
        Token& token = out.tokens.emplace_back(next);
        token.id = word.added;
        token.span = {word.begin, word.end};
        token.text = texts.add_token(std::string(part));
        if (!input.is_pretokenized) next.word++;
      } else if (unicode::is_ascii(part) && model_->align(part, ids, ids_end, workspace)) {
        for (const ModelToken& found : workspace.tokens) {
          Token& token = out.tokens.emplace_back(next);
          token.id = found.id;
          token.span = {word.begin + found.begin, word.begin + found.end};
        }
        if (!input.is_pretokenized) next.word++;
      } else {
        prepare_word(part, true, *workspace.of_word);
        add_all(word.begin, *workspace.of_word);
      }
    }
    workspace.ids.keep(workspace.ids.data() + first);
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

// ---- vocabulary

std::optional<uint32_t> Tokenizer::token_to_id(const std::string& token) const {
  const auto added = added_.ids().find(token);
  if (added != added_.ids().end()) return added->second;
  const int32_t id = vocabulary().find(token);
  return id < 0 ? std::nullopt : std::optional(static_cast<uint32_t>(id));
}

std::optional<std::string_view> Tokenizer::id_to_token(uint32_t id) const {
  if (const std::string* added = added_.text(id)) return *added;
  return vocabulary().has(id) ? std::optional(vocabulary().token(id)) : std::nullopt;
}

std::vector<std::string> Tokenizer::token_strings() const {
  std::vector<std::string> result(vocabulary().end_id());
  for (uint32_t id = 0; id < result.size(); id++) {
    if (vocabulary().has(id)) result[id] = vocabulary().token(id);
  }
  for (const auto& [id, token] : added_.by_id()) {
    if (id >= result.size()) result.resize(id + 1);
    result[id] = token.content;
  }
  return result;
}

size_t Tokenizer::vocab_size(bool with_added_tokens) const {
  size_t size = vocabulary().size();
  if (!with_added_tokens) return size;
  for (const auto& [content, id] : added_.ids()) size += vocabulary().find(content) < 0;
  return size;
}

size_t Tokenizer::add_tokens(const std::vector<AddedToken>& tokens) {
  decode_table_ = {};
  return added_.add(tokens, vocabulary(), normalizer_.get());
}

// ---- components

void Tokenizer::set_normalizer(std::optional<std::string_view> json) {
  normalizer_ = read_component<Normalizer>(json, "normalizer");
  find_raw_words();
  if (added_.decode_normalized()) added_.refresh(vocabulary(), normalizer_.get());
  decode_table_ = {};
}

void Tokenizer::set_normalized_added_tokens(bool value) {
  added_.set_decode_normalized(value);
  decode_table_ = {};
}

void Tokenizer::set_pre_tokenizer(std::optional<std::string_view> json) {
  pre_tokenizer_ = read_component<PreTokenizer>(json, "pre_tokenizer");
  find_raw_words();
}

void Tokenizer::set_post_processor(std::optional<std::string_view> json) {
  post_processor_ = read_component<PostProcessor>(json, "post_processor");
  plan_special_tokens();
}

void Tokenizer::set_decoder(std::optional<std::string_view> json) {
  decoder_ = read_component<Decoder>(json, "decoder");
  decode_table_ = {};
}

void Tokenizer::set_truncation(std::optional<std::string_view> json) { truncation_ = read_limit<TruncationInFile>(json, "truncation"); }

void Tokenizer::set_padding(std::optional<std::string_view> json) { padding_ = read_limit<PaddingInFile>(json, "padding"); }

void Tokenizer::set_model(std::string_view json) {
  model_ = read_component<Model>(json, "model");
  workspaces_.list.clear();  // their words are the old model's
  plan_special_tokens();
  decode_table_ = {};
}

std::string Tokenizer::to_json(bool pretty) const {
  json::Writer writer(pretty);
  const auto component = [&](const char* key, const auto& value) {
    writer.key(key);
    value ? value->write(writer) : writer.null();
  };
  writer.begin_object();
  writer.field("version", "1.0");
  component("truncation", truncation_);
  component("padding", padding_);
  writer.key("added_tokens");
  added_.write(writer);
  component("normalizer", normalizer_);
  component("pre_tokenizer", pre_tokenizer_);
  component("post_processor", post_processor_);
  component("decoder", decoder_);
  component("model", model_);
  writer.end_object();
  return writer.take();
}

}  // namespace gt::tokenizer
