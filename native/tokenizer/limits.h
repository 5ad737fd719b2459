// `truncation` and `padding` of a tokenizer.json. They are kept and written, not applied.
#pragma once

#include <optional>
#include <string>

#include "tokenizer/json.h"

namespace gt::tokenizer {

struct TruncationInFile {
  explicit TruncationInFile(const json::Node& node);
  void write(json::Writer& writer) const;

  std::string direction = "Right", strategy;
  uint32_t max_length, stride;
};

struct PaddingInFile {
  explicit PaddingInFile(const json::Node& node);
  void write(json::Writer& writer) const;

  std::optional<uint32_t> fixed;  // else the longest of the batch
  std::optional<uint32_t> multiple_of;
  std::string direction, token;
  uint32_t id, type_id;
};

}  // namespace gt::tokenizer
