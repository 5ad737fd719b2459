// How far an assistant goes ahead, and how sure it must be: learned from what the model took of its guesses.
#pragma once

#include <cstddef>
#include <vector>

namespace gt::generation {

// Of an assistant's GenerationConfig; the numbers change as it works.
struct AssistantState {
  double num_assistant_tokens = 20;
  double confidence_threshold = 0;  // assistant_confidence_threshold; 0: none
};

class AssistantStrategy {
 public:
  // `heuristic`: num_assistant_tokens follows the matches.
  AssistantStrategy(AssistantState state, bool heuristic) : state_(state), heuristic_(heuristic) {}

  const AssistantState& state() const { return state_; }
  // What the assistant gave its last tokens: their probabilities.
  void add(const std::vector<float>& probabilities);
  // After a round: of `candidates` tokens the first `matches` were right.
  void update(size_t candidates, size_t matches);

 private:
  AssistantState state_;
  bool heuristic_;
  std::vector<double> probabilities_;
  std::vector<bool> matches_;
};

// The threshold on `probabilities` that separates `matches` best, where a miss costs three times as much as a false
// alarm; both kinds must be there.
double best_threshold(const std::vector<double>& probabilities, const std::vector<bool>& matches);

}  // namespace gt::generation
