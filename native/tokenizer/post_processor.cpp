#include "tokenizer/post_processor.h"

#include <algorithm>

#include "errors.h"
#include "tokenizer/byte_level_options.h"
#include "unicode/unicode.h"

namespace gt::tokenizer {

namespace {

void set_type_ids(Encoding& encoding, int32_t type_id) {
  for (Token& token : encoding.tokens) token.type_id = type_id;
}

Token special_token(Texts& texts, int32_t id, const std::string& text, int32_t type_id) {
  Token token;
  token.id = id;
  token.type_id = type_id;
  token.text = texts.add_token(text);
  token.is_special = true;
  return token;
}

// Takes the spaces at both ends of each token out of its span; process_offsets in Rust, in bytes.
void trim_offsets(Encoding& encoding, bool add_prefix_space) {
  using unicode::decode;
  const auto is_space = [](char32_t c) { return c == 0x120 || unicode::is_white_space(c); };
  for (size_t i = 0; i < encoding.size(); i++) {
    Token& token = encoding.tokens[i];
    const std::string_view text = encoding.token_text(token);
    size_t leading = 0, trailing = 0, width;
    for (size_t at = 0; at < text.size() && is_space(decode(text.data() + at, width)); at += width) leading++;
    for (const char* end = text.data() + text.size(); end > text.data(); trailing++) {
      end = unicode::previous(text.data(), end);
      if (!is_space(decode(end, width))) break;
    }
    if (token.source == Token::kNone || (leading == 0 && trailing == 0)) continue;
    const std::string& source = encoding.texts().sources[static_cast<size_t>(token.source)];
    Span& span = token.span;
    // The prefix space that was added has no place in the source.
    if (add_prefix_space && leading == 1 && (i == 0 || span.begin == 0)) leading = 0;
    for (; leading > 0 && span.begin < span.end; leading--) {
      span.begin += static_cast<uint32_t>(unicode::length(static_cast<uint8_t>(source[span.begin])));
    }
    uint32_t end = span.end;
    size_t left = trailing;
    for (; left > 0 && end > 0; left--) end = static_cast<uint32_t>(unicode::previous(source.data(), source.data() + end) - source.data());
    if (left == 0 && trailing > 0) span.end = std::max(end, span.begin);
  }
}

void trim_all_offsets(std::vector<Encoding>& encodings, bool add_prefix_space) {
  for (Encoding& encoding : encodings) {
    trim_offsets(encoding, add_prefix_space);
    for (const auto& other : encoding.overflowing) trim_offsets(*other, add_prefix_space);
  }
}

class ByteLevelProcessor : public PostProcessor {
 public:
  explicit ByteLevelProcessor(const json::Node& node) : options_(node) {}

  size_t added_tokens(bool) const override { return 0; }
  bool trims_offsets() const override { return options_.trim_offsets; }
  std::vector<Encoding> process(std::vector<Encoding> encodings, bool) const override {
    if (options_.trim_offsets) trim_all_offsets(encodings, options_.add_prefix_space);
    for (size_t i = 0; i < encodings.size(); i++) encodings[i].set_sequence(i);
    return encodings;
  }
  void write(json::Writer& writer) const override { options_.write(writer); }

 private:
  ByteLevelOptions options_;
};

// BERT: [CLS] A [SEP] B [SEP]. RoBERTa: <s> A </s></s> B </s>, with type 0 everywhere and trimmed offsets.
class ClsSepProcessor : public PostProcessor {
 public:
  ClsSepProcessor(const json::Node& node, bool is_roberta)
      : is_roberta_(is_roberta), cls_(read_token(node.at("cls"))), sep_(read_token(node.at("sep"))) {
    if (!is_roberta) return;
    trim_offsets_ = node.at("trim_offsets").boolean();
    add_prefix_space_ = node.at("add_prefix_space").boolean();
  }

  size_t added_tokens(bool is_pair) const override { return !is_pair ? 2 : is_roberta_ ? 4 : 3; }
  bool trims_offsets() const override { return trim_offsets_; }
  std::vector<Encoding> process(std::vector<Encoding> encodings, bool add_special_tokens) const override {
    if (trim_offsets_) trim_all_offsets(encodings, add_prefix_space_);
    for (Encoding& encoding : encodings) {
      if (is_roberta_) set_type_ids(encoding, 0);
    }
    if (!add_special_tokens) return encodings;
    for (size_t i = 0; i < encodings.size(); i++) {
      surround(encodings[i], i);
      for (const auto& other : encodings[i].overflowing) {
        if (is_roberta_) set_type_ids(*other, 0);
        surround(*other, i);
      }
    }
    return encodings;
  }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", is_roberta_ ? "RobertaProcessing" : "BertProcessing");
    write_token(writer, "sep", sep_);
    write_token(writer, "cls", cls_);
    if (is_roberta_) {
      writer.field("trim_offsets", trim_offsets_);
      writer.field("add_prefix_space", add_prefix_space_);
    }
    writer.end_object();
  }

