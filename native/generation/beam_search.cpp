#include "generation/beam_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gt::generation {

namespace {

constexpr float dead = -1e9f;  // added to what must not win; finite, as in Python

// The positions of the `k` largest values as torch.topk gives them, largest first: NaN counts as the largest, and the order
// of equals is what these algorithms of the standard library make of it.
// https://github.com/pytorch/pytorch/blob/v2.8.0/aten/src/ATen/native/TopKImpl.h
std::vector<int32_t> top(const std::vector<float>& values, size_t k) {
  k = std::min(k, values.size());
  thread_local std::vector<std::pair<float, int32_t>> queue;  // a megabyte or more, at each step
  queue.resize(values.size());
  for (size_t i = 0; i < values.size(); i++) queue[i] = {values[i], static_cast<int32_t>(i)};
  const auto larger = [](const auto& a, const auto& b) {
    return (std::isnan(a.first) && !std::isnan(b.first)) || a.first > b.first;
  };
  const auto end = queue.begin() + static_cast<std::ptrdiff_t>(k);
  if (k * 64 <= queue.size()) {
    std::partial_sort(queue.begin(), end, queue.end(), larger);
  } else {
    std::nth_element(queue.begin(), end - 1, queue.end(), larger);
    std::sort(queue.begin(), end - 1, larger);
  }
  std::vector<int32_t> best(k);
  std::transform(queue.begin(), end, best.begin(), [](const auto& entry) { return entry.second; });
  return best;
}

}  // namespace

BeamSearch::BeamSearch(const GenerationOptions& options, std::shared_ptr<HostHooks> hooks, const std::vector<Ids>& prompts)
    : num_beams_(static_cast<size_t>(options.num_beams)),
      num_return_sequences_(static_cast<size_t>(options.num_return_sequences)),
      kept_(std::max<size_t>(2, 1 + options.eos_token_id.size()) * num_beams_),
      do_sample_(options.do_sample),
      constrained_(options.grammar != nullptr),
      early_stopping_(options.early_stopping),
      length_penalty_(options.length_penalty),
      max_length_(static_cast<size_t>(options.max_length)),
      prompt_length_(prompts[0].size()),
      stopping_(options, hooks),
      uniforms_(options, hooks) {
  // Python: `pad_token_id or eos_token_id[0] if eos_token_id is not None else -1`
  fill_ = options.eos_token_id.empty() ? -1 : options.pad_token_id != 0 ? options.pad_token_id : options.eos_token_id[0];
  for (const Ids& prompt : prompts) {
    Batch batch;
    batch.running.resize(num_beams_, {prompt, {}, dead, false});
    batch.finished = batch.running;
    batch.running[0].score = 0;
    batches_.push_back(std::move(batch));
  }
}

std::vector<int32_t> BeamSearch::step(std::vector<Ids>& ids, const std::vector<ScoresRow>& rows) {
  std::vector<std::vector<Beam>> all;
  for (size_t b = 0; b < batches_.size(); b++) all.push_back(candidates(b, ids, rows));
  stop(all, rows);

  std::vector<int32_t> sources;
  bool improvable = false, open = early_stopping_ != EarlyStopping::yes, continues = false;
  for (size_t b = 0; b < batches_.size(); b++) {
    Batch& batch = batches_[b];
    const size_t length = all[b][0].ids.size() - prompt_length_;
    go_on(batch, all[b]);
    collect(batch, all[b], length);

    const bool far = early_stopping_ == EarlyStopping::never && length_penalty_ > 0;
    const float best = over_length(batch.running[0].score, far ? max_length_ - prompt_length_ : length);
    float worst = batch.finished[0].score;
    for (const Beam& beam : batch.finished) worst = std::min(worst, beam.score);
    batch.improvable = batch.improvable && std::any_of(batch.finished.begin(), batch.finished.end(), [&](const Beam& beam) {
                         return best > (beam.finished ? worst : dead);
                       });
    improvable |= batch.improvable;
    for (const Beam& beam : batch.finished) open |= !beam.finished;
    for (const Beam& beam : all[b]) continues |= !beam.finished;
    for (size_t i = 0; i < num_beams_; i++) {
      ids[b * num_beams_ + i] = batch.running[i].ids;
      sources.push_back(batch.running[i].indices.back());
    }
  }
  done_ = !(improvable && open && continues);
  return sources;
}

