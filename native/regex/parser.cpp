#include "regex/parser.h"

#include <algorithm>
#include <map>

#include "regex/character_reader.h"

namespace gt::regex {

namespace {

using Kind = Node::Kind;
using NodePointer = std::unique_ptr<Node>;

constexpr uint32_t kMaxRepeat = 1000;

NodePointer make(Kind kind) {
  auto node = std::make_unique<Node>();
  node->kind = kind;
  return node;
}

NodePointer make_set(CharSet set) {
  NodePointer node = make(Kind::set);
  node->set = std::move(set);
  return node;
}

class Parser : private CharacterReader {
 public:
  explicit Parser(std::string_view pattern) : CharacterReader(pattern) {
    // With named groups plain ones capture nothing.
    for (size_t at = pattern.find("(?<"); at != pattern.npos; at = pattern.find("(?<", at + 1)) {
      const char next = at + 3 < pattern.size() ? pattern[at + 3] : '=';
      has_names_ = has_names_ || (next != '=' && next != '!');
    }
  }

  Tree run() {
    tree_.root = alternation(0);
    if (at_ < pattern_.size()) fail("unmatched ')'");
    if (highest_reference_ > tree_.groups) fail("a back reference to a group that does not exist");
    return std::move(tree_);
  }

 private:
  NodePointer alternation(int depth) {
    if (depth > kMaxDepth) fail("too deep nesting");
    const Options saved = options_;
    NodePointer node = make(Kind::alternation);
    node->children.push_back(concatenation(depth));
    while (take("|")) node->children.push_back(concatenation(depth));
    options_ = saved;
    return node->children.size() == 1 ? std::move(node->children[0]) : std::move(node);
  }

  NodePointer concatenation(int depth) {
    NodePointer node = make(Kind::concatenation);
    while (more() && peek() != '|' && peek() != ')') {
      NodePointer part = atom(depth);
      if (part) node->children.push_back(quantified(std::move(part)));
    }
    return node;
  }

