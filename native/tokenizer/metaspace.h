// The options that the pre-tokenizer and the decoder Metaspace share.
#pragma once

#include <string>

#include "tokenizer/json.h"
#include "unicode/utf8.h"

namespace gt::tokenizer {

struct Metaspace {
  enum class Scheme : uint8_t { first, never, always };

  explicit Metaspace(const json::Node& node) : replacement(node.at("replacement").character()) {
    unicode::append(text, replacement);
    if (const auto scheme_node = node.find("prepend_scheme")) {
      const std::string name = scheme_node->string();
      if (name == "first") scheme = Scheme::first;
      else if (name == "never") scheme = Scheme::never;
      else if (name != "always") scheme_node->fail("first, never or always");
      has_scheme = true;
    }
    if (!node.boolean("add_prefix_space", true)) {
      if (has_scheme && scheme != Scheme::never) node.error("add_prefix_space does not match declared prepend_scheme");
      scheme = Scheme::never;
    }
    split = node.boolean("split", true);
  }

  void write(json::Writer& writer) const {
    writer.begin_object();
    writer.field("type", "Metaspace");
    writer.field("replacement", text);
    writer.field("prepend_scheme", scheme == Scheme::first ? "first" : scheme == Scheme::never ? "never" : "always");
    writer.field("split", split);
    writer.end_object();
  }

  char32_t replacement;
  std::string text;  // the replacement as UTF-8
  Scheme scheme = Scheme::always;
  bool split = true;

 private:
  bool has_scheme = false;
};

}  // namespace gt::tokenizer
