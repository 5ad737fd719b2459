// Element-wise arithmetic and comparison, with torch's promotion of types and broadcasting.
import { expected } from "../errors.js";
import { broadcast_shape, broadcast_strides, contiguous, gather, walk } from "./strided.js";
import {
  convert,
  count,
  type DataType,
  is_float,
  is_tensor,
  type NumberArray,
  numbers,
  promote,
  shape_text,
  store,
  type TensorLike,
  type TypedArray,
  working,
} from "./types.js";

/** One run: `out[o + k] = a[i + k * di] op b[j + k * dj]` for k below n. A loop for each operation keeps it fast. */
type Kernel = (
  out: NumberArray,
  o: number,
  a: NumberArray,
  i: number,
  di: number,
  b: NumberArray,
  j: number,
  dj: number,
  n: number,
) => void;

const add: Kernel = (out, o, a, i, di, b, j, dj, n) => {
  for (const end = o + n; o < end; o++, i += di, j += dj) out[o] = a[i] + b[j];
};
const sub: Kernel = (out, o, a, i, di, b, j, dj, n) => {
  for (const end = o + n; o < end; o++, i += di, j += dj) out[o] = a[i] - b[j];
};
const mul: Kernel = (out, o, a, i, di, b, j, dj, n) => {
  for (const end = o + n; o < end; o++, i += di, j += dj) out[o] = a[i] * b[j];
};
const div: Kernel = (out, o, a, i, di, b, j, dj, n) => {
  for (const end = o + n; o < end; o++, i += di, j += dj) out[o] = a[i] / b[j];
};
const pow: Kernel = (out, o, a, i, di, b, j, dj, n) => {
  for (const end = o + n; o < end; o++, i += di, j += dj) out[o] = a[i] ** b[j];
};
const remainder: Kernel = (out, o, a, i, di, b, j, dj, n) => {
  for (const end = o + n; o < end; o++, i += di, j += dj) {
    const rest = a[i] % b[j];
    // Python's sign: that of the divisor. Adding it in all cases would round valid remainders away.
    out[o] = rest !== 0 && rest < 0 !== b[j] < 0 ? rest + b[j] : rest;
  }
};
const eq: Kernel = (out, o, a, i, di, b, j, dj, n) => {
  for (const end = o + n; o < end; o++, i += di, j += dj) out[o] = Number(a[i] === b[j]);
};
const ne: Kernel = (out, o, a, i, di, b, j, dj, n) => {
  for (const end = o + n; o < end; o++, i += di, j += dj) out[o] = Number(a[i] !== b[j]);
};
const lt: Kernel = (out, o, a, i, di, b, j, dj, n) => {
  for (const end = o + n; o < end; o++, i += di, j += dj) out[o] = Number(a[i] < b[j]);
};
const le: Kernel = (out, o, a, i, di, b, j, dj, n) => {
  for (const end = o + n; o < end; o++, i += di, j += dj) out[o] = Number(a[i] <= b[j]);
};
const gt: Kernel = (out, o, a, i, di, b, j, dj, n) => {
  for (const end = o + n; o < end; o++, i += di, j += dj) out[o] = Number(a[i] > b[j]);
};
const ge: Kernel = (out, o, a, i, di, b, j, dj, n) => {
  for (const end = o + n; o < end; o++, i += di, j += dj) out[o] = Number(a[i] >= b[j]);
};

const arithmetic = { add, sub, mul, div, pow, remainder };
const comparison = { eq, ne, lt, le, gt, ge };

export type Arithmetic = keyof typeof arithmetic;
export type Comparison = keyof typeof comparison;
export type Operand = TensorLike | number | bigint | boolean;

/** The second operand as a tensor, and the type that the result has. */
function operand(a: TensorLike, other: Operand): { b: TensorLike; type: DataType } {
  if (is_tensor(other)) return { b: other, type: promote(a.type, other.type) };
  if (typeof other !== "number" && typeof other !== "bigint" && typeof other !== "boolean") {
    throw expected("a number or a Tensor", "the operand", other);
  }
  const value = Number(other);
  const b: TensorLike = { type: "float64", dims: [], data: Float64Array.of(value) };
  if (is_float(a.type)) return { b, type: a.type };
  // A plain number widens an integer tensor only where it has to.
  if (!Number.isInteger(value) && typeof other === "number") return { b, type: "float32" };
  return { b, type: a.type === "bool" && typeof other !== "boolean" ? "int64" : a.type };
}

