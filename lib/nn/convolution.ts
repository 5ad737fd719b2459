// Convolutions, with torch's names, arguments and tensors: [batch, channels, (height,) width].
import { Module, Parameter, type Weight } from "./module.js";
import { pad } from "./padding.js";
import { product, text } from "./shapes.js";
import { type Operand, range, type Sym, sym } from "./sym.js";
import { Trace } from "./trace.js";

/** One number for all spatial axes, or one for each. */
export type Sizes = number | readonly number[];

export interface ConvolutionOptions {
  stride?: Sizes;
  /** Zeros on both sides; "same" keeps the sizes (with a stride of 1), "valid" is none. */
  padding?: Sizes | "same" | "valid";
  dilation?: Sizes;
  groups?: number;
}

/** As many numbers as there are spatial axes. */
export function sizes(value: Sizes, axes: number, what: string): number[] {
  const all = typeof value === "number" ? new Array<number>(axes).fill(value) : [...value];
  if (all.length !== axes || !all.every((size) => Number.isInteger(size) && size >= 0))
    throw Trace.current.error(`${what} of ${typeof value === "number" ? value : text(value)}: expected ${axes} sizes`);
  return all;
}

/** Zeros before and after each spatial axis. torch puts an odd one of "same" behind. */
function paddings(
  padding: Sizes | "same" | "valid",
  kernel: number[],
  stride: number[],
  dilation: number[],
  op: string,
) {
  if (padding === "same") {
    if (stride.some((step) => step !== 1))
      throw Trace.current.error(`${op}: padding 'same' is not supported for strided convolutions`);
    return kernel.flatMap((size, i) => {
      const total = dilation[i] * (size - 1);
      return [Math.floor(total / 2), Math.ceil(total / 2)];
    });
  }
  return sizes(padding === "valid" ? 0 : padding, kernel.length, `${op}: padding`).flatMap((size) => [size, size]);
}

function convolution(
  op: string,
  axes: number,
  x: Sym,
  weight: Operand,
  bias?: Operand,
  options: ConvolutionOptions = {},
) {
  const kernel = sym(weight);
  const { groups = 1 } = options;
  const [outputs, group_inputs] = kernel.shape;
  const described = `${op} of shape ${text(x.shape)} with a weight of shape ${text(kernel.shape)}`;
  if (x.ndim !== axes + 2 || kernel.ndim !== axes + 2)
    throw Trace.current.error(`${described}: expected ${axes + 2} axes`);
  if (x.shape[1] !== group_inputs * groups || outputs % groups !== 0)
    throw Trace.current.error(`${described} in ${groups} groups: expected ${group_inputs * groups} channels`);
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== outputs))
    throw Trace.current.error(`${op} with ${outputs} outputs and a bias of shape ${text(bias.shape)}`);
  const extent = kernel.shape.slice(2);
  const stride = sizes(options.stride ?? 1, axes, `${op}: stride`);
  const dilation = sizes(options.dilation ?? 1, axes, `${op}: dilation`);
  const padding = paddings(options.padding ?? 0, extent, stride, dilation, op);
  const spatial = extent.map((size, i) => {
    const padded = x.shape[i + 2] + padding[2 * i] + padding[2 * i + 1];
    return Math.floor((padded - dilation[i] * (size - 1) - 1) / stride[i]) + 1;
  });
  if (!spatial.every((size) => size >= 1))
    throw Trace.current.error(`${described}: the kernel is larger than the input, padding [${padding}] included`);
  return Trace.current.emit(
    "convolution",
    [x, kernel, ...(bias ? [sym(bias)] : [])],
    [x.shape[0], outputs, ...spatial],
    {
      stride,
      padding,
      dilation,
      groups,
      bias: bias !== undefined,
    },
  );
}

/** x [batch, in, width] with weight [out, in / groups, kernel]. */
export function conv1d(x: Sym, weight: Operand, bias?: Operand, options?: ConvolutionOptions): Sym {
  return convolution("conv1d", 1, x, weight, bias, options);
}

/** x [batch, in, height, width] with weight [out, in / groups, height, width of the kernel]. */
export function conv2d(x: Sym, weight: Operand, bias?: Operand, options?: ConvolutionOptions): Sym {
  return convolution("conv2d", 2, x, weight, bias, options);
}

export interface TransposedOptions {
  stride?: Sizes;
  padding?: Sizes;
  output_padding?: Sizes;
  dilation?: Sizes;
  groups?: number;
}

