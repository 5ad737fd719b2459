#include "graph/runner.h"

#include <algorithm>

#include "errors.h"

namespace gt::graph {

namespace {

// Graphs that are kept beside the one in use: a new one costs about a millisecond, but texts have many lengths.
constexpr size_t max_graphs = 64;
constexpr size_t max_memory = size_t{512} << 20;

void match_target(Run::Target& target, const Shape& shape) {
  const auto all = static_cast<size_t>(n_elements(shape)), rows = shape.empty() ? 1 : static_cast<size_t>(shape[0]);
  if (!target.has_places) {
    if (target.count > all)
      throw RangeError("Expected room for at most " + std::to_string(all) + " values of " + target.name + " but received room for " + std::to_string(target.count));
    return;
  }
  target.row_size = all / rows;
  const size_t count = target.count / target.row_size;
  if (target.places.size() > rows)
    throw RangeError("Expected at most " + std::to_string(rows) + " places for " + target.name + " but received " + std::to_string(target.places.size()));
  for (const int32_t place : target.places)
    if (place < 0 || static_cast<size_t>(place) >= count)
      throw RangeError("Expected places below " + std::to_string(count) + " for " + target.name + " but received " + std::to_string(place));
}

}  // namespace

void Run::match(const Program& program) {
  if (in_order) {
    if (inputs.size() != program.inputs.size() || outputs.size() != program.outputs.size())
      throw RangeError("Expected " + std::to_string(program.inputs.size()) + " inputs and " + std::to_string(program.outputs.size()) +
                       " targets but received " + std::to_string(inputs.size()) + " and " + std::to_string(outputs.size()));
    for (size_t i = 0; i < inputs.size(); i++) inputs[i].first = program.inputs[i];
    for (size_t i = 0; i < outputs.size(); i++) outputs[i].name = program.outputs[i].name;
  }
  for (Target& target : outputs) {
    const auto found = std::find_if(program.outputs.begin(), program.outputs.end(), [&](const Output& output) { return output.name == target.name; });
    if (found != program.outputs.end()) match_target(target, program.nodes[static_cast<size_t>(found->node)].shape);
  }
}

Runner::Runner(const EngineOptions& options, const std::atomic<bool>& aborted)
    : backend_(options.device, options.n_threads, aborted),
      weights_(options.state, matrix_type_of(options.dtype), backend_) {}

Graph& Runner::graph(uint32_t id, const Program& program) {
  const auto found = std::find_if(graphs_.begin(), graphs_.end(), [id](const Entry& entry) { return entry.id == id; });
  if (found != graphs_.end()) {
    graphs_.splice(graphs_.begin(), graphs_, found);
    return *graphs_.front().graph;
  }
  graphs_.push_front({id, std::make_unique<Graph>(program, weights_, caches_, backend_)});
  size_t memory = 0, count = 0;
  for (auto entry = graphs_.begin(); entry != graphs_.end();) {
    memory += entry->graph->memory();
    if (count++ > 0 && (count > max_graphs || memory > max_memory)) entry = graphs_.erase(entry);
    else ++entry;
  }
  return *graphs_.front().graph;
}

void Runner::forget(uint32_t id) {
  graphs_.remove_if([id](const Entry& entry) { return entry.id == id; });
}

void Runner::run(uint32_t id, const Program& program, const Run& run) {
  Graph& ready = graph(id, program);
  for (const auto& [name, bytes] : run.inputs) ready.set_input(name, bytes.data(), bytes.size());
  ready.compute();
  for (const Run::Target& target : run.outputs) {
    if (!target.has_places) ready.get_output(target.name, target.data, target.count);
    else ready.get_rows(target.name, target.row_size, target.places, target.data);
  }
}

}  // namespace gt::graph
