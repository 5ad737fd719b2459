// Python's WatermarkLogitsProcessor: a pseudo-random part of the vocabulary, chosen by the last tokens, scores higher.
#pragma once

#include "generation/logits_processor.h"

namespace gt::generation {

class WatermarkLogitsProcessor final : public LogitsProcessor {
 public:
  WatermarkLogitsProcessor(const Watermarking& config, int32_t vocab_size);
  const char* name() const override { return "WatermarkLogitsProcessor"; }
  void process(ScoresRow& row) override;

 private:
  // The green list after `ids`, in front of permutation_.
  void draw(const Ids& ids);

  Watermarking config_;
  int32_t greenlist_size_;
  std::vector<int32_t> fixed_table_;
  std::vector<int32_t> permutation_;
};

}  // namespace gt::generation
