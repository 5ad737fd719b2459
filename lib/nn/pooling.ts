// Pooling over the last one or two axes, with torch's names and arguments. The axes are pooled one after the other.
import { type Sizes, sizes } from "./convolution.js";
import { text } from "./shapes.js";
import { range, type Sym, type Windows } from "./sym.js";
import { Trace } from "./trace.js";

export interface PoolOptions {
  /** Default: the size of the kernel. */
  stride?: Sizes | undefined;
  padding?: Sizes;
  /** Whether a window that reaches beyond the end counts. */
  ceil_mode?: boolean;
}

interface Axis {
  size: number;
  kernel: number;
  stride: number;
  padding: number;
  dilation: number;
}

/** The number of windows. https://github.com/pytorch/pytorch/blob/v2.8.0/aten/src/ATen/native/Pool.h `pooling_output_shape` */
function count_windows({ size, kernel, stride, padding, dilation }: Axis, ceil_mode: boolean): number {
  const room = size + 2 * padding - dilation * (kernel - 1) - 1;
  const count = (ceil_mode ? Math.ceil(room / stride) : Math.floor(room / stride)) + 1;
  // The last window begins inside the input or its left padding.
  return ceil_mode && (count - 1) * stride >= size + padding ? count - 1 : count;
}

type Make = (axis: Axis, outputs: number) => Omit<Windows, "kind">;

function pool(
  op: string,
  axes: number,
  x: Sym,
  kernel_size: Sizes,
  { stride, padding = 0, dilation = 1, ceil_mode = false }: PoolOptions & { dilation?: Sizes },
  kind: Windows["kind"],
  make: Make,
): Sym {
  const what = `${op} of shape ${text(x.shape)}`;
  if (x.ndim < axes + 1) throw Trace.current.error(`${what}: expected ${axes + 2} axes`);
  const kernels = sizes(kernel_size, axes, `${op}: kernel_size`);
  const [strides, pads, dilations] = [stride ?? kernels, padding, dilation].map((value, i) =>
    sizes(value, axes, `${op}: ${["stride", "padding", "dilation"][i]}`),
  );
  for (let i = 0; i < axes; i++) {
    const at = x.ndim - axes + i;
    const axis = {
      size: x.shape[at],
      kernel: kernels[i],
      stride: strides[i],
      padding: pads[i],
      dilation: dilations[i],
    };
    if (axis.kernel < 1 || axis.stride < 1 || axis.dilation < 1 || axis.padding > axis.kernel / 2)
      throw Trace.current.error(
        `${what}: kernel, stride and dilation are at least 1, and padding at most half the kernel; not ${axis.kernel}, ${axis.stride}, ${axis.dilation}, ${axis.padding}`,
      );
    const outputs = count_windows(axis, ceil_mode);
    if (outputs < 1) throw Trace.current.error(`${what}: the kernel [${kernels}] is larger than the input`);
    x = x.windows(at, outputs, { kind, ...make(axis, outputs) });
  }
  return x;
}

const indices_of = ({ size, kernel, stride, padding, dilation }: Axis, outputs: number): number[] =>
  range(outputs).flatMap((i) =>
    range(kernel).map((j) => {
      const at = i * stride - padding + j * dilation;
      return at >= 0 && at < size ? at : -1;
    }),
  );

const largest: Make = (axis, outputs) => ({ indices: indices_of(axis, outputs) });

/** https://github.com/pytorch/pytorch/blob/v2.8.0/aten/src/ATen/native/cpu/AvgPoolKernel.cpp */
const average =
  (count_include_pad: boolean): Make =>
  (axis, outputs) => {
    const { size, kernel, stride, padding } = axis;
    const weights = range(outputs).flatMap((i) => {
      const start = i * stride - padding;
      const end = Math.min(start + kernel, size + padding);
      const inside = Math.min(end, size) - Math.max(start, 0);
      return new Array<number>(kernel).fill(1 / (count_include_pad ? end - start : inside));
    });
    return { indices: indices_of(axis, outputs), weights };
  };

export interface MaxPoolOptions extends PoolOptions {
  dilation?: Sizes;
}

export function max_pool1d(x: Sym, kernel_size: Sizes, options: MaxPoolOptions = {}): Sym {
  return pool("max_pool1d", 1, x, kernel_size, options, "max", largest);
}

export function max_pool2d(x: Sym, kernel_size: Sizes, options: MaxPoolOptions = {}): Sym {
  return pool("max_pool2d", 2, x, kernel_size, options, "max", largest);
}

export interface AveragePoolOptions extends PoolOptions {
  /** Whether padding counts as zeros; default true. */
  count_include_pad?: boolean;
}

export function avg_pool1d(x: Sym, kernel_size: Sizes, options: AveragePoolOptions = {}): Sym {
  const { count_include_pad = true, ...rest } = options;
  return pool("avg_pool1d", 1, x, kernel_size, rest, "sum", average(count_include_pad));
}

export function avg_pool2d(x: Sym, kernel_size: Sizes, options: AveragePoolOptions = {}): Sym {
  const { count_include_pad = true, ...rest } = options;
  return pool("avg_pool2d", 2, x, kernel_size, rest, "sum", average(count_include_pad));
}

/** Windows of as equal sizes as can be, which may overlap. */
function adaptive(op: string, x: Sym, outputs: readonly (number | null)[]): Sym {
  if (x.ndim < outputs.length + 1) throw Trace.current.error(`${op} of shape ${text(x.shape)}: expected more axes`);
  outputs.forEach((count, i) => {
    const at = x.ndim - outputs.length + i;
    const size = x.shape[at];
    if (count === null || count === size) return;
    if (!Number.isInteger(count) || count < 1) throw Trace.current.error(`${op} of shape ${text(x.shape)} to ${count}`);
    const spans = range(count).map((j) => [Math.floor((j * size) / count), Math.ceil(((j + 1) * size) / count)]);
    const most = Math.max(...spans.map(([start, end]) => end - start));
    x = x.windows(at, count, {
      kind: "sum",
      indices: spans.flatMap(([start, end]) => range(most).map((j) => (start + j < end ? start + j : -1))),
      weights: spans.flatMap(([start, end]) => new Array<number>(most).fill(1 / (end - start))),
    });
  });
  return x;
}

export function adaptive_avg_pool1d(x: Sym, output_size: number): Sym {
  return adaptive("adaptive_avg_pool1d", x, [output_size]);
}

/** To a height and width, or to squares; null keeps a size. */
export function adaptive_avg_pool2d(x: Sym, output_size: number | readonly (number | null)[]): Sym {
  return adaptive("adaptive_avg_pool2d", x, typeof output_size === "number" ? [output_size, output_size] : output_size);
}
