#include "grammar/automaton.h"

#include <algorithm>

#include "errors.h"

namespace gt::grammar {

namespace {

constexpr uint64_t most_work = 100000000;

}  // namespace

Automaton::Automaton(Network network) : network_(std::move(network)), classes_(network_.classes()) {}

size_t Automaton::Hash::operator()(const Set& set) const {
  uint64_t hash = set.size();
  for (const Configuration& one : set) {
    hash = (hash ^ (uint64_t{one.place} << 32 | one.frame)) * 0x9e3779b97f4a7c15ULL;
    hash ^= hash >> 29;
  }
  return static_cast<size_t>(hash);
}

void Automaton::clear() {
  for (auto& ids : state_ids_) ids.clear();
  states_.clear();
  transitions_.clear();
  frame_ids_.clear();
  frames_.clear();
  memory_ = 0;
}

void Automaton::count_work(size_t amount) {
  work_ += amount;
  if (work_ > most_work)
    throw Error("grammar_limit", "response_format: the grammar is too ambiguous: one token takes more than " +
                                     std::to_string(most_work) + " steps");
}

Automaton::State Automaton::start() {
  // The root is called by place 0, behind which nothing comes.
  const uint32_t frame = frame_of({{0, 0}});
  return state_of({{network_.rules[network_.root].start, frame}});
}

Automaton::State Automaton::find_next(State state, size_t symbol) {
  const auto index = static_cast<size_t>(state);
  const size_t byte_classes = network_.representative.size();
  Set kernel;
  for (const Configuration& one : *states_[index].set) {
    const Network::Place& place = network_.places[one.place];
    count_work(place.count);
    for (uint32_t i = place.first; i < place.first + place.count; i++) {
      const Edge& edge = network_.edges[i];
      const bool matches = symbol < byte_classes
                               ? edge.kind == Edge::Kind::bytes && edge.low <= network_.representative[symbol] &&
                                     network_.representative[symbol] <= edge.high
                               : edge.kind == Edge::Kind::token && edge.value == symbol - byte_classes;
      if (matches) kernel.push_back({edge.target, one.frame});
    }
  }
  const State found = kernel.empty() ? dead : state_of(kernel);
  transitions_[index * classes_ + symbol] = found;
  return found;
}

// All that can be read next from the configurations of `kernel`. Ends of rules go back to their callers first; then the
// rules that begin here are entered, callers before those that they call, so that each is entered once for all of them.
// Rules that can be empty are passed over by their callers, so an end right behind a beginning needs no way back.
Automaton::State Automaton::state_of(const Set& kernel) {
  Set reading;
  bool complete = false;
  std::map<uint32_t, std::pair<uint32_t, Set>> calls;  // by rank: a rule and its callers
  seen_.clear();
  const auto add = [&](uint32_t place, uint32_t frame) {
    if (seen_.insert(uint64_t{place} << 32 | frame).second) todo_.push_back({place, frame});
  };
  const auto run = [&](bool returns) {
    while (!todo_.empty()) {
      const Configuration one = todo_.back();
      todo_.pop_back();
      const Network::Place& place = network_.places[one.place];
      count_work(1 + place.count);
      if (place.reads) reading.push_back(one);
      if (place.is_end && returns) {
        count_work(frames_[one.frame]->size());
        for (const Configuration& caller : *frames_[one.frame]) {
          if (caller.place == 0) complete = true;
          else add(caller.place, caller.frame);
        }
      }
      for (uint32_t i = place.first; i < place.first + place.count; i++) {
        const Edge& edge = network_.edges[i];
        if (edge.kind == Edge::Kind::empty) add(edge.target, one.frame);
        if (edge.kind != Edge::Kind::call) continue;
        const Network::Rule& rule = network_.rules[edge.value];
        if (rule.can_be_empty) add(edge.target, one.frame);
        auto& [called, callers] = calls[rule.rank];
        called = edge.value;
        // A call at the end of a rule goes back where the rule goes back, so that recursion there takes no memory.
        if (!network_.places[edge.target].is_end) {
          callers.push_back({edge.target, one.frame});
        } else {
          count_work(frames_[one.frame]->size());
          callers.insert(callers.end(), frames_[one.frame]->begin(), frames_[one.frame]->end());
        }
      }
    }
  };
  todo_.clear();
  for (const Configuration& one : kernel) add(one.place, one.frame);
  run(true);
  while (!calls.empty()) {
    auto [rule, callers] = std::move(calls.begin()->second);
    calls.erase(calls.begin());
    add(network_.rules[rule].start, frame_of(std::move(callers)));
    run(false);
  }
  std::sort(reading.begin(), reading.end());
  return reading.empty() && !complete ? dead : intern(std::move(reading), complete);
}

Automaton::State Automaton::intern(Set set, bool complete) {
  auto& ids = state_ids_[complete];
  const auto known = ids.find(set);
  if (known != ids.end()) return known->second;
  const auto state = static_cast<State>(states_.size());
  memory_ += 200 + set.size() * sizeof(Configuration) + classes_ * sizeof(State);
  const auto added = ids.emplace(std::move(set), state).first;
  states_.push_back({&added->first, complete});
  transitions_.resize(states_.size() * classes_, unknown);
  return state;
}

uint32_t Automaton::frame_of(Set callers) {
  std::sort(callers.begin(), callers.end());
  callers.erase(std::unique(callers.begin(), callers.end()), callers.end());
  const auto known = frame_ids_.find(callers);
  if (known != frame_ids_.end()) return known->second;
  const auto frame = static_cast<uint32_t>(frames_.size());
  memory_ += 120 + callers.size() * sizeof(Configuration);
  frames_.push_back(&frame_ids_.emplace(std::move(callers), frame).first->first);
  return frame;
}

}  // namespace gt::grammar
