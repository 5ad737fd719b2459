#include "tokenizer/unigram.h"

#include <algorithm>
#include <thread>

#include "errors.h"
#include "tokenizer/parallel.h"

namespace gt::tokenizer {

namespace {

constexpr double kUnkPenalty = 10;

std::string byte_token(uint8_t byte) {
  const char* digits = "0123456789ABCDEF";
  return std::string("<0x") + digits[byte >> 4] + digits[byte & 15] + ">";
}

}  // namespace

namespace {

constexpr size_t kBlock = 1 << 14;  // pieces that a thread reads at a time
constexpr size_t kMostThreads = 4;

// Some of the pieces: their bytes one after the other, where each ends, and their scores.
struct PieceBlock {
  std::string bytes;
  std::vector<uint32_t> ends;
  std::vector<double> scores;
};

// Reads the pieces from `entry` on, the first of which is number `first`, up to number `last`.
PieceBlock read_block(const json::Node& list, json::Value::Iterator entry, size_t first, size_t last) {
  PieceBlock block;
  std::string scratch;
  block.ends.reserve(last - first);
  block.scores.reserve(last - first);
  for (size_t number = first; number < last; number++, ++entry) {
    const auto fail = [&] { json::Node(*entry, list.path() + "[" + std::to_string(number) + "]").fail("a piece and its score"); };
    if (!(*entry).is(json::Type::array)) fail();
    int part = 0;
    for (const json::Value value : *entry) {
      if (part > 1 || !value.is(part == 0 ? json::Type::string : json::Type::number)) fail();
      if (part == 0) {
        block.bytes.append(value.string(scratch));
        block.ends.push_back(static_cast<uint32_t>(block.bytes.size()));
      } else {
        block.scores.push_back(value.number());
      }
      part++;
    }
    if (part != 2) fail();
  }
  return block;
}

}  // namespace

std::unique_ptr<Unigram> Unigram::read_list(const json::Node& list) {
  if (!list.value().is(json::Type::array)) list.fail("an array of pieces and scores");
  std::vector<json::Value::Iterator> starts;
  size_t count = 0;
  for (json::Value::Iterator i = list.value().begin(), end = list.value().end(); i != end; ++i) {
    if (count++ % kBlock == 0) starts.push_back(i);
  }
  const size_t threads = std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kMostThreads);
  std::vector<PieceBlock> blocks(starts.size());
  parallel_for(blocks.size(), threads, 1, [&](size_t, size_t i) {
    blocks[i] = read_block(list, starts[i], i * kBlock, std::min(count, (i + 1) * kBlock));
  });
  std::string bytes;
  std::vector<uint32_t> offsets = {0};
  std::vector<double> scores;
  offsets.reserve(count + 1);
  scores.reserve(count);
  for (const PieceBlock& block : blocks) {
    const auto begin = static_cast<uint32_t>(bytes.size());
    bytes.append(block.bytes);
    for (const uint32_t end : block.ends) offsets.push_back(begin + end);
    scores.insert(scores.end(), block.scores.begin(), block.scores.end());
  }
  std::vector<Trie::Entry> pieces(count);
  for (uint32_t id = 0; id < count; id++) pieces[id] = {std::string_view(bytes).substr(offsets[id], offsets[id + 1] - offsets[id]), id};
  std::shared_ptr<const Vocabulary> vocabulary;
  Trie trie;
  parallel_for(2, count > kBlock ? threads : 1, 1, [&](size_t, size_t task) {
    if (task == 0) trie = Trie(pieces);
    else vocabulary = std::make_shared<const Vocabulary>(bytes, std::move(offsets));
  });
  if (vocabulary->size() < count) {  // of equal pieces the last one counts
    for (Trie::Entry& piece : pieces) piece.value = static_cast<uint32_t>(vocabulary->find(piece.text));
    trie = Trie(pieces);
  }
  return std::unique_ptr<Unigram>(new Unigram(vocabulary, std::move(scores), std::move(trie)));
}

std::unique_ptr<Unigram> Unigram::read_tables(TableReader& tables) {
  const auto vocabulary = std::make_shared<const Vocabulary>(tables);
  std::vector<double> scores = tables.array<double>();
  tables.check(scores.size() == vocabulary->end_id());
  return std::unique_ptr<Unigram>(new Unigram(vocabulary, std::move(scores), Trie(tables, vocabulary->end_id())));
}

bool Unigram::write_tables(TableWriter& tables) const {
  vocabulary_->write(tables);
  tables.array(scores_);
  trie_.write(tables);
  return true;
}

