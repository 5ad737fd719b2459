// The element types of a checkpoint, under the names that safetensors gives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gt::checkpoint {

enum class DType : uint8_t { BOOL, U8, I8, F8_E5M2, F8_E4M3, I16, U16, F16, BF16, I32, U32, F32, I64, U64, F64, C64, F4, F6_E2M3, F6_E3M2, F8_E8M0 };

const char* dtype_name(DType type);
std::optional<DType> dtype_from_name(std::string_view name);
// Bits, because F4 and F6 are smaller than a byte.
size_t dtype_bits(DType type);

// Converts `count` elements to float32. F64, F16, BF16 and the integer types; others throw TypeError.
void to_f32(DType type, const void* source, float* target, size_t count);

}  // namespace gt::checkpoint
