#include <algorithm>
#include <map>

#include "tokenizer/trainer.h"

namespace gt::tokenizer {

Trained train_word_level(const WordCounts& words, const TrainerOptions& options) {
  std::vector<const WordCounts::value_type*> ordered;
  for (const auto& word : words) {
    if (word.second >= options.min_frequency) ordered.push_back(&word);
  }
  std::sort(ordered.begin(), ordered.end(), [](const auto* a, const auto* b) {
    return a->second != b->second ? a->second > b->second : a->first < b->first;
  });
  std::map<std::string, uint32_t> ids;  // a word that is a special token too gets the later id, as in Rust
  uint32_t next = 0;
  for (const std::string& token : options.special_tokens) {
    if (next < options.vocab_size) ids[token] = next++;
  }
  for (const auto* word : ordered) {
    if (next < options.vocab_size) ids[word->first] = next++;
  }
  Trained trained;
  trained.vocab.assign(ids.begin(), ids.end());
  std::sort(trained.vocab.begin(), trained.vocab.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return trained;
}

}  // namespace gt::tokenizer
