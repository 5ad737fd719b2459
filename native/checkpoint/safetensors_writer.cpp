#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#ifdef _WIN32
#include <process.h>
#else
#include <unistd.h>
#endif

#include "checkpoint/safetensors.h"
#include "errors.h"

namespace gt::checkpoint {

namespace {

constexpr size_t chunk_size = size_t{1} << 20;

// A file beside `path` that takes its place on commit(), and is gone otherwise.
class Replacement {
 public:
  explicit Replacement(const std::string& path) : path_(std::filesystem::u8path(path)) {
    static std::atomic<unsigned> counter{0};
#ifdef _WIN32
    const int process = _getpid();
#else
    const int process = getpid();
#endif
    temporary_ = path_;
    temporary_ += "." + std::to_string(process) + "." + std::to_string(counter++) + ".tmp";
#ifdef _WIN32
    file_ = _wfopen(temporary_.c_str(), L"wb");
#else
    file_ = std::fopen(temporary_.c_str(), "wb");
#endif
    if (!file_) fail(errno);
  }

  ~Replacement() {
    if (file_) std::fclose(file_);
    std::error_code ignored;
    if (!committed_) std::filesystem::remove(temporary_, ignored);
  }

  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  void write(const void* bytes, size_t count) {
    if (std::fwrite(bytes, 1, count, file_) != count) fail(errno);
  }

  void commit() {
    const int closed = std::fclose(file_);
    file_ = nullptr;
    if (closed != 0) fail(errno);
    std::error_code error;
    std::filesystem::rename(temporary_, path_, error);
    if (error) fail(error.value());
    committed_ = true;
  }

 private:
  [[noreturn]] void fail(int code) const {
    throw Error("io_error", "Cannot write " + path_.u8string() + ": " + std::system_category().message(code));
  }

  std::filesystem::path path_, temporary_;
  std::FILE* file_ = nullptr;
  bool committed_ = false;
};

// As serde_json writes strings.
std::string quoted(const std::string& text) {
  static constexpr char hex[] = "0123456789abcdef";
  std::string result = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': result += "\\\""; break;
      case '\\': result += "\\\\"; break;
      case '\b': result += "\\b"; break;
      case '\f': result += "\\f"; break;
      case '\n': result += "\\n"; break;
      case '\r': result += "\\r"; break;
      case '\t': result += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          result += "\\u00";
          result += hex[c >> 4];
          result += hex[c & 15];
        } else {
          result += c;
        }
    }
  }
  return result + "\"";
}

// What is written of one tensor: itself, or cast.
struct Output {
  const Tensor& tensor;
  DType dtype;

  size_t nbytes() const { return dtype == tensor.dtype ? tensor.nbytes : tensor.n_elements() * (dtype_bits(dtype) / 8); }

  void write(Replacement& file) const {
    std::vector<uint8_t> chunk(std::min(chunk_size, nbytes()));
    if (dtype == tensor.dtype) {
      for (size_t done = 0; done < tensor.nbytes;) {
        const size_t n = std::min(chunk.size(), tensor.nbytes - done);
        tensor.read(done, n, chunk.data());
        file.write(chunk.data(), n);
        done += n;
      }
      return;
    }
    const size_t size = dtype_bits(dtype) / 8, count = tensor.n_elements();
    std::vector<float> values(chunk.size() / size);
    for (size_t done = 0; done < count;) {
      const size_t n = std::min(values.size(), count - done);
      tensor.read_f32(done, n, values.data());
      from_f32(dtype, values.data(), chunk.data(), n);
      file.write(chunk.data(), n * size);
      done += n;
    }
  }
};

std::string header_text(const std::vector<NamedTensor>& tensors, const std::vector<Output>& outputs, const Metadata& metadata) {
  std::string text = "{";
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) text += quoted(key) + ":" + quoted(value) + ",";
    text.back() = '}';
    text += ',';
  }
  size_t offset = 0;
  for (size_t i = 0; i < tensors.size(); i++) {
    text += quoted(tensors[i].name) + ":{\"dtype\":\"" + dtype_name(outputs[i].dtype) + "\",\"shape\":[";
    for (size_t k = 0; k < outputs[i].tensor.shape.size(); k++) text += (k ? "," : "") + std::to_string(outputs[i].tensor.shape[k]);
    text += "],\"data_offsets\":[" + std::to_string(offset) + ",";
    offset += outputs[i].nbytes();
    text += std::to_string(offset) + "]},";
  }
  if (text.back() == ',') text.back() = '}';
  else text += '}';
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the tensors begin aligned
  return text;
}

}  // namespace

// safetensors/src/tensor.rs `prepare`, `serialize_to_file`
void save_safetensors(const std::string& path, std::vector<NamedTensor> tensors, const Metadata& metadata, std::optional<DType> dtype) {
  const auto written_as = [&](const Tensor& tensor) { return dtype && is_floating(tensor.dtype) ? *dtype : tensor.dtype; };
  std::sort(tensors.begin(), tensors.end(), [&](const NamedTensor& a, const NamedTensor& b) {
    const DType left = written_as(a.tensor), right = written_as(b.tensor);
    return left != right ? left > right : a.name < b.name;
  });
  std::vector<Output> outputs;
  outputs.reserve(tensors.size());
  for (const NamedTensor& entry : tensors) outputs.push_back({entry.tensor, written_as(entry.tensor)});

  const std::string header = header_text(tensors, outputs, metadata);
  if (header.size() > max_header_size)
    throw Error("checkpoint_invalid", "Cannot write " + path + ": its header would be longer than safetensors allows");
  Replacement file(path);
  uint8_t length[8];
  for (int i = 0; i < 8; i++) length[i] = static_cast<uint8_t>(static_cast<uint64_t>(header.size()) >> (8 * i));
  file.write(length, sizeof(length));
  file.write(header.data(), header.size());
  for (const Output& output : outputs) output.write(file);
  file.commit();
}

}  // namespace gt::checkpoint
