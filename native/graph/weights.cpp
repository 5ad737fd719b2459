#include "graph/weights.h"

#include <algorithm>
#include <cstring>

#include "errors.h"

namespace gt::graph {

namespace {

constexpr uintptr_t alignment = 64;
constexpr int64_t chunk_elements = 1 << 22;  // converted at a time

ggml_type fallback(ggml_type type, int64_t row) {
  if (row % ggml_blck_size(type) == 0) return type;
  return row % ggml_blck_size(GGML_TYPE_Q8_0) == 0 ? GGML_TYPE_Q8_0 : GGML_TYPE_F16;
}

void convert_rows(const float* from, ggml_type type, int64_t rows, int64_t row, uint8_t* to) {
  const auto count = static_cast<size_t>(rows * row);
  switch (type) {
    case GGML_TYPE_F32: std::memcpy(to, from, count * sizeof(float)); break;
    case GGML_TYPE_F16: ggml_fp32_to_fp16_row(from, reinterpret_cast<ggml_fp16_t*>(to), rows * row); break;
    case GGML_TYPE_BF16: ggml_fp32_to_bf16_row(from, reinterpret_cast<ggml_bf16_t*>(to), rows * row); break;
    default: ggml_quantize_chunk(type, from, to, 0, rows, row, nullptr);
  }
}

// All values as `type`, which has no blocks.
std::unique_ptr<uint8_t[]> read(const checkpoint::Tensor& source, ggml_type type) {
  const size_t size = ggml_type_size(type), count = source.n_elements();
  std::unique_ptr<uint8_t[]> values(new uint8_t[count * size]);
  if (type == GGML_TYPE_BF16 && source.dtype == checkpoint::DType::BF16) {
    source.read(0, source.nbytes, values.get());
  } else if (type == GGML_TYPE_F32) {
    source.read_f32(0, count, reinterpret_cast<float*>(values.get()));
  } else {
    std::vector<float> floats;
    for (size_t at = 0; at < count; at += chunk_elements) {
      floats.resize(std::min<size_t>(chunk_elements, count - at));
      source.read_f32(at, floats.size(), floats.data());
      convert_rows(floats.data(), type, 1, static_cast<int64_t>(floats.size()), values.get() + at * size);
    }
  }
  return values;
}

std::vector<float> read_transposed(const checkpoint::Tensor& source) {
  const int64_t rows = source.shape[0], columns = source.shape[1];
  std::vector<float> from(source.n_elements()), to(from.size());
  source.read_f32(0, from.size(), from.data());
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) to[static_cast<size_t>(j * rows + i)] = from[static_cast<size_t>(i * columns + j)];
  return to;
}

}  // namespace

ggml_type matrix_type_of(const std::string& dtype) {
  static const std::map<std::string, ggml_type> types = {
      {"f32", GGML_TYPE_F32},     {"f16", GGML_TYPE_F16},     {"bf16", GGML_TYPE_BF16},     {"q8_0", GGML_TYPE_Q8_0},
      {"q6_k", GGML_TYPE_Q6_K},   {"q5_0", GGML_TYPE_Q5_0},   {"q5_1", GGML_TYPE_Q5_1},     {"q5_k_m", GGML_TYPE_Q5_K},
      {"q5_k_s", GGML_TYPE_Q5_K}, {"q4_0", GGML_TYPE_Q4_0},   {"q4_1", GGML_TYPE_Q4_1},     {"q4_k_m", GGML_TYPE_Q4_K},
      {"q4_k_s", GGML_TYPE_Q4_K}, {"iq4_nl", GGML_TYPE_IQ4_NL}, {"iq4_xs", GGML_TYPE_IQ4_XS}, {"q3_k_l", GGML_TYPE_Q3_K},
      {"q3_k_m", GGML_TYPE_Q3_K}, {"q3_k_s", GGML_TYPE_Q3_K}, {"q2_k", GGML_TYPE_Q2_K},
  };
  const auto found = types.find(dtype);
  if (found == types.end()) throw TypeError("Expected the name of a type of weights for dtype but received '" + dtype + "'");
  return found->second;
}

Weights::Weights(std::shared_ptr<const checkpoint::StateDict> state, ggml_type matrix_type, Backend& backend)
    : state_(std::move(state)), matrix_type_(matrix_type), backend_(backend), constants_(backend) {}

Weights::~Weights() {
  linears_.clear();
  for (ggml_context* context : contexts_) ggml_free(context);
  for (ggml_backend_buffer_t buffer : buffers_) ggml_backend_buffer_free(buffer);
}

ggml_type Weights::type_of(const std::string& name, bool transposed, bool is_table) const {
  const checkpoint::Tensor& tensor = source(name);
  if (tensor.shape.size() != 2 || matrix_type_ == GGML_TYPE_F32) return GGML_TYPE_F32;
  // A table is looked up, not multiplied: fewer bits would save little and cost much.
  const ggml_type wanted = is_table && ggml_is_quantized(matrix_type_) ? GGML_TYPE_Q8_0 : matrix_type_;
  return fallback(wanted, tensor.shape[transposed ? 0 : 1]);
}

ggml_tensor* Weights::matrix(const std::string& name, bool transposed) {
  return get(name, type_of(name, transposed, false), transposed);
}

