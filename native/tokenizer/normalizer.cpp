#include "tokenizer/normalizer.h"

#include <algorithm>

#include "tokenizer/byte_level.h"
#include "tokenizer/pattern.h"
#include "tokenizer/precompiled.h"
#include "tokenizer/rewriting.h"
#include "unicode/normalize.h"

namespace gt::tokenizer {

namespace {

using unicode::decode;

constexpr auto kAlways = [](std::string_view) { return true; };

// Calls body(character, its bytes).
template <class Body>
void for_each_character(std::string_view text, Body&& body) {
  for (size_t i = 0, width; i < text.size(); i += width) {
    const char32_t c = decode(text.data() + i, width);
    body(c, width);
  }
}

void write_type(json::Writer& writer, const char* type) {
  writer.begin_object();
  writer.field("type", type);
  writer.end_object();
}

class UnicodeForm : public Normalizer {
 public:
  UnicodeForm(unicode::Form form, std::string type) : form_(form), type_(std::move(type)) {}

  void normalize(Pieces& pieces) const override { normalize_to(pieces, form_); }
  bool is_per_character() const override { return form_ == unicode::Form::NFD || form_ == unicode::Form::NFKD; }
  ByParts by_parts() const override { return ByParts::yes; }
  bool keeps_ascii_words() const override { return true; }
  void write(json::Writer& writer) const override { write_type(writer, type_.c_str()); }

 private:
  unicode::Form form_;
  std::string type_;
};

class Lowercase : public Normalizer {
 public:
  void normalize(Pieces& pieces) const override { lowercase(pieces); }
  bool is_per_character() const override { return true; }
  ByParts by_parts() const override { return ByParts::yes; }
  void write(json::Writer& writer) const override { write_type(writer, "Lowercase"); }
};

class StripAccents : public Normalizer {
 public:
  void normalize(Pieces& pieces) const override {
    filter(pieces, [](char32_t c) { return !unicode::is_combining_mark(c); });
  }
  bool is_per_character() const override { return true; }
  ByParts by_parts() const override { return ByParts::yes; }
  bool keeps_ascii_words() const override { return true; }
  void write(json::Writer& writer) const override { write_type(writer, "StripAccents"); }
};

class Strip : public Normalizer {
 public:
  explicit Strip(const json::Node& node) : left_(node.at("strip_left").boolean()), right_(node.at("strip_right").boolean()) {}

  void normalize(Pieces& pieces) const override {
    pieces.rewrite(kAlways, [&](std::string_view text, Pieces::Rewriter& out) {
      size_t begin = 0, end = text.size(), width;
      int skipped = 0;
      while (left_ && begin < end && unicode::is_white_space(decode(text.data() + begin, width))) begin += width, skipped++;
      while (right_ && end > begin) {
        const char* last = unicode::previous(text.data(), text.data() + end);
        if (!unicode::is_white_space(decode(last, width))) break;
        end = static_cast<size_t>(last - text.data());
      }
      out.skip(skipped);
      out.copy(end - begin);
    });
  }
  ByParts by_parts() const override { return left_ ? ByParts::no : ByParts::yes; }
  bool keeps_ascii_words() const override { return true; }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "Strip");
    writer.field("strip_left", left_);
    writer.field("strip_right", right_);
    writer.end_object();
  }

 private:
  bool left_, right_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(const json::Node& node) : prepend_(node.at("prepend").string()) {}

  void normalize(Pieces& pieces) const override {
    if (pieces.start() == Start::inside) return;
    pieces.rewrite(kAlways, [&](std::string_view text, Pieces::Rewriter& out) {
      out.prepend(prepend_);
      out.copy(text.size());
    });
  }
  ByParts by_parts() const override { return ByParts::yes; }
  bool keeps_ascii_words() const override { return true; }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "Prepend");
    writer.field("prepend", prepend_);
    writer.end_object();
  }

 private:
  std::string prepend_;
};

class Replace : public Normalizer {
 public:
  explicit Replace(const json::Node& node) : pattern_(Pattern::read(node.at("pattern"))), content_(node.at("content").string()) {}

