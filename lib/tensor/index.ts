export { full, full_like, ones, ones_like, rand, randn, tensor, zeros, zeros_like } from "./create.js";
export {
  cat,
  cos_sim,
  dot,
  interpolate,
  interpolate_4d,
  layer_norm,
  log_softmax,
  matmul,
  mean,
  mean_pooling,
  permute,
  quantize_embeddings,
  rfft,
  slice,
  softmax,
  stack,
  std_mean,
  type TensorInput,
  topk,
} from "./functions.js";
export { random } from "./random.js";
export { type NestedArray, type Scalar, Tensor } from "./tensor.js";
export { type DataType, is_tensor, type TensorLike, type TypedArray } from "./types.js";
