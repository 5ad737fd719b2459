#include "tokenizer/trainer.h"

namespace gt::tokenizer {

Trained train_word_piece(const WordCounts& words, const TrainerOptions& options) {
  Trained trained = train_bpe(words, options);
  trained.merges.clear();
  return trained;
}

}  // namespace gt::tokenizer
