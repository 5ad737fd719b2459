// The normalizer of SentencePiece models: replacements in a double-array trie.
// Rust: https://github.com/huggingface/spm_precompiled/blob/v0.1.4/src/lib.rs
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/normalizer.h"

namespace gt::tokenizer {

class Precompiled : public Normalizer {
 public:
  // Throws Error{"tokenizer_invalid"} for bad base64, a trie that is cut off and replacements that are not UTF-8; also
  // if the trie leads outside itself for a character of ASCII.
  explicit Precompiled(const json::Node& node);

  // Throws Error{"tokenizer_invalid"} where the trie leads outside itself or the replacements.
  void normalize(Pieces& pieces) const override;
  ByParts by_parts() const override { return keeps_blanks_ ? ByParts::yes : ByParts::no; }
  bool keeps_ascii_words() const override {
    return std::all_of(is_plain_.begin() + '!', is_plain_.begin() + '~' + 1, [](bool is_plain) { return is_plain; });
  }
  void write(json::Writer& writer) const override;

 private:
  class Edits;

  // The replacement of the shortest key that `text` starts with.
  std::optional<std::string_view> find(std::string_view text) const;
  // Says what becomes of `text`; returns whether anything was replaced.
  bool transform(std::string_view text, Edits& edits) const;
  bool is_plain(char c) const { return static_cast<uint8_t>(c) < 128 && is_plain_[static_cast<uint8_t>(c)]; }

  std::string base64_;
  std::vector<uint32_t> trie_;
  std::string replacements_;            // each ends with a zero byte
  std::array<bool, 128> is_plain_{};    // printable ASCII characters that stay
  bool keeps_blanks_ = true;            // none of them is removed
};

}  // namespace gt::tokenizer
