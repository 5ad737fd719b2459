#include "checkpoint/dtype.h"

#include <ggml.h>

#include <cstring>
#include <iterator>
#include <string>

#include "errors.h"

namespace gt::checkpoint {

namespace {

struct Entry {
  const char* name;
  size_t bits;
};

// https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs `enum Dtype`; indexed by DType
constexpr Entry table[] = {
    {"BOOL", 8},        {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6}, {"U8", 8},   {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8},
    {"F8_E8M0", 8},     {"F8_E4M3FNUZ", 8},          {"F8_E5M2FNUZ", 8},          {"I16", 16}, {"U16", 16},    {"F16", 16},
    {"BF16", 16},       {"I32", 32}, {"U32", 32},    {"F32", 32},    {"C64", 64}, {"F64", 64}, {"I64", 64},    {"U64", 64},
};
static_assert(std::size(table) == static_cast<size_t>(DType::U64) + 1);

template <class T>
void widen(const void* source, float* target, size_t count) {
  const char* bytes = static_cast<const char*>(source);  // tensors in a file may be unaligned
  for (size_t i = 0; i < count; i++) {
    T value;
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    target[i] = static_cast<float>(value);
  }
}

}  // namespace

const char* dtype_name(DType type) { return table[static_cast<size_t>(type)].name; }

std::optional<DType> dtype_from_name(std::string_view name) {
  for (size_t i = 0; i < std::size(table); i++)
    if (name == table[i].name) return static_cast<DType>(i);
  return std::nullopt;
}

size_t dtype_bits(DType type) { return table[static_cast<size_t>(type)].bits; }

bool is_floating(DType type) {
  return type == DType::F32 || type == DType::F16 || type == DType::BF16 || type == DType::F64;
}

void to_f32(DType type, const void* source, float* target, size_t count) {
  switch (type) {
    case DType::F32: std::memcpy(target, source, count * sizeof(float)); return;
    case DType::F16: ggml_fp16_to_fp32_row(static_cast<const ggml_fp16_t*>(source), target, static_cast<int64_t>(count)); return;
    case DType::BF16: ggml_bf16_to_fp32_row(static_cast<const ggml_bf16_t*>(source), target, static_cast<int64_t>(count)); return;
    case DType::F64: return widen<double>(source, target, count);
    case DType::BOOL:
    case DType::U8: return widen<uint8_t>(source, target, count);
    case DType::I8: return widen<int8_t>(source, target, count);
    case DType::I16: return widen<int16_t>(source, target, count);
    case DType::U16: return widen<uint16_t>(source, target, count);
    case DType::I32: return widen<int32_t>(source, target, count);
    case DType::U32: return widen<uint32_t>(source, target, count);
    case DType::I64: return widen<int64_t>(source, target, count);
    case DType::U64: return widen<uint64_t>(source, target, count);
    default: throw TypeError(std::string("cannot convert a tensor of dtype ") + dtype_name(type) + " to float32");
  }
}

void from_f32(DType type, const float* source, void* target, size_t count) {
  switch (type) {
    case DType::F32: std::memcpy(target, source, count * sizeof(float)); return;
    case DType::F16: ggml_fp32_to_fp16_row(source, static_cast<ggml_fp16_t*>(target), static_cast<int64_t>(count)); return;
    case DType::BF16: ggml_fp32_to_bf16_row(source, static_cast<ggml_bf16_t*>(target), static_cast<int64_t>(count)); return;
    default: throw TypeError(std::string("cannot convert float32 to dtype ") + dtype_name(type));
  }
}

}  // namespace gt::checkpoint
