#include "generation/search.h"

#include <algorithm>

#include "generation/beam_search.h"
#include "generation/math.h"

namespace gt::generation {

SampleSearch::SampleSearch(const GenerationOptions& options, std::shared_ptr<HostHooks> hooks, size_t rows, bool keep_going)
    : do_sample_(options.do_sample),
      pads_(!options.stop_token_id.value_or(options.eos_token_id).empty()),
      pad_token_id_(options.pad_token_id),
      keep_going_(keep_going || !pads_),
      stopping_(options, hooks),
      uniforms_(options, hooks),
      finished_(rows, 0),
      confidence_threshold_(options.assistant_confidence_threshold) {}

std::vector<int32_t> SampleSearch::step(std::vector<Ids>& ids, const std::vector<ScoresRow>& rows) {
  const std::vector<double> uniforms = do_sample_ ? uniforms_.next(ids.size()) : std::vector<double>();
  std::vector<int32_t> tokens(ids.size(), pad_token_id_);
  for (const ScoresRow& row : rows) {
    const auto r = static_cast<size_t>(row.row);
    if (finished_[r] && pads_) continue;
    tokens[r] = do_sample_ ? sampler_.draw(row, uniforms[r]) : argmax(row.scores, row.vocab_size);
  }
  for (size_t r = 0; r < ids.size(); r++) ids[r].push_back(tokens[r]);
  stopping_.check(ids, rows[0].scores, rows[0].vocab_size, finished_);
  // ConfidenceCriteria: an assistant that is not sure waits for the model's word.
  if (confidence_threshold_ > 0) {
    confidences_.push_back(probability(rows[0].scores, rows[0].vocab_size, tokens[0]));
    if (static_cast<double>(confidences_.back()) < confidence_threshold_) finished_[0] = 1;
  }
  return {};
}

void SampleSearch::fill(Result& result, std::vector<Ids> ids) const {
  result.sequences = std::move(ids);
  result.confidences = confidences_;
}

bool SampleSearch::done() const {
  return std::all_of(finished_.begin(), finished_.end(), [](uint8_t finished) { return finished != 0; });
}

std::unique_ptr<Search> make_search(const Request& request, bool keep_going) {
  const GenerationOptions& options = request.options;
  if (options.num_beams > 1) return std::make_unique<BeamSearch>(options, request.hooks, request.input_ids);
  const size_t rows = request.input_ids.size() * static_cast<size_t>(options.num_return_sequences);
  return std::make_unique<SampleSearch>(options, request.hooks, rows, keep_going);
}

}  // namespace gt::generation
