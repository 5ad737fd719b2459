// The options that ByteLevel has as a pre-tokenizer, a post-processor and a decoder.
#pragma once

#include "tokenizer/json.h"

namespace gt::tokenizer {

struct ByteLevelOptions {
  explicit ByteLevelOptions(const json::Node& node)
      : add_prefix_space(node.at("add_prefix_space").boolean()),
        trim_offsets(node.at("trim_offsets").boolean()),
        use_regex(node.boolean("use_regex", true)) {}

  void write(json::Writer& writer) const {
    writer.begin_object();
    writer.field("type", "ByteLevel");
    writer.field("add_prefix_space", add_prefix_space);
    writer.field("trim_offsets", trim_offsets);
    writer.field("use_regex", use_regex);
    writer.end_object();
  }

  bool add_prefix_space, trim_offsets, use_regex;
};

}  // namespace gt::tokenizer
