#include "checkpoint/storage.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <system_error>

#include "errors.h"

#ifdef _WIN32
#define NOMINMAX
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace gt::checkpoint {

namespace {

[[noreturn]] void fail(const std::string& path, const char* action, int code) {
  throw Error("io_error", "Cannot " + std::string(action) + " " + path + ": " + std::system_category().message(code));
}

class Memory final : public Storage {
 public:
  explicit Memory(std::vector<uint8_t> bytes) : bytes_(std::move(bytes)) {}

  size_t size() const override { return bytes_.size(); }
  const std::string& path() const override {
    static const std::string none;
    return none;
  }
  void read(size_t offset, size_t count, void* target) const override {
    if (count > 0) std::memcpy(target, bytes_.data() + offset, count);
  }
  const uint8_t* data() const override { return bytes_.data(); }

 private:
  std::vector<uint8_t> bytes_;
};

// What both systems share; each adds the constructor, read_some and map.
class File final : public Storage {
 public:
  explicit File(const std::string& path);
  ~File() override;

  size_t size() const override { return size_; }
  const std::string& path() const override { return path_; }

  void read(size_t offset, size_t count, void* target) const override {
    char* to = static_cast<char*>(target);
    while (count > 0) {
      const size_t n = read_some(offset, count, to);
      if (n == 0) throw Error("checkpoint_changed", path_ + " became shorter after it was opened");
      offset += n;
      count -= n;
      to += n;
    }
  }

  const uint8_t* data() const override {
    std::call_once(mapped_, [this] {
      if (size_ > 0) mapping_ = map();
    });
    return mapping_;
  }

 private:
  size_t read_some(size_t offset, size_t count, char* target) const;
  const uint8_t* map() const;

  std::string path_;
  size_t size_ = 0;
  mutable std::once_flag mapped_;
  mutable const uint8_t* mapping_ = nullptr;
#ifdef _WIN32
  HANDLE handle_ = INVALID_HANDLE_VALUE;
#else
  int descriptor_ = -1;
#endif
};

constexpr size_t largest_read = size_t{1} << 30;  // systems refuse, or cut, reads of 2 GB and more

#ifdef _WIN32

File::File(const std::string& path) : path_(path) {
  const auto wide = std::filesystem::u8path(path);
  handle_ = CreateFileW(wide.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                        OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle_ == INVALID_HANDLE_VALUE) {
    const DWORD code = GetLastError();
    if (code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND) throw Error("file_not_found", "No such file: " + path);
    fail(path, "open", static_cast<int>(code));
  }
  LARGE_INTEGER size;
  if (GetFileType(handle_) != FILE_TYPE_DISK || !GetFileSizeEx(handle_, &size)) {
    CloseHandle(handle_);
    throw Error("io_error", path + " is not a regular file");
  }
  size_ = static_cast<size_t>(size.QuadPart);
}

File::~File() {
  if (mapping_) UnmapViewOfFile(mapping_);
  CloseHandle(handle_);
}

size_t File::read_some(size_t offset, size_t count, char* target) const {
  OVERLAPPED at = {};
  at.Offset = static_cast<DWORD>(offset);
  at.OffsetHigh = static_cast<DWORD>(static_cast<uint64_t>(offset) >> 32);
  DWORD n = 0;
  if (!ReadFile(handle_, target, static_cast<DWORD>(std::min(count, largest_read)), &n, &at)) {
    const DWORD code = GetLastError();
    if (code != ERROR_HANDLE_EOF) fail(path_, "read", static_cast<int>(code));
  }
  return n;
}

const uint8_t* File::map() const {
  HANDLE mapping = CreateFileMappingW(handle_, nullptr, PAGE_READONLY, 0, 0, nullptr);
  if (!mapping) fail(path_, "map", static_cast<int>(GetLastError()));
  void* view = MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0);
  const DWORD code = GetLastError();
  CloseHandle(mapping);
  if (!view) fail(path_, "map", static_cast<int>(code));
  return static_cast<const uint8_t*>(view);
}

#else

File::File(const std::string& path) : path_(path) {
  descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not wait for its writer
  if (descriptor_ < 0) {
    if (errno == ENOENT || errno == ENOTDIR) throw Error("file_not_found", "No such file: " + path);
    fail(path, "open", errno);
  }
  struct stat status;
  if (fstat(descriptor_, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor_);
    throw Error("io_error", path + " is not a regular file");
  }
  size_ = static_cast<size_t>(status.st_size);
}

File::~File() {
  if (mapping_) munmap(const_cast<uint8_t*>(mapping_), size_);
  close(descriptor_);
}

size_t File::read_some(size_t offset, size_t count, char* target) const {
  for (;;) {
    const ssize_t n = pread(descriptor_, target, std::min(count, largest_read), static_cast<off_t>(offset));
    if (n >= 0) return static_cast<size_t>(n);
    if (errno != EINTR) fail(path_, "read", errno);
  }
}

const uint8_t* File::map() const {
  void* view = mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor_, 0);
  if (view == MAP_FAILED) fail(path_, "map", errno);
  return static_cast<const uint8_t*>(view);
}

#endif

}  // namespace

std::shared_ptr<const Storage> open_file(const std::string& path) { return std::make_shared<File>(path); }

std::shared_ptr<const Storage> own_memory(std::vector<uint8_t> bytes) { return std::make_shared<Memory>(std::move(bytes)); }

}  // namespace gt::checkpoint
