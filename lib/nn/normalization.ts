// Norms, with torch's names, arguments and tensors.
import { Module, Parameter } from "./module.js";
import { text } from "./shapes.js";
import type { Operand, Sym } from "./sym.js";
import { sym } from "./sym.js";
import { Trace } from "./trace.js";

/** Over the last axis, with the biased variance. */
export class LayerNorm extends Module {
  weight: Parameter;
  bias?: Parameter;
  readonly eps: number;

  constructor(size: number, { eps = 1e-5, bias = true } = {}) {
    super();
    this.weight = new Parameter([size], "ones");
    if (bias) this.bias = new Parameter([size], "zeros");
    this.eps = eps;
  }

  override forward(x: Sym): Sym {
    return normalize("layer_norm", x, this.eps, this.weight, this.bias);
  }
}

/** x / sqrt(mean(x²) + eps) over the last axis. */
export class RMSNorm extends Module {
  weight: Parameter;
  readonly eps: number;

  constructor(size: number, { eps = 1e-6 } = {}) {
    super();
    this.weight = new Parameter([size], "ones");
    this.eps = eps;
  }

  override forward(x: Sym): Sym {
    return normalize("rms_norm", x, this.eps, this.weight);
  }
}

function normalize(op: string, x: Sym, eps: number, weight: Parameter, bias?: Parameter): Sym {
  if (x.shape[x.ndim - 1] !== weight.shape[0])
    throw Trace.current.error(`${op} of size ${weight.shape[0]} over shape ${text(x.shape)}`);
  return Trace.current.emit(op, [x, weight.sym(), ...(bias ? [bias.sym()] : [])], x.shape, { eps });
}

/** [batch, channels, …], normalised over groups of channels and all places. */
export function group_norm(x: Sym, groups: number, weight?: Operand, bias?: Operand, eps = 1e-5): Sym {
  const channels = x.shape[1];
  if (x.ndim < 2 || !Number.isInteger(groups) || groups < 1 || channels % groups !== 0)
    throw Trace.current.error(`group_norm of shape ${text(x.shape)} in ${groups} groups`);
  if ([weight, bias].some((values) => values && (values.shape.length !== 1 || values.shape[0] !== channels)))
    throw Trace.current.error(
      `group_norm of shape ${text(x.shape)} with a weight of shape ${text(weight?.shape ?? [])}`,
    );
  if (bias && !weight) throw Trace.current.error("group_norm with a bias and no weight");
  const parameters = [weight, bias].flatMap((values) => (values ? [sym(values)] : []));
  return Trace.current.emit("group_norm", [x, ...parameters], x.shape, { groups, eps });
}

export class GroupNorm extends Module {
  weight?: Parameter;
  bias?: Parameter;
  readonly num_groups: number;
  readonly eps: number;

  constructor(num_groups: number, num_channels: number, { eps = 1e-5, affine = true } = {}) {
    super();
    if (affine) {
      this.weight = new Parameter([num_channels], "ones");
      this.bias = new Parameter([num_channels], "zeros");
    }
    this.num_groups = num_groups;
    this.eps = eps;
  }

  override forward(x: Sym): Sym {
    return group_norm(x, this.num_groups, this.weight, this.bias, this.eps);
  }
}

/** Each channel of each row by itself; by default without tensors, as in torch. */
export class InstanceNorm extends GroupNorm {
  constructor(num_features: number, { eps = 1e-5, affine = false } = {}) {
    super(num_features, num_features, { eps, affine });
  }
}

/** A tensor that is saved, and does not count among the parameters. */
const buffer = (shape: number[], init: "ones" | "zeros"): Parameter => new Parameter(shape, { init, buffer: true });

/**
 * By the mean and variance of each channel that training has found: x [batch, channels, …]. After a convolution it costs
 * nothing: the convolution takes it into its weight, which the engine computes once.
 */
export class FrozenBatchNorm extends Module {
  weight?: Parameter;
  bias?: Parameter;
  running_mean: Parameter;
  running_var: Parameter;
  readonly eps: number;

  constructor(num_features: number, { eps = 1e-5, affine = true } = {}) {
    super();
    if (affine) {
      this.weight = buffer([num_features], "ones");
      this.bias = buffer([num_features], "zeros");
    }
    this.running_mean = buffer([num_features], "zeros");
    this.running_var = buffer([num_features], "ones");
    this.eps = eps;
  }

