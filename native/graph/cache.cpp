#include "graph/cache.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>
#include <string>

#include "errors.h"

namespace gt::graph {

namespace {

constexpr size_t first_cells = 64;
constexpr size_t max_layers = 1024;

// A larger buffer with the same beginning.
std::unique_ptr<float[]> enlarged(const std::unique_ptr<float[]>& buffer, int64_t size, size_t cells, size_t new_cells) {
  std::unique_ptr<float[]> larger(new float[static_cast<size_t>(size) * new_cells]);
  if (cells > 0) std::memcpy(larger.get(), buffer.get(), static_cast<size_t>(size) * cells * sizeof(float));
  return larger;
}

[[noreturn]] void out_of_memory(size_t cells) {
  throw Error("out_of_memory", "no memory for the keys and values of " + std::to_string(cells) + " tokens");
}

}  // namespace

Cache::Layer& Cache::layer(size_t number, int64_t key_size, int64_t value_size) {
  if (number >= max_layers) throw Error("invalid_program", "the program has a layer of number " + std::to_string(number));
  if (number >= layers_.size()) layers_.resize(number + 1);
  std::unique_ptr<Layer>& layer = layers_[number];
  if (!layer) {
    try {
      auto made = std::make_unique<Layer>(Layer{key_size, value_size, nullptr, nullptr});
      made->keys = enlarged(nullptr, key_size, 0, readers_.size());
      made->values = enlarged(nullptr, value_size, 0, readers_.size());
      layer = std::move(made);
    } catch (const std::bad_alloc&) {
      out_of_memory(readers_.size());
    }
  }
  if (layer->key_size != key_size || layer->value_size != value_size)
    throw Error("invalid_program", "the program gives layer " + std::to_string(number) + " keys and values of other sizes than those before");
  return *layer;
}

int32_t Cache::take() {
  if (free_.empty()) grow();
  const int32_t cell = free_.back();
  free_.pop_back();
  readers_[static_cast<size_t>(cell)] = 1;
  return cell;
}

void Cache::give_back(int32_t cell) {
  if (--readers_[static_cast<size_t>(cell)] == 0) free_.push_back(cell);
}

int64_t Cache::cell_size() const {
  int64_t floats = 0;
  for (const auto& layer : layers_)
    if (layer) floats += layer->key_size + layer->value_size;
  return floats * static_cast<int64_t>(sizeof(float));
}

void Cache::grow() {
  const size_t cells = readers_.size();
  const size_t new_cells = std::max(first_cells, 2 * cells);
  if (new_cells > static_cast<size_t>(std::numeric_limits<int32_t>::max())) out_of_memory(new_cells);
  try {
    std::vector<std::pair<std::unique_ptr<float[]>, std::unique_ptr<float[]>>> larger(layers_.size());
    for (size_t i = 0; i < layers_.size(); i++) {
      if (!layers_[i]) continue;
      larger[i].first = enlarged(layers_[i]->keys, layers_[i]->key_size, cells, new_cells);
      larger[i].second = enlarged(layers_[i]->values, layers_[i]->value_size, cells, new_cells);
    }
    free_.reserve(new_cells);
    readers_.resize(new_cells, 0);
    for (size_t i = 0; i < layers_.size(); i++) {
      if (!layers_[i]) continue;
      layers_[i]->keys = std::move(larger[i].first);
      layers_[i]->values = std::move(larger[i].second);
    }
  } catch (const std::bad_alloc&) {
    out_of_memory(new_cells);
  }
  for (size_t cell = new_cells; cell-- > cells;) free_.push_back(static_cast<int32_t>(cell));
}

}  // namespace gt::graph