/** A convolution over x with zeros between its values, by the kernel turned around. */
function transposed(
  op: string,
  axes: number,
  x: Sym,
  weight: Operand,
  bias?: Operand,
  options: TransposedOptions = {},
) {
  const kernel = sym(weight);
  const { groups = 1 } = options;
  const [inputs, group_outputs] = kernel.shape;
  if (x.ndim !== axes + 2 || kernel.ndim !== axes + 2 || x.shape[1] !== inputs || inputs % groups !== 0)
    throw Trace.current.error(
      `${op} of shape ${text(x.shape)} with a weight of shape ${text(kernel.shape)} in ${groups} groups`,
    );
  const extent = kernel.shape.slice(2);
  const stride = sizes(options.stride ?? 1, axes, `${op}: stride`);
  const dilation = sizes(options.dilation ?? 1, axes, `${op}: dilation`);
  const padding = sizes(options.padding ?? 0, axes, `${op}: padding`);
  const more = sizes(options.output_padding ?? 0, axes, `${op}: output_padding`);
  let spread = x;
  for (let i = 0; i < axes; i++) {
    const reach = dilation[i] * (extent[i] - 1) - padding[i];
    const places = (x.shape[i + 2] - 1) * stride[i] + 1;
    const size = places + 2 * reach + more[i];
    if (size < 1 + dilation[i] * (extent[i] - 1))
      throw Trace.current.error(`${op} of shape ${text(x.shape)} makes nothing`);
    const from = (at: number) => (at >= 0 && at < places && at % stride[i] === 0 ? at / stride[i] : -1);
    const indices = range(size).map((at) => from(at - reach));
    if (indices.some((index, at) => index !== at)) spread = spread.take(i + 2, indices, 0);
  }
  // [in, out / groups, kernel...] to [out, in / groups, kernel...], each kernel backwards.
  const turned = kernel
    .reshape(groups, inputs / groups, group_outputs, product(extent))
    .permute(0, 2, 1, 3)
    .flip(3)
    .reshape(groups * group_outputs, inputs / groups, ...extent);
  return convolution(op, axes, spread, turned, bias, { dilation, groups });
}

/** x [batch, in, width] with weight [in, out / groups, kernel]. */
export function conv_transpose1d(x: Sym, weight: Operand, bias?: Operand, options?: TransposedOptions): Sym {
  return transposed("conv_transpose1d", 1, x, weight, bias, options);
}

/** x [batch, in, height, width] with weight [in, out / groups, height, width of the kernel]. */
export function conv_transpose2d(x: Sym, weight: Operand, bias?: Operand, options?: TransposedOptions): Sym {
  return transposed("conv_transpose2d", 2, x, weight, bias, options);
}

export interface ConvolutionModuleOptions extends ConvolutionOptions {
  bias?: boolean;
  padding_mode?: "zeros" | "reflect" | "replicate" | "circular";
}

/** What Conv1d and Conv2d share. */
abstract class Convolution extends Module {
  weight: Weight;
  bias?: Parameter;
  protected readonly options: ConvolutionModuleOptions;

  constructor(in_channels: number, out_channels: number, kernel: number[], options: ConvolutionModuleOptions) {
    super();
    const { groups = 1, bias = true } = options;
    this.weight = new Parameter([out_channels, in_channels / groups, ...kernel]);
    if (bias) this.bias = new Parameter([out_channels], "zeros");
    this.options = options;
  }

  protected apply(conv: typeof conv1d, x: Sym): Sym {
    const { padding_mode = "zeros", padding = 0, ...rest } = this.options;
    if (padding_mode === "zeros") return conv(x, this.weight, this.bias, { ...rest, padding });
    const kernel = this.weight.shape.slice(2);
    const axes = kernel.length;
    const [stride, dilation] = [sizes(rest.stride ?? 1, axes, "stride"), sizes(rest.dilation ?? 1, axes, "dilation")];
    const widths = paddings(padding, kernel, stride, dilation, "padding");
    // pad() counts from the last axis.
    const amounts = range(axes).flatMap((i) => widths.slice(2 * (axes - 1 - i), 2 * (axes - i)));
    return conv(pad(x, amounts, padding_mode), this.weight, this.bias, rest);
  }
}

export class Conv1d extends Convolution {
  constructor(in_channels: number, out_channels: number, kernel_size: Sizes, options: ConvolutionModuleOptions = {}) {
    super(in_channels, out_channels, typeof kernel_size === "number" ? [kernel_size] : [...kernel_size], options);
  }

  override forward(x: Sym): Sym {
    return this.apply(conv1d, x);
  }
}

export class Conv2d extends Convolution {
  constructor(in_channels: number, out_channels: number, kernel_size: Sizes, options: ConvolutionModuleOptions = {}) {
    const kernel = typeof kernel_size === "number" ? [kernel_size, kernel_size] : [...kernel_size];
    super(in_channels, out_channels, kernel, options);
  }

  override forward(x: Sym): Sym {
    return this.apply(conv2d, x);
  }
}

/** What ConvTranspose1d and ConvTranspose2d share. */
abstract class TransposedConvolution extends Module {
  weight: Weight;
  bias?: Parameter;
  protected readonly options: TransposedOptions;

  constructor(
    in_channels: number,
    out_channels: number,
    kernel: number[],
    options: TransposedOptions & { bias?: boolean },
  ) {
    super();
    const { groups = 1, bias = true } = options;
    this.weight = new Parameter([in_channels, out_channels / groups, ...kernel]);
    if (bias) this.bias = new Parameter([out_channels], "zeros");
    this.options = options;
  }
}

export class ConvTranspose1d extends TransposedConvolution {
  constructor(
    inputs: number,
    outputs: number,
    kernel_size: Sizes,
    options: TransposedOptions & { bias?: boolean } = {},
  ) {
    super(inputs, outputs, typeof kernel_size === "number" ? [kernel_size] : [...kernel_size], options);
  }

  override forward(x: Sym): Sym {
    return conv_transpose1d(x, this.weight, this.bias, this.options);
  }
}

export class ConvTranspose2d extends TransposedConvolution {
  constructor(
    inputs: number,
    outputs: number,
    kernel_size: Sizes,
    options: TransposedOptions & { bias?: boolean } = {},
  ) {
    const kernel = typeof kernel_size === "number" ? [kernel_size, kernel_size] : [...kernel_size];
    super(inputs, outputs, kernel, options);
  }

  override forward(x: Sym): Sym {
    return conv_transpose2d(x, this.weight, this.bias, this.options);
  }
}