ggml_tensor* Weights::table(const std::string& name) { return get(name, type_of(name, false, true), false); }

const cpu::Linear* Weights::linear(const std::string& name, bool transposed) {
  const ggml_type type = type_of(name, transposed, false);
  if (!backend_.is_cpu() || (type != GGML_TYPE_F32 && type != GGML_TYPE_BF16)) return nullptr;
  const checkpoint::Tensor& from = source(name);
  std::unique_ptr<cpu::Linear>& linear = linears_[Key{from.storage.get(), from.offset, type, transposed}];
  if (linear) return linear.get();
  const cpu::WeightType weight_type = type == GGML_TYPE_F32 ? cpu::WeightType::f32 : cpu::WeightType::bf16;
  const int64_t out = from.shape[transposed ? 1 : 0], in = from.shape[transposed ? 0 : 1];
  // What the kernels keep a copy of is read, not mapped: no memory is taken twice.
  const bool copied = cpu::lays_out(weight_type, out, in);
  const std::unique_ptr<uint8_t[]> values = copied ? read(from, type) : nullptr;
  const void* weight = copied ? values.get() : get(name, type, false)->data;
  linear = std::make_unique<cpu::Linear>(weight, weight_type, out, in, transposed, backend_.n_threads());
  memory_ += linear->memory();
  return linear.get();
}

ggml_tensor* Weights::get(const std::string& name, ggml_type type, bool transposed) {
  const checkpoint::Tensor& from = source(name);
  ggml_tensor*& tensor = tensors_[Key{from.storage.get(), from.offset, type, transposed}];
  if (!tensor) {
    const bool as_it_is = backend_.is_cpu() && type == GGML_TYPE_F32 && from.dtype == checkpoint::DType::F32 && !transposed;
    tensor = as_it_is ? map(from) : convert(from, type, transposed);
    ggml_set_name(tensor, name.c_str());
  }
  return tensor;
}

ggml_tensor* Weights::new_tensor(const std::vector<int64_t>& shape, ggml_type type) {
  if (shape.size() > 4) throw Error("unsupported", "tensors of " + std::to_string(shape.size()) + " axes are not supported");
  contexts_.push_back(ggml_init({ggml_tensor_overhead(), nullptr, true}));
  int64_t sizes[4] = {1, 1, 1, 1};
  for (size_t i = 0; i < shape.size(); i++) sizes[i] = shape[shape.size() - 1 - i];
  return ggml_new_tensor(contexts_.back(), type, 4, sizes);
}

// ggml wants buffers to begin at aligned addresses; nothing before the storage is read.
ggml_tensor* Weights::map(const checkpoint::Tensor& source) {
  const checkpoint::Storage* storage = source.storage.get();
  ggml_backend_buffer_t& buffer = mapped_[storage];
  if (!buffer) {
    const auto address = reinterpret_cast<uintptr_t>(storage->data());
    const uintptr_t start = address / alignment * alignment;
    buffer = ggml_backend_cpu_buffer_from_ptr(reinterpret_cast<void*>(start), storage->size() + (address - start));
    ggml_backend_buffer_set_usage(buffer, GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
    buffers_.push_back(buffer);
  }
  ggml_tensor* tensor = new_tensor(source.shape, GGML_TYPE_F32);
  ggml_backend_tensor_alloc(buffer, tensor, const_cast<uint8_t*>(source.data()));
  return tensor;
}

ggml_tensor* Weights::convert(const checkpoint::Tensor& source, ggml_type type, bool transposed) {
  std::vector<int64_t> shape = source.shape;
  if (transposed) std::swap(shape[0], shape[1]);
  ggml_tensor* tensor = new_tensor(shape, type);
  const size_t size = ggml_backend_buft_get_alloc_size(backend_.buffer_type(), tensor);
  ggml_backend_buffer_t buffer = ggml_backend_buft_alloc_buffer(backend_.buffer_type(), size);
  if (!buffer) throw Error("out_of_memory", "no memory for weights of " + std::to_string(size) + " bytes");
  ggml_backend_buffer_set_usage(buffer, GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
  buffers_.push_back(buffer);
  memory_ += size;
  ggml_backend_tensor_alloc(buffer, tensor, ggml_backend_buffer_get_base(buffer));

  const std::vector<float> turned = transposed ? read_transposed(source) : std::vector<float>();
  const int64_t row = tensor->ne[0], rows = ggml_nrows(tensor);
  const int64_t step = std::max<int64_t>(1, chunk_elements / row);
  std::vector<float> floats;
  std::vector<uint8_t> bytes;
  for (int64_t at = 0; at < rows; at += step) {
    const int64_t count = std::min(step, rows - at);
    const float* from = turned.data() + at * row;
    if (!transposed) {
      floats.resize(static_cast<size_t>(count * row));
      source.read_f32(static_cast<size_t>(at * row), floats.size(), floats.data());
      from = floats.data();
    }
    bytes.resize(static_cast<size_t>(count) * ggml_row_size(type, row));
    convert_rows(from, type, count, row, bytes.data());
    ggml_backend_tensor_set(tensor, bytes.data(), static_cast<size_t>(at) * ggml_row_size(type, row), bytes.size());
  }
  return tensor;
}

}  // namespace gt::graph
