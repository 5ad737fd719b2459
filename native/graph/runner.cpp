#include "graph/runner.h"

#include <algorithm>

namespace gt::graph {

namespace {

// Graphs that are kept beside the one in use: a new one costs about a millisecond, but texts have many lengths.
constexpr size_t max_graphs = 64;
constexpr size_t max_memory = size_t{512} << 20;

}  // namespace

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
    if (target.places.empty()) ready.get_output(target.name, target.data, target.count);
    else ready.get_rows(target.name, target.row_size, target.places, target.data);
  }
}

}  // namespace gt::graph
