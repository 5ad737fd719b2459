// Reductions and normalisations along one axis, or over all elements.
import { expected } from "../errors.js";
import { along, axis_of } from "./strided.js";
import {
  allocate,
  type DataType,
  is_float,
  type NumberArray,
  numbers,
  store,
  type TensorLike,
  working,
} from "./types.js";

/** A number from the line `x[start + j * step]`, j below n. Sums are kept in float64. */
type Line = (x: NumberArray, start: number, n: number, step: number) => number;

const sum_line: Line = (x, start, n, step) => {
  let total = 0;
  for (const end = start + n * step; start < end; start += step) total += x[start];
  return total;
};
const length_line: Line = (x, start, n, step) => {
  let total = 0;
  for (const end = start + n * step; start < end; start += step) total += x[start] * x[start];
  return Math.sqrt(total);
};
// Negated comparisons, and no more of them after the first NaN: that one wins, as in torch.
const argmax_line: Line = (x, start, n, step) => {
  let best = x[start];
  let index = 0;
  for (let j = 1, at = start + step; j < n; j++, at += step) {
    if (x[at] <= best) continue;
    if (Number.isNaN(best)) break;
    best = x[at];
    index = j;
  }
  return index;
};
const argmin_line: Line = (x, start, n, step) => {
  let best = x[start];
  let index = 0;
  for (let j = 1, at = start + step; j < n; j++, at += step) {
    if (x[at] >= best) continue;
    if (Number.isNaN(best)) break;
    best = x[at];
    index = j;
  }
  return index;
};

/** The line whose p-norm is wanted; p = 2 is the common one. */
function norm_line(p: number): Line {
  if (p === 2) return length_line;
  return (x, start, n, step) => {
    let total = 0;
    for (let j = 0, at = start; j < n; j++, at += step) {
      const size = Math.abs(x[at]);
      if (p === Number.POSITIVE_INFINITY) total = Math.max(total, size);
      else if (p === Number.NEGATIVE_INFINITY) total = j === 0 ? size : Math.min(total, size);
      else if (p === 0) total += size === 0 ? 0 : 1;
      else total += size ** p;
    }
    return Number.isFinite(p) && p !== 0 ? total ** (1 / p) : total;
  };
}

export type Dim = number | null | undefined;

/** The lines that `dim` cuts `tensor` into (all elements are one line if it is null), and the shape without it. */
function lines(tensor: TensorLike, dim: Dim, keepdim: boolean) {
  const { dims, data } = tensor;
  if (dim === null || dim === undefined) {
    return { outer: 1, length: data.length, inner: 1, dims: keepdim ? dims.map(() => 1) : [] };
  }
  const axis = axis_of(dim, dims.length);
  const rest = keepdim ? dims.map((size, i) => (i === axis ? 1 : size)) : dims.filter((_, i) => i !== axis);
  return { ...along(tensor, axis), dims: rest };
}

/** One number for each line. */
function reduce(tensor: TensorLike, dim: Dim, keepdim: boolean, type: DataType, line: Line): TensorLike {
  const { outer, length, inner, dims } = lines(tensor, dim, keepdim);
  const x = numbers(tensor);
  const out = working(type, outer * inner);
  for (let o = 0, to = 0; o < outer; o++) {
    const block = o * length * inner;
    for (let i = 0; i < inner; i++) out[to++] = line(x, block + i, length, inner);
  }
  return { type, dims, data: store(type, out) };
}

const floating = (type: DataType): DataType => (is_float(type) ? type : "float32");

/** Integers sum to int64, as in torch. */
export function sum(tensor: TensorLike, dim: Dim, keepdim: boolean): TensorLike {
  return reduce(tensor, dim, keepdim, is_float(tensor.type) ? tensor.type : "int64", sum_line);
}

export function mean(tensor: TensorLike, dim: Dim, keepdim: boolean): TensorLike {
  const line: Line = (x, start, n, step) => sum_line(x, start, n, step) / n;
  return reduce(tensor, dim, keepdim, floating(tensor.type), line);
}

/** The standard deviation, with `correction` taken off the number of elements (1 is Bessel's). */
export function std(tensor: TensorLike, dim: Dim, correction: number, keepdim: boolean): TensorLike {
  const line: Line = (x, start, n, step) => {
    const center = sum_line(x, start, n, step) / n;
    let total = 0;
    for (let j = 0, at = start; j < n; j++, at += step) total += (x[at] - center) ** 2;
    return Math.sqrt(total / Math.max(0, n - correction));
  };
  return reduce(tensor, dim, keepdim, floating(tensor.type), line);
}

