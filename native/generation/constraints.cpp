#include "generation/constraints.h"

#include <algorithm>
#include <limits>

#include "errors.h"

namespace gt::generation {

namespace {

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

void forbid(ScoresRow& row, const std::vector<int32_t>& tokens) {
  for (int32_t token : tokens)
    if (row.has(token)) row.scores[token] = minus_infinity;
}

void force(ScoresRow& row, const std::vector<int32_t>& tokens, const char* what) {
  row.narrowed = false;
  std::fill(row.scores, row.scores + row.vocab_size, minus_infinity);
  for (int32_t token : tokens) {
    if (!row.has(token))
      throw RangeError("Expected " + std::string(what) + " from 0 to " + std::to_string(row.vocab_size - 1) +
                       " but received " + std::to_string(token));
    row.scores[token] = 0;
  }
}

}  // namespace

void MinLengthLogitsProcessor::process(ScoresRow& row) {
  if (row.length() < min_length_) forbid(row, eos_token_id_);
}

void MinNewTokensLengthLogitsProcessor::process(ScoresRow& row) {
  if (row.length() < min_length_) forbid(row, eos_token_id_);
}

void PrefixConstrainedLogitsProcessor::process(ScoresRow& row) {
  const int32_t batch_id = row.row / num_beams_;
  const std::vector<int32_t> allowed = hooks_->allowed_tokens(batch_id, *row.ids);
  if (allowed.empty())
    throw TypeError("`prefix_allowed_tokens_fn` returned an empty list for batch ID " + std::to_string(batch_id) +
                    ". This means that the constraint is unsatisfiable. Please check your implementation of "
                    "`prefix_allowed_tokens_fn`");
  std::vector<std::pair<int32_t, float>> kept;
  for (int32_t token : allowed) {
    if (!row.has(token))
      throw RangeError("Expected ids from 0 to " + std::to_string(row.vocab_size - 1) +
                       " from `prefix_allowed_tokens_fn` but received " + std::to_string(token));
    kept.emplace_back(token, row.scores[token]);
  }
  std::fill(row.scores, row.scores + row.vocab_size, minus_infinity);
  for (const auto& [token, score] : kept) row.scores[token] = score;
}

void ForcedBOSTokenLogitsProcessor::process(ScoresRow& row) {
  if (row.length() == 1) force(row, {bos_token_id_}, "forced_bos_token_id");
}

void ForcedEOSTokenLogitsProcessor::process(ScoresRow& row) {
  if (row.length() == max_length_ - 1) force(row, eos_token_id_, "forced_eos_token_id");
}

void InfNanRemoveLogitsProcessor::process(ScoresRow& row) {
  row.narrowed = false;
  constexpr float largest = std::numeric_limits<float>::max();
  for (int32_t i = 0; i < row.vocab_size; i++) {
    float& score = row.scores[i];
    if (score != score) score = 0;
    else score = std::max(-largest, std::min(largest, score));
  }
}

void SuppressTokensLogitsProcessor::process(ScoresRow& row) { forbid(row, tokens_); }

void SuppressTokensAtBeginLogitsProcessor::process(ScoresRow& row) {
  if (row.length() == begin_index_) forbid(row, tokens_);
}

void HostLogitsProcessor::process_all(std::vector<ScoresRow>& rows) {
  std::vector<Ids> ids;
  for (ScoresRow& row : rows) {
    row.narrowed = false;
    ids.push_back(*row.ids);
  }
  hooks_->process_logits(group_, ids, rows[0].scores, rows[0].vocab_size);
}

}  // namespace gt::generation
