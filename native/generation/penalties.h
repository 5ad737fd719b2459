// Processors that change the scores of tokens by what came before.
#pragma once

#include "generation/logits_processor.h"

namespace gt::generation {

class RepetitionPenaltyLogitsProcessor final : public LogitsProcessor {
 public:
  // The first `prompt_ignore_length` tokens do not count. Throws RangeError unless penalty > 0.
  explicit RepetitionPenaltyLogitsProcessor(float penalty, int32_t prompt_ignore_length = 0);
  const char* name() const override { return "RepetitionPenaltyLogitsProcessor"; }
  void process(ScoresRow& row) override;

 private:
  float penalty_;
  size_t ignored_;
  std::vector<float> penalised_;
};

class EncoderRepetitionPenaltyLogitsProcessor final : public LogitsProcessor {
 public:
  // `encoder_input_ids`: one for each row. Throws RangeError unless penalty > 0.
  EncoderRepetitionPenaltyLogitsProcessor(float penalty, std::vector<Ids> encoder_input_ids);
  const char* name() const override { return "EncoderRepetitionPenaltyLogitsProcessor"; }
  void process(ScoresRow& row) override;

 private:
  float penalty_;
  std::vector<Ids> encoder_input_ids_;
  std::vector<float> penalised_;
};

class NoRepeatNGramLogitsProcessor final : public LogitsProcessor {
 public:
  explicit NoRepeatNGramLogitsProcessor(int32_t ngram_size);
  const char* name() const override { return "NoRepeatNGramLogitsProcessor"; }
  void process(ScoresRow& row) override;

 private:
  int32_t ngram_size_;
};

class EncoderNoRepeatNGramLogitsProcessor final : public LogitsProcessor {
 public:
  EncoderNoRepeatNGramLogitsProcessor(int32_t ngram_size, std::vector<Ids> encoder_input_ids);
  const char* name() const override { return "EncoderNoRepeatNGramLogitsProcessor"; }
  void process(ScoresRow& row) override;

 private:
  int32_t ngram_size_;
  std::vector<Ids> encoder_input_ids_;
};

// NoBadWordsLogitsProcessor too: biases of minus infinity.
class SequenceBiasLogitsProcessor final : public LogitsProcessor {
 public:
  // Of equal sequences the last one counts. Throws RangeError for ids outside the vocabulary.
  SequenceBiasLogitsProcessor(const std::vector<std::pair<Ids, float>>& sequence_bias, int32_t vocab_size);
  // Words that are one eos token are left out.
  SequenceBiasLogitsProcessor(const std::vector<Ids>& bad_words_ids, const std::vector<int32_t>& eos_token_id,
                              int32_t vocab_size);
  const char* name() const override { return bad_words_ ? "NoBadWordsLogitsProcessor" : "SequenceBiasLogitsProcessor"; }
  void process(ScoresRow& row) override;

 private:
  void add(const Ids& sequence, float bias, int32_t vocab_size);

  bool bad_words_;
  std::vector<std::pair<int32_t, float>> single_;  // biases of one token
  std::vector<std::pair<Ids, float>> sequences_;   // longer ones, in the order given
};

class ExponentialDecayLengthPenalty final : public LogitsProcessor {
 public:
  ExponentialDecayLengthPenalty(int32_t start, double factor, std::vector<int32_t> eos_token_id, int32_t prompt_length);
  const char* name() const override { return "ExponentialDecayLengthPenalty"; }
  void process(ScoresRow& row) override;

 private:
  int32_t start_;
  double factor_;
  std::vector<int32_t> eos_token_id_;
};

}  // namespace gt::generation
