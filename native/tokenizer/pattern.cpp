#include "tokenizer/pattern.h"

#include <algorithm>

namespace gt::tokenizer {

Pattern Pattern::read(const json::Node& node) {
  Pattern pattern;
  const std::optional<json::Node> regex = node.find("Regex");
  pattern.is_regex_ = regex.has_value();
  pattern.source_ = regex ? regex->string() : node.at("String").string();
  if (!regex) return pattern;
  pattern.scanner_ = Scanner::of(pattern.source_);
  if (pattern.scanner_) return pattern;
  try {
    pattern.regex_ = std::make_shared<const regex::Regex>(pattern.source_);
  } catch (const regex::SyntaxError& error) {
    regex->error(std::string("the regular expression is not valid: ") + error.what());
  }
  return pattern;
}

void Pattern::write(json::Writer& writer) const {
  writer.begin_object();
  writer.field(is_regex_ ? "Regex" : "String", source_);
  writer.end_object();
}

void Pattern::find(std::string_view text, std::vector<Match>& out) const {
  out.clear();
  const auto end = static_cast<uint32_t>(text.size());
  uint32_t last = 0;
  const auto found = [&](size_t from, size_t to) {
    const auto begin = static_cast<uint32_t>(from), stop = static_cast<uint32_t>(to);
    if (last != begin) out.push_back({last, begin, false});
    out.push_back({begin, stop, true});
    last = stop;
  };
  if (text.empty()) {
    out.push_back({0, 0, false});
  } else if (scanner_) {
    scanner_->scan(text, [&](uint32_t stop) { found(last, stop); });
  } else if (regex_) {
    regex_->find_all(text, found);
  } else if (!source_.empty()) {
    for (size_t at = text.find(source_); at != text.npos; at = text.find(source_, at + source_.size())) {
      found(at, at + source_.size());
    }
  }
  if (last != end) out.push_back({last, end, false});
}

namespace {
constexpr std::pair<const char*, Behavior> kBehaviors[] = {
    {"Removed", Behavior::removed},
    {"Isolated", Behavior::isolated},
    {"MergedWithPrevious", Behavior::merged_with_previous},
    {"MergedWithNext", Behavior::merged_with_next},
    {"Contiguous", Behavior::contiguous},
};
}  // namespace

Behavior read_behavior(const json::Node& node) {
  const std::string name = node.string();
  for (const auto& [known, behavior] : kBehaviors) {
    if (name == known) return behavior;
  }
  node.fail("Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous");
}

const char* behavior_name(Behavior behavior) { return kBehaviors[static_cast<int>(behavior)].first; }

// NormalizedString::split in Rust.
void apply_behavior(Behavior behavior, std::vector<Match>& matches) {
  size_t count = 0;
  bool previous = false;
  switch (behavior) {
    case Behavior::isolated: return;
    case Behavior::removed:
      matches.erase(std::remove_if(matches.begin(), matches.end(), [](const Match& m) { return m.is_match; }), matches.end());
      return;
    case Behavior::contiguous:
    case Behavior::merged_with_previous:
      for (const Match match : matches) {
        const bool joins = behavior == Behavior::contiguous ? match.is_match == previous : match.is_match && !previous;
        previous = match.is_match;
        if (joins && count > 0) matches[count - 1].end = match.end;
        else matches[count++] = match;
      }
      matches.resize(count);
      return;
    case Behavior::merged_with_next: {
      size_t first = matches.size();
      for (size_t i = matches.size(); i-- > 0;) {
        const Match match = matches[i];
        const bool joins = match.is_match && !previous && first < matches.size();
        previous = match.is_match;
        if (joins) matches[first].begin = match.begin;
        else matches[--first] = match;
      }
      matches.erase(matches.begin(), matches.begin() + static_cast<std::ptrdiff_t>(first));
      return;
    }
  }
}

}  // namespace gt::tokenizer