 private:
  using NamedId = std::pair<std::string, uint32_t>;

  static NamedId read_token(const json::Node& node) {
    const std::vector<json::Node> items = node.items();
    if (items.size() != 2) node.fail("a token and its id");
    return {items[0].string(), items[1].natural()};
  }
  static void write_token(json::Writer& writer, const char* key, const NamedId& token) {
    writer.key(key).begin_array();
    writer.string(token.first);
    writer.integer(token.second);
    writer.end_array();
  }

  void surround(Encoding& encoding, size_t sequence) const {
    const auto special = [&](const NamedId& token) {
      const int32_t type_id = sequence == 1 && !is_roberta_ ? 1 : 0;
      return special_token(encoding.texts(), static_cast<int32_t>(token.second), token.first, type_id);
    };
    const size_t n = encoding.size();
    const bool has_start = sequence == 0 || is_roberta_;
    for (Token& token : encoding.tokens) token.is_special = false, token.is_attended = true;
    if (has_start) encoding.tokens.insert(encoding.tokens.begin(), special(sequence == 0 ? cls_ : sep_));
    encoding.tokens.push_back(special(sep_));
    const size_t begin = has_start ? 1 : 0;
    encoding.sequences = {{sequence, {begin, begin + n}}};
  }

  bool is_roberta_;
  NamedId cls_, sep_;
  bool trim_offsets_ = false, add_prefix_space_ = false;
};

class TemplateProcessor : public PostProcessor {
 public:
  explicit TemplateProcessor(const json::Node& node) {
    for (const auto& [name, token] : node.at("special_tokens").members()) {
      Special special;
      for (const json::Node& id : token.at("ids").items()) special.ids.push_back(id.natural());
      for (const json::Node& text : token.at("tokens").items()) special.tokens.push_back(text.string());
      if (special.ids.size() != special.tokens.size()) token.error("ids and tokens must be of the same length");
      specials_[name] = std::move(special);
    }
    single_ = read_template(node.at("single"), false);
    pair_ = read_template(node.at("pair"), true);
  }

  size_t added_tokens(bool is_pair) const override {
    size_t count = 0;
    for (const Piece& piece : is_pair ? pair_ : single_) {
      if (piece.sequence < 0) count += specials_.at(piece.special).ids.size();
    }
    return count;
  }

