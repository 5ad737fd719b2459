// Drawing tokens: uniforms in [0, 1), and the inverse of the cumulative distribution over ascending token ids.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "generation/host_hooks.h"
#include "generation/logits_processor.h"
#include "generation/options.h"
#include "generation/random.h"

namespace gt::generation {

// Where a request's uniforms come from: the host, its list, or the generator of its seed.
class Uniforms {
 public:
  Uniforms(const GenerationOptions& options, std::shared_ptr<HostHooks> hooks);
  // Throws RangeError when the list has run out, or for numbers outside [0, 1).
  std::vector<double> next(size_t count);
  // What next() will give, as far as there is any.
  std::vector<double> peek(size_t count);

 private:
  bool is_list() const { return !hooks_ && !list_.empty(); }
  std::vector<double> draw(size_t count);

  std::vector<double> list_;
  size_t used_ = 0;
  std::deque<double> ahead_;  // drawn already
  std::shared_ptr<HostHooks> hooks_;
  Random random_;
};

class Sampler {
 public:
  // The first token whose cumulative probability, under the softmax of the scores, exceeds `uniform`.
  // Throws Error("invalid_scores") when the scores are no distribution.
  int32_t draw(const ScoresRow& row, double uniform);
  // The same of weights that need not sum to 1.
  int32_t draw_weights(float* weights, int32_t count, double uniform);
  // torch.multinomial without replacement: `uniforms.size()` positions in the softmax of scores[count], one after
  // another, in the order drawn; where nothing with a probability is left, any others, or with `may_be_fewer` none.
  // Throws Error("invalid_scores") when the scores are no distribution.
  std::vector<int32_t> draw_several(const float* scores, int32_t count, const std::vector<double>& uniforms,
                                    bool may_be_fewer = false);

 private:
  std::vector<float> gathered_;
  std::vector<float> weights_;
};

}  // namespace gt::generation
