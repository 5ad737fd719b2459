#include "unicode/unicode.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "unicode/tables.h"

namespace gt::unicode {

Table::Table(const Run* runs, size_t count) {
  std::map<uint16_t, uint16_t> uniform;  // pages of one value are shared
  size_t run = 0;
  for (size_t page = 0; page < pages_.size(); page++) {
    const uint32_t first = static_cast<uint32_t>(page << 7), end = first + 128;
    while (run + 1 < count && runs[run + 1].first <= first) run++;
    const auto value = static_cast<uint16_t>(runs[run].value);
    const bool is_uniform = run + 1 == count || runs[run + 1].first >= end;
    const auto next = static_cast<uint16_t>(values_.size() >> 7);
    if (is_uniform) {
      const auto [known, is_new] = uniform.emplace(value, next);
      pages_[page] = known->second;
      if (!is_new) continue;
    } else {
      pages_[page] = next;
    }
    for (uint32_t c = first; c < end; c++) {
      while (run + 1 < count && runs[run + 1].first <= c) run++;
      values_.push_back(static_cast<uint16_t>(runs[run].value));
    }
  }
}

const Table& properties() {
  static const Table table(property_runs, property_runs_count);
  return table;
}

namespace {

// The lower-case run that may hold `c`.
const LowerRun* lower_run(char32_t c) {
  const LowerRun* end = lower_runs + lower_runs_count;
  const LowerRun* run = std::upper_bound(lower_runs, end, c, [](char32_t value, const LowerRun& r) { return value < r.first; });
  return run == lower_runs ? nullptr : run - 1;
}

}  // namespace

char32_t simple_lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  const LowerRun* run = lower_run(c);
  if (!run || c > run->last || (c - run->first) % run->step != 0) return c;
  return c + run->distance;
}

size_t to_lower(char32_t c, char32_t out[2]) {
  out[0] = simple_lower(c);
  if (c != 0x130) return 1;
  out[1] = 0x307;
  return 2;
}

char32_t fold(char32_t c) {
  if (c < 0x80) return simple_lower(c);
  const Fold* end = folds + folds_count;
  const Fold* found = std::lower_bound(folds, end, c, [](const Fold& f, char32_t value) { return f.from < value; });
  return found < end && found->from == c ? found->to : simple_lower(c);
}

std::vector<char32_t> case_variants(char32_t c) {
  static const std::multimap<char32_t, char32_t> unfolded = [] {
    std::multimap<char32_t, char32_t> map;
    for (size_t i = 0; i < lower_runs_count; i++) {
      const LowerRun& run = lower_runs[i];
      for (char32_t from = run.first; from <= run.last; from += run.step) map.emplace(fold(from), from);
    }
    for (size_t i = 0; i < folds_count; i++) {
      if (simple_lower(folds[i].from) == folds[i].from) map.emplace(folds[i].to, folds[i].from);
    }
    return map;
  }();
  const char32_t folded = fold(c);
  std::vector<char32_t> variants{folded};
  const auto [first, last] = unfolded.equal_range(folded);
  for (auto i = first; i != last; ++i) variants.push_back(i->second);
  return variants;
}

std::optional<int> script_number(std::string_view name) {
  for (size_t i = 0; i < script_names_count; i++) {
    if (name == script_names[i]) return static_cast<int>(i) + 1;
  }
  return std::nullopt;
}

const char* script_name(int number) {
  return number > 0 && number <= static_cast<int>(script_names_count) ? script_names[number - 1] : nullptr;
}

int script(char32_t c) {
  static const Table table(script_runs, script_runs_count);
  return table[c];
}

}  // namespace gt::unicode
