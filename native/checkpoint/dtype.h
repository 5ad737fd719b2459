// The element types of a checkpoint, under the names that safetensors gives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gt::checkpoint {

// In the order of the crate's `Dtype`, which decides the order of tensors in a file.
enum class DType : uint8_t {
  BOOL, F4, F6_E2M3, F6_E3M2, U8, I8, F8_E5M2, F8_E4M3, F8_E8M0, F8_E4M3FNUZ, F8_E5M2FNUZ,
  I16, U16, F16, BF16, I32, U32, F32, C64, F64, I64, U64
};

const char* dtype_name(DType type);
std::optional<DType> dtype_from_name(std::string_view name);
// Bits, because F4 and F6 are smaller than a byte.
size_t dtype_bits(DType type);

// F32, F16, BF16 and F64: what a model's own dtype may be.
bool is_floating(DType type);

// Converts `count` elements to float32. F64, F16, BF16 and the integer types; others throw TypeError.
void to_f32(DType type, const void* source, float* target, size_t count);
// Converts `count` float32 to F32, F16 or BF16, to the nearest and ties to even as torch; others throw TypeError.
void from_f32(DType type, const float* source, void* target, size_t count);

}  // namespace gt::checkpoint
