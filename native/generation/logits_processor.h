// Logits processors and warpers, under the names of Python's classes (generation/logits_process.py).
#pragma once

#include <memory>
#include <vector>

#include "generation/host_hooks.h"
#include "generation/options.h"

namespace gt::generation {

// The scores of one row, changed in place.
struct ScoresRow {
  int32_t row = 0;            // its number in the batch (rows of beams lie together)
  const Ids* ids = nullptr;   // prompt, with padding, and new tokens
  float* scores = nullptr;    // [vocab_size]
  int32_t vocab_size = 0;
  // Ascending ids outside which every score is -inf, when that is known: what comes later looks at these alone.
  bool narrowed = false;
  std::vector<int32_t> kept;

  int32_t length() const { return static_cast<int32_t>(ids->size()); }
  bool has(int32_t token) const { return token >= 0 && token < vocab_size; }
  int32_t count() const { return narrowed ? static_cast<int32_t>(kept.size()) : vocab_size; }
  int32_t token(int32_t i) const { return narrowed ? kept[static_cast<size_t>(i)] : i; }
};

// Belongs to one request, so it may keep what it needs from step to step.
class LogitsProcessor {
 public:
  virtual ~LogitsProcessor() = default;
  // Python's class name.
  virtual const char* name() const = 0;
  virtual void process(ScoresRow& row) = 0;
  // All rows of a step; a host's function wants them together.
  virtual void process_all(std::vector<ScoresRow>& rows) {
    for (ScoresRow& row : rows) process(row);
  }
};

class LogitsProcessorList {
 public:
  // What Python's _get_logits_processor builds, in its order, less classifier-free guidance, which needs a model.
  // `prompts` are rows of equal length, one for each row or beam. Throws TypeError or RangeError with Python's text.
  LogitsProcessorList(const GenerationOptions& options, const std::vector<Ids>& prompts, int32_t vocab_size,
                      std::shared_ptr<HostHooks> hooks);

  bool empty() const { return processors_.empty(); }
  const std::vector<std::shared_ptr<LogitsProcessor>>& list() const { return processors_; }
  void process(std::vector<ScoresRow>& rows) const {
    for (const auto& processor : processors_) processor->process_all(rows);
  }

 private:
  void add_warpers(const GenerationOptions& options);

  std::vector<std::shared_ptr<LogitsProcessor>> processors_;
};

// UnbatchedClassifierFreeGuidance: both are logits; `scores` becomes the guided log-probabilities.
void guide(float* scores, const float* unconditional, int32_t vocab_size, float guidance_scale);

}  // namespace gt::generation