// The best continuations of a prompt's beams, or those drawn; score: the sum of log-probabilities.
std::vector<BeamSearch::Beam> BeamSearch::candidates(size_t batch, const std::vector<Ids>& ids,
                                                     const std::vector<ScoresRow>& rows) {
  const size_t first = batch * num_beams_;
  const auto vocab = static_cast<size_t>(rows[first].vocab_size);
  const std::vector<Beam>& running = batches_[batch].running;
  accumulated_.resize(num_beams_ * vocab);
  for (size_t i = 0; i < num_beams_; i++)
    for (size_t token = 0; token < vocab; token++)
      accumulated_[i * vocab + token] = rows[first + i].scores[token] + running[i].score;
  const std::vector<int32_t> chosen =
      do_sample_ ? draw() : top(accumulated_, kept_);
  std::vector<Beam> result;
  for (int32_t position : chosen) {
    const size_t source = static_cast<size_t>(position) / vocab;
    Beam beam{ids[first + source], running[source].indices, accumulated_[static_cast<size_t>(position)], false};
    beam.ids.push_back(static_cast<int32_t>(static_cast<size_t>(position) % vocab));
    beam.indices.push_back(static_cast<int32_t>(first + source));
    result.push_back(std::move(beam));
  }
  return result;
}

// Positions of accumulated_, drawn; where a grammar leaves too few that have a probability, the best others follow them.
std::vector<int32_t> BeamSearch::draw() {
  const auto count = static_cast<int32_t>(accumulated_.size());
  std::vector<int32_t> chosen = sampler_.draw_several(accumulated_.data(), count, uniforms_.next(kept_), constrained_);
  if (chosen.size() == kept_) return chosen;
  for (int32_t other : top(accumulated_, 2 * kept_))
    if (chosen.size() < kept_ && std::find(chosen.begin(), chosen.end(), other) == chosen.end()) chosen.push_back(other);
  return chosen;
}

// Marks the candidates of all prompts that a stopping criterion ends.
void BeamSearch::stop(std::vector<std::vector<Beam>>& all, const std::vector<ScoresRow>& rows) const {
  std::vector<Ids> ids;
  std::vector<float> scores;  // of the row that each candidate comes from
  const auto vocab = static_cast<size_t>(rows[0].vocab_size);
  for (const auto& candidates : all)
    for (const Beam& beam : candidates) {
      ids.push_back(beam.ids);
      const float* source = rows[static_cast<size_t>(beam.indices.back())].scores;
      if (stopping_.asks_host()) scores.insert(scores.end(), source, source + vocab);
    }
  std::vector<uint8_t> done(ids.size(), 0);
  stopping_.check(ids, scores.data(), rows[0].vocab_size, done);
  size_t i = 0;
  for (auto& candidates : all)
    for (Beam& beam : candidates) beam.finished = done[i++] != 0;
}

// The beams that run on: the best candidates that are not finished.
void BeamSearch::go_on(Batch& batch, const std::vector<Beam>& candidates) const {
  std::vector<float> scores;
  for (const Beam& beam : candidates) scores.push_back(beam.score + (beam.finished ? dead : 0));
  batch.running.clear();
  for (int32_t i : top(scores, num_beams_)) {
    batch.running.push_back(candidates[static_cast<size_t>(i)]);
    batch.running.back().score = scores[static_cast<size_t>(i)];
  }
}

// Finished candidates of the first rank compete with those finished before.
void BeamSearch::collect(Batch& batch, const std::vector<Beam>& candidates, size_t length) const {
  const bool full = early_stopping_ == EarlyStopping::yes &&
                    std::all_of(batch.finished.begin(), batch.finished.end(), [](const Beam& beam) { return beam.finished; });
  std::vector<Beam> merged = batch.finished;
  for (size_t i = 0; i < candidates.size(); i++) {
    Beam beam = candidates[i];
    beam.finished = beam.finished && i < num_beams_;
    beam.score = over_length(beam.score, length);
    if (full) beam.score += dead;
    if (!batch.improvable) beam.score += dead;
    if (!beam.finished) beam.score += dead;
    merged.push_back(std::move(beam));
  }
  std::vector<float> scores;
  for (const Beam& beam : merged) scores.push_back(beam.score);
  batch.finished.clear();
  for (int32_t i : top(scores, num_beams_))
    batch.finished.push_back(std::move(merged[static_cast<size_t>(i)]));
}

float BeamSearch::over_length(float score, size_t length) const {
  return score / static_cast<float>(std::pow(static_cast<double>(length), length_penalty_));
}

void BeamSearch::fill(Result& result, std::vector<Ids>) const {
  size_t longest = 0;
  for (const Batch& batch : batches_)
    for (size_t i = 0; i < num_return_sequences_; i++) longest = std::max(longest, batch.finished[i].indices.size());
  for (const Batch& batch : batches_)
    for (size_t i = 0; i < num_return_sequences_; i++) {
      const Beam& beam = batch.finished[i];
      result.sequences.push_back(beam.ids);
      result.sequences.back().resize(prompt_length_ + longest, fill_);
      result.beam_indices.push_back(beam.indices);
      result.beam_indices.back().resize(longest, -1);
      result.sequences_scores.push_back(beam.score);
    }
}

}  // namespace gt::generation
