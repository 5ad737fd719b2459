// The tables of a tokenizer as they lie in memory, in a byte string: for loading without building them again.
// The form belongs to this version of the code and to machines of this byte order.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace gt::tokenizer {

// Whether `content` is a tokenizer in this form.
bool is_compiled(std::string_view content);

class TableWriter {
 public:
  // `json` is the tokenizer.json without its vocabulary.
  explicit TableWriter(std::string_view json);

  void number(uint64_t value) { append(&value, sizeof value); }
  void bytes(std::string_view bytes) {
    number(bytes.size());
    append(bytes.data(), bytes.size());
  }
  template <class T>
  void array(const std::vector<T>& values) {
    static_assert(std::is_trivially_copyable_v<T>, "its bytes are written");
    number(values.size());
    append(values.data(), values.size() * sizeof(T));
  }

  std::string take();

 private:
  void append(const void* data, size_t size);

  std::string out_;
};

// Every getter throws Error{"tokenizer_invalid"} where there is less. Nothing is trusted: whoever reads a table calls
// check() for all that its use relies on.
class TableReader {
 public:
  // Checks version and checksum. `content` must outlive the reader.
  explicit TableReader(std::string_view content);

  std::string_view json() const { return json_; }
  uint64_t number();
  std::string_view bytes() { return take(number()); }
  template <class T>
  std::vector<T> array() {
    const uint64_t count = number();
    check(count <= rest_.size() / sizeof(T));
    const std::string_view from = take(count * sizeof(T));
    std::vector<T> values(count);
    if (count > 0) std::memcpy(static_cast<void*>(values.data()), from.data(), from.size());
    return values;
  }

  static void check(bool holds);

 private:
  std::string_view take(uint64_t size);

  std::string_view json_, rest_;
};

}  // namespace gt::tokenizer
