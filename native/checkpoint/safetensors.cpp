#include "checkpoint/safetensors.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "checkpoint/json_scanner.h"
#include "errors.h"

namespace gt::checkpoint {

namespace {

constexpr uint64_t largest_dimension = (uint64_t{1} << 53) - 1;  // what a JavaScript number holds
constexpr size_t length_size = 8;

struct Header {
  struct Entry {
    std::string name;
    DType dtype = DType::F32;
    std::vector<int64_t> shape;
    std::array<uint64_t, 2> offsets{};  // from the end of the header
  };
  std::vector<Entry> entries;
  std::optional<Metadata> metadata;
};

void scan_shape(JsonScanner& json, std::vector<int64_t>& shape) {
  json.array([&] {
    const uint64_t size = json.natural();
    if (size > largest_dimension) json.fail("a size below 2^53");
    shape.push_back(static_cast<int64_t>(size));
  });
}

void scan_offsets(JsonScanner& json, std::array<uint64_t, 2>& offsets) {
  size_t n = 0;
  json.array([&] {
    if (n == 2) json.fail("two offsets");
    offsets[n++] = json.natural();
  });
  if (n != 2) json.fail("two offsets");
}

Header::Entry scan_entry(JsonScanner& json, std::string name) {
  Header::Entry entry;
  entry.name = std::move(name);
  bool dtype = false, shape = false, offsets = false;
  const auto once = [&](bool& seen, const std::string& key) {
    if (seen) json.fail("one " + key + " for tensor " + entry.name);
    seen = true;
  };
  json.object([&](const std::string& key) {
    if (key == "dtype") {
      once(dtype, key);
      const std::string text = json.string();
      const auto type = dtype_from_name(text);
      if (!type) json.fail("a known dtype for tensor " + entry.name + " instead of " + text);
      entry.dtype = *type;
    } else if (key == "shape") {
      once(shape, key);
      scan_shape(json, entry.shape);
    } else if (key == "data_offsets") {
      once(offsets, key);
      scan_offsets(json, entry.offsets);
    } else {
      json.skip();
    }
  });
  if (!dtype || !shape || !offsets) json.fail("dtype, shape and data_offsets for tensor " + entry.name);
  return entry;
}

Metadata scan_metadata(JsonScanner& json) {
  Metadata metadata;
  json.object([&](std::string key) {
    std::string value = json.string();
    if (!metadata.emplace(key, std::move(value)).second) json.fail("one value for metadata " + key);
  });
  return metadata;
}

Header scan_header(std::string_view text) {
  JsonScanner json(text);
  Header header;
  std::unordered_set<std::string> seen;
  json.object([&](std::string name) {
    if (!seen.insert(name).second) json.fail("one entry named " + name);
    if (name != "__metadata__") header.entries.push_back(scan_entry(json, std::move(name)));
    else if (!json.null()) header.metadata = scan_metadata(json);
  });
  json.end();
  return header;
}

uint64_t little_endian(const uint8_t (&bytes)[length_size]) {
  uint64_t value = 0;
  for (size_t i = length_size; i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

std::string read_header_text(const Storage& file) {
  const auto text = [](uint64_t n) { return std::to_string(n); };
  if (file.size() < length_size) throw JsonError("the file has only " + text(file.size()) + " bytes");
  uint8_t bytes[length_size];
  file.read(0, length_size, bytes);
  if (std::equal(std::begin(bytes), std::end(bytes), "version "))
    throw JsonError("it is a pointer of Git LFS; run `git lfs install` and `git lfs pull` in the folder that you cloned");
  const uint64_t length = little_endian(bytes);
  if (length > max_header_size)
    throw JsonError("its header of " + text(length) + " bytes is larger than the limit of " + text(max_header_size));
  if (length > file.size() - length_size)
    throw JsonError("its header of " + text(length) + " bytes is longer than the file of " + text(file.size()));
  std::string header(static_cast<size_t>(length), '\0');
  file.read(length_size, header.size(), header.data());
  if (!is_utf8(header)) throw JsonError("its header is not UTF-8");
  return header;
}

// The tensors must fill the bytes after the header, one after another, without holes or rest.
void check_layout(const std::vector<Header::Entry>& entries, uint64_t n_bytes) {
  uint64_t start = 0;
  for (const Header::Entry& entry : entries) {
    const auto [begin, end] = entry.offsets;
    const std::string range = "[" + std::to_string(begin) + ", " + std::to_string(end) + "]";
    if (begin != start || end < begin)
      throw JsonError("the data_offsets " + range + " of tensor " + entry.name + " do not continue at " + std::to_string(start));
    const auto length = byte_length(entry.dtype, entry.shape);
    if (!length || *length != end - begin)
      throw JsonError("the data_offsets " + range + " of tensor " + entry.name + " do not fit " + dtype_name(entry.dtype) + " and shape " +
                      shape_text(entry.shape));
    start = end;
  }
  if (start != n_bytes)
    throw JsonError("its tensors take " + std::to_string(start) + " bytes, but " + std::to_string(n_bytes) + " follow the header");
}

// modeling_utils.py `load_state_dict`
void check_format(const std::optional<Metadata>& metadata, const std::string& path) {
  if (!metadata) return;
  const auto format = metadata->find("format");
  for (const char* known : {"pt", "tf", "flax", "mlx"})
    if (format != metadata->end() && format->second == known) return;
  throw Error("checkpoint_invalid", "The safetensors archive passed at " + path +
                                        " does not contain the valid metadata. Make sure you save your model with the `save_pretrained` method.");
}

}  // namespace

Safetensors read_safetensors(std::shared_ptr<const Storage> file) {
  Header header;
  size_t data_begin = 0;
  try {
    const std::string text = read_header_text(*file);
    data_begin = length_size + text.size();
    header = scan_header(text);
    std::stable_sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) { return a.offsets < b.offsets; });
    check_layout(header.entries, file->size() - data_begin);
  } catch (const JsonError& error) {
    throw Error("checkpoint_invalid", file->path() + " is not a valid safetensors file: " + error.what());
  }
  check_format(header.metadata, file->path());
  Safetensors result;
  result.tensors.reserve(header.entries.size());
  for (Header::Entry& entry : header.entries) {
    const auto [begin, end] = entry.offsets;
    result.tensors.push_back({std::move(entry.name), Tensor{entry.dtype, std::move(entry.shape), file, data_begin + begin, end - begin}});
  }
  if (header.metadata) result.metadata = std::move(*header.metadata);
  return result;
}

}  // namespace gt::checkpoint
