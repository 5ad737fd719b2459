#include "tokenizer/precompiled.h"

#include "errors.h"
#include "unicode/grapheme.h"

namespace gt::tokenizer {

namespace {

// Only graphemes shorter than this are looked up as a whole.
constexpr size_t kLongGrapheme = 6;

// Units of a double-array trie, as Darts-clone packs them.
bool has_leaf(uint32_t unit) { return unit >> 8 & 1; }
uint32_t value(uint32_t unit) { return unit & 0x7fffffff; }
uint32_t label(uint32_t unit) { return unit & 0x800000ff; }
uint32_t offset(uint32_t unit) { return unit >> 10 << ((unit & 0x200) >> 6); }

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Canonical base64 alone, so that the text can be written back as it was read.
std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  size_t digits = text.size();
  while (digits > 0 && text.size() - digits < 2 && text[digits - 1] == '=') digits--;
  std::string bytes;
  bytes.reserve(digits / 4 * 3 + 2);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text.substr(0, digits)) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<char>(bits >> count & 255));
  }
  if (bits & ((1u << count) - 1)) return std::nullopt;
  return bytes;
}

uint32_t little_endian(std::string_view bytes, size_t at) {
  uint32_t result = 0;
  for (size_t i = 4; i-- > 0;) result = result << 8 | static_cast<uint8_t>(bytes[at + i]);
  return result;
}

[[noreturn]] void fail() {
  throw Error("tokenizer_invalid", "The precompiled_charsmap of the normalizer is broken: its trie leads outside of it");
}

}  // namespace

// What is kept and what is put, as Rust's NormalizedString is told it.
class Precompiled::Edits {
 public:
  void start(std::string_view text) {
    text_ = text;
    list_.clear();
    is_shifted_ = false;
  }

  void keep(size_t begin, size_t end) {
    if (!is_shifted_) {
      if (list_.empty() || list_.back().kept_end != begin) list_.push_back({begin, begin, 0, 0});
      list_.back().kept_end = end;
      return;
    }
    for (size_t i = begin, width; i < end; i += width) put(unicode::decode(text_.data() + i, width), 0);
  }

  void replace(std::string_view before, std::string_view after) {
    const auto had = static_cast<int>(unicode::count(before)), has = static_cast<int>(unicode::count(after));
    int placed = 0;
    for (size_t i = 0, width; i < after.size(); i += width, placed++) {
      put(unicode::decode(after.data() + i, width), placed >= had ? 1 : 0);
    }
    if (had > has) remove(had - has);
  }

  void apply(Pieces::Rewriter& out) const {
    for (const Edit& edit : list_) {
      if (edit.kept_end > 0) out.copy(edit.kept_end - edit.kept_begin);
      else out.put(edit.c, edit.change);
    }
  }

 private:
  // Bytes of the text, or a character if kept_end is 0.
  struct Edit {
    size_t kept_begin, kept_end;
    char32_t c;
    int change;
  };

  void put(char32_t c, int change) { list_.push_back({0, 0, c, change}); }

  // Removed characters belong to the one before them. At the start there is none: then they are not removed for the
  // alignment, in which all that follows stands for the character that many places earlier.
  void remove(int characters) {
    if (list_.empty()) {
      is_shifted_ = true;
      return;
    }
    if (Edit& last = list_.back(); last.kept_end > 0) {
      const char* p = unicode::previous(text_.data() + last.kept_begin, text_.data() + last.kept_end);
      last.kept_end = static_cast<size_t>(p - text_.data());
      if (last.kept_end == last.kept_begin) list_.pop_back();
      size_t width;
      put(unicode::decode(p, width), 0);
    }
    list_.back().change -= characters;
  }

  std::string_view text_;
  std::vector<Edit> list_;
  bool is_shifted_ = false;
};

Precompiled::Precompiled(const json::Node& node) {
  const json::Node charsmap = node.at("precompiled_charsmap");
  base64_ = charsmap.string();
  const auto bytes = from_base64(base64_);
  if (!bytes) charsmap.error("expected base64");
  if (bytes->size() < 4) charsmap.error("expected the size of a trie but the data has " + std::to_string(bytes->size()) + " bytes");
  const size_t units = little_endian(*bytes, 0) / 4;
  if (units == 0 || units > (bytes->size() - 4) / 4) {
    charsmap.error("a trie of " + std::to_string(units) + " units does not fit data of " + std::to_string(bytes->size()) + " bytes");
  }
  for (size_t i = 0; i < units; i++) trie_.push_back(little_endian(*bytes, 4 + 4 * i));
  replacements_ = bytes->substr(4 + 4 * units);
  if (!unicode::is_valid(replacements_)) charsmap.error("expected replacements in UTF-8");
  for (char c = 0x20; c < 0x7f; c++) is_plain_[static_cast<uint8_t>(c)] = !find({&c, 1});
  for (const char c : {' ', '\t', '\n', '\r'}) keeps_blanks_ = keeps_blanks_ && find({&c, 1}) != "";
}

std::optional<std::string_view> Precompiled::find(std::string_view text) const {
  const auto unit = [&](uint32_t node) {
    if (node >= trie_.size()) fail();
    return trie_[node];
  };
  uint32_t node = offset(trie_[0]);
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte == 0) break;
    node ^= byte;
    const uint32_t found = unit(node);
    if (label(found) != byte) break;
    node ^= offset(found);
    if (!has_leaf(found)) continue;
    const uint32_t begin = value(unit(node));
    if (begin > replacements_.size() || (begin < replacements_.size() && unicode::is_continuation(replacements_[begin]))) fail();
    return std::string_view(replacements_).substr(begin, replacements_.find('\0', begin) - begin);
  }
  return std::nullopt;
}

bool Precompiled::transform(std::string_view text, Edits& edits) const {
  bool changed = false;
  const auto take = [&](std::string_view part) {
    const auto found = find(part);
    if (found) edits.replace(part, *found);
    changed = changed || found;
    return found.has_value();
  };
  edits.start(text);
  for (size_t begin = 0, end; begin < text.size(); begin = end) {
    for (end = begin; end < text.size() && is_plain(text[end]); end++) {
    }
    // What follows may combine with the last plain character.
    if (end > begin && end < text.size() && static_cast<uint8_t>(text[end]) >= 128) end--;
    if (end > begin) {
      edits.keep(begin, end);
      continue;
    }
    end = unicode::grapheme_end(text, begin);
    if (end - begin < kLongGrapheme && take(text.substr(begin, end - begin))) continue;
    for (size_t i = begin; i < end;) {
      const size_t width = unicode::length(static_cast<uint8_t>(text[i]));
      if (!take(text.substr(i, width))) edits.keep(i, i + width);
      i += width;
    }
  }
  return changed;
}

void Precompiled::normalize(Pieces& pieces) const {
  Edits edits;
  pieces.rewrite([&](std::string_view text) { return transform(text, edits); },
                 [&](std::string_view, Pieces::Rewriter& out) { edits.apply(out); });
}

void Precompiled::write(json::Writer& writer) const {
  writer.begin_object();
  writer.field("type", "Precompiled");
  writer.field("precompiled_charsmap", base64_);
  writer.end_object();
}

}  // namespace gt::tokenizer
