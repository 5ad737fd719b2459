#include "grammar/gbnf.h"

#include <algorithm>
#include <string>
#include <unordered_map>

#include "errors.h"
#include "unicode/utf8.h"

namespace gt::grammar {

namespace {

constexpr uint32_t deepest = 1000;
constexpr uint32_t most_repetitions = 1 << 20;

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Sorts and joins what touches.
void normalize(Ranges& ranges) {
  std::sort(ranges.begin(), ranges.end());
  Ranges joined;
  for (const auto& range : ranges) {
    if (!joined.empty() && range.first <= joined.back().second + 1) joined.back().second = std::max(joined.back().second, range.second);
    else joined.push_back(range);
  }
  ranges = std::move(joined);
}

Ranges complement(const Ranges& ranges) {
  Ranges result;
  char32_t next = 0;
  for (const auto& [first, last] : ranges) {
    if (first > next) result.emplace_back(next, first - 1);
    next = last + 1;
  }
  if (next <= 0x10ffff) result.emplace_back(next, 0x10ffff);
  return result;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Syntax run() {
    skip_space(true);
    while (!at_end()) parse_rule();
    for (const Syntax::Rule& rule : syntax_.rules)
      if (rule.body == UINT32_MAX) fail("the rule \"" + rule.name + "\" is not defined", rule.line);
    const auto root = ids_.find("root");
    if (root == ids_.end()) throw RangeError("Expected a grammar with the rule \"root\" for response_format but received one without");
    syntax_.root = root->second;
    return std::move(syntax_);
  }

 private:
  using Kind = Node::Kind;

  [[noreturn]] void fail(const std::string& what, size_t line) const {
    throw RangeError("response_format: line " + std::to_string(line) + " of the grammar: " + what);
  }
  [[noreturn]] void fail(const std::string& what) const { fail(what, line_); }
  [[noreturn]] void fail_expected(const std::string& what) const {
    if (at_end()) fail("expected " + what + " but it ends");
    size_t width = 1;
    unicode::decode(text_.data() + at_, width);
    const std::string found(text_.substr(at_, width));
    fail("expected " + what + " but found " + (found == "\n" || found == "\r" ? "the end of the line" : "\"" + found + "\""));
  }

  bool at_end() const { return at_ >= text_.size(); }
  bool at(char c) const { return !at_end() && text_[at_] == c; }

  void skip_space(bool over_lines) {
    while (!at_end()) {
      const char c = text_[at_];
      if (c == '#') {
        while (!at_end() && !at('\n') && !at('\r')) at_++;
      } else if (c == ' ' || c == '\t' || (over_lines && (c == '\n' || c == '\r'))) {
        line_ += c == '\n';
        at_++;
      } else {
        return;
      }
    }
  }

  uint32_t add(Node node) {
    for (uint32_t child : node.children) node.depth = std::max(node.depth, syntax_.nodes[child].depth + 1);
    if (node.depth > deepest) fail("it is nested deeper than " + std::to_string(deepest) + " levels");
    syntax_.nodes.push_back(std::move(node));
    return static_cast<uint32_t>(syntax_.nodes.size()) - 1;
  }

  uint32_t add(Kind kind, std::vector<uint32_t> children) {
    if (children.size() == 1) return children[0];
    Node node;
    node.kind = kind;
    node.children = std::move(children);
    return add(std::move(node));
  }

  uint32_t rule_of(const std::string& name) {
    const auto [found, is_new] = ids_.emplace(name, static_cast<uint32_t>(syntax_.rules.size()));
    if (is_new) syntax_.rules.push_back({name, UINT32_MAX, line_});
    return found->second;
  }

  std::string parse_name() {
    const size_t begin = at_;
    while (!at_end() && is_word(text_[at_])) at_++;
    if (at_ == begin) fail_expected("the name of a rule");
    return std::string(text_.substr(begin, at_ - begin));
  }

  void parse_rule() {
    const std::string name = parse_name();
    skip_space(false);
    if (text_.substr(at_, 3) != "::=") fail_expected("\"::=\"");
    at_ += 3;
    skip_space(true);
    const uint32_t id = rule_of(name);
    if (syntax_.rules[id].body != UINT32_MAX) fail("the rule \"" + name + "\" is defined twice");
    const uint32_t body = parse_alternatives(1);
    syntax_.rules[id].body = body;
    if (!at_end() && !at('\n') && !at('\r')) fail_expected("the end of the line");
    skip_space(true);
  }

  uint32_t parse_alternatives(uint32_t depth) {
    if (depth > deepest) fail("it is nested deeper than " + std::to_string(deepest) + " levels");
    std::vector<uint32_t> alternatives = {parse_sequence(depth)};
    while (at('|')) {
      at_++;
      skip_space(true);
      alternatives.push_back(parse_sequence(depth));
    }
    return add(Kind::alternation, std::move(alternatives));
  }

  uint32_t parse_sequence(uint32_t depth) {
    std::vector<uint32_t> items;
    while (!at_end()) {
      const char c = text_[at_];
      if (c == '*' || c == '+' || c == '?' || c == '{') {
        if (items.empty()) fail("nothing stands before \"" + std::string(1, c) + "\"");
        items.back() = parse_repetition(items.back());
      } else if (c == '"' || c == '[' || c == '<' || c == '!' || c == '(' || c == '.' || is_word(c)) {
        items.push_back(parse_item(depth));
      } else {
        break;
      }
      skip_space(depth > 1);
    }
    return add(Kind::sequence, std::move(items));
  }

  uint32_t parse_item(uint32_t depth) {
    Node node;
    switch (text_[at_]) {
      case '"':
        at_++;
        node.kind = Kind::literal;
        while (!at('"')) node.text.push_back(parse_character("the end of a string, \","));
        at_++;
        break;
      case '[':
        at_++;
        parse_set(node);
        break;
      case '.':
        at_++;
        node.kind = Kind::set;
        node.ranges = {{0, 0x10ffff}};
        break;
      case '(': {
        at_++;
        skip_space(true);
        const uint32_t inner = parse_alternatives(depth + 1);
        if (!at(')')) fail_expected("\")\"");
        at_++;
        // A group of its own: what repeats it must not join it with its neighbours.
        return inner;
      }
      case '<':
        parse_token(node);
        break;
      case '!':
        fail("\"!\" (any token but one) is not supported");
      default:
        node.kind = Kind::rule;
        node.rule = rule_of(parse_name());
    }
    return add(std::move(node));
  }

  void parse_set(Node& node) {
    node.kind = Kind::set;
    const bool negated = at('^');
    at_ += negated;
    while (!at(']')) {
      const char32_t first = parse_character("the end of a set, ]");
      char32_t last = first;
      if (at('-') && at_ + 1 < text_.size() && text_[at_ + 1] != ']') {
        at_++;
        last = parse_character("the end of a set, ]");
      }
      if (first <= last) node.ranges.emplace_back(first, last);
    }
    at_++;
    normalize(node.ranges);
    if (negated) node.ranges = complement(node.ranges);
  }

  // <[id]> or <text>: one token.
  void parse_token(Node& node) {
    node.kind = Kind::token;
    const size_t begin = at_;
    while (!at_end() && !at('>') && !at('\n')) at_++;
    if (!at('>')) fail_expected("\">\"");
    at_++;
    node.name = text_.substr(begin, at_ - begin);
    const std::string& name = node.name;
    if (name.size() < 5 || name[1] != '[' || name[name.size() - 2] != ']') return;
    if (!std::all_of(name.begin() + 2, name.end() - 2, is_digit) || name.size() > 13) fail("expected a token's id in " + name);
    node.token = std::stoll(name.substr(2));
  }

  uint32_t hex(int digits) {
    uint32_t value = 0;
    for (int i = 0; i < digits; i++, at_++) {
      const char c = at_end() ? ' ' : text_[at_];
      const int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) fail_expected(std::to_string(digits) + " hexadecimal digits");
      value = value << 4 | static_cast<uint32_t>(digit);
    }
    return value;
  }

