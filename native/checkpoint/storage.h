// The bytes that tensors are views of: an open file, or memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gt::checkpoint {

// Immutable, and safe to read from any thread.
class Storage {
 public:
  virtual ~Storage() = default;

  virtual size_t size() const = 0;
  // The file's path; empty for memory.
  virtual const std::string& path() const = 0;
  // Copies bytes [offset, offset + count). Throws Error: "checkpoint_changed" when the file became shorter after it was
  // opened, "io_error" for the system's own.
  virtual void read(size_t offset, size_t count, void* target) const = 0;
  // All bytes, without a copy; a file is mapped at the first call. Touching the mapping of a file that became shorter
  // ends the process (SIGBUS): prefer read() wherever a copy does.
  virtual const uint8_t* data() const = 0;
};

// Holds the file open: a file that replaces it by its name does not matter. Throws Error("file_not_found"), or
// Error("io_error") for what cannot be opened or is no regular file.
std::shared_ptr<const Storage> open_file(const std::string& path);

std::shared_ptr<const Storage> own_memory(std::vector<uint8_t> bytes);

}  // namespace gt::checkpoint
