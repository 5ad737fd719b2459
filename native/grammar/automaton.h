// The network run on all its paths at once: states are made, and their transitions found, when they are first asked for.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "grammar/network.h"

namespace gt::grammar {

class Automaton {
 public:
  using State = int32_t;
  static constexpr State dead = -1;

  explicit Automaton(Network network);

  State start();
  // The state after a byte, or after one of the network's tokens; `dead` if the grammar has no such text.
  State step(State state, uint8_t byte) { return next(state, network_.class_of[byte]); }
  State step_token(State state, size_t token) { return next(state, network_.representative.size() + token); }
  // Whether the text may end here.
  bool complete(State state) const { return states_[static_cast<size_t>(state)].complete; }
  const std::vector<int32_t>& tokens() const { return network_.tokens; }

  // Forgets all states: they must be found again from start().
  void clear();
  size_t memory() const { return memory_; }
  // From here on some hundred million steps may be made before Error("grammar_limit") ends them.
  void allow_work() { work_ = 0; }

 private:
  // A place, and what to go back to from the end of its rule.
  struct Configuration {
    uint32_t place;
    uint32_t frame;
    bool operator==(const Configuration& other) const { return place == other.place && frame == other.frame; }
    bool operator<(const Configuration& other) const {
      return place < other.place || (place == other.place && frame < other.frame);
    }
  };
  // Ascending, no two equal. As a frame: all the places that called a rule at the same point of the text.
  using Set = std::vector<Configuration>;
  struct Hash {
    size_t operator()(const Set& set) const;
  };
  struct StateData {
    const Set* set;
    bool complete;
  };
  static constexpr State unknown = -2;

  State next(State state, size_t symbol) {
    const State known = transitions_[static_cast<size_t>(state) * classes_ + symbol];
    return known != unknown ? known : find_next(state, symbol);
  }
  State find_next(State state, size_t symbol);
  State state_of(const Set& kernel);
  State intern(Set set, bool complete);
  uint32_t frame_of(Set callers);
  void count_work(size_t amount);

  Network network_;
  std::unordered_map<Set, State, Hash> state_ids_[2];  // by `complete`
  std::vector<StateData> states_;
  const size_t classes_;            // of the network
  std::vector<State> transitions_;  // of each state, by class; `unknown` if it was not asked for
  std::unordered_map<Set, uint32_t, Hash> frame_ids_;
  std::vector<const Set*> frames_;
  size_t memory_ = 0;
  uint64_t work_ = 0;

  // Of state_of(), kept for their memory.
  std::unordered_set<uint64_t> seen_;
  std::vector<Configuration> todo_;
};

}  // namespace gt::grammar
