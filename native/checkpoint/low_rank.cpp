#include "checkpoint/low_rank.h"

#include <algorithm>
#include <system_error>
#include <thread>

#include "errors.h"

namespace gt::checkpoint {

namespace {

// Products that one more thread is worth.
constexpr size_t products_for_a_thread = size_t{1} << 22;
constexpr size_t most_threads = 16;

std::vector<float> values_of(const Tensor& tensor) {
  std::vector<float> values(tensor.n_elements());
  tensor.read_f32(0, values.size(), values.data());
  return values;
}

// [rows, columns] as [columns, rows].
std::vector<float> transpose(const std::vector<float>& matrix, size_t rows, size_t columns) {
  std::vector<float> result(matrix.size());
  for (size_t row = 0; row < rows; row++)
    for (size_t column = 0; column < columns; column++) result[column * rows + row] = matrix[row * columns + column];
  return result;
}

}  // namespace

Tensor add_low_rank(const Tensor& weight, const Tensor& a, const Tensor& b, float scale, bool transposed) {
  const bool matrices = weight.shape.size() == 2 && a.shape.size() == 2 && b.shape.size() == 2;
  const size_t outer = transposed ? 1 : 0;  // the weight's axis of outputs
  if (!matrices || a.shape[0] != b.shape[1] || b.shape[0] != weight.shape[outer] || a.shape[1] != weight.shape[1 - outer])
    throw RangeError("Expected matrices [rank, inputs] and [outputs, rank] for a weight " + shape_text(weight.shape) + " but received " +
                     shape_text(a.shape) + " and " + shape_text(b.shape));
  const auto rank = static_cast<size_t>(a.shape[0]), rows = static_cast<size_t>(weight.shape[0]), columns = static_cast<size_t>(weight.shape[1]);
  std::vector<float> sum = values_of(weight);
  // Row r of the weight gets left[k, r] times row k of `right`, for each k.
  std::vector<float> left = values_of(a), right = transpose(values_of(b), static_cast<size_t>(b.shape[0]), rank);
  if (!transposed) left.swap(right);

  const auto add = [&](size_t begin, size_t end) {
    for (size_t row = begin; row < end; row++) {
      float* target = sum.data() + row * columns;
      for (size_t k = 0; k < rank; k++) {
        const float factor = scale * left[k * rows + row];
        const float* values = right.data() + k * columns;
        for (size_t column = 0; column < columns; column++) target[column] += factor * values[column];
      }
    }
  };
  const size_t wanted = 1 + rows * columns * rank / products_for_a_thread;
  const size_t threads = std::min({wanted, most_threads, std::max<size_t>(1, std::thread::hardware_concurrency())});
  const size_t share = (rows + threads - 1) / threads;
  std::vector<std::thread> others;
  try {
    for (size_t begin = share; begin < rows; begin += share) others.emplace_back(add, begin, std::min(rows, begin + share));
  } catch (const std::system_error&) {  // the system gives no more threads
    for (size_t begin = share * (others.size() + 1); begin < rows; begin += share) add(begin, std::min(rows, begin + share));
  }
  add(0, std::min(rows, share));
  for (std::thread& thread : others) thread.join();

  const auto* bytes = reinterpret_cast<const uint8_t*>(sum.data());
  const size_t count = sum.size() * sizeof(float);
  return Tensor{DType::F32, weight.shape, own_memory(std::vector<uint8_t>(bytes, bytes + count)), 0, count};
}

}  // namespace gt::checkpoint
