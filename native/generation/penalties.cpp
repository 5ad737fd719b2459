#include "generation/penalties.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "errors.h"

namespace gt::generation {

namespace {

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

float checked_penalty(float penalty) {
  if (penalty > 0) return penalty;
  throw RangeError("`penalty` has to be a strictly positive float, but is " + std::to_string(penalty));
}

int32_t checked_size(int32_t ngram_size) {
  if (ngram_size > 0) return ngram_size;
  throw RangeError("`ngram_size` has to be a strictly positive integer, but is " + std::to_string(ngram_size));
}

// Reads all before it writes any, so that a token met twice is penalised once.
void penalise(ScoresRow& row, const Ids& ids, size_t first, float penalty, std::vector<float>& penalised) {
  penalised.clear();
  for (size_t i = first; i < ids.size(); i++) {
    const float score = row.has(ids[i]) ? row.scores[ids[i]] : 0.0f;
    penalised.push_back(score < 0 ? score * penalty : score / penalty);
  }
  for (size_t i = first; i < ids.size(); i++)
    if (row.has(ids[i])) row.scores[ids[i]] = penalised[i - first];
}

// Bans each token of `ids` that follows what the row ends with.
void ban_continuations(ScoresRow& row, const Ids& ids, int32_t ngram_size) {
  const auto prefix = static_cast<size_t>(ngram_size - 1);
  if (row.ids->size() < prefix || ids.size() <= prefix) return;
  const auto tail = row.ids->end() - static_cast<std::ptrdiff_t>(prefix);
  for (size_t i = 0; i + prefix < ids.size(); i++)
    if (std::equal(tail, row.ids->end(), ids.begin() + static_cast<std::ptrdiff_t>(i)) && row.has(ids[i + prefix]))
      row.scores[ids[i + prefix]] = minus_infinity;
}

const Ids& of_row(const std::vector<Ids>& all, int32_t row) { return all[static_cast<size_t>(row) % all.size()]; }

}  // namespace

RepetitionPenaltyLogitsProcessor::RepetitionPenaltyLogitsProcessor(float penalty, int32_t prompt_ignore_length)
    : penalty_(checked_penalty(penalty)), ignored_(static_cast<size_t>(std::max(0, prompt_ignore_length))) {}

void RepetitionPenaltyLogitsProcessor::process(ScoresRow& row) { penalise(row, *row.ids, ignored_, penalty_, penalised_); }

EncoderRepetitionPenaltyLogitsProcessor::EncoderRepetitionPenaltyLogitsProcessor(float penalty,
                                                                                 std::vector<Ids> encoder_input_ids)
    : penalty_(static_cast<float>(1.0 / static_cast<double>(checked_penalty(penalty)))),
      encoder_input_ids_(std::move(encoder_input_ids)) {}

void EncoderRepetitionPenaltyLogitsProcessor::process(ScoresRow& row) {
  penalise(row, of_row(encoder_input_ids_, row.row), 0, penalty_, penalised_);
}

NoRepeatNGramLogitsProcessor::NoRepeatNGramLogitsProcessor(int32_t ngram_size) : ngram_size_(checked_size(ngram_size)) {}

void NoRepeatNGramLogitsProcessor::process(ScoresRow& row) { ban_continuations(row, *row.ids, ngram_size_); }

EncoderNoRepeatNGramLogitsProcessor::EncoderNoRepeatNGramLogitsProcessor(int32_t ngram_size,
                                                                         std::vector<Ids> encoder_input_ids)
    : ngram_size_(checked_size(ngram_size)), encoder_input_ids_(std::move(encoder_input_ids)) {}

void EncoderNoRepeatNGramLogitsProcessor::process(ScoresRow& row) {
  ban_continuations(row, of_row(encoder_input_ids_, row.row), ngram_size_);
}

SequenceBiasLogitsProcessor::SequenceBiasLogitsProcessor(const std::vector<std::pair<Ids, float>>& sequence_bias,
                                                         int32_t vocab_size)
    : bad_words_(false) {
  for (const auto& [sequence, bias] : sequence_bias) add(sequence, bias, vocab_size);
}

SequenceBiasLogitsProcessor::SequenceBiasLogitsProcessor(const std::vector<Ids>& bad_words_ids,
                                                         const std::vector<int32_t>& eos_token_id, int32_t vocab_size)
    : bad_words_(true) {
  for (const Ids& word : bad_words_ids) {
    const bool is_eos = word.size() == 1 && std::count(eos_token_id.begin(), eos_token_id.end(), word[0]) > 0;
    if (!is_eos) add(word, minus_infinity, vocab_size);
  }
}

void SequenceBiasLogitsProcessor::add(const Ids& sequence, float bias, int32_t vocab_size) {
  if (sequence.empty()) throw TypeError("Expected non-empty sequences of token ids in sequence_bias or bad_words_ids");
  for (int32_t token : sequence)
    if (token < 0 || token >= vocab_size)
      throw RangeError("The model vocabulary size is " + std::to_string(vocab_size) +
                       ", but the following tokens were being biased: [" + std::to_string(token) + "]");
  if (sequence.size() == 1) {
    const auto same = std::find_if(single_.begin(), single_.end(), [&](const auto& one) { return one.first == sequence[0]; });
    if (same == single_.end()) single_.emplace_back(sequence[0], bias);
    else same->second = bias;
    return;
  }
  const auto same =
      std::find_if(sequences_.begin(), sequences_.end(), [&](const auto& one) { return one.first == sequence; });
  if (same == sequences_.end()) sequences_.emplace_back(sequence, bias);
  else same->second = bias;
}

// The biases of one token are added up before they meet the score: float32 sums depend on the order.
void SequenceBiasLogitsProcessor::process(ScoresRow& row) {
  std::vector<std::pair<int32_t, float>> matched;
  for (const auto& [sequence, bias] : sequences_) {
    if (sequence.size() > row.ids->size()) continue;
    if (!std::equal(sequence.begin(), sequence.end() - 1, row.ids->end() - static_cast<std::ptrdiff_t>(sequence.size() - 1)))
      continue;
    const int32_t token = sequence.back();
    auto sum = std::find_if(matched.begin(), matched.end(), [&](const auto& one) { return one.first == token; });
    if (sum == matched.end()) {
      const auto single = std::find_if(single_.begin(), single_.end(), [&](const auto& one) { return one.first == token; });
      sum = matched.insert(sum, {token, single == single_.end() ? 0.0f : single->second});
    }
    sum->second += bias;
  }
  for (const auto& [token, bias] : matched) row.scores[token] += bias;
  for (const auto& [token, bias] : single_)
    if (std::none_of(matched.begin(), matched.end(), [t = token](const auto& one) { return one.first == t; }))
      row.scores[token] += bias;
}

ExponentialDecayLengthPenalty::ExponentialDecayLengthPenalty(int32_t start, double factor,
                                                             std::vector<int32_t> eos_token_id, int32_t prompt_length)
    : start_(start + prompt_length), factor_(factor), eos_token_id_(std::move(eos_token_id)) {
  std::sort(eos_token_id_.begin(), eos_token_id_.end());
  eos_token_id_.erase(std::unique(eos_token_id_.begin(), eos_token_id_.end()), eos_token_id_.end());
}

void ExponentialDecayLengthPenalty::process(ScoresRow& row) {
  if (row.length() <= start_) return;
  const auto growth = static_cast<float>(std::pow(factor_, row.length() - start_) - 1);
  for (int32_t token : eos_token_id_)
    if (row.has(token)) row.scores[token] += std::abs(row.scores[token]) * growth;
}

}  // namespace gt::generation
