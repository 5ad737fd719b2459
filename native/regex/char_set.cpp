#include "regex/char_set.h"

#include <algorithm>
#include <string>

#include "unicode/unicode.h"

namespace gt::regex {

using namespace unicode;

namespace {

// Lower case without spaces, '_' and '-'.
std::string plain(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '-') continue;
    result.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  }
  return result;
}

std::optional<int> script_by_plain_name(const std::string& name) {
  for (int number = 1; const char* known = script_name(number); number++) {
    if (plain(known) == name) return number;
  }
  return std::nullopt;
}

struct Named {
  const char* name;
  uint32_t categories;
};

constexpr Named kCategories[] = {
    {"l", kLetter}, {"letter", kLetter}, {"lu", bit(Lu)}, {"uppercaseletter", bit(Lu)}, {"ll", bit(Ll)}, {"lowercaseletter", bit(Ll)},
    {"lt", bit(Lt)}, {"titlecaseletter", bit(Lt)}, {"lc", bit(Lu) | bit(Ll) | bit(Lt)}, {"casedletter", bit(Lu) | bit(Ll) | bit(Lt)},
    {"lm", bit(Lm)}, {"modifierletter", bit(Lm)}, {"lo", bit(Lo)}, {"otherletter", bit(Lo)},
    {"m", kMark}, {"mark", kMark}, {"combiningmark", kMark}, {"mn", bit(Mn)}, {"nonspacingmark", bit(Mn)},
    {"mc", bit(Mc)}, {"spacingmark", bit(Mc)}, {"me", bit(Me)}, {"enclosingmark", bit(Me)},
    {"n", kNumber}, {"number", kNumber}, {"nd", bit(Nd)}, {"decimalnumber", bit(Nd)}, {"nl", bit(Nl)}, {"letternumber", bit(Nl)},
    {"no", bit(No)}, {"othernumber", bit(No)},
    {"p", kPunctuation}, {"punctuation", kPunctuation}, {"pc", bit(Pc)}, {"connectorpunctuation", bit(Pc)},
    {"pd", bit(Pd)}, {"dashpunctuation", bit(Pd)}, {"ps", bit(Ps)}, {"openpunctuation", bit(Ps)}, {"pe", bit(Pe)}, {"closepunctuation", bit(Pe)},
    {"pi", bit(Pi)}, {"initialpunctuation", bit(Pi)}, {"pf", bit(Pf)}, {"finalpunctuation", bit(Pf)}, {"po", bit(Po)}, {"otherpunctuation", bit(Po)},
    {"s", kSymbol}, {"symbol", kSymbol}, {"sm", bit(Sm)}, {"mathsymbol", bit(Sm)}, {"sc", bit(Sc)}, {"currencysymbol", bit(Sc)},
    {"sk", bit(Sk)}, {"modifiersymbol", bit(Sk)}, {"so", bit(So)}, {"othersymbol", bit(So)},
    {"z", kSeparator}, {"separator", kSeparator}, {"zs", bit(Zs)}, {"spaceseparator", bit(Zs)}, {"zl", bit(Zl)}, {"lineseparator", bit(Zl)},
    {"zp", bit(Zp)}, {"paragraphseparator", bit(Zp)},
    {"c", kOther}, {"other", kOther}, {"cc", bit(Cc)}, {"control", bit(Cc)}, {"cf", bit(Cf)}, {"format", bit(Cf)}, {"cn", bit(Cn)},
    {"unassigned", bit(Cn)}, {"co", bit(Co)}, {"privateuse", bit(Co)}, {"cs", bit(Cs)}, {"surrogate", bit(Cs)},
    {"cntrl", bit(Cc)}, {"digit", bit(Nd)}, {"punct", kPunctuation},
};

}  // namespace

CharSet CharSet::any() { return range(0, 0x10ffff); }

CharSet CharSet::range(char32_t first, char32_t last) {
  CharSet set;
  set.add(first, last);
  set.finish();
  return set;
}

CharSet CharSet::categories(uint32_t bits) {
  CharSet set;
  set.categories_ = bits;
  set.finish();
  return set;
}

CharSet CharSet::flag(Flag flag) {
  CharSet set;
  set.flag_ = flag;
  set.finish();
  return set;
}

