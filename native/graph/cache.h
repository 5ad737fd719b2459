// The keys and values that generations have computed: a buffer for each layer, made of cells. A cell holds one token and
// is never changed once written; rows that share a beginning share its cells.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace gt::graph {

class Cache {
 public:
  struct Layer {
    int64_t key_size, value_size;  // floats of a cell
    std::unique_ptr<float[]> keys, values;
  };

  // The layer of this number, made when a program first names it; lives as long as the cache. Throws
  // Error("invalid_program") if it has other sizes, Error("out_of_memory").
  Layer& layer(size_t number, int64_t key_size, int64_t value_size);

  // A cell with one reader; the buffers double when there is none. Throws Error("out_of_memory"): nothing was changed.
  int32_t take();
  void share(int32_t cell) { readers_[static_cast<size_t>(cell)]++; }
  void give_back(int32_t cell);
  int64_t used() const { return static_cast<int64_t>(readers_.size() - free_.size()); }
  // Bytes of one cell in all layers.
  int64_t cell_size() const;

  // What a computation reads: key j of its spans lies in cell keys[j]; its token i goes into cell targets[i], if it is
  // not negative.
  std::vector<int32_t> keys;
  std::vector<int32_t> targets;
  // Where key j stands in its text; empty: keys of a text follow each other.
  std::vector<int32_t> places;

 private:
  void grow();

  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<uint32_t> readers_;  // of each cell
  std::vector<int32_t> free_;
};

// Of the tokens that generations have seen, and of those that an encoder read: "memory", for cross-attention.
struct Caches {
  Cache tokens, memory;
};

}  // namespace gt::graph
