#include "tokenizer/tokenizer.h"

#include <algorithm>

#include "errors.h"

namespace gt::tokenizer {

namespace {

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

Tokenizer::Tokenizer(std::string_view content) {
  if (is_compiled(content)) {
    TableReader tables(content);
    read(tables.json(), &tables);
  } else {
    read(content, nullptr);
  }
}

void Tokenizer::read(std::string_view json, TableReader* tables) {
  const json::Document document(json);
  const json::Node root(document.root(), "");
  if (const auto version = root.find("version"); version && version->string() != "1.0") version->fail("\"1.0\"");
  if (const auto node = root.find("truncation")) truncation_.emplace(*node);
  if (const auto node = root.find("padding")) padding_.emplace(*node);
  if (const auto node = root.find("normalizer")) normalizer_ = Normalizer::read(*node);
  if (const auto node = root.find("pre_tokenizer")) pre_tokenizer_ = PreTokenizer::read(*node);
  if (const auto node = root.find("post_processor")) post_processor_ = PostProcessor::read(*node);
  if (const auto node = root.find("decoder")) decoder_ = Decoder::read(*node);
  model_ = Model::read(root.at("model"), tables);
  std::vector<AddedToken> tokens;
  if (const auto node = root.find("added_tokens")) {
    for (const json::Node& item : node->items()) tokens.push_back(read_added_token(item));
  }
  add_tokens(tokens);
  find_raw_words();
  plan_special_tokens();
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

void Tokenizer::find_raw_words() {
  raw_words_ = RawWords::of(normalizer_, pre_tokenizer_, model_);
  workspaces_.list.clear();  // what they know of words is the old components' or model's
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
  frame_.reset();
  const bool keeps_offsets = !post_processor_ || !post_processor_->trims_offsets();
  if (!keeps_offsets || std::count(plan_.begin(), plan_.end(), kSequence) != 1) return;
  const auto before = static_cast<uint32_t>(std::find(plan_.begin(), plan_.end(), kSequence) - plan_.begin());
  frame_.emplace(before, static_cast<uint32_t>(plan_.size()) - before - 1);
}

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
  find_raw_words();
  plan_special_tokens();
  decode_table_ = {};
}

std::string Tokenizer::compile() const {
  TableWriter tables(to_json(false, false));
  return model_->write_tables(tables) ? tables.take() : std::string();
}

std::string Tokenizer::to_json(bool pretty, bool with_vocabulary) const {
  json::Writer writer(pretty, with_vocabulary);
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