function run(kernel: Kernel, a: TensorLike, b: TensorLike, type: DataType): TensorLike {
  const dims = broadcast_shape(a.dims, b.dims);
  const out = working(type, count(dims));
  const [x, y] = [numbers(a), numbers(b)];
  const strides = [contiguous(dims), broadcast_strides(a.dims, dims), broadcast_strides(b.dims, dims)];
  walk(dims, strides, ([o, i, j], n, [, di, dj]) => kernel(out, o, x, i, di, y, j, dj, n));
  return { type, dims, data: store(type, out) };
}

/** These would wrap, or have no result, where torch and transformers.js throw. */
function check_divisors(b: TensorLike, type: DataType): void {
  if (is_float(type)) return;
  for (const divisor of numbers(b)) {
    if (divisor === 0) throw new RangeError("Division by zero");
    if (divisor < 0 && (type.startsWith("uint") || type === "bool")) {
      throw new RangeError("Negative divisors are not supported for unsigned or boolean tensors");
    }
  }
}

/** `a op other`, broadcast. Integers divide to float32. */
export function binary(op: Arithmetic, a: TensorLike, other: Operand): TensorLike {
  const { b, type } = operand(a, other);
  if (op === "remainder") check_divisors(b, type);
  return run(arithmetic[op], a, b, op === "div" && !is_float(type) ? "float32" : type);
}

/** The shape of `a`, into which `b` must broadcast. */
function fitting(a: TensorLike, b: TensorLike): readonly number[] {
  if (count(broadcast_shape(a.dims, b.dims)) === a.data.length) return a.dims;
  throw new RangeError(`Shape ${shape_text(b.dims)} does not broadcast into ${shape_text(a.dims)}`);
}

/** `a op= other`: the result in `a`'s data and type; integers are truncated. */
export function binary_in_place(op: Arithmetic, a: TensorLike, other: Operand): void {
  const { b } = operand(a, other);
  if (op === "remainder") check_divisors(b, a.type);
  fitting(a, b);
  const { data } = run(arithmetic[op], a, b, a.type);
  (a.data as Float32Array).set(data as Float32Array);
}

/** A bool tensor of where the comparison holds. */
export function compare(op: Comparison, a: TensorLike, other: Operand): TensorLike {
  return run(comparison[op], a, operand(a, other).b, "bool");
}

/** Overwrites `a` with `value`, broadcast and converted. */
export function assign(a: TensorLike, value: Operand): void {
  const { b } = operand(a, value);
  const data = gather(b.type, b.data, a.dims, broadcast_strides(b.dims, fitting(a, b)));
  (a.data as Float32Array).set(convert({ type: b.type, dims: a.dims, data }, a.type) as Float32Array);
}

/** `out[k] = f(x[k])`, a loop for each function as above. */
type Map = (x: NumberArray, out: NumberArray) => void;

const maps = {
  exp: (x, out) => {
    for (let k = 0; k < out.length; k++) out[k] = Math.exp(x[k]);
  },
  log: (x, out) => {
    for (let k = 0; k < out.length; k++) out[k] = Math.log(x[k]);
  },
  sqrt: (x, out) => {
    for (let k = 0; k < out.length; k++) out[k] = Math.sqrt(x[k]);
  },
  sigmoid: (x, out) => {
    for (let k = 0; k < out.length; k++) out[k] = 1 / (1 + Math.exp(-x[k]));
  },
  abs: (x, out) => {
    for (let k = 0; k < out.length; k++) out[k] = Math.abs(x[k]);
  },
  neg: (x, out) => {
    for (let k = 0; k < out.length; k++) out[k] = -x[k];
  },
  round: (x, out) => {
    for (let k = 0; k < out.length; k++) out[k] = Math.round(x[k]);
  },
} satisfies Record<string, Map>;

/** These have fractions for integers: float32. */
const fractional = new Set<unknown>([maps.exp, maps.log, maps.sqrt, maps.sigmoid]);

/** Every element by itself; into `into`, of the tensor's type, if it is given. */
export function unary(a: TensorLike, name: keyof typeof maps | Map, into?: TypedArray): TensorLike {
  const map = typeof name === "string" ? maps[name] : name;
  const type = fractional.has(map) && !is_float(a.type) && !into ? "float32" : a.type;
  const out = working(type, a.data.length);
  map(numbers(a), out);
  return { type, dims: a.dims, data: store(type, out, into) };
}

/** The nearest number from `min` to `max`; either may be left out. */
export function clamp(min?: number | null, max?: number | null): Map {
  const low = min ?? Number.NEGATIVE_INFINITY;
  const high = max ?? Number.POSITIVE_INFINITY;
  return (x, out) => {
    for (let k = 0; k < out.length; k++) out[k] = Math.min(Math.max(x[k], low), high);
  };
}
