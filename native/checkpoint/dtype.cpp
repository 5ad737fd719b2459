#include "checkpoint/dtype.h"

#include <ggml.h>

#include <cstring>
#include <string>

#include "errors.h"

namespace gt::checkpoint {

namespace {

struct Entry {
  DType type;
  const char* name;
  size_t bits;
};

// safetensors/src/tensor.rs, enum Dtype
constexpr Entry table[] = {
    {DType::BOOL, "BOOL", 8},       {DType::U8, "U8", 8},           {DType::I8, "I8", 8},   {DType::F8_E5M2, "F8_E5M2", 8},
    {DType::F8_E4M3, "F8_E4M3", 8}, {DType::I16, "I16", 16},        {DType::U16, "U16", 16}, {DType::F16, "F16", 16},
    {DType::BF16, "BF16", 16},      {DType::I32, "I32", 32},        {DType::U32, "U32", 32}, {DType::F32, "F32", 32},
    {DType::I64, "I64", 64},        {DType::U64, "U64", 64},        {DType::F64, "F64", 64}, {DType::C64, "C64", 64},
    {DType::F4, "F4", 4},           {DType::F6_E2M3, "F6_E2M3", 6}, {DType::F6_E3M2, "F6_E3M2", 6},
    {DType::F8_E8M0, "F8_E8M0", 8},
};

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

const char* dtype_name(DType type) {
  for (const Entry& entry : table)
    if (entry.type == type) return entry.name;
  return "unknown";
}

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const Entry& entry : table)
    if (name == entry.name) return entry.type;
  return std::nullopt;
}

size_t dtype_bits(DType type) {
  for (const Entry& entry : table)
    if (entry.type == type) return entry.bits;
  return 0;
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

}  // namespace gt::checkpoint
