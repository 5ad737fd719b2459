#include "tokenizer/byte_level.h"

#include "unicode/utf8.h"

namespace gt::tokenizer {

std::string spell_byte_level(std::string_view bytes) {
  std::string result;
  for (const char byte : bytes) unicode::append(result, byte_level_character(static_cast<uint8_t>(byte)));
  return result;
}

void append_byte_level(std::string& out, std::string_view text) {
  const size_t start = out.size();
  for (size_t i = 0; i < text.size();) {
    size_t width;
    const int byte = byte_level_byte(unicode::decode(text.data() + i, width));
    if (byte < 0) {
      out.resize(start);
      out.append(text);
      return;
    }
    out.push_back(static_cast<char>(byte));
    i += width;
  }
}

}  // namespace gt::tokenizer
