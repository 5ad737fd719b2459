// Activation functions by the names that configurations give them.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/activations.py `ACT2CLS`
import { expected } from "../errors.js";
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
  sigmoid: "sigmoid",
  silu: "silu",
  swish: "silu",
  tanh: "tanh",
};

/** Rounded as in the reference. */
const LAPLACE_MEAN = 707107e-6;
const LAPLACE_DEVIATION = 0.282095;

const COMPOSED: Record<string, (x: Sym) => Sym> = {
  linear: (x) => x,
  relu2: (x) => x.relu().square(),
  relu6: (x) => x.clamp(0, 6),
  gelu_10: (x) => x.activation("gelu").clamp(-10, 10),
  leaky_relu: (x) => x.relu().sub(x.neg().relu().mul(0.01)),
  laplace: (x) =>
    x
      .sub(LAPLACE_MEAN)
      .mul(1 / (LAPLACE_DEVIATION * Math.SQRT2))
      .erf()
      .add(1)
      .mul(0.5),
  // log(1 + exp(x)) without overflow.
  mish: (x) => x.mul(x.relu().add(x.abs().neg().exp().add(1).log()).tanh()),
};

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
  throw expected(`one of ${[...Object.keys(NATIVE), ...Object.keys(COMPOSED)].join(", ")}`, argument, name);
}
