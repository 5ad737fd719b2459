#include "tokenizer/decoder.h"

#include <algorithm>

#include "tokenizer/byte_level.h"
#include "tokenizer/byte_level_options.h"
#include "tokenizer/metaspace.h"
#include "tokenizer/pattern.h"

namespace gt::tokenizer {

namespace {

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  if (what.empty()) return;
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + with.size())) text.replace(at, what.size(), with);
}

void write_type(json::Writer& writer, const char* type) {
  writer.begin_object();
  writer.field("type", type);
  writer.end_object();
}

// Undoes what tokenisation did to English punctuation; cleanup() in Rust's decoders/wordpiece.rs.
void clean_up(std::string& text) {
  static constexpr std::pair<const char*, const char*> kRules[] = {
      {" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"},
      {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
  };
  for (const auto& [what, with] : kRules) replace_all(text, what, with);
}

class ByteLevelDecoder : public Decoder {
 public:
  explicit ByteLevelDecoder(const json::Node& node) : options_(node) {}

  void decode(std::vector<std::string>& tokens) const override {
    std::string bytes;
    for (const std::string& token : tokens) append_byte_level(bytes, token);
    tokens.assign(1, unicode::lossy(bytes));
  }
  void token_bytes(std::string& token) const override {
    std::string bytes;
    append_byte_level(bytes, token);
    token = std::move(bytes);
  }
  Parts parts() const override { return Parts::all; }
  void write(json::Writer& writer) const override { options_.write(writer); }

 private:
  ByteLevelOptions options_;
};

class MetaspaceDecoder : public Decoder {
 public:
  explicit MetaspaceDecoder(const json::Node& node) : options_(node) {}

  void decode(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); i++) {
      const bool drops = i == 0 && options_.scheme != Metaspace::Scheme::never;
      replace_all(tokens[i], options_.text, drops ? "" : " ");
    }
  }
  void token_bytes(std::string& token) const override { replace_all(token, options_.text, " "); }
  Parts parts() const override { return Parts::behind_first; }
  Scope scope() const override { return Scope::token; }
  void write(json::Writer& writer) const override { options_.write(writer); }

 private:
  Metaspace options_;
};

class WordPieceDecoder : public Decoder {
 public:
  explicit WordPieceDecoder(const json::Node& node) : prefix_(node.at("prefix").string()), cleanup_(node.at("cleanup").boolean()) {}

  void decode(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); i++) {
      if (i > 0) join(tokens[i]);
      if (cleanup_) clean_up(tokens[i]);
    }
  }
  void token_bytes(std::string& token) const override {
    join(token);
    if (cleanup_) clean_up(token);
  }
  Parts parts() const override { return Parts::behind_first; }
  Scope scope() const override { return Scope::token; }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "WordPiece");
    writer.field("prefix", prefix_);
    writer.field("cleanup", cleanup_);
    writer.end_object();
  }

 private:
  void join(std::string& token) const {
    if (token.compare(0, prefix_.size(), prefix_) == 0) token.erase(0, prefix_.size());
    else token.insert(0, " ");
  }

  std::string prefix_;
  bool cleanup_;
};

class BPEDecoder : public Decoder {
 public:
  explicit BPEDecoder(const json::Node& node) : suffix_(node.at("suffix").string()) {}

  void decode(std::vector<std::string>& tokens) const override {
    for (size_t i = 0; i < tokens.size(); i++) replace_all(tokens[i], suffix_, i + 1 == tokens.size() ? "" : " ");
  }
  void token_bytes(std::string& token) const override { replace_all(token, suffix_, " "); }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "BPEDecoder");
    writer.field("suffix", suffix_);
    writer.end_object();
  }

 private:
  std::string suffix_;
};

class CTCDecoder : public Decoder {
 public:
  explicit CTCDecoder(const json::Node& node)
      : pad_(node.at("pad_token").string()), delimiter_(node.at("word_delimiter_token").string()), cleanup_(node.at("cleanup").boolean()) {}

  void decode(std::vector<std::string>& tokens) const override {
    tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
    for (std::string& token : tokens) token_bytes(token);
    tokens.erase(std::remove(tokens.begin(), tokens.end(), std::string()), tokens.end());
  }
  void token_bytes(std::string& token) const override {
    replace_all(token, pad_, "");
    if (!cleanup_) return;
    clean_up(token);
    replace_all(token, delimiter_, " ");
  }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "CTC");
    writer.field("pad_token", pad_);
    writer.field("word_delimiter_token", delimiter_);
    writer.field("cleanup", cleanup_);
    writer.end_object();
  }

 private:
  std::string pad_, delimiter_;
  bool cleanup_;
};

class ReplaceDecoder : public Decoder {
 public:
  explicit ReplaceDecoder(const json::Node& node) : pattern_(Pattern::read(node.at("pattern"))), content_(node.at("content").string()) {}

  void decode(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) token_bytes(token);
  }
  void token_bytes(std::string& token) const override {
    if (const std::string* literal = pattern_.literal()) return replace_all(token, *literal, content_);
    std::vector<Match> matches;
    pattern_.find(token, matches);
    std::string result;
    for (const Match& match : matches) {
      if (match.is_match) result.append(content_);
      else result.append(token, match.begin, match.end - match.begin);
    }
    token = std::move(result);
  }
  Parts parts() const override { return Parts::behind_first; }
  Scope scope() const override { return Scope::token; }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "Replace");
    writer.key("pattern");
    pattern_.write(writer);
    writer.field("content", content_);
    writer.end_object();
  }

 private:
  Pattern pattern_;
  std::string content_;
};