  char32_t parse_character(const char* end) {
    if (at_end()) fail_expected(end);
    if (!at('\\')) {
      size_t width = 1;
      const char32_t c = unicode::decode(text_.data() + at_, width);
      line_ += c == '\n';
      at_ += width;
      return c;
    }
    at_++;
    if (at_end()) fail_expected("a character after \"\\\"");
    const char c = text_[at_++];
    uint32_t code = 0;
    switch (c) {
      case 'x': return hex(2);
      case 'u': code = hex(4); break;
      case 'U': code = hex(8); break;
      case 't': return '\t';
      case 'r': return '\r';
      case 'n': return '\n';
      case '\\': case '"': case '[': case ']': case '-': case '^': return static_cast<unsigned char>(c);
      default: at_--; fail_expected("an escape that grammars have");
    }
    if (code > 0x10ffff) fail("there is no character " + std::to_string(code));
    return code;
  }

  uint32_t parse_count() {
    if (at_end() || !is_digit(text_[at_])) fail_expected("a number");
    uint64_t value = 0;
    while (!at_end() && is_digit(text_[at_])) {
      value = value * 10 + static_cast<uint64_t>(text_[at_++] - '0');
      if (value > most_repetitions) fail("more than " + std::to_string(most_repetitions) + " repetitions are too many");
    }
    skip_space(true);
    return static_cast<uint32_t>(value);
  }

  uint32_t parse_repetition(uint32_t item) {
    Node node;
    node.kind = Kind::repeat;
    node.children = {item};
    node.max = Node::kUnlimited;
    const char c = text_[at_++];
    if (c == '?') node.max = 1;
    if (c == '+') node.min = 1;
    if (c == '{') {
      skip_space(true);
      node.min = node.max = parse_count();
      if (at(',')) {
        at_++;
        skip_space(true);
        node.max = at('}') ? Node::kUnlimited : parse_count();
      }
      if (!at('}')) fail_expected("\"}\"");
      at_++;
      if (node.max < node.min) fail("{" + std::to_string(node.min) + "," + std::to_string(node.max) + "} ends below its start");
    }
    return add(std::move(node));
  }

  std::string_view text_;
  size_t at_ = 0, line_ = 1;
  Syntax syntax_;
  std::unordered_map<std::string, uint32_t> ids_;
};

}  // namespace

Syntax parse(std::string_view text) { return Parser(text).run(); }

}  // namespace gt::grammar
