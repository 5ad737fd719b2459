#include "unicode/grapheme.h"

#include "unicode/tables.h"
#include "unicode/unicode.h"
#include "unicode/utf8.h"

namespace gt::unicode {

namespace {

// The order of BREAKS in scripts/unicode.mjs.
enum Break : uint8_t { Other, CR, LF, Control, Extend, ZWJ, Regional, Prepend, SpacingMark, L, V, T, LV, LVT, Pictographic };
enum Conjunct : uint8_t { None, Consonant, Linker, Extender };

struct Kind {
  Break break_;
  Conjunct conjunct;
};

Kind kind(char32_t c) {
  static const Table table(grapheme_runs, grapheme_runs_count);
  const uint16_t value = table[c];
  return {static_cast<Break>(value & 15), static_cast<Conjunct>(value >> 4)};
}

bool is_control(Break b) { return b == CR || b == LF || b == Control; }

// What the characters of the cluster so far say about the next one.
struct Cluster {
  Break last;
  bool after_odd_regional;    // an odd number of regional indicators at the end
  bool in_emoji;              // Pictographic Extend*, and then perhaps a ZWJ
  bool in_conjunct, linked;   // Consonant (Extender | Linker)*, with a linker

  explicit Cluster(Kind first)
      : last(first.break_),
        after_odd_regional(last == Regional),
        in_emoji(last == Pictographic),
        in_conjunct(first.conjunct == Consonant),
        linked(false) {}

  bool takes(Kind next) const {
    const Break b = next.break_;
    if (last == CR && b == LF) return true;
    if (is_control(last) || is_control(b)) return false;
    if (last == L && (b == L || b == V || b == LV || b == LVT)) return true;
    if ((last == LV || last == V) && (b == V || b == T)) return true;
    if ((last == LVT || last == T) && b == T) return true;
    if (b == Extend || b == ZWJ || b == SpacingMark || last == Prepend) return true;
    if (in_conjunct && linked && next.conjunct == Consonant) return true;
    if (last == ZWJ && in_emoji && b == Pictographic) return true;
    return after_odd_regional && b == Regional;
  }

  void add(Kind next) {
    const Break b = next.break_;
    in_emoji = b == Pictographic || (in_emoji && last != ZWJ && (b == Extend || b == ZWJ));
    after_odd_regional = b == Regional && !after_odd_regional;
    if (next.conjunct == Consonant) in_conjunct = true, linked = false;
    else if (next.conjunct == Linker) linked = true;
    else if (next.conjunct != Extender) in_conjunct = false;
    last = b;
  }
};

}  // namespace

size_t grapheme_end(std::string_view text, size_t begin) {
  size_t width;
  Cluster cluster(kind(decode(text.data() + begin, width)));
  size_t end = begin + width;
  while (end < text.size()) {
    const Kind next = kind(decode(text.data() + end, width));
    if (!cluster.takes(next)) break;
    cluster.add(next);
    end += width;
  }
  return end;
}

}  // namespace gt::unicode
