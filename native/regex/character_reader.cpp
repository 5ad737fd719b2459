#include "regex/character_reader.h"

#include <vector>

#include "unicode/utf8.h"

namespace gt::regex {

char32_t CharacterReader::next() {
  if (!more()) fail("the pattern ends too early");
  size_t width;
  const char32_t c = unicode::decode(pattern_.data() + at_, width);
  at_ += width;
  return c;
}

CharSet CharacterReader::with_case(CharSet set) const {
  if (options_.ignore_case) {
    set.ignore_case();
    set.finish();
  }
  return set;
}

uint32_t CharacterReader::hex(size_t most) {
  uint32_t value = 0;
  size_t count = 0;
  for (; count < most; count++, at_++) {
    const char c = peek();
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (digit < 0) break;
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  if (count == 0) fail("expected a hexadecimal digit");
  return value;
}

char32_t CharacterReader::code_point(uint32_t value) const {
  if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) fail("not a character");
  return value;
}

std::optional<CharSet> CharacterReader::escaped_set() {
  const auto negated_if = [](bool negate, CharSet set) {
    if (negate) {
      CharSet outer;
      outer.add(set);
      outer.negate();
      outer.finish();
      return outer;
    }
    return set;
  };
  const char c = peek();
  switch (c) {
    case 'd': case 'D': return at_++, negated_if(c == 'D', CharSet::digit());
    case 's': case 'S': return at_++, negated_if(c == 'S', CharSet::white_space());
    case 'w': case 'W': return at_++, negated_if(c == 'W', CharSet::word());
    case 'h': case 'H': return at_++, negated_if(c == 'H', *CharSet::property("xdigit"));
    case 'N': {
      return at_++, negated_if(true, CharSet::of('\n'));
    }
    case 'p': case 'P': {
      at_++;
      if (!take("{")) fail("expected '{'");
      bool negate = c == 'P';
      if (take("^")) negate = !negate;
      const size_t end = pattern_.find('}', at_);
      if (end == pattern_.npos) fail("expected '}'");
      const std::string_view property = pattern_.substr(at_, end - at_);
      const std::optional<CharSet> set = CharSet::property(property);
      if (!set) fail("unknown property '" + std::string(property) + "'");
      at_ = end + 1;
      return negated_if(negate, *set);
    }
    default: return std::nullopt;
  }
}

char32_t CharacterReader::escaped_character() {
  const char32_t c = next();
  switch (c) {
    case 't': return '\t';
    case 'n': return '\n';
    case 'r': return '\r';
    case 'f': return '\f';
    case 'v': return '\v';
    case 'a': return '\a';
    case 'e': return 0x1b;
    case 'x': {
      if (!take("{")) return code_point(hex(2));
      const uint32_t value = hex(8);
      if (!take("}")) fail("expected '}'");
      return code_point(value);
    }
    case 'u': return code_point(hex(4));
    case '0': {
      uint32_t value = 0;
      for (int i = 0; i < 2 && peek() >= '0' && peek() <= '7'; i++) value = value * 8 + static_cast<uint32_t>(pattern_[at_++] - '0');
      return value;
    }
    default:
      if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        at_--;
        fail("an unknown escape");
      }
      return c;
  }
}

CharSet CharacterReader::char_class(int depth) {
  if (depth > kMaxDepth) fail("too deep nesting");
  const bool negate = take("^");
  std::vector<CharSet> operands(1);  // of &&
  for (bool first = true;; first = false) {
    if (!more()) fail("expected ']'");
    if (peek() == ']' && !first) break;
    if (take("&&")) {
      operands.emplace_back();
      continue;
    }
    class_item(operands.back(), depth);
  }
  at_++;
  for (CharSet& operand : operands) {
    operand.finish();
    operand = with_case(std::move(operand));
  }
  CharSet set = std::move(operands[0]);
  if (operands.size() > 1 || negate) {
    CharSet outer;
    outer.add(set);
    for (size_t i = 1; i < operands.size(); i++) outer.intersect(operands[i]);
    if (negate) outer.negate();
    set = std::move(outer);
  }
  set.finish();
  return set;
}

void CharacterReader::class_item(CharSet& out, int depth) {
  if (take("[:")) {
    const bool negate = take("^");
    const size_t end = pattern_.find(":]", at_);
    if (end == pattern_.npos) fail("expected ':]'");
    std::optional<CharSet> set = CharSet::posix(pattern_.substr(at_, end - at_));
    if (!set) fail("unknown class '" + std::string(pattern_.substr(at_, end - at_)) + "'");
    at_ = end + 2;
    if (negate) set->negate();
    set->finish();
    out.add(*set);
    return;
  }
  if (take("[")) {
    out.add(char_class(depth + 1));
    return;
  }
  std::optional<CharSet> set;
  const auto one = [&]() -> char32_t {
    if (!take("\\")) return next();
    set = escaped_set();
    if (set) return 0;
    if (take("b")) return '\b';
    return escaped_character();
  };
  const char32_t first = one();
  if (set) {
    out.add(*set);
    return;
  }
  if (peek() != '-' || peek(1) == ']' || at_ + 1 >= pattern_.size()) {
    out.add(first, first);
    return;
  }
  at_++;
  if (peek() == '[') {  // x-[..]: the dash is a character
    out.add(first, first);
    out.add('-', '-');
    return;
  }
  const char32_t last = one();
  if (set) {
    out.add(first, first);
    out.add('-', '-');
    out.add(*set);
    return;
  }
  if (last < first) fail("an empty range");
  out.add(first, last);
}

}  // namespace gt::regex