CharSet CharSet::white_space() { return flag(Flag::white_space); }
CharSet CharSet::word() { return flag(Flag::word); }
CharSet CharSet::digit() { return categories(bit(Nd)); }

std::optional<CharSet> CharSet::property(std::string_view given) {
  const std::string name = plain(given);
  for (const Named& known : kCategories) {
    if (name == known.name) return categories(known.categories);
  }
  CharSet set;
  if (name == "any") return any();
  if (name == "ascii") return range(0, 0x7f);
  if (name == "assigned") return categories(~bit(Cn));
  if (name == "alphabetic" || name == "alpha") return flag(Flag::alphabetic);
  if (name == "lowercase" || name == "lower") return flag(Flag::lowercase);
  if (name == "uppercase" || name == "upper") return flag(Flag::uppercase);
  if (name == "whitespace" || name == "space") return white_space();
  if (name == "word") return word();
  if (name == "alnum") {
    set.add(flag(Flag::alphabetic));
    set.categories_ = bit(Nd);
  } else if (name == "blank") {
    set.categories_ = bit(Zs);
    set.add('\t', '\t');
  } else if (name == "xdigit") {
    set.add('0', '9');
    set.add('a', 'f');
    set.add('A', 'F');
  } else if (name == "graph" || name == "print") {
    set.categories_ = bit(Cc) | bit(Cn) | bit(Cs) | (name == "graph" ? kSeparator : 0);
    set.negate();
  } else {
    const std::optional<int> number = script_by_plain_name(name);
    if (!number) return std::nullopt;
    set.script_ = *number;
  }
  set.finish();
  return set;
}

std::optional<CharSet> CharSet::posix(std::string_view name) {
  std::optional<CharSet> set = property(name);
  if (name == "punct") set = categories(kPunctuation | kSymbol);
  return set;
}

void CharSet::finish() {
  std::sort(ranges_.begin(), ranges_.end());
  size_t count = 0;
  for (const auto& range : ranges_) {
    if (count > 0 && range.first <= ranges_[count - 1].second + 1) {
      ranges_[count - 1].second = std::max(ranges_[count - 1].second, range.second);
    } else {
      ranges_[count++] = range;
    }
  }
  ranges_.resize(count);
  ascii_ = {};
  for (char32_t c = 0; c < 0x80; c++) {
    if (test(c)) ascii_[c >> 6] |= 1ull << (c & 63);
  }
}

bool CharSet::contains(char32_t c) const {
  const auto range = std::upper_bound(ranges_.begin(), ranges_.end(), std::make_pair(c, char32_t{0x110000}));
  if (range != ranges_.begin() && c <= (range - 1)->second) return true;
  if (categories_ && is_in(c, categories_)) return true;
  if (script_ >= 0 && script(c) == script_) return true;
  switch (flag_) {
    case Flag::white_space: if (is_white_space(c)) return true; break;
    case Flag::word: if (is_word(c)) return true; break;
    case Flag::alphabetic: if (is_alphabetic(c)) return true; break;
    case Flag::lowercase: if (is_lowercase(c)) return true; break;
    case Flag::uppercase: if (is_uppercase(c)) return true; break;
    case Flag::none: break;
  }
  return std::any_of(parts_.begin(), parts_.end(), [c](const CharSet& part) { return part.has(c); });
}

bool CharSet::test(char32_t c) const {
  const auto one = [this](char32_t d) {
    return contains(d) && std::all_of(limits_.begin(), limits_.end(), [d](const CharSet& limit) { return limit.has(d); });
  };
  bool found = one(c);
  if (!found && ignores_case_) {
    for (const char32_t variant : case_variants(c)) found = found || one(variant);
  }
  return found != negated_;
}

std::optional<char32_t> CharSet::single() const {
  const bool plain = !categories_ && script_ < 0 && flag_ == Flag::none && parts_.empty() && limits_.empty() && !negated_;
  if (!plain || ranges_.size() != 1 || ranges_[0].first != ranges_[0].second) return std::nullopt;
  if (ignores_case_ && case_variants(ranges_[0].first).size() > 1) return std::nullopt;
  return ranges_[0].first;
}

}  // namespace gt::regex
