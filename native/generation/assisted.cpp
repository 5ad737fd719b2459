#include "generation/assisted.h"

#include <algorithm>

#include "generation/math.h"

namespace gt::generation {

AssistedSearch::AssistedSearch(const Request& request, const LogitsProcessorList& processors, int32_t vocab_size)
    : request_(request),
      do_sample_(request.options.do_sample),
      vocab_size_(vocab_size),
      stopping_(request.options, request.hooks),
      uniforms_(std::make_shared<Uniforms>(request.options, request.hooks)),
      generator_(make_candidate_generator(request, processors, uniforms_, vocab_size)) {}

// Python draws for all candidates, also for those that go beyond max_length.
void AssistedSearch::begin(size_t length, Candidates candidates) {
  candidates_ = std::move(candidates);
  checked_ = 0;
  Ids& tokens = candidates_->tokens;
  if (do_sample_) drawn_ = uniforms_->next(tokens.size() + !speculative());
  const size_t room = static_cast<size_t>(request_.options.max_length) - length - 1;
  const auto known = [&](int32_t token) { return token >= 0 && token < vocab_size_; };
  tokens.resize(std::min(room, static_cast<size_t>(std::find_if_not(tokens.begin(), tokens.end(), known) - tokens.begin())));
}

const Ids* AssistedSearch::candidates(const Ids& ids) {
  if (!asked_) generator_->ask(ids);
  asked_ = true;
  std::optional<Candidates> found = generator_->get_candidates();
  if (!found) return nullptr;
  begin(ids.size(), std::move(*found));
  return &candidates_->tokens;
}

// Python looks at the criteria after a round and cuts what a candidate ended; here each token is looked at, so that
// nothing comes after what ends the row.
std::vector<int32_t> AssistedSearch::step(std::vector<Ids>& ids, const std::vector<ScoresRow>& rows) {
  const size_t place = checked_++;
  const Ids& tokens = candidates_->tokens;
  ids[0].push_back(speculative() ? take_speculative(rows[0]) : take(rows[0]));
  stopping_.check(ids, rows[0].scores, vocab_size_, finished_);
  foreseen_ = place < tokens.size() && ids[0].back() == tokens[place] && accepted_ && !done();
  if (foreseen_) return {};
  if (asked_) generator_->update_candidate_strategy(place);
  candidates_.reset();
  asked_ = false;
  return {};
}

int32_t AssistedSearch::take(const ScoresRow& row) {
  accepted_ = true;
  return do_sample_ ? sampler_.draw(row, drawn_[checked_ - 1]) : argmax(row.scores, vocab_size_);
}

// Algorithm 1 of https://huggingface.co/papers/2211.17192: a candidate stays with the probability that the model gives
// it over that which the assistant gave it; else another is drawn from what the model gives more.
int32_t AssistedSearch::take_speculative(const ScoresRow& row) {
  const size_t place = checked_ - 1;
  accepted_ = false;
  if (place == candidates_->tokens.size()) return sampler_.draw(row, uniforms_->next(1)[0]);
  p_.resize(static_cast<size_t>(vocab_size_));
  q_.resize(static_cast<size_t>(vocab_size_));
  softmax(row.scores, vocab_size_, p_.data());
  softmax(candidates_->scores[place].data(), vocab_size_, q_.data());
  const auto candidate = static_cast<size_t>(candidates_->tokens[place]);
  accepted_ = drawn_[place] <= static_cast<double>(p_[candidate] / q_[candidate]);
  if (accepted_) return candidates_->tokens[place];
  bool any = false;
  for (size_t i = 0; i < p_.size(); i++) {
    q_[i] = std::max(p_[i] - q_[i], 0.0f);
    any |= q_[i] > 0;
  }
  return sampler_.draw_weights(any ? q_.data() : p_.data(), vocab_size_, uniforms_->next(1)[0]);
}

void AssistedSearch::fill(Result& result, std::vector<Ids> ids) const {
  result.sequences = std::move(ids);
  generator_->fill(result);
}

}  // namespace gt::generation