  // Null for what matches nothing by itself: comments, options.
  NodePointer atom(int depth) {
    if (options_.extended) {
      if (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r') return at_++, nullptr;
      if (peek() == '#') {
        while (more() && peek() != '\n') at_++;
        return nullptr;
      }
    }
    const char c = peek();
    switch (c) {
      case '(': return group(depth);
      case '[': at_++; return make_set(char_class(depth));
      case '\\': return escape();
      case '^': at_++; return make(Kind::line_begin);
      case '$': at_++; return make(Kind::line_end);
      case '.': {
        at_++;
        CharSet set = CharSet::any();
        if (!options_.dot_all) {
          set = CharSet::of('\n');
          set.negate();
          set.finish();
        }
        return make_set(std::move(set));
      }
      case '*': case '+': case '?': fail("nothing to repeat");
      default: return character(next());
    }
  }

  NodePointer character(char32_t c) { return make_set(with_case(CharSet::of(c))); }

  // Reads {n,m}; false if it is none, and then '{' is a character.
  bool interval(uint32_t& min, uint32_t& max) {
    const size_t start = at_;
    at_++;
    const auto number = [&](uint32_t& value) {
      const size_t first = at_;
      value = 0;
      while (peek() >= '0' && peek() <= '9') {
        value = value * 10 + static_cast<uint32_t>(peek() - '0');
        if (value > 100000) fail("too large a repetition");
        at_++;
      }
      return at_ > first;
    };
    const bool has_min = number(min);
    bool has_max = false;
    max = min;
    if (take(",")) {
      has_max = number(max);
      if (!has_max) max = Node::kUnlimited;
    }
    if ((!has_min && !has_max) || !take("}")) {
      at_ = start;
      return false;
    }
    if (min > max) std::swap(min, max);
    if (min > kMaxRepeat || (max != Node::kUnlimited && max > kMaxRepeat)) fail("too large a repetition");
    return true;
  }

  NodePointer quantified(NodePointer part) {
    for (;;) {
      uint32_t min, max;
      bool is_interval = false;
      if (peek() == '*') min = 0, max = Node::kUnlimited, at_++;
      else if (peek() == '+') min = 1, max = Node::kUnlimited, at_++;
      else if (peek() == '?') min = 0, max = 1, at_++;
      else if (peek() == '{' && interval(min, max)) is_interval = true;
      else return part;
      if (!more() && part->kind == Kind::empty) fail("nothing to repeat");
      NodePointer repeat = make(Kind::repeat);
      repeat->min = min;
      repeat->max = max;
      repeat->children.push_back(std::move(part));
      part = std::move(repeat);
      if (peek() == '?' && !(is_interval && min == max)) {  // {n}? is an optional {n}
        at_++;
        part->lazy = true;
      } else if (peek() == '+' && !is_interval) {
        at_++;
        NodePointer atomic = make(Kind::atomic);
        atomic->children.push_back(std::move(part));
        part = std::move(atomic);
      }
    }
  }

  NodePointer finish_group(NodePointer node, int depth) {
    node->children.push_back(alternation(depth + 1));
    if (!take(")")) fail("expected ')'");
    return node;
  }

  NodePointer look(bool behind, bool negative, int depth) {
    NodePointer node = make(Kind::look);
    node->behind = behind;
    node->negative = negative;
    return finish_group(std::move(node), depth);
  }

  NodePointer group(int depth) {
    at_++;
    if (!take("?")) {
      NodePointer node = make(Kind::group);
      node->number = has_names_ ? 0 : ++tree_.groups;
      return finish_group(std::move(node), depth);
    }
    if (take(":")) return finish_group(make(Kind::group), depth);
    if (take("=")) return look(false, false, depth);
    if (take("!")) return look(false, true, depth);
    if (take("<=")) return look(true, false, depth);
    if (take("<!")) return look(true, true, depth);
    if (take(">")) return finish_group(make(Kind::atomic), depth);
    if (take("#")) {
      while (more() && peek() != ')') at_++;
      if (!take(")")) fail("expected ')'");
      return nullptr;
    }
    if (peek() == '<' || peek() == '\'') {
      const char close = peek() == '<' ? '>' : '\'';
      at_++;
      NodePointer node = make(Kind::group);
      node->number = ++tree_.groups;
      names_[name(close)] = node->number;
      return finish_group(std::move(node), depth);
    }
    return options(depth);
  }

  std::string name(char close) {
    std::string result;
    while (more() && peek() != close) result.push_back(pattern_[at_++]);
    if (!more() || result.empty()) fail("a group's name is not complete");
    at_++;
    return result;
  }

  // (?i), (?i:...), (?-i:...)
  NodePointer options(int depth) {
    const Options saved = options_;
    bool value = true;
    for (;;) {
      if (take("-")) value = false;
      else if (take("i")) options_.ignore_case = value;
      else if (take("m")) options_.dot_all = value;
      else if (take("x")) options_.extended = value;
      else break;
    }
    if (take(")")) {
      // Holds to the end of the enclosing group.
      NodePointer node = make(Kind::group);
      node->children.push_back(alternation(depth + 1));
      return node;
    }
    if (!take(":")) fail("an unknown kind of group");
    NodePointer node = finish_group(make(Kind::group), depth);
    options_ = saved;
    return node;
  }

  NodePointer escape() {
    at_++;
    if (peek() == 'w' || peek() == 'W') {
      CharSet set;
      set.add(CharSet::word());
      for (const char32_t c : kLatin1WordNumbers) set.add(c, c);
      if (peek() == 'W') set.negate();
      set.finish();
      at_++;
      return make_set(std::move(set));
    }
    if (std::optional<CharSet> set = escaped_set()) return make_set(with_case(std::move(*set)));
    const char c = peek();
    const auto assertion = [&](Kind kind) { return at_++, make(kind); };
    switch (c) {
      case 'A': return assertion(Kind::text_begin);
      case 'z': return assertion(Kind::text_end);
      case 'Z': return assertion(Kind::text_end_newline);
      case 'b': return assertion(Kind::word_boundary);
      case 'B': return assertion(Kind::no_word_boundary);
      case 'G': return assertion(Kind::search_begin);
      case 'K': return assertion(Kind::keep);
      case 'R': at_++; return line_break();
      case 'k': {
        at_++;
        const char close = peek() == '<' ? '>' : '\'';
        if (peek() != '<' && peek() != '\'') fail("expected a name");
        at_++;
        const std::string group = name(close);
        const bool is_number = group.find_first_not_of("0123456789") == group.npos && group.size() < 5;
        if (!is_number && names_.count(group) == 0) fail("unknown group '" + group + "'");
        return back_reference(is_number ? std::stoi(group) : names_[group]);
      }
      default:
        if (c >= '1' && c <= '9') {
          at_++;
          return back_reference(c - '0');
        }
        return character(escaped_character());
    }
  }

  // \r\n and every single line break, without going back into \r\n.
  NodePointer line_break() {
    NodePointer pair = make(Kind::concatenation);
    pair->children.push_back(make_set(CharSet::of('\r')));
    pair->children.push_back(make_set(CharSet::of('\n')));
    CharSet single;
    single.add(0xa, 0xd);
    single.add(0x85, 0x85);
    single.add(0x2028, 0x2029);
    single.finish();
    NodePointer either = make(Kind::alternation);
    either->children.push_back(std::move(pair));
    either->children.push_back(make_set(std::move(single)));
    NodePointer atomic = make(Kind::atomic);
    atomic->children.push_back(std::move(either));
    return atomic;
  }

  NodePointer back_reference(int number) {
    NodePointer node = make(Kind::back_reference);
    node->number = number;
    node->ignores_case = options_.ignore_case;
    tree_.has_references = true;
    highest_reference_ = std::max(highest_reference_, number);
    return node;
  }

  Tree tree_;
  std::map<std::string, int> names_;
  bool has_names_ = false;
  int highest_reference_ = 0;
};

}  // namespace

Tree parse(std::string_view pattern) { return Parser(pattern).run(); }

}  // namespace gt::regex