  std::vector<Encoding> process(std::vector<Encoding> encodings, bool add_special_tokens) const override {
    if (encodings.size() > 2) throw Error("tokenizer_invalid", "A TemplateProcessing cannot follow another post-processor that adds tokens");
    std::vector<Encoding> result;
    for (const Piece& piece : encodings.size() == 2 ? pair_ : single_) {
      if (piece.sequence >= 0) {
        Encoding& encoding = encodings[static_cast<size_t>(piece.sequence)];
        set_type_ids(encoding, piece.type_id);
        encoding.set_sequence(static_cast<size_t>(piece.sequence));
        result.push_back(encoding);
      } else if (add_special_tokens) {
        const Special& special = specials_.at(piece.special);
        Encoding encoding(encodings[0].shared_texts());
        for (size_t i = 0; i < special.ids.size(); i++) {
          encoding.tokens.push_back(special_token(encoding.texts(), static_cast<int32_t>(special.ids[i]), special.tokens[i], piece.type_id));
        }
        result.push_back(std::move(encoding));
      }
    }
    return result;
  }

  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "TemplateProcessing");
    write_template(writer, "single", single_);
    write_template(writer, "pair", pair_);
    writer.key("special_tokens").begin_object();
    for (const auto& [name, special] : specials_) {
      writer.key(name).begin_object();
      writer.field("id", name);
      writer.key("ids").begin_array();
      for (const uint32_t id : special.ids) writer.integer(id);
      writer.end_array();
      writer.key("tokens").begin_array();
      for (const std::string& token : special.tokens) writer.string(token);
      writer.end_array();
      writer.end_object();
    }
    writer.end_object();
    writer.end_object();
  }

 private:
  struct Special {
    std::vector<uint32_t> ids;
    std::vector<std::string> tokens;
  };
  struct Piece {
    int sequence = -1;    // 0 is A, 1 is B
    std::string special;  // else the name of special tokens
    int32_t type_id = 0;
  };

  std::vector<Piece> read_template(const json::Node& node, bool is_pair) const {
    std::vector<Piece> pieces;
    for (const json::Node& item : node.items()) {
      Piece piece;
      if (const auto sequence = item.find("Sequence")) {
        const std::string id = sequence->at("id").string();
        if (id != "A" && id != "B") sequence->at("id").fail("A or B");
        piece.sequence = id == "B";
        if (piece.sequence == 1 && !is_pair) sequence->at("id").error("there is no sequence B in the template of one sequence");
        piece.type_id = static_cast<int32_t>(sequence->at("type_id").natural());
      } else {
        const json::Node special = item.at("SpecialToken");
        piece.special = special.at("id").string();
        piece.type_id = static_cast<int32_t>(special.at("type_id").natural());
        if (specials_.count(piece.special) == 0) special.at("id").error("\"" + piece.special + "\" is not among the special_tokens");
      }
      pieces.push_back(std::move(piece));
    }
    return pieces;
  }

  static void write_template(json::Writer& writer, const char* key, const std::vector<Piece>& pieces) {
    writer.key(key).begin_array();
    for (const Piece& piece : pieces) {
      writer.begin_object();
      writer.key(piece.sequence >= 0 ? "Sequence" : "SpecialToken").begin_object();
      writer.field("id", piece.sequence < 0 ? piece.special : std::string(piece.sequence == 0 ? "A" : "B"));
      writer.key("type_id").integer(piece.type_id);
      writer.end_object();
      writer.end_object();
    }
    writer.end_array();
  }

  std::vector<Piece> single_, pair_;
  std::map<std::string, Special> specials_;
};

class ProcessorSequence : public PostProcessor {
 public:
  explicit ProcessorSequence(const json::Node& node) {
    for (const json::Node& item : node.at("processors").items()) processors_.push_back(PostProcessor::read(item));
  }

  size_t added_tokens(bool is_pair) const override {
    size_t count = 0;
    for (const auto& processor : processors_) count += processor->added_tokens(is_pair);
    return count;
  }
  bool trims_offsets() const override {
    return std::any_of(processors_.begin(), processors_.end(), [](const auto& processor) { return processor->trims_offsets(); });
  }
  std::vector<Encoding> process(std::vector<Encoding> encodings, bool add_special_tokens) const override {
    for (const auto& processor : processors_) encodings = processor->process(std::move(encodings), add_special_tokens);
    return encodings;
  }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "Sequence");
    writer.key("processors").begin_array();
    for (const auto& processor : processors_) processor->write(writer);
    writer.end_array();
    writer.end_object();
  }

 private:
  std::vector<std::unique_ptr<PostProcessor>> processors_;
};

}  // namespace

std::unique_ptr<PostProcessor> PostProcessor::read(const json::Node& node) {
  const json::Node type = node.at("type");
  const std::string name = type.string();
  if (name == "ByteLevel") return std::make_unique<ByteLevelProcessor>(node);
  if (name == "TemplateProcessing") return std::make_unique<TemplateProcessor>(node);
  if (name == "BertProcessing") return std::make_unique<ClsSepProcessor>(node, false);
  if (name == "RobertaProcessing") return std::make_unique<ClsSepProcessor>(node, true);
  if (name == "Sequence") return std::make_unique<ProcessorSequence>(node);
  type.fail("a type of post-processor");
}

Encoding post_process(const PostProcessor* processor, std::vector<Encoding> encodings, bool add_special_tokens) {
  if (!processor && encodings.size() == 1) return std::move(encodings[0]);
  const std::shared_ptr<Texts> texts = encodings[0].shared_texts();
  for (size_t i = 0; i < encodings.size(); i++) {
    encodings[i].set_sequence(i);
    if (!processor) continue;
    for (const auto& other : encodings[i].overflowing) other->set_sequence(i);
    set_type_ids(encodings[i], static_cast<int32_t>(i));
  }
  if (processor) encodings = processor->process(std::move(encodings), add_special_tokens);
  if (encodings.size() == 1 && encodings[0].overflowing.empty()) return std::move(encodings[0]);
  Encoding result(texts);
  for (const Encoding& encoding : encodings) result.append(encoding);
  return result;
}

}  // namespace gt::tokenizer
