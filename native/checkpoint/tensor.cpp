#include "checkpoint/tensor.h"

#include <algorithm>

#include "errors.h"

namespace gt::checkpoint {

namespace {

constexpr size_t chunk_elements = 32 * 1024;

void check_range(size_t begin, size_t count, size_t size, const char* unit) {
  if (begin > size || count > size - begin)
    throw RangeError("expected a range within " + std::to_string(size) + " " + unit + " but received " + std::to_string(begin) +
                     " to " + std::to_string(begin + count));
}

}  // namespace

size_t Tensor::n_elements() const { return nbytes * 8 / dtype_bits(dtype); }

void Tensor::read(size_t begin, size_t count, void* target) const {
  check_range(begin, count, nbytes, "bytes");
  storage->read(offset + begin, count, target);
}

void Tensor::read_f32(size_t begin, size_t count, float* target) const {
  check_range(begin, count, n_elements(), "elements");
  const size_t bits = dtype_bits(dtype);
  if (dtype == DType::F32) return storage->read(offset + begin * 4, count * 4, target);
  if (bits < 8) to_f32(dtype, nullptr, nullptr, 0);  // throws
  const size_t size = bits / 8;
  std::vector<uint8_t> chunk(std::min(count, chunk_elements) * size);
  for (size_t done = 0; done < count;) {
    const size_t n = std::min(count - done, chunk_elements);
    storage->read(offset + (begin + done) * size, n * size, chunk.data());
    to_f32(dtype, chunk.data(), target + done, n);
    done += n;
  }
}

bool Tensor::shares_storage(const Tensor& other) const {
  return nbytes > 0 && storage == other.storage && offset == other.offset && nbytes == other.nbytes;
}

// Axes without elements count as one for the overflow: torch's strides, too, must not overflow.
std::optional<size_t> byte_length(DType dtype, const std::vector<int64_t>& shape) {
  size_t bits = dtype_bits(dtype);
  bool empty = false;
  for (const int64_t size : shape) {
    if (size < 0) return std::nullopt;
    if (size == 0) empty = true;
    else if (bits > SIZE_MAX / static_cast<size_t>(size)) return std::nullopt;
    else bits *= static_cast<size_t>(size);
  }
  if (empty) return 0;
  if (bits % 8 != 0) return std::nullopt;
  return bits / 8;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); i++) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

}  // namespace gt::checkpoint
