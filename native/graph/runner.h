// What belongs to the engine's thread: device, weights, and the graphs that were built last.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "graph/backend.h"
#include "graph/cache.h"
#include "graph/graph.h"
#include "graph/weights.h"

namespace gt::graph {

struct EngineOptions {
  std::shared_ptr<const checkpoint::StateDict> state;
  std::string dtype = "f32";
  std::string device;  // a name in ggml's registry; "": the first GPU, else the CPU
  int n_threads = 0;   // 0: one for each physical core
};

// A computation: inputs are copies, outputs are memory that the caller keeps until it ends.
struct Run {
  std::vector<std::pair<std::string, std::vector<uint8_t>>> inputs;
  // Gets the beginning of an output; or, with places, its first rows along the first axis, of which row i goes to row
  // places[i].
  struct Target {
    std::string name;
    float* data;
    size_t count;
    bool has_places = false;
    std::vector<int32_t> places = {};
    size_t row_size = 0;  // of an output with places
  };
  std::vector<Target> outputs;
  bool in_order = false;  // inputs and outputs are the program's, one after the other: they have no names yet

  // Names what has none, and checks that the outputs fit into their memory. Throws RangeError.
  void match(const Program& program);
};

class Runner {
 public:
  // Throws TypeError for an unknown dtype, Error for a device that cannot be used.
  Runner(const EngineOptions& options, const std::atomic<bool>& aborted);

  Backend& backend() { return backend_; }
  Weights& weights() { return weights_; }
  Cache& cache() { return caches_.tokens; }
  const Cache& cache() const { return caches_.tokens; }
  Cache& memory() { return caches_.memory; }
  const Cache& memory() const { return caches_.memory; }

  // The graph of a program, kept under its number while there is room.
  Graph& graph(uint32_t id, const Program& program);
  void forget(uint32_t id);
  void run(uint32_t id, const Program& program, const Run& run);

 private:
  struct Entry {
    uint32_t id;
    std::unique_ptr<Graph> graph;
  };

  Backend backend_;
  Weights weights_;
  Caches caches_;
  std::list<Entry> graphs_;  // the last used first
};

}  // namespace gt::graph