class Fuse : public Decoder {
 public:
  void decode(std::vector<std::string>& tokens) const override {
    std::string all;
    for (const std::string& token : tokens) all.append(token);
    tokens.assign(1, std::move(all));
  }
  Scope scope() const override { return Scope::fuse; }
  void write(json::Writer& writer) const override { write_type(writer, "Fuse"); }
};

class StripDecoder : public Decoder {
 public:
  explicit StripDecoder(const json::Node& node) : start_(node.at("start").natural()), stop_(node.at("stop").natural()) {
    unicode::append(content_, node.at("content").character());
  }

  void decode(std::vector<std::string>& tokens) const override {
    for (std::string& token : tokens) {
      size_t begin = 0, end = token.size();
      const size_t n = content_.size();
      for (uint32_t i = 0; i < start_ && token.compare(begin, n, content_) == 0; i++) begin += n;
      for (uint32_t i = 0; i < stop_ && end >= begin + n && token.compare(end - n, n, content_) == 0; i++) end -= n;
      token = token.substr(begin, end - begin);
    }
  }
  Scope scope() const override { return stop_ == 0 ? Scope::start : Scope::all; }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "Strip");
    writer.field("content", content_);
    writer.field("start", start_);
    writer.field("stop", stop_);
    writer.end_object();
  }

 private:
  std::string content_;
  uint32_t start_, stop_;
};

class ByteFallback : public Decoder {
 public:
  void decode(std::vector<std::string>& tokens) const override {
    std::vector<std::string> result;
    std::string bytes;
    const auto flush = [&] {
      if (unicode::is_valid(bytes)) {
        if (!bytes.empty()) result.push_back(bytes);
      } else {
        result.insert(result.end(), bytes.size(), "\xef\xbf\xbd");
      }
      bytes.clear();
    };
    for (std::string& token : tokens) {
      const int byte = fallback_byte(token);
      if (byte >= 0) {
        bytes.push_back(static_cast<char>(byte));
      } else {
        flush();
        result.push_back(std::move(token));
      }
    }
    flush();
    tokens = std::move(result);
  }
  void token_bytes(std::string& token) const override {
    const int byte = fallback_byte(token);
    if (byte >= 0) token.assign(1, static_cast<char>(byte));
  }
  Scope scope() const override { return Scope::byte_fallback; }
  void write(json::Writer& writer) const override { write_type(writer, "ByteFallback"); }
};

class DecoderSequence : public Decoder {
 public:
  explicit DecoderSequence(const json::Node& node) {
    for (const json::Node& item : node.at("decoders").items()) decoders_.push_back(Decoder::read(item));
  }

  void decode(std::vector<std::string>& tokens) const override {
    for (const auto& decoder : decoders_) decoder->decode(tokens);
  }
  void token_bytes(std::string& token) const override {
    for (const auto& decoder : decoders_) decoder->token_bytes(token);
  }
  Parts parts() const override {
    if (decoders_.size() == 1) return decoders_[0]->parts();
    // Tokens by themselves, then bytes, then everything joined.
    Scope last = Scope::token;
    for (const auto& decoder : decoders_) {
      const Scope scope = decoder->scope();
      if (scope == Scope::all) return Parts::none;
      if (scope == Scope::start && last != Scope::fuse && last != Scope::start) return Parts::none;
      if ((scope == Scope::token || scope == Scope::byte_fallback) && last != Scope::token) return Parts::none;
      last = scope;
    }
    return Parts::behind_first;
  }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "Sequence");
    writer.key("decoders").begin_array();
    for (const auto& decoder : decoders_) decoder->write(writer);
    writer.end_array();
    writer.end_object();
  }

 private:
  std::vector<std::unique_ptr<Decoder>> decoders_;
};

}  // namespace

int fallback_byte(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return -1;
  int value = 0;
  for (const char c : {token[3], token[4]}) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

std::unique_ptr<Decoder> Decoder::read(const json::Node& node) {
  const json::Node type = node.at("type");
  const std::string name = type.string();
  if (name == "ByteLevel") return std::make_unique<ByteLevelDecoder>(node);
  if (name == "Metaspace") return std::make_unique<MetaspaceDecoder>(node);
  if (name == "WordPiece") return std::make_unique<WordPieceDecoder>(node);
  if (name == "BPEDecoder") return std::make_unique<BPEDecoder>(node);
  if (name == "CTC") return std::make_unique<CTCDecoder>(node);
  if (name == "Replace") return std::make_unique<ReplaceDecoder>(node);
  if (name == "Fuse") return std::make_unique<Fuse>();
  if (name == "Strip") return std::make_unique<StripDecoder>(node);
  if (name == "ByteFallback") return std::make_unique<ByteFallback>();
  if (name == "Sequence") return std::make_unique<DecoderSequence>(node);
  type.fail("a type of decoder");
}

}  // namespace gt::tokenizer
