// Beam search and beam sampling, as GenerationMixin._beam_search does them (generation/utils.py, 4.50 and later).
#pragma once

#include <vector>

#include "generation/search.h"

namespace gt::generation {

class BeamSearch final : public Search {
 public:
  BeamSearch(const GenerationOptions& options, std::shared_ptr<HostHooks> hooks, const std::vector<Ids>& prompts);

  bool wants_log_probabilities() const override { return true; }
  std::vector<int32_t> step(std::vector<Ids>& ids, const std::vector<ScoresRow>& rows) override;
  bool done() const override { return done_; }
  bool over(size_t) const override { return false; }
  void fill(Result& result, std::vector<Ids> ids) const override;

 private:
  struct Beam {
    Ids ids;
    Ids indices;  // of the rows that it came through
    float score = 0;
    bool finished = false;
  };

  // The beams of one prompt.
  struct Batch {
    std::vector<Beam> running;   // score: the sum of log-probabilities
    std::vector<Beam> finished;  // the best so far, by score over length; those without `finished` are empty places
    bool improvable = true;
  };

  std::vector<Beam> candidates(size_t batch, const std::vector<Ids>& ids, const std::vector<ScoresRow>& rows);
  std::vector<int32_t> draw();
  void stop(std::vector<std::vector<Beam>>& all, const std::vector<ScoresRow>& rows) const;
  void go_on(Batch& batch, const std::vector<Beam>& candidates) const;
  void collect(Batch& batch, const std::vector<Beam>& candidates, size_t length) const;
  float over_length(float score, size_t length) const;

  size_t num_beams_;
  size_t num_return_sequences_;
  size_t kept_;  // candidates at each step
  bool do_sample_;
  bool constrained_;  // a grammar may leave fewer candidates than are drawn
  EarlyStopping early_stopping_;
  double length_penalty_;
  size_t max_length_;
  size_t prompt_length_;
  int32_t fill_;
  StoppingCriteria stopping_;
  Uniforms uniforms_;
  Sampler sampler_;
  std::vector<Batch> batches_;
  std::vector<float> accumulated_;
  bool done_ = false;
};

}  // namespace gt::generation
