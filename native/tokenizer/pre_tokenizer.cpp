#include "tokenizer/pre_tokenizer.h"

#include "tokenizer/byte_level_options.h"
#include "tokenizer/metaspace.h"
#include "tokenizer/pattern.h"
#include "tokenizer/rewriting.h"

namespace gt::tokenizer {

namespace {

using unicode::decode;

void write_type(json::Writer& writer, const char* type) {
  writer.begin_object();
  writer.field("type", type);
  writer.end_object();
}

// Cuts pieces at what `find(text, matches)` finds.
template <class Find>
void split_at(Pieces& pieces, Behavior behavior, Find&& find) {
  pieces.spell_bytes();
  std::vector<Match>& matches = pieces.matches();
  pieces.split([&](std::string_view text, auto&& emit) {
    find(text, matches);
    apply_behavior(behavior, matches);
    for (const Match& match : matches) emit(match.begin, match.end, -1);
  });
}

void split_by(Pieces& pieces, const Scanner& scanner) {
  pieces.split([&](std::string_view text, auto&& emit) {
    uint32_t begin = 0;
    scanner.scan(text, [&](uint32_t end) {
      emit(begin, end, -1);
      begin = end;
    });
  });
}

class ByteLevelPreTokenizer : public PreTokenizer {
 public:
  explicit ByteLevelPreTokenizer(const json::Node& node) : options_(node) {}

  void split(Pieces& pieces) const override {
    pieces.spell_bytes();
    if (options_.add_prefix_space) {
      pieces.rewrite([](std::string_view text) { return !text.empty() && text[0] != ' '; },
                     [](std::string_view text, Pieces::Rewriter& out) {
                       out.prepend(" ");
                       out.copy(text.size());
                     });
    }
    if (options_.use_regex) split_by(pieces, scanner_);
    pieces.set_bytes();
  }
  void write(json::Writer& writer) const override { options_.write(writer); }

 private:
  ByteLevelOptions options_;
  Scanner scanner_ = Scanner::gpt2();
};

class Split : public PreTokenizer {
 public:
  explicit Split(const json::Node& node)
      : pattern_(Pattern::read(node.at("pattern"))), behavior_(read_behavior(node.at("behavior"))), invert_(node.at("invert").boolean()) {}

  void split(Pieces& pieces) const override {
    // Where every part matches, they are the pieces.
    if (pattern_.scanner() && (behavior_ == Behavior::isolated || (behavior_ == Behavior::removed && invert_))) {
      pieces.spell_bytes();
      return split_by(pieces, *pattern_.scanner());
    }
    split_at(pieces, behavior_, [&](std::string_view text, std::vector<Match>& matches) {
      pattern_.find(text, matches);
      if (!invert_) return;
      for (Match& match : matches) match.is_match = !match.is_match;
    });
  }
  bool keeps_words() const override { return pattern_.literal() && *pattern_.literal() == " " && !invert_; }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "Split");
    writer.key("pattern");
    pattern_.write(writer);
    writer.field("behavior", behavior_name(behavior_));
    writer.field("invert", invert_);
    writer.end_object();
  }

 private:
  Pattern pattern_;
  Behavior behavior_;
  bool invert_;
};

class MetaspacePreTokenizer : public PreTokenizer {
 public:
  explicit MetaspacePreTokenizer(const json::Node& node) : options_(node) {}

  bool needs_alignment() const override { return options_.scheme == Metaspace::Scheme::first; }
  bool cuts_before(char32_t c) const override { return options_.split && (c == ' ' || c == options_.replacement); }
  bool keeps_words() const override { return !options_.split; }

  void split(Pieces& pieces) const override {
    pieces.spell_bytes();
    replace(pieces, " ", options_.text);
    if (options_.scheme != Metaspace::Scheme::never) {
      const bool first_only = options_.scheme == Metaspace::Scheme::first;
      pieces.rewrite(
          [&](std::string_view text, const Piece& piece) {
            const bool starts = text.substr(0, options_.text.size()) == options_.text;
            const bool is_cut = piece.shift > 0 || pieces.start() != Start::inside;
            const bool is_first = piece.shift == 0 && pieces.start() == Start::text;
            return !text.empty() && !starts && is_cut && (!first_only || is_first);
          },
          [&](std::string_view text, Pieces::Rewriter& out) {
            out.prepend(options_.text);
            out.copy(text.size());
          });
    }
    if (!options_.split) return;
    split_at(pieces, Behavior::merged_with_next, [&](std::string_view text, std::vector<Match>& matches) {
      matches.clear();
      uint32_t last = 0;
      const auto size = static_cast<uint32_t>(options_.text.size());
      for (size_t at = text.find(options_.text); at != text.npos; at = text.find(options_.text, last)) {
        const auto begin = static_cast<uint32_t>(at);
        if (last < begin) matches.push_back({last, begin, false});
        matches.push_back({begin, begin + size, true});
        last = begin + size;
      }
      if (last < text.size()) matches.push_back({last, static_cast<uint32_t>(text.size()), false});
    });
  }
  void write(json::Writer& writer) const override { options_.write(writer); }

