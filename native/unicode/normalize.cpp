#include "unicode/normalize.h"

#include <algorithm>
#include <optional>

#include "unicode/tables.h"
#include "unicode/utf8.h"

namespace gt::unicode {

namespace {

// Hangul syllables by arithmetic: The Unicode Standard, section 3.12.
constexpr uint32_t kSyllable = 0xac00, kLead = 0x1100, kVowel = 0x1161, kTail = 0x11a7;
constexpr uint32_t kLeads = 19, kVowels = 21, kTails = 28, kSyllables = kLeads * kVowels * kTails;

uint8_t combining_class(char32_t c) {
  static const Table table(combining_class_runs, combining_class_runs_count);
  return static_cast<uint8_t>(table[c]);
}

struct Decomposed {
  char32_t c;
  int change;
  uint8_t combining;
};

void decompose(char32_t c, bool compatible, std::vector<Decomposed>& out) {
  bool first = true;
  const auto push = [&](char32_t d) {
    out.push_back({d, first ? 0 : 1, combining_class(d)});
    first = false;
  };
  if (c >= kSyllable && c < kSyllable + kSyllables) {
    const uint32_t index = c - kSyllable;
    push(kLead + index / (kVowels * kTails));
    push(kVowel + index / kTails % kVowels);
    if (index % kTails) push(kTail + index % kTails);
    return;
  }
  const Decomposition* end = decompositions + decompositions_count;
  const Decomposition* d =
      std::lower_bound(decompositions, end, c, [](const Decomposition& a, char32_t value) { return a.code_point < value; });
  const bool is_known = c >= 0x80 && d < end && d->code_point == c;
  const bool is_compatible = is_known && compatible && d->compatible > 0;
  const size_t count = !is_known ? 0 : is_compatible ? d->compatible : d->canonical;
  if (count == 0) return push(c);
  const char32_t* pool = decomposition_pool + d->offset + (is_compatible ? d->canonical : 0);
  for (size_t i = 0; i < count; i++) push(pool[i]);
}

std::optional<char32_t> compose(char32_t a, char32_t b) {
  if (a >= kLead && a < kLead + kLeads && b >= kVowel && b < kVowel + kVowels) {
    return kSyllable + ((a - kLead) * kVowels + (b - kVowel)) * kTails;
  }
  if (a >= kSyllable && a < kSyllable + kSyllables && (a - kSyllable) % kTails == 0 && b > kTail && b < kTail + kTails) {
    return a + (b - kTail);
  }
  const Composition* end = compositions + compositions_count;
  const Composition* found = std::lower_bound(compositions, end, std::make_pair<uint32_t, uint32_t>(a, b), [](const Composition& c, const auto& key) {
    return std::make_pair(c.first, c.second) < key;
  });
  if (found == end || found->first != a || found->second != b) return std::nullopt;
  return found->composed;
}

// Composes what follows the last starter. `changes` add up as in the crate unicode-normalization-alignments.
void recompose(const std::vector<Decomposed>& in, std::vector<Changed>& out) {
  std::optional<Changed> starter;
  std::vector<Changed> marks;  // between the starter and what comes, not composed
  uint8_t last = 0;            // class of the last of them
  const auto flush = [&] {
    if (starter) out.push_back(*starter);
    out.insert(out.end(), marks.begin(), marks.end());
    starter.reset();
    marks.clear();
  };
  for (const Decomposed& d : in) {
    if (!starter) {
      if (d.combining == 0) starter = Changed{d.c, d.change};
      else out.push_back({d.c, d.change});
      continue;
    }
    const bool is_blocked = !marks.empty() && last >= d.combining;
    if (!is_blocked) {
      if (const auto composed = compose(starter->c, d.c)) {
        starter = Changed{*composed, starter->change + d.change - 1};
        continue;
      }
    }
    if (d.combining == 0) {
      flush();
      starter = Changed{d.c, d.change};
    } else {
      marks.push_back({d.c, d.change});
      last = d.combining;
    }
  }
  flush();
}

}  // namespace

void normalize(std::string_view text, Form form, std::vector<Changed>& out) {
  const bool compatible = form == Form::NFKC || form == Form::NFKD;
  std::vector<Decomposed> decomposed;
  for (size_t i = 0, width; i < text.size(); i += width) decompose(decode(text.data() + i, width), compatible, decomposed);
  for (size_t i = 0; i < decomposed.size();) {
    size_t end = i + 1;
    while (end < decomposed.size() && decomposed[end].combining != 0) end++;
    std::stable_sort(decomposed.begin() + i, decomposed.begin() + end,
                     [](const Decomposed& a, const Decomposed& b) { return a.combining < b.combining; });
    i = end;
  }
  if (form == Form::NFC || form == Form::NFKC) return recompose(decomposed, out);
  for (const Decomposed& d : decomposed) out.push_back({d.c, d.change});
}

bool next_unstable(std::string_view text, Form form, size_t from, size_t& begin, size_t& end) {
  size_t i = from, before = from, width;
  for (;; i += width) {
    if (i >= text.size()) return false;
    if (static_cast<uint8_t>(text[i]) < 0x80) {
      width = 1;
    } else if (is_unstable(decode(text.data() + i, width), form)) {
      break;
    }
    before = i;
  }
  begin = before;
  end = i + width;
  while (end < text.size() && is_unstable(decode(text.data() + end, width), form)) end += width;
  return true;
}

}  // namespace gt::unicode
