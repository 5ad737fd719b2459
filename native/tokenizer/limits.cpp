#include "tokenizer/limits.h"

namespace gt::tokenizer {

namespace {

std::string one_of(const json::Node& node, std::initializer_list<const char*> names) {
  const std::string name = node.string();
  std::string expected;
  for (const char* known : names) {
    if (name == known) return name;
    expected += (expected.empty() ? "" : " or ") + std::string(known);
  }
  node.fail(expected);
}

}  // namespace

TruncationInFile::TruncationInFile(const json::Node& node)
    : strategy(one_of(node.at("strategy"), {"LongestFirst", "OnlyFirst", "OnlySecond"})),
      max_length(node.at("max_length").natural()),
      stride(node.at("stride").natural()) {
  if (const auto given = node.find("direction")) direction = one_of(*given, {"Left", "Right"});
}

void TruncationInFile::write(json::Writer& writer) const {
  writer.begin_object();
  writer.field("direction", direction);
  writer.field("max_length", max_length);
  writer.field("strategy", strategy);
  writer.field("stride", stride);
  writer.end_object();
}

PaddingInFile::PaddingInFile(const json::Node& node)
    : direction(one_of(node.at("direction"), {"Left", "Right"})),
      token(node.at("pad_token").string()),
      id(node.at("pad_id").natural()),
      type_id(node.at("pad_type_id").natural()) {
  const json::Node strategy = node.at("strategy");
  if (strategy.value().is(json::Type::object)) fixed = strategy.at("Fixed").natural();
  else one_of(strategy, {"BatchLongest"});
  if (const auto multiple = node.find("pad_to_multiple_of")) multiple_of = multiple->natural();
}

void PaddingInFile::write(json::Writer& writer) const {
  writer.begin_object();
  writer.key("strategy");
  if (fixed) {
    writer.begin_object();
    writer.field("Fixed", *fixed);
    writer.end_object();
  } else {
    writer.string("BatchLongest");
  }
  writer.field("direction", direction);
  writer.key("pad_to_multiple_of");
  multiple_of ? writer.integer(*multiple_of) : writer.null();
  writer.field("pad_id", id);
  writer.field("pad_type_id", type_id);
  writer.field("pad_token", token);
  writer.end_object();
}

}  // namespace gt::tokenizer
