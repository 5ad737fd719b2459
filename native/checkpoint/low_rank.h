// Products of two thin matrices, added to a weight: what a LoRA adapter is.
#pragma once

#include "checkpoint/tensor.h"

namespace gt::checkpoint {

// weight + scale * b a, in float32. `a` is [rank, inputs], `b` [outputs, rank], `weight` [outputs, inputs], or
// [inputs, outputs] with `transposed`. Throws RangeError for shapes that do not fit.
Tensor add_low_rank(const Tensor& weight, const Tensor& a, const Tensor& b, float scale, bool transposed);

}  // namespace gt::checkpoint
