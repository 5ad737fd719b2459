// Assisted decoding: tokens that somebody guesses are checked by the model in one decode; what is left over of them is
// what the model would have said anyway (GenerationMixin._assisted_decoding and _speculative_sampling).
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "generation/candidates.h"
#include "generation/search.h"

namespace gt::generation {

// One row. A round begins with candidates; step() then goes from token to token while they are right.
class AssistedSearch final : public Search {
 public:
  // `request` and `processors` must outlive this.
  AssistedSearch(const Request& request, const LogitsProcessorList& processors, int32_t vocab_size);

  // Begins a round after `length` tokens.
  void begin(size_t length, Candidates candidates);
  // Begins one after `ids`, or goes on waiting for one. Null: the candidates are not there yet.
  const Ids* candidates(const Ids& ids);

  bool wants_log_probabilities() const override { return false; }
  std::vector<int32_t> step(std::vector<Ids>& ids, const std::vector<ScoresRow>& rows) override;
  bool foreseen() const override { return foreseen_; }
  bool done() const override { return finished_[0] != 0; }
  bool over(size_t) const override { return false; }
  void fill(Result& result, std::vector<Ids> ids) const override;

 private:
  bool speculative() const { return do_sample_ && !candidates_->scores.empty(); }
  int32_t take(const ScoresRow& row);
  int32_t take_speculative(const ScoresRow& row);

  const Request& request_;
  bool do_sample_;
  int32_t vocab_size_;
  StoppingCriteria stopping_;
  std::shared_ptr<Uniforms> uniforms_;
  Sampler sampler_;
  std::unique_ptr<CandidateGenerator> generator_;

  bool asked_ = false;
  std::optional<Candidates> candidates_;  // of the round under way
  size_t checked_ = 0;                    // of them
  bool accepted_ = false;                 // the last token stands for itself, not for a candidate that was turned down
  bool foreseen_ = false;
  std::vector<double> drawn_;             // one for each candidate, and, unless speculative, one more
  std::vector<float> p_, q_;
  std::vector<uint8_t> finished_ = {0};
};

}  // namespace gt::generation