std::unique_ptr<Model> Unigram::read(const json::Node& node, TableReader* tables) {
  std::unique_ptr<Unigram> model = tables ? read_tables(*tables) : read_list(node.at("vocab"));
  const std::vector<double>& scores = model->scores_;
  if (const auto unk = node.find("unk_id")) {
    model->unk_id_ = unk->natural();
    if (*model->unk_id_ >= scores.size()) unk->error("the unk_id is not in the vocabulary");
  }
  model->byte_fallback_ = node.boolean("byte_fallback", false);
  model->unk_score_ = (scores.empty() ? 0 : *std::min_element(scores.begin(), scores.end())) - kUnkPenalty;
  for (int byte = 0; byte < 256; byte++) model->byte_ids_[byte] = model->vocabulary_->find(byte_token(static_cast<uint8_t>(byte)));
  return model;
}

Model::Found Unigram::word(std::string_view word, Workspace& workspace) const {
  std::vector<ModelToken>& tokens = workspace.tokens;
  const size_t first = tokens.size();
  word_tokens(word, workspace);
  workspace.symbols.clear();
  for (size_t i = first; i < tokens.size(); i++) workspace.symbols.push_back(tokens[i].id);
  tokens.resize(first);
  return {workspace.symbols.data(), workspace.symbols.size()};
}

// Fallback bytes of a character cover all of it.
size_t Unigram::width(int32_t id, bool, bool) const {
  if (unk_id_ && id == static_cast<int32_t>(*unk_id_)) return 0;
  const std::string_view token = vocabulary_->token(static_cast<uint32_t>(id));
  return byte_fallback_ && token.size() == 6 && token.substr(0, 3) == "<0x" ? 0 : token.size();
}

void Unigram::word_tokens(std::string_view piece, Workspace& workspace) const {
  std::vector<Step>& steps = workspace.steps;
  std::vector<ModelToken>& tokens = workspace.tokens;
  const auto size = static_cast<uint32_t>(piece.size());
  steps.assign(size + 1, {-1, 0, 0});
  for (uint32_t begin = 0; begin < size;) {
    const auto width = static_cast<uint32_t>(unicode::length(static_cast<uint8_t>(piece[begin])));
    const double so_far = steps[begin].score;
    bool has_single = false;
    const auto reach = [&](uint32_t end, int32_t id, double score) {
      Step& step = steps[end];
      if (step.id < 0 || score > step.score) step = {id, begin, score};
    };
    trie_.prefixes(piece, begin, [&](size_t end, uint32_t id) {
      reach(static_cast<uint32_t>(end), static_cast<int32_t>(id), so_far + scores_[id]);
      has_single = has_single || end == begin + width;
    });
    if (!has_single) {
      if (!unk_id_) throw Error("tokenizer_invalid", "The text has a character that is not in the vocabulary, and there is no unk_id");
      reach(begin + width, static_cast<int32_t>(*unk_id_), so_far + unk_score_);
    }
    begin += width;
  }
  // Backwards; neighbours that are unknown join.
  std::vector<Span>& spans = workspace.spans;
  spans.clear();
  bool joins = false;
  for (uint32_t end = size; end > 0; end = steps[end].begin) {
    const bool is_unknown = unk_id_ && steps[end].id == static_cast<int32_t>(*unk_id_);
    if (is_unknown && joins) spans.back().begin = steps[end].begin;
    else spans.push_back({steps[end].begin, end});
    joins = is_unknown;
  }
  for (auto span = spans.rbegin(); span != spans.rend(); ++span) {
    const std::string_view text = piece.substr(span->begin, span->end - span->begin);
    const int32_t found = steps[span->end].id;
    const int32_t id = unk_id_ && found == static_cast<int32_t>(*unk_id_) ? vocabulary_->find(text) : found;
    if (id >= 0) {
      tokens.push_back({id, span->begin, span->end});
      continue;
    }
    const auto has_byte = [&](char c) { return byte_ids_[static_cast<uint8_t>(c)] >= 0; };
    if (byte_fallback_ && std::all_of(text.begin(), text.end(), has_byte)) {
      for (const char c : text) tokens.push_back({byte_ids_[static_cast<uint8_t>(c)], span->begin, span->end});
      continue;
    }
    if (!unk_id_) throw Error("tokenizer_invalid", "The text has a character that is not in the vocabulary, and there is no unk_id");
    tokens.push_back({static_cast<int32_t>(*unk_id_), span->begin, span->end, text});
  }
}

void Unigram::write(json::Writer& writer) const {
  writer.begin_object();
  writer.field("type", "Unigram");
  writer.key("unk_id");
  unk_id_ ? writer.integer(*unk_id_) : writer.null();
  writer.key("vocab").begin_array();
  for (uint32_t id = 0; id < vocabulary_->end_id() && writer.with_vocabulary(); id++) {
    writer.begin_array();
    writer.string(vocabulary_->token(id));
    writer.number(scores_[id]);
    writer.end_array();
  }
  writer.end_array();
  writer.field("byte_fallback", byte_fallback_);
  writer.end_object();
}

}  // namespace gt::tokenizer
