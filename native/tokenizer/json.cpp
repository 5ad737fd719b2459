#include "tokenizer/json.h"

#include <charconv>
#include <cstring>

#include "errors.h"
#include "json_number.h"
#include "tokenizer/parallel.h"
#include "unicode/utf8.h"

namespace gt::tokenizer::json {

namespace {

// A tape word: the type above, then for scalars: has escapes or is true, length, offset; for containers: the end's index.
constexpr int kTypeShift = 60;
constexpr uint64_t kFlag = 1ull << 59;
constexpr int kLengthShift = 32;
constexpr uint64_t kLengthMask = (1ull << 27) - 1;
constexpr int kMaxDepth = 200;
constexpr size_t kLarge = 1 << 20;  // bytes that are worth a second thread

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Value of the 4 digits at `p`, or -1.
int32_t hex4(const char* p, const char* end) {
  if (end - p < 4) return -1;
  int32_t value = 0;
  for (int i = 0; i < 4; i++) {
    const int digit = hex_digit(p[i]);
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

void unescape(std::string_view raw, std::string& out) {
  out.clear();
  const char *p = raw.data(), *end = p + raw.size();
  while (p < end) {
    if (*p != '\\') {
      out.push_back(*p++);
      continue;
    }
    const char c = p[1];
    p += 2;
    switch (c) {
      case 'b': out.push_back('\b'); break;
      case 'f': out.push_back('\f'); break;
      case 'n': out.push_back('\n'); break;
      case 'r': out.push_back('\r'); break;
      case 't': out.push_back('\t'); break;
      case 'u': {
        char32_t code = hex4(p, end);
        p += 4;
        if (code >= 0xd800 && code < 0xdc00) {
          code = 0x10000 + ((code - 0xd800) << 10) + (hex4(p + 2, end) - 0xdc00);
          p += 6;
        }
        unicode::append(out, code);
        break;
      }
      default: out.push_back(c);
    }
  }
}

}  // namespace

class Parser {
 public:
  Parser(std::string_view text, std::vector<uint64_t>& tape)
      : begin_(text.data()), p_(begin_), end_(begin_ + text.size()), tape_(tape) {}

  void run() {
    value(0);
    space();
    if (p_ != end_) fail("the end of the file");
  }

 private:
  [[noreturn]] void fail(const std::string& expected) const {
    throw Error("tokenizer_invalid", "The tokenizer file is not valid JSON: expected " + expected + " at byte " +
                                         std::to_string(p_ - begin_) + (p_ == end_ ? ", where it ends" : ""));
  }

  void space() {
    if (p_ < end_ && static_cast<unsigned char>(*p_) > ' ') return;
    while (p_ < end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) p_++;
  }

  void scalar(Type type, bool flag, const char* from, const char* to) {
    const auto length = static_cast<uint64_t>(to - from);
    if (length > kLengthMask) fail("a shorter string");
    tape_.push_back(static_cast<uint64_t>(type) << kTypeShift | (flag ? kFlag : 0) | length << kLengthShift |
                    static_cast<uint64_t>(from - begin_));
  }

  // Steps over 8 bytes at a time that neither end a string nor need a look.
  void skip_plain() {
    constexpr uint64_t kEach = 0x0101010101010101ull, kHigh = 0x80 * kEach;
    for (uint64_t bytes; end_ - p_ >= 8; p_ += 8) {
      std::memcpy(&bytes, p_, 8);
      const auto below = [](uint64_t word, uint64_t limit) { return (word - limit * kEach) & ~word & kHigh; };
      const uint64_t special = below(bytes, 0x20) | below(bytes ^ '"' * kEach, 1) | below(bytes ^ '\\' * kEach, 1);
      if (special == 0) continue;
      p_ += unicode::trailing_zeros(special) / 8;
      return;
    }
  }

  void string() {
    const char* start = ++p_;
    bool escapes = false;
    for (;;) {
      skip_plain();
      if (p_ >= end_) fail("'\"'");
      const auto c = static_cast<unsigned char>(*p_);
      if (c == '"') break;
      if (c < 0x20) fail("no control character in a string");
      if (c != '\\') {
        p_++;
        continue;
      }
      escapes = true;
      escape();
    }
    scalar(Type::string, escapes, start, p_);
    p_++;
  }

  void escape() {
    if (++p_ >= end_) fail("an escape");
    if (*p_ != 'u') {
      if (!std::strchr("\"\\/bfnrt", *p_) || *p_ == 0) fail("an escape");
      p_++;
      return;
    }
    const int32_t unit = hex4(p_ + 1, end_);
    if (unit < 0) fail("four hexadecimal digits");
    if (unit >= 0xd800 && unit < 0xe000) {
      const bool pair = unit < 0xdc00 && end_ - p_ >= 11 && p_[5] == '\\' && p_[6] == 'u';
      const int32_t low = pair ? hex4(p_ + 7, end_) : -1;
      if (low < 0xdc00 || low > 0xdfff) fail("a pair of surrogates");
      p_ += 6;
    }
    p_ += 5;
  }

  void number() {
    const char* start = p_;
    const auto digits = [&] {
      if (p_ >= end_ || *p_ < '0' || *p_ > '9') fail("a digit");
      while (p_ < end_ && *p_ >= '0' && *p_ <= '9') p_++;
    };
    if (*p_ == '-') p_++;
    if (p_ < end_ && *p_ == '0') p_++;
    else digits();
    bool whole = true;
    if (p_ < end_ && *p_ == '.') {
      whole = false;
      p_++;
      digits();
    }
    if (p_ < end_ && (*p_ == 'e' || *p_ == 'E')) {
      whole = false;
      p_++;
      if (p_ < end_ && (*p_ == '+' || *p_ == '-')) p_++;
      digits();
    }
    scalar(Type::number, whole, start, p_);
  }

  bool word(const char* text) {
    const size_t n = std::strlen(text);
    if (static_cast<size_t>(end_ - p_) < n || std::memcmp(p_, text, n) != 0) return false;
    p_ += n;
    return true;
  }

  void value(int depth) {
    space();
    if (p_ >= end_) fail("a value");
    switch (*p_) {
      case '"': return string();
      case '{': return container(Type::object, '}', depth);
      case '[': return container(Type::array, ']', depth);
      case 't':
        if (!word("true")) break;
        return tape_.push_back(static_cast<uint64_t>(Type::boolean) << kTypeShift | kFlag);
      case 'f':
        if (!word("false")) break;
        return tape_.push_back(static_cast<uint64_t>(Type::boolean) << kTypeShift);
      case 'n':
        if (!word("null")) break;
        return tape_.push_back(static_cast<uint64_t>(Type::null) << kTypeShift);
      default:
        if (*p_ == '-' || (*p_ >= '0' && *p_ <= '9')) return number();
    }
    fail("a value");
  }

  void container(Type type, char close, int depth) {
    if (depth >= kMaxDepth) fail("at most " + std::to_string(kMaxDepth) + " levels of nesting");
    const size_t index = tape_.size();
    tape_.push_back(0);
    p_++;
    space();
    if (p_ < end_ && *p_ == close) {
      p_++;
    } else {
      for (;;) {
        if (type == Type::object) {
          space();
          if (p_ >= end_ || *p_ != '"') fail("a key");
          string();
          space();
          if (p_ >= end_ || *p_ != ':') fail("':'");
          p_++;
        }
        value(depth + 1);
        space();
        if (p_ >= end_) fail(std::string("',' or '") + close + "'");
        if (*p_ == close) {
          p_++;
          break;
        }
        if (*p_ != ',') fail(std::string("',' or '") + close + "'");
        p_++;
      }
    }
    tape_[index] = static_cast<uint64_t>(type) << kTypeShift | tape_.size();
  }

  const char* begin_;
  const char* p_;
  const char* end_;
  std::vector<uint64_t>& tape_;
};

Document::Document(std::string_view text) : text_(text) {
  if (text.size() >= UINT32_MAX) throw Error("tokenizer_invalid", "The tokenizer file is larger than 4 GB");
  tape_.reserve(text.size() / 8);  // a vocabulary's values have a little more each
  // The parser goes by bytes, so that it need not wait.
  bool is_valid = false;
  std::exception_ptr failure;
  parallel_for(2, text.size() > kLarge ? 2 : 1, 1, [&](size_t, size_t task) {
    if (task == 0) {
      is_valid = unicode::is_valid(text);
      return;
    }
    try {
      Parser(text, tape_).run();
    } catch (const Error&) {
      failure = std::current_exception();
    }
  });
  if (!is_valid) throw Error("tokenizer_invalid", "The tokenizer file is not valid UTF-8");
  if (failure) std::rethrow_exception(failure);
}

// ---- Value

uint64_t Value::word() const { return document_->tape_[index_]; }

Type Value::type() const { return static_cast<Type>(word() >> kTypeShift); }

const char* Value::type_name() const {
  static const char* names[] = {"null", "a boolean", "a number", "a string", "an array", "an object"};
  return names[static_cast<int>(type())];
}

bool Value::boolean() const { return word() & kFlag; }

namespace {
std::string_view raw_of(std::string_view text, uint64_t word) {
  return text.substr(word & UINT32_MAX, word >> kLengthShift & kLengthMask);
}
}  // namespace

double Value::number() const { return json_number(raw_of(document_->text_, word())); }

std::optional<int64_t> Value::integer() const {
  if (!is(Type::number) || !(word() & kFlag)) return std::nullopt;
  const std::string_view raw = raw_of(document_->text_, word());
  int64_t value = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (error != std::errc() || end != raw.data() + raw.size()) return std::nullopt;
  return value;
}

std::string_view Value::string(std::string& scratch) const {
  const std::string_view raw = raw_of(document_->text_, word());
  if (!(word() & kFlag)) return raw;
  unescape(raw, scratch);
  return scratch;
}

std::string Value::string() const {
  std::string scratch;
  return std::string(string(scratch));
}

Value::Iterator& Value::Iterator::operator++() {
  const uint64_t word = document_->tape_[index_];
  const auto type = static_cast<Type>(word >> kTypeShift);
  index_ = type >= Type::array ? static_cast<uint32_t>(word) : index_ + 1;
  return *this;
}

Value::Iterator Value::end() const { return Iterator(document_, static_cast<uint32_t>(word())); }

std::optional<Value> Value::find(std::string_view key) const {
  std::optional<Value> found;
  std::string scratch;
  for (Iterator i = begin(), stop = end(); i != stop; ++i) {
    const bool matches = (*i).string(scratch) == key;
    ++i;
    if (matches) found = *i;
  }
  return found;
}

// ---- Node

void Node::fail(const std::string& expected) const {
  std::string found = value_.type_name();
  if (value_.is(Type::string)) found = "\"" + value_.string().substr(0, 40) + "\"";
  error("expected " + expected + " but found " + found);
}

void Node::error(const std::string& message) const {
  throw Error("tokenizer_invalid", "tokenizer.json: " + (path_.empty() ? "" : path_ + ": ") + message);
}

Node Node::at(std::string_view key) const {
  if (!value_.is(Type::object)) fail("an object");
  const std::optional<Value> value = value_.find(key);
  if (!value) error("'" + std::string(key) + "' is missing");
  return Node(*value, path_.empty() ? std::string(key) : path_ + "." + std::string(key));
}

std::optional<Node> Node::find(std::string_view key) const {
  if (!value_.is(Type::object)) fail("an object");
  const std::optional<Value> value = value_.find(key);
  if (!value || value->is(Type::null)) return std::nullopt;
  return Node(*value, path_.empty() ? std::string(key) : path_ + "." + std::string(key));
}

std::vector<Node> Node::items() const {
  if (!value_.is(Type::array)) fail("an array");
  std::vector<Node> result;
  for (const Value item : value_) result.emplace_back(item, path_ + "[" + std::to_string(result.size()) + "]");
  return result;
}

std::vector<std::pair<std::string, Node>> Node::members() const {
  if (!value_.is(Type::object)) fail("an object");
  std::vector<std::pair<std::string, Node>> result;
  for (Value::Iterator i = value_.begin(), stop = value_.end(); i != stop; ++i) {
    std::string key = (*i).string();
    ++i;
    result.emplace_back(key, Node(*i, path_ + "." + key));
  }
  return result;
}

std::string Node::string() const {
  if (!value_.is(Type::string)) fail("a string");
  return value_.string();
}

bool Node::boolean() const {
  if (!value_.is(Type::boolean)) fail("a boolean");
  return value_.boolean();
}

double Node::number() const {
  if (!value_.is(Type::number)) fail("a number");
  return value_.number();
}

uint32_t Node::natural() const {
  const std::optional<int64_t> value = value_.integer();
  if (!value || *value < 0 || *value > UINT32_MAX) fail("an integer from 0 to 4294967295");
  return static_cast<uint32_t>(*value);
}

char32_t Node::character() const {
  const std::string text = string();
  size_t width = 0;
  const char32_t c = text.empty() ? 0 : unicode::decode(text.data(), width);
  if (text.empty() || width != text.size()) fail("a single character");
  return c;
}

bool Node::boolean(std::string_view key, bool otherwise) const {
  const std::optional<Node> member = find(key);
  return member ? member->boolean() : otherwise;
}

}  // namespace gt::tokenizer::json