  void normalize(Pieces& pieces) const override {
    if (const std::string* literal = pattern_.literal()) return replace(pieces, *literal, content_);
    std::vector<Match> matches;
    pieces.rewrite(kAlways, [&](std::string_view text, Pieces::Rewriter& out) {
      pattern_.find(text, matches);
      for (const Match& match : matches) {
        if (match.is_match) out.replace(match.end - match.begin, content_);
        else out.copy(match.end - match.begin);
      }
    });
  }
  // What is found lies within blanks, or between them.
  ByParts by_parts() const override {
    const std::string& source = pattern_.source();
    const bool is_string = pattern_.literal() != nullptr;
    const auto blanks = std::count_if(source.begin(), source.end(), is_blank);
    if (is_string && blanks == 0) return ByParts::yes;
    const bool is_of_blanks = is_string ? blanks == static_cast<std::ptrdiff_t>(source.size()) : source == " {2,}";
    return !is_of_blanks ? ByParts::no : content_ == " " ? ByParts::yes : ByParts::last;
  }
  bool keeps_ascii_words() const override { return by_parts() != ByParts::no && is_blank(pattern_.source()[0]); }
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

class Nmt : public Normalizer {
 public:
  void normalize(Pieces& pieces) const override {
    filter(pieces, [](char32_t c) {
      return !((c >= 1 && c <= 8) || c == 0xb || (c >= 0xe && c <= 0x1f) || c == 0x7f || c == 0x8f || c == 0x9f);
    });
    map(pieces, [](char32_t c) -> char32_t {
      const bool is_space = c == 9 || c == 0xa || c == 0xc || c == 0xd || c == 0x1680 || (c >= 0x200b && c <= 0x200f) ||
                            c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xfeff || c == 0xfffd;
      return is_space ? ' ' : c;
    });
  }
  ByParts by_parts() const override { return ByParts::yes; }
  bool keeps_ascii_words() const override { return true; }
  void write(json::Writer& writer) const override { write_type(writer, "Nmt"); }
};

bool is_chinese(char32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) ||
         (c >= 0x2a700 && c <= 0x2b73f) || (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

class BertNormalizer : public Normalizer {
 public:
  explicit BertNormalizer(const json::Node& node)
      : clean_text_(node.at("clean_text").boolean()),
        chinese_(node.at("handle_chinese_chars").boolean()),
        lowercase_(node.at("lowercase").boolean()) {
    if (const auto strip = node.find("strip_accents")) strip_accents_ = strip->boolean();
  }

  void normalize(Pieces& pieces) const override {
    using namespace unicode;
    if (clean_text_) {
      const auto is_kept_control = [](char32_t c) { return c == '\t' || c == '\n' || c == '\r'; };
      filter(pieces, [&](char32_t c) {
        return c != 0 && c != 0xfffd && (is_kept_control(c) || !is_in(c, bit(Cc) | bit(Cf) | bit(Co), Version::v8));
      });
      map(pieces, [&](char32_t c) -> char32_t { return is_kept_control(c) || is_white_space(c) ? ' ' : c; });
    }
    if (chinese_) {
      pieces.rewrite([](std::string_view text) { return !is_ascii(text); },
                     [](std::string_view text, Pieces::Rewriter& out) {
                       for_each_character(text, [&](char32_t c, size_t width) {
                         if (!is_chinese(c)) return out.copy(width);
                         out.put(' ', 0);
                         out.put(c, 1);
                         out.put(' ', 1);
                       });
                     });
    }
    if (strip_accents_.value_or(lowercase_)) {
      normalize_to(pieces, Form::NFD);
      filter(pieces, [](char32_t c) { return !is_in(c, bit(Mn), Version::v8); });
    }
    if (lowercase_) tokenizer::lowercase(pieces);
  }
  bool is_per_character() const override { return true; }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "BertNormalizer");
    writer.field("clean_text", clean_text_);
    writer.field("handle_chinese_chars", chinese_);
    writer.key("strip_accents");
    strip_accents_ ? writer.boolean(*strip_accents_) : writer.null();
    writer.field("lowercase", lowercase_);
    writer.end_object();
  }

 private:
  bool clean_text_, chinese_, lowercase_;
  std::optional<bool> strip_accents_;
};

class ByteLevelNormalizer : public Normalizer {
 public:
  void normalize(Pieces& pieces) const override {
    pieces.set_bytes();
    pieces.spell_bytes();
  }
  void write(json::Writer& writer) const override { write_type(writer, "ByteLevel"); }
};

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(const json::Node& node) {
    for (const json::Node& item : node.at("normalizers").items()) normalizers_.push_back(Normalizer::read(item));
  }

  void normalize(Pieces& pieces) const override {
    for (const auto& normalizer : normalizers_) normalizer->normalize(pieces);
  }
  bool is_per_character() const override {
    return std::all_of(normalizers_.begin(), normalizers_.end(), [](const auto& each) { return each->is_per_character(); });
  }
  ByParts by_parts() const override {
    ByParts result = ByParts::yes;
    for (const auto& each : normalizers_) result = result == ByParts::yes ? each->by_parts() : ByParts::no;
    return result;
  }
  bool keeps_ascii_words() const override {
    return std::all_of(normalizers_.begin(), normalizers_.end(), [](const auto& each) { return each->keeps_ascii_words(); });
  }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "Sequence");
    writer.key("normalizers").begin_array();
    for (const auto& normalizer : normalizers_) normalizer->write(writer);
    writer.end_array();
    writer.end_object();
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> normalizers_;
};

}  // namespace

std::unique_ptr<Normalizer> Normalizer::read(const json::Node& node) {
  const json::Node type = node.at("type");
  const std::string name = type.string();
  if (name == "NFC") return std::make_unique<UnicodeForm>(unicode::Form::NFC, name);
  if (name == "NFD") return std::make_unique<UnicodeForm>(unicode::Form::NFD, name);
  if (name == "NFKC") return std::make_unique<UnicodeForm>(unicode::Form::NFKC, name);
  if (name == "NFKD") return std::make_unique<UnicodeForm>(unicode::Form::NFKD, name);
  if (name == "Lowercase") return std::make_unique<Lowercase>();
  if (name == "StripAccents") return std::make_unique<StripAccents>();
  if (name == "Strip") return std::make_unique<Strip>(node);
  if (name == "Prepend") return std::make_unique<Prepend>(node);
  if (name == "Replace") return std::make_unique<Replace>(node);
  if (name == "Nmt") return std::make_unique<Nmt>();
  if (name == "ByteLevel") return std::make_unique<ByteLevelNormalizer>();
  if (name == "Sequence") return std::make_unique<NormalizerSequence>(node);
  if (name == "Precompiled") return std::make_unique<Precompiled>(node);
  if (name == "BertNormalizer") return std::make_unique<BertNormalizer>(node);
  type.fail("a type of normalizer");
}

}  // namespace gt::tokenizer
