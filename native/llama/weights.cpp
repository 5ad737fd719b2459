#include "llama/weights.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>

#include "errors.h"

namespace gt::llama {

namespace {

int64_t product(const std::vector<int64_t>& shape) {
  int64_t n = 1;
  for (const int64_t size : shape) n *= size;
  return n;
}

// What convert() needs of one piece of work: about 1 MiB of float32.
int64_t rows_per_piece(int64_t columns) { return std::max<int64_t>(1, (1 << 18) / columns); }

void convert_piece(const Weight& weight, ggml_type type, int64_t begin, int64_t end, uint8_t* target,
                   std::vector<float>& scratch) {
  const int64_t columns = weight.columns();
  if (type == GGML_TYPE_F32) {
    weight.read(begin, end, reinterpret_cast<float*>(target));
  } else {
    scratch.resize(static_cast<size_t>((end - begin) * columns));
    weight.read(begin, end, scratch.data());
    ggml_quantize_chunk(type, scratch.data(), target, 0, end - begin, columns, nullptr);
  }
}

}  // namespace

Weight::Weight(std::string name, std::vector<Source> sources, Transform transform, int64_t first, int64_t last)
    : name_(std::move(name)), sources_(std::move(sources)), transform_(transform), first_(first) {
  const auto fail = [&](const std::string& why) {
    std::string from;
    for (const Source& source : sources_) from += (from.empty() ? "" : ", ") + source.name + " " + checkpoint::shape_text(source.tensor.shape);
    throw Error("bad_tensor", "cannot make the tensor '" + name_ + "' from " + (from.empty() ? "nothing" : from) + ": " + why);
  };
  if (sources_.empty()) fail("it needs a source");
  for (const Source& source : sources_)
    if (source.tensor.shape.size() > 3 || product(source.tensor.shape) < 1 || product(source.tensor.shape) > (int64_t{1} << 40))
      fail("expected 1 to 3 axes of at least one element");
  shape_ = sources_[0].tensor.shape;
  if (shape_.empty()) shape_ = {1};
  if (transform_ != Transform::concat && transform_ != Transform::stack && sources_.size() != 1) fail("expected one source");

  bool by_rows = true;  // whether the transform moves rows
  switch (transform_) {
    case Transform::none:
    case Transform::add_one: by_rows = false; break;
    case Transform::permute_heads:
      if (first < 1 || shape_[0] % (2 * first) != 0) fail("its rows are not " + std::to_string(first) + " heads of even width");
      break;
    case Transform::concat:
      for (size_t i = 1; i < sources_.size(); i++) {
        const auto& next = sources_[i].tensor.shape;
        if (next.size() != shape_.size() || !std::equal(next.begin() + 1, next.end(), shape_.begin() + 1))
          fail("all axes but the first must agree");
        shape_[0] += next[0];
      }
      break;
    case Transform::stack:
      for (const Source& source : sources_)
        if (source.tensor.shape != sources_[0].tensor.shape || shape_.size() > 2) fail("all must have one shape");
      shape_.insert(shape_.begin(), static_cast<int64_t>(sources_.size()));
      break;
    case Transform::rows:
      if (first < 0 || last <= first || last > shape_[0]) fail("it has no rows " + std::to_string(first) + " to " + std::to_string(last));
      shape_[0] = last - first;
      break;
    case Transform::transpose:
      if (shape_.size() != 2) fail("expected a matrix");
      std::swap(shape_[0], shape_[1]);
      break;
  }
  columns_ = by_rows && shape_.size() == 1 ? 1 : shape_.back();
  rows_ = product(shape_) / columns_;
}

void Weight::read(int64_t begin, int64_t end, float* target) const {
  switch (transform_) {
    case Transform::none: return read_source(sources_[0], begin, end - begin, target);
    case Transform::rows: return read_source(sources_[0], first_ + begin, end - begin, target);
    case Transform::permute_heads: return read_heads(begin, end, target);
    case Transform::concat:
    case Transform::stack: return read_parts(begin, end, target);
    case Transform::transpose: return read_transposed(begin, end, target);
    case Transform::add_one:
      read_source(sources_[0], begin, end - begin, target);
      for (int64_t i = 0; i < (end - begin) * columns_; i++) target[i] += 1.0f;
      return;
  }
}

void Weight::read_source(const Source& source, int64_t row, int64_t count, float* target) const {
  source.tensor.read_f32(static_cast<size_t>(row * columns_), static_cast<size_t>(count * columns_), target);
}

// LlamaModel.permute of llama.cpp's conversion: pair i of a head comes from rows i and i + width / 2.
void Weight::read_heads(int64_t begin, int64_t end, float* target) const {
  const int64_t width = rows_ / first_;
  const int64_t from = begin / width * width, to = (end + width - 1) / width * width;
  std::vector<float> heads(static_cast<size_t>((to - from) * columns_));
  read_source(sources_[0], from, to - from, heads.data());
  for (int64_t row = begin; row < end; row++, target += columns_) {
    const int64_t head = row / width * width - from, i = row % width;
    const int64_t source = head + (i % 2) * (width / 2) + i / 2;
    std::copy_n(heads.data() + source * columns_, columns_, target);
  }
}

void Weight::read_parts(int64_t begin, int64_t end, float* target) const {
  int64_t start = 0;
  for (const Source& part : sources_) {
    const int64_t rows = product(part.tensor.shape) / columns_;
    const int64_t from = std::max(begin, start), to = std::min(end, start + rows);
    if (from < to) read_source(part, from - start, to - from, target + (from - begin) * columns_);
    start += rows;
  }
}

void Weight::read_transposed(int64_t begin, int64_t end, float* target) const {
  std::vector<float> column(static_cast<size_t>(end - begin));
  for (int64_t i = 0; i < columns_; i++) {
    sources_[0].tensor.read_f32(static_cast<size_t>(i * rows_ + begin), column.size(), column.data());
    for (size_t row = 0; row < column.size(); row++) target[static_cast<int64_t>(row) * columns_ + i] = column[row];
  }
}

void describe(const Weight& weight, ggml_type type, ggml_tensor* tensor) {
  std::memset(tensor, 0, sizeof(*tensor));
  tensor->type = type;
  const std::vector<int64_t>& shape = weight.shape();
  for (size_t axis = 0; axis < GGML_MAX_DIMS; axis++)
    tensor->ne[axis] = axis < shape.size() ? shape[shape.size() - 1 - axis] : 1;
  tensor->nb[0] = ggml_type_size(type);
  tensor->nb[1] = ggml_row_size(type, tensor->ne[0]);
  for (size_t axis = 2; axis < GGML_MAX_DIMS; axis++)
    tensor->nb[axis] = tensor->nb[axis - 1] * static_cast<size_t>(tensor->ne[axis - 1]);
  ggml_set_name(tensor, weight.name().c_str());
}

void convert(const Weight& weight, ggml_type type, int64_t begin, int64_t end, uint8_t* target, int threads,
             const std::atomic<bool>& aborted) {
  const size_t row_size = ggml_row_size(type, weight.columns());
  const int64_t piece = rows_per_piece(weight.columns());
  std::atomic<int64_t> next{begin};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto work = [&] {
    try {
      std::vector<float> scratch;
      for (int64_t row; !aborted && (row = next.fetch_add(piece)) < end;)
        convert_piece(weight, type, row, std::min(end, row + piece), target + static_cast<size_t>(row - begin) * row_size, scratch);
    } catch (...) {
      std::lock_guard<std::mutex> lock(mutex);
      failure = std::current_exception();
      next = end;
    }
  };
  std::vector<std::thread> helpers;
  const int64_t pieces = (end - begin + piece - 1) / piece;
  for (int64_t i = 1; i < std::min<int64_t>(threads, pieces); i++) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  if (failure) std::rethrow_exception(failure);
  if (aborted) throw Error("aborted", "loading was cancelled");
}

}  // namespace gt::llama
