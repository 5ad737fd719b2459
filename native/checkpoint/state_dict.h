// A checkpoint in memory's terms: named tensors, whose bytes stay in their files until they are read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "checkpoint/safetensors.h"
#include "checkpoint/tensor.h"

namespace gt::checkpoint {

// An ordered map from names to tensors; a copy shares the bytes. Safe to read from several threads as long as none
// changes it: consumers get an immutable one (bindings/state_dict.h).
class StateDict {
 public:
  StateDict() = default;
  // The tensors of safetensors files, in the order of the files and of their bytes. Throws what read_safetensors throws,
  // and Error("checkpoint_invalid") for a name that two files have.
  static StateDict open(const std::vector<std::string>& paths);

  size_t size() const { return entries_.size(); }
  std::vector<std::string> names() const;
  bool has(const std::string& name) const { return index_.count(name) > 0; }
  // Null if there is none.
  const Tensor* find(const std::string& name) const;
  // Throws Error("missing_tensor").
  const Tensor& at(const std::string& name) const;
  // Names that share one tensor, in groups of two and more.
  std::vector<std::vector<std::string>> ties() const;
  // The files' own metadata ("format": "pt").
  const Metadata& metadata() const { return metadata_; }

  // Adds a tensor at the end, or replaces the one of that name in its place.
  void set(const std::string& name, Tensor tensor);
  // Ties: `name` becomes the very tensor that `existing` is.
  void alias(const std::string& name, const std::string& existing) { set(name, at(existing)); }
  // False if there was none.
  bool erase(const std::string& name);
  // Keeps the place. Throws Error("missing_tensor"), or Error("tensor_exists") if `to` is taken.
  void rename(const std::string& from, const std::string& to);

 private:
  std::map<uint64_t, NamedTensor> entries_;  // by the order of their coming
  std::unordered_map<std::string, uint64_t> index_;
  uint64_t next_ = 0;
  Metadata metadata_;
};

}  // namespace gt::checkpoint
