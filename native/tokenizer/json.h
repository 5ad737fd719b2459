// JSON for tokenizer.json: one pass into a flat tape (8 bytes a value), because a vocabulary has a million values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gt::tokenizer::json {

enum class Type : uint8_t { null, boolean, number, string, array, object };

class Document;

// A value inside a Document, which must outlive it.
class Value {
 public:
  Value(const Document* document, uint32_t index) : document_(document), index_(index) {}

  Type type() const;
  bool is(Type type) const { return this->type() == type; }
  const char* type_name() const;

  bool boolean() const;
  double number() const;
  // An integer that was written without fraction or exponent.
  std::optional<int64_t> integer() const;
  // The string's characters. `scratch` holds them if the JSON has escapes.
  std::string_view string(std::string& scratch) const;
  std::string string() const;

  // Children of arrays, and keys and values in turn of objects.
  class Iterator {
   public:
    Iterator(const Document* document, uint32_t index) : document_(document), index_(index) {}
    Value operator*() const { return Value(document_, index_); }
    Iterator& operator++();
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }

   private:
    const Document* document_;
    uint32_t index_;
  };
  Iterator begin() const { return Iterator(document_, index_ + 1); }
  Iterator end() const;

  // The member of an object; the last one if the key is doubled.
  std::optional<Value> find(std::string_view key) const;

 private:
  friend class Document;
  uint64_t word() const;

  const Document* document_;
  uint32_t index_;
};

// Parses `text`, which must outlive it. Throws Error{"tokenizer_invalid"}.
class Document {
 public:
  explicit Document(std::string_view text);
  Value root() const { return Value(this, 0); }

 private:
  friend class Value;
  friend class Parser;
  std::string_view text_;
  std::vector<uint64_t> tape_;
};

// A value and where it is, for the readers of components. Every getter throws Error{"tokenizer_invalid"} with the path.
class Node {
 public:
  Node(Value value, std::string path) : value_(value), path_(std::move(path)) {}

  Value value() const { return value_; }
  const std::string& path() const { return path_; }
  [[noreturn]] void fail(const std::string& expected) const;
  [[noreturn]] void error(const std::string& message) const;

  // A member that must be there, or one that may be absent or null.
  Node at(std::string_view key) const;
  std::optional<Node> find(std::string_view key) const;
  std::vector<Node> items() const;
  std::vector<std::pair<std::string, Node>> members() const;

  std::string string() const;
  bool boolean() const;
  double number() const;
  // An integer from 0 to 2^32 - 1.
  uint32_t natural() const;
  // A string of one character.
  char32_t character() const;

  bool boolean(std::string_view key, bool otherwise) const;

 private:
  Value value_;
  std::string path_;
};

// Writes as serde_json does, compact or with two spaces.
class Writer {
 public:
  // Without `with_vocabulary` the lists of a model stay empty.
  explicit Writer(bool pretty, bool with_vocabulary = true) : pretty_(pretty), with_vocabulary_(with_vocabulary) {}

  bool with_vocabulary() const { return with_vocabulary_; }

  void begin_object() { begin('{'); }
  void end_object() { end('}'); }
  void begin_array() { begin('['); }
  void end_array() { end(']'); }
  Writer& key(std::string_view name);
  void string(std::string_view text);
  void character(char32_t c);
  void integer(int64_t value);
  void number(double value);
  void boolean(bool value);
  void null();
  // One member.
  void field(std::string_view name, std::string_view text) { key(name).string(text); }
  void field(std::string_view name, const char* text) { key(name).string(text); }
  void field(std::string_view name, bool value) { key(name).boolean(value); }
  void field(std::string_view name, uint32_t value) { key(name).integer(value); }

  std::string take() { return std::move(out_); }

 private:
  void begin(char bracket);
  void end(char bracket);
  void separate();
  void newline();

  std::string out_;
  bool pretty_, with_vocabulary_;
  bool first_ = true, after_key_ = false;
  int depth_ = 0;
};

}  // namespace gt::tokenizer::json