 private:
  Metaspace options_;
};

// Cuts at characters with a property.
class Digits : public PreTokenizer {
 public:
  explicit Digits(const json::Node& node) : individual_(node.at("individual_digits").boolean()) {}

  void split(Pieces& pieces) const override {
    split_at(pieces, individual_ ? Behavior::isolated : Behavior::contiguous,
             [](std::string_view text, std::vector<Match>& matches) { find_characters(text, matches, unicode::is_numeric); });
  }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "Digits");
    writer.field("individual_digits", individual_);
    writer.end_object();
  }

 private:
  bool individual_;
};

class Punctuation : public PreTokenizer {
 public:
  explicit Punctuation(const json::Node& node) {
    if (const auto behavior = node.find("behavior")) behavior_ = read_behavior(*behavior);
  }

  void split(Pieces& pieces) const override {
    split_at(pieces, behavior_,
             [](std::string_view text, std::vector<Match>& matches) { find_characters(text, matches, unicode::is_punctuation); });
  }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "Punctuation");
    writer.field("behavior", behavior_name(behavior_));
    writer.end_object();
  }

 private:
  Behavior behavior_ = Behavior::isolated;
};

// \w+|[^\w\s]+
class Whitespace : public PreTokenizer {
 public:
  void split(Pieces& pieces) const override {
    pieces.spell_bytes();
    pieces.split([](std::string_view text, auto&& emit) {
      Kind last = Kind::space;
      size_t begin = 0;
      for (size_t i = 0, width; i < text.size(); i += width) {
        const Kind now = kind_of(decode(text.data() + i, width));
        if (now == last) continue;
        if (last != Kind::space) emit(begin, i, -1);
        begin = i;
        last = now;
      }
      if (last != Kind::space) emit(begin, text.size(), -1);
    });
  }
  Kind kind(char32_t c) const override { return kind_of(c); }
  void write(json::Writer& writer) const override { write_type(writer, "Whitespace"); }

 private:
  static Kind kind_of(char32_t c) {
    return unicode::is_word_or_joiner(c) ? Kind::word : unicode::is_white_space(c) ? Kind::space : Kind::other;
  }
};

void split_at_white_space(Pieces& pieces) {
  split_at(pieces, Behavior::removed,
           [](std::string_view text, std::vector<Match>& found) { find_characters(text, found, unicode::is_white_space); });
}

class WhitespaceSplit : public PreTokenizer {
 public:
  void split(Pieces& pieces) const override { split_at_white_space(pieces); }
  bool cuts_before(char32_t c) const override { return unicode::is_white_space(c); }
  Kind kind(char32_t c) const override { return unicode::is_white_space(c) ? Kind::space : Kind::word; }
  void write(json::Writer& writer) const override { write_type(writer, "WhitespaceSplit"); }
};

class BertPreTokenizer : public PreTokenizer {
 public:
  void split(Pieces& pieces) const override {
    split_at_white_space(pieces);
    split_at(pieces, Behavior::isolated,
             [](std::string_view text, std::vector<Match>& matches) { find_characters(text, matches, unicode::is_punctuation); });
  }
  Kind kind(char32_t c) const override {
    return unicode::is_white_space(c) ? Kind::space : unicode::is_punctuation(c) ? Kind::alone : Kind::word;
  }
  void write(json::Writer& writer) const override { write_type(writer, "BertPreTokenizer"); }
};

class CharDelimiterSplit : public PreTokenizer {
 public:
  explicit CharDelimiterSplit(const json::Node& node) : delimiter_(node.at("delimiter").character()) {}

  void split(Pieces& pieces) const override {
    split_at(pieces, Behavior::removed, [&](std::string_view text, std::vector<Match>& matches) {
      find_characters(text, matches, [&](char32_t c) { return c == delimiter_; });
    });
  }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "CharDelimiterSplit");
    writer.key("delimiter").character(delimiter_);
    writer.end_object();
  }

 private:
  char32_t delimiter_;
};

