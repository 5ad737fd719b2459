// The vocabulary that models are written in.
export { activation, elu, gelu, hardswish, leaky_relu, mish, relu6, silu, softplus } from "./activations.js";
export {
  type ScaledDotProductOptions,
  scaled_dot_product_attention,
  scaled_dot_product_weights,
} from "./attention.js";
export {
  Conv1d,
  Conv2d,
  type ConvolutionOptions,
  ConvTranspose1d,
  ConvTranspose2d,
  conv_transpose1d,
  conv_transpose2d,
  conv1d,
  conv2d,
} from "./convolution.js";
export { type InterpolationMode, type InterpolationOptions, interpolate } from "./interpolation.js";
export { Conv1D, Embedding, Linear, linear } from "./layers.js";
export { Block, bind, Module, modules_of, Parameter, type Weight } from "./module.js";
export {
  BatchNorm1d,
  BatchNorm2d,
  FrozenBatchNorm,
  GroupNorm,
  group_norm,
  InstanceNorm,
  LayerNorm,
  RMSNorm,
  weight_norm,
  weight_normed,
} from "./normalization.js";
export { type PaddingMode, pad } from "./padding.js";
export { adaptive_avg_pool1d, adaptive_avg_pool2d, avg_pool1d, avg_pool2d, max_pool1d, max_pool2d } from "./pooling.js";
export { RelativePositionBias } from "./relative_position.js";
export { cat, full, type Operand, Sym, stack, sym, where } from "./sym.js";
export { type AttentionOptions, type CrossAttentionOptions, Tokens, type TokensOptions } from "./tokens.js";
export { type Program, Trace } from "./trace.js";