  override forward(x: Sym): Sym {
    const { shape: features } = this.running_mean;
    if (x.ndim < 2 || x.shape[1] !== features[0])
      throw Trace.current.error(`batch norm of ${features[0]} channels over shape ${text(x.shape)}`);
    const factor = this.running_var.sym().add(this.eps).rsqrt();
    const scale = this.weight ? factor.mul(this.weight) : factor;
    return this.folded(x, scale) ?? this.apply(x, scale);
  }

  private shift(scale: Sym, before?: Sym): Sym {
    const mean = this.running_mean.sym();
    const shift = (before ? before.sub(mean) : mean.neg()).mul(scale);
    return this.bias ? shift.add(this.bias) : shift;
  }

  private apply(x: Sym, scale: Sym): Sym {
    const over_places = (values: Sym) => values.reshape(-1, ...new Array<number>(x.ndim - 2).fill(1));
    return x.mul(over_places(scale)).add(over_places(this.shift(scale)));
  }

  /** The convolution that made x, with other weights. Nobody computes the one before, unless x is read elsewhere too. */
  private folded(x: Sym, scale: Sym): Sym | undefined {
    const made = Trace.current.made(x);
    if (made.op !== "convolution") return undefined;
    const [input, weight, bias] = made.inputs;
    const scaled = weight.mul(scale.reshape(-1, ...new Array<number>(weight.ndim - 1).fill(1)));
    return Trace.current.emit("convolution", [input, scaled, this.shift(scale, bias)], x.shape, {
      ...made.attributes,
      bias: true,
    });
  }
}

/** … whose weight and bias can be trained; checkpoints have the number of batches too. */
class BatchNorm extends FrozenBatchNorm {
  num_batches_tracked = buffer([], "zeros");

  constructor(num_features: number, options: { eps?: number; affine?: boolean } = {}) {
    super(num_features, options);
    if (this.weight) this.weight = new Parameter([num_features], "ones");
    if (this.bias) this.bias = new Parameter([num_features], "zeros");
  }
}
export class BatchNorm1d extends BatchNorm {}
export class BatchNorm2d extends BatchNorm {}

/** Divides each row along every axis but `dim` by its length, times a length that was learnt. `dim` undefined: all as one. */
export class WeightNorm extends Module {
  /** The lengths. */
  original0: Parameter;
  /** The directions. */
  original1: Parameter;
  readonly shape: readonly number[];
  private readonly dim: number;

  constructor(shape: readonly number[], dim: number) {
    super();
    this.shape = shape;
    this.dim = dim < 0 ? dim + shape.length : dim;
    this.original0 = new Parameter(
      shape.map((size, axis) => (axis === this.dim ? size : 1)),
      "ones",
    );
    this.original1 = new Parameter([...shape]);
  }

  sym(): Sym {
    return weight_normed(this.original1, this.original0, this.dim);
  }

  override forward(): Sym {
    return this.sym();
  }
}

/** g v / |v|, where |v| is taken over all axes but `dim`. The engine computes it once. */
export function weight_normed(v: Operand, g: Operand, dim = 0): Sym {
  const direction = sym(v);
  let squares = direction.square();
  direction.shape.forEach((size, axis) => {
    if (axis !== dim && size > 1) squares = squares.sum(axis, true);
  });
  return direction.mul(sym(g).div(squares.sqrt()));
}

class Parametrizations extends Module {
  weight: WeightNorm;

  constructor(weight: WeightNorm) {
    super();
    this.weight = weight;
  }

  override forward(): Sym {
    return this.weight.sym();
  }
}

/**
 * A layer whose weight is a length and a direction: its tensors are `parametrizations.weight.original0` and
 * `parametrizations.weight.original1`, as torch.nn.utils.parametrizations.weight_norm names them; loading gives these names
 * to `weight_g` and `weight_v` of older checkpoints.
 */
export function weight_norm<Layer extends Module & { weight: unknown }>(layer: Layer, { dim = 0 } = {}): Layer {
  const weight = new WeightNorm((layer.weight as Parameter).shape, dim);
  // Not enumerable: the tensors belong to the parametrization.
  Object.defineProperty(layer, "weight", { value: weight, enumerable: false });
  return Object.assign(layer, { parametrizations: new Parametrizations(weight) });
}
