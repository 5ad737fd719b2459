// Tokens on top of the model's vocabulary, found in the text before the model sees it.
// Rust: https://github.com/huggingface/tokenizers/blob/v0.22.2/tokenizers/src/tokenizer/added_vocabulary.rs
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "tokenizer/empty_pattern.h"
#include "tokenizer/json.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/pieces.h"
#include "tokenizer/string_finder.h"
#include "tokenizer/vocabulary.h"

namespace gt::tokenizer {

struct AddedToken {
  std::string content;
  bool single_word = false, lstrip = false, rstrip = false, normalized = true, special = false;

  bool operator==(const AddedToken& other) const {
    return content == other.content && single_word == other.single_word && lstrip == other.lstrip &&
           rstrip == other.rstrip && normalized == other.normalized && special == other.special;
  }
};

class AddedVocabulary {
 public:
  // Returns how many were really added: those that are empty or there already do not count.
  size_t add(const std::vector<AddedToken>& tokens, const Vocabulary& vocabulary, const Normalizer* normalizer);

  // Takes what `normalizer` makes of the tokens from now on.
  void refresh(const Vocabulary& vocabulary, const Normalizer* normalizer);

  // Cuts the added tokens out of the text; once before it is normalised, once after. The second lets pieces start where
  // what the normalizer left of them does, as in Rust, also if there are no such tokens.
  void split_original(Pieces& pieces) const { split(pieces, original_); }
  void split_normalized(Pieces& pieces) const { split(pieces, normalized_); }
  bool has_original() const { return !original_.ids.empty(); }
  bool has_normalized() const { return !normalized_.ids.empty(); }

  const std::map<uint32_t, AddedToken>& by_id() const { return by_id_; }
  const std::unordered_map<std::string, uint32_t>& ids() const { return ids_; }
  // What an id stands for in a decoded text; null for one that is no added token.
  const std::string* text(uint32_t id) const;
  // With true, normalised tokens stand for what the normalizer made of them.
  void set_decode_normalized(bool value) { decode_normalized_ = value; }
  bool decode_normalized() const { return decode_normalized_; }
  bool is_special(const std::string& content) const { return special_contents_.count(content) > 0; }
  // With true, special tokens in a text are not looked for.
  void set_encode_special_tokens(bool value) { encode_special_tokens_ = value; }

  void write(json::Writer& writer) const;

 private:
  struct Patterns {
    StringFinder finder;
    std::vector<uint32_t> ids;  // of its strings
    std::optional<EmptyPatternAutomaton> with_empty;  // in its place, where the normalizer leaves nothing of a token
  };

  void split(Pieces& pieces, const Patterns& patterns) const;

  std::unordered_map<std::string, uint32_t> ids_;
  std::map<uint32_t, AddedToken> by_id_;
  std::vector<AddedToken> special_, ordinary_;  // in the order of adding
  std::unordered_set<std::string> special_contents_;
  Patterns original_, normalized_;
  std::unordered_map<uint32_t, std::string> normalized_contents_;  // where they differ from the content
  bool encode_special_tokens_ = false, decode_normalized_ = false;
};

}  // namespace gt::tokenizer
