export { full, full_like, ones, ones_like, rand, randn, tensor, zeros, zeros_like } from "./create.js";
export { random } from "./random.js";
export { type NestedArray, type Scalar, Tensor } from "./tensor.js";
export { type DataType, is_tensor, type TensorLike, type TypedArray } from "./types.js";