/** The p-norm, p any number or infinity; "fro" is 2. */
export function norm(tensor: TensorLike, order: number | "fro", dim: Dim, keepdim: boolean): TensorLike {
  const p = order === "fro" ? 2 : order;
  if (typeof p !== "number" || Number.isNaN(p)) throw expected('a number or "fro"', "p", p);
  return reduce(tensor, dim, keepdim, floating(tensor.type), norm_line(p));
}

function not_empty(length: number, what: string): void {
  if (length === 0) throw new RangeError(`${what} of no elements: the tensor, or the dimension, is empty`);
}

export function arg(which: "max" | "min", tensor: TensorLike, dim: Dim, keepdim: boolean): TensorLike {
  not_empty(lines(tensor, dim, keepdim).length, `arg${which}`);
  return reduce(tensor, dim, keepdim, "int64", which === "max" ? argmax_line : argmin_line);
}

/** The elements that `arg` points at. */
export function extreme(which: "max" | "min", tensor: TensorLike, dim: Dim, keepdim: boolean): TensorLike {
  const { outer, length, inner, dims } = lines(tensor, dim, keepdim);
  not_empty(length, which);
  const line = which === "max" ? argmax_line : argmin_line;
  const x = numbers(tensor);
  const { type, data } = tensor;
  const out = allocate(type, outer * inner);
  for (let o = 0, to = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const start = o * length * inner + i;
      out[to++] = data[start + line(x, start, length, inner) * inner];
    }
  }
  return { type, dims, data: out };
}

/** Writes a line of `x` into the same place of `out`. */
type LineMap = (x: NumberArray, out: NumberArray, start: number, n: number, step: number) => void;

function map_lines(tensor: TensorLike, dim: Dim, f: LineMap): TensorLike {
  const type = floating(tensor.type);
  const { outer, length, inner } = lines(tensor, dim, true);
  const x = numbers(tensor);
  const out = working(type, x.length);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) f(x, out, o * length * inner + i, length, inner);
  }
  return { type, dims: tensor.dims, data: store(type, out) };
}

const softmax_line: LineMap = (x, out, start, n, step) => {
  const end = start + n * step;
  const top = x[start + argmax_line(x, start, n, step) * step];
  let total = 0;
  for (let at = start; at < end; at += step) {
    const power = Math.exp(x[at] - top);
    out[at] = power;
    total += power;
  }
  for (let at = start; at < end; at += step) out[at] /= total;
};

const log_softmax_line: LineMap = (x, out, start, n, step) => {
  const end = start + n * step;
  const top = x[start + argmax_line(x, start, n, step) * step];
  let total = 0;
  for (let at = start; at < end; at += step) total += Math.exp(x[at] - top);
  const log = Math.log(total);
  for (let at = start; at < end; at += step) out[at] = x[at] - top - log;
};

export const softmax = (tensor: TensorLike, dim: number) => map_lines(tensor, dim, softmax_line);
export const log_softmax = (tensor: TensorLike, dim: number) => map_lines(tensor, dim, log_softmax_line);

/** Each line divided by its p-norm, which counts as at least `eps`, as in torch.nn.functional.normalize. */
export function normalize(tensor: TensorLike, p: number, dim: number, eps = 1e-12): TensorLike {
  const norm_of = norm_line(p);
  return map_lines(tensor, dim, (x, out, start, n, step) => {
    const size = Math.max(norm_of(x, start, n, step), eps);
    for (let j = 0, at = start; j < n; j++, at += step) out[at] = x[at] / size;
  });
}

/** Lines of mean 0 and variance 1: `(x - mean) / sqrt(variance + eps)` over the last `count` elements. */
export function layer_norm(tensor: TensorLike, length: number, eps: number): TensorLike {
  const rows = { ...tensor, dims: [tensor.data.length / length, length] };
  const { type, data } = map_lines(rows, 1, (x, out, start, n, step) => {
    const center = sum_line(x, start, n, step) / n;
    let total = 0;
    for (let at = start; at < start + n; at++) total += (x[at] - center) ** 2;
    const scale = 1 / Math.sqrt(total / n + eps);
    for (let at = start; at < start + n; at++) out[at] = (x[at] - center) * scale;
  });
  return { type, dims: tensor.dims, data };
}
