#include "checkpoint/state_dict.h"

#include <utility>

#include "errors.h"

namespace gt::checkpoint {

StateDict StateDict::open(const std::vector<std::string>& paths) {
  StateDict result;
  for (const std::string& path : paths) {
    Safetensors file = read_safetensors(open_file(path));
    for (NamedTensor& entry : file.tensors) {
      if (const Tensor* other = result.find(entry.name))
        throw Error("checkpoint_invalid", "Tensor " + entry.name + " is in two files: " + other->storage->path() + " and " + path);
      result.set(entry.name, std::move(entry.tensor));
    }
    result.metadata_.merge(file.metadata);
  }
  return result;
}

std::vector<std::string> StateDict::names() const {
  std::vector<std::string> result;
  result.reserve(entries_.size());
  for (const auto& [order, entry] : entries_) result.push_back(entry.name);
  return result;
}

const Tensor* StateDict::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_.at(found->second).tensor;
}

const Tensor& StateDict::at(const std::string& name) const {
  if (const Tensor* tensor = find(name)) return *tensor;
  throw Error("missing_tensor", "The state dict has no tensor named " + name);
}

std::vector<std::vector<std::string>> StateDict::ties() const {
  std::map<std::pair<const Storage*, size_t>, std::vector<std::string>> groups;
  for (const auto& [order, entry] : entries_) {
    const Tensor& tensor = entry.tensor;
    if (tensor.nbytes > 0) groups[{tensor.storage.get(), tensor.offset}].push_back(entry.name);
  }
  std::vector<std::vector<std::string>> result;
  for (auto& [place, names] : groups)
    if (names.size() > 1) result.push_back(std::move(names));
  return result;
}

void StateDict::set(const std::string& name, Tensor tensor) {
  const auto [found, added] = index_.try_emplace(name, next_);
  if (added) entries_.emplace(next_++, NamedTensor{name, std::move(tensor)});
  else entries_.at(found->second).tensor = std::move(tensor);
}

bool StateDict::erase(const std::string& name) {
  const auto found = index_.find(name);
  if (found == index_.end()) return false;
  entries_.erase(found->second);
  index_.erase(found);
  return true;
}

void StateDict::rename(const std::string& from, const std::string& to) {
  at(from);
  if (from == to) return;
  if (has(to)) throw Error("tensor_exists", "Cannot rename tensor " + from + ": there is a tensor named " + to);
  const uint64_t order = index_.at(from);
  index_.erase(from);
  index_.emplace(to, order);
  entries_.at(order).name = to;
}

}  // namespace gt::checkpoint
