// How the scores of a step become tokens: greedy search and sampling here, beams in beam_search.h.
#pragma once

#include <memory>
#include <vector>

#include "generation/logits_processor.h"
#include "generation/request.h"
#include "generation/sampler.h"
#include "generation/stopping.h"

namespace gt::generation {

class Search {
 public:
  virtual ~Search() = default;

  // Whether processors get log-probabilities instead of logits.
  virtual bool wants_log_probabilities() const = 0;
  // Appends to each of ids [rows] its next token; `rows` are the processed scores of the rows that are not over, in
  // order. Returns the row that each row continues; empty: itself.
  virtual std::vector<int32_t> step(std::vector<Ids>& ids, const std::vector<ScoresRow>& rows) = 0;
  // The last step took a token that was fed already: its scores are there for another step.
  virtual bool foreseen() const { return false; }
  virtual bool done() const = 0;
  // The row needs no more scores.
  virtual bool over(size_t row) const = 0;
  virtual void fill(Result& result, std::vector<Ids> ids) const = 0;
};

// GenerationMixin._sample.
class SampleSearch final : public Search {
 public:
  // `keep_going`: finished rows are fed on, as Python does, because someone looks at their scores.
  SampleSearch(const GenerationOptions& options, std::shared_ptr<HostHooks> hooks, size_t rows, bool keep_going);

  bool wants_log_probabilities() const override { return false; }
  std::vector<int32_t> step(std::vector<Ids>& ids, const std::vector<ScoresRow>& rows) override;
  bool done() const override;
  bool over(size_t row) const override { return finished_[row] && !keep_going_; }
  void fill(Result& result, std::vector<Ids> ids) const override;

 private:
  bool do_sample_;
  bool pads_;  // finished rows emit pad: only if an eos token can end them, as in Python
  int32_t pad_token_id_;
  bool keep_going_;
  StoppingCriteria stopping_;
  Uniforms uniforms_;
  Sampler sampler_;
  std::vector<uint8_t> finished_;
  double confidence_threshold_;
  std::vector<float> confidences_;  // of an assistant: what it gave the tokens that it chose
};

std::unique_ptr<Search> make_search(const Request& request, bool keep_going);

}  // namespace gt::generation
