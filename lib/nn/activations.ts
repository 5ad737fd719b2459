// Activation functions by the names that configurations give them.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/activations.py `ACT2CLS`
import { expected, TransformersError } from "../errors.js";
import type { Sym } from "./sym.js";

/** Kinds that the engine computes in one operation, alone or inside a linear layer. */
const NATIVE: Record<string, string> = {
  gelu: "gelu",
  gelu_python: "gelu",
  gelu_new: "gelu_new",
  gelu_fast: "gelu_new",
  gelu_pytorch_tanh: "gelu_new",
  gelu_python_tanh: "gelu_new",
  gelu_accurate: "gelu_new",
  quick_gelu: "quick_gelu",
  relu: "relu",
  relu6: "relu6",
  sigmoid: "sigmoid",
  silu: "silu",
  swish: "silu",
  tanh: "tanh",
};

/** Whether it is GELU by its approximation with tanh. */
export const is_tanh_gelu = (name: string): boolean => Object.hasOwn(NATIVE, name) && NATIVE[name] === "gelu_new";

/** Rounded as in the reference. */
const LAPLACE_MEAN = 707107e-6;
const LAPLACE_DEVIATION = 0.282095;

export const gelu = (x: Sym): Sym => x.activation("gelu");
export const silu = (x: Sym): Sym => x.activation("silu");
export const relu6 = (x: Sym): Sym => x.activation("relu6");
/** x · relu6(x + 3) / 6. */
export const hardswish = (x: Sym): Sym => x.activation("hardswish");
export const leaky_relu = (x: Sym, negative_slope = 0.01): Sym => x.relu().sub(x.neg().relu().mul(negative_slope));
export const elu = (x: Sym, alpha = 1): Sym => x.relu().add(x.clamp(-Infinity, 0).expm1().mul(alpha));
/** log(1 + exp(x)), without overflow. */
export const softplus = (x: Sym): Sym => x.relu().add(x.abs().neg().exp().log1p());
export const mish = (x: Sym): Sym => x.mul(softplus(x).tanh());

const COMPOSED: Record<string, (x: Sym) => Sym> = {
  linear: (x) => x,
  relu2: (x) => x.relu().square(),
  gelu_10: (x) => gelu(x).clamp(-10, 10),
  leaky_relu: (x) => leaky_relu(x),
  laplace: (x) =>
    x
      .sub(LAPLACE_MEAN)
      .mul(1 / (LAPLACE_DEVIATION * Math.SQRT2))
      .erf()
      .add(1)
      .mul(0.5),
  mish,
};

/** Functions of Python that have tensors of their own, for which a model would need modules. */
const WITH_TENSORS = ["prelu", "xielu"];

/**
 * The function of that name.
 * @throws TypeError that lists the names, for any other.
 */
export function activation(name: unknown, argument = "hidden_act"): (x: Sym) => Sym {
  if (typeof name === "string") {
    const kind = Object.hasOwn(NATIVE, name) ? NATIVE[name] : undefined;
    if (kind) return (x) => x.activation(kind);
    if (Object.hasOwn(COMPOSED, name)) return COMPOSED[name];
  }
  if (WITH_TENSORS.includes(name as string))
    throw new TransformersError(`${argument} "${name}" is not supported: it has weights of its own`, "unsupported");
  throw expected(`one of ${[...Object.keys(NATIVE), ...Object.keys(COMPOSED)].join(", ")}`, argument, name);
}