class FixedLength : public PreTokenizer {
 public:
  explicit FixedLength(const json::Node& node) {
    if (const auto length = node.find("length")) length_ = length->natural();
    if (length_ == 0) node.at("length").fail("a positive integer");
  }

  void split(Pieces& pieces) const override {
    pieces.spell_bytes();
    pieces.split([&](std::string_view text, auto&& emit) {
      size_t begin = 0, i = 0;
      uint32_t count = 0;
      while (i < text.size()) {
        i += unicode::length(static_cast<uint8_t>(text[i]));
        if (++count < length_) continue;
        emit(begin, i, -1);
        begin = i;
        count = 0;
      }
      emit(begin, i, -1);
    });
  }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "FixedLength");
    writer.field("length", length_);
    writer.end_object();
  }

 private:
  uint32_t length_ = 5;
};

// Cuts where the script of Unicode 9 changes; Hiragana and Katakana count as Han, spaces and the unknown as anything.
class UnicodeScripts : public PreTokenizer {
 public:
  void split(Pieces& pieces) const override {
    pieces.spell_bytes();
    pieces.split([&](std::string_view text, auto&& emit) {
      size_t begin = 0;
      int last = kNone;
      for (size_t i = 0, width; i < text.size(); i += width) {
        const int script = script_of(decode(text.data() + i, width));
        if (script == kAny) continue;
        if (last != script) {
          if (last != kNone) emit(begin, i, -1);  // spaces before the first script are lost, as in Rust
          begin = i;
        }
        last = script;
      }
      if (last != kNone) emit(begin, text.size(), -1);
    });
  }
  void write(json::Writer& writer) const override { write_type(writer, "UnicodeScripts"); }

 private:
  static constexpr int kNone = -1, kAny = -2;

  static int script_of(char32_t c) {
    static const int han = *unicode::script_number("Han");
    static const int hiragana = *unicode::script_number("Hiragana"), katakana = *unicode::script_number("Katakana");
    static const int common = *unicode::script_number("Common"), devanagari = *unicode::script_number("Devanagari");
    if (c == 0x30fc) return han;
    if (c == 0x589 || c == 0x61c) return common;          // these have other scripts since
    if (c == 0x953 || c == 0x954) return devanagari;
    if (c == ' ' || !unicode::is_known(unicode::properties()[c], unicode::Version::v9)) return kAny;
    const int script = unicode::script(c);
    if (script == 0) return kAny;
    return script == hiragana || script == katakana ? han : script;
  }
};

class PreTokenizerSequence : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(const json::Node& node) {
    for (const json::Node& item : node.at("pretokenizers").items()) items_.push_back(PreTokenizer::read(item));
  }

  void split(Pieces& pieces) const override {
    for (const auto& item : items_) item->split(pieces);
  }
  bool cuts_before(char32_t c) const override { return !items_.empty() && items_[0]->cuts_before(c); }
  bool needs_alignment() const override {
    for (const auto& item : items_) {
      if (item->needs_alignment()) return true;
    }
    return false;
  }
  void write(json::Writer& writer) const override {
    writer.begin_object();
    writer.field("type", "Sequence");
    writer.key("pretokenizers").begin_array();
    for (const auto& item : items_) item->write(writer);
    writer.end_array();
    writer.end_object();
  }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> items_;
};

}  // namespace

std::unique_ptr<PreTokenizer> PreTokenizer::read(const json::Node& node) {
  const json::Node type = node.at("type");
  const std::string name = type.string();
  if (name == "ByteLevel") return std::make_unique<ByteLevelPreTokenizer>(node);
  if (name == "Split") return std::make_unique<Split>(node);
  if (name == "Metaspace") return std::make_unique<MetaspacePreTokenizer>(node);
  if (name == "Digits") return std::make_unique<Digits>(node);
  if (name == "Punctuation") return std::make_unique<Punctuation>(node);
  if (name == "Whitespace") return std::make_unique<Whitespace>();
  if (name == "WhitespaceSplit") return std::make_unique<WhitespaceSplit>();
  if (name == "BertPreTokenizer") return std::make_unique<BertPreTokenizer>();
  if (name == "CharDelimiterSplit") return std::make_unique<CharDelimiterSplit>(node);
  if (name == "FixedLength") return std::make_unique<FixedLength>(node);
  if (name == "UnicodeScripts") return std::make_unique<UnicodeScripts>();
  if (name == "Sequence") return std::make_unique<PreTokenizerSequence>(node);
  type.fail("a type of pre-tokenizer");
}

}  // namespace gt::tokenizer
