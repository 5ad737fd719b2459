// Post-processors: they join the sequences with their special tokens.
// Rust: https://github.com/huggingface/tokenizers/tree/v0.22.2/tokenizers/src/processors
#pragma once

#include <memory>
#include <vector>

#include "tokenizer/encoding.h"
#include "tokenizer/json.h"

namespace gt::tokenizer {

class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  // Reads a component of any type.
  static std::unique_ptr<PostProcessor> read(const json::Node& node);

  // How many special tokens process() adds to one sequence or a pair.
  virtual size_t added_tokens(bool is_pair) const = 0;
  // Whether process() takes spaces out of the tokens' spans.
  virtual bool trims_offsets() const { return false; }
  // One or two sequences become the parts of the result.
  virtual std::vector<Encoding> process(std::vector<Encoding> encodings, bool add_special_tokens) const = 0;
  virtual void write(json::Writer& writer) const = 0;
};

// The whole step, also for tokenizers without a post-processor.
Encoding post_process(const PostProcessor* processor, std::vector<Encoding> encodings, bool add_special_tokens);

}  // namespace gt::tokenizer
