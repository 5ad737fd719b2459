// The strided core: one walk over n-dimensional data serves broadcasting, permuting, slicing, repeating.
import { expected, out_of_range } from "../errors.js";
import { allocate, count, type DataType, shape_text, type TensorLike, type TypedArray } from "./types.js";

/** Elements to step over for one step along each axis of contiguous data. */
export function contiguous(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length);
  for (let axis = dims.length - 1, step = 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= dims[axis];
  }
  return strides;
}

/** An axis from 0 on, of one that may be counted from the end. */
export function axis_of(dim: number, rank: number, argument = "dim"): number {
  if (!Number.isInteger(dim)) throw expected("an integer", argument, dim);
  const size = Math.max(rank, 1);
  if (dim < -size || dim >= size) {
    throw out_of_range(`a dimension from ${-size} to ${size - 1} (the tensor has ${rank})`, argument, dim);
  }
  return dim < 0 ? dim + size : dim;
}

/** A position from 0 on along an axis of `size`. */
export function index_of(index: number, size: number, axis: number): number {
  if (!Number.isInteger(index)) throw expected("an integer", "index", index);
  if (index < -size || index >= size) {
    throw new RangeError(`Index ${index} is out of bounds for dimension ${axis} with size ${size}`);
  }
  return index < 0 ? index + size : index;
}

/**
 * Visits all runs along the last axis of `shape`. `strides` holds the strides of each operand;
 * `visit` gets, for each operand, where the run begins and its step. Axes that follow each other in memory
 * are joined first, so that contiguous operands are one run.
 */
export function walk(
  shape: readonly number[],
  strides: readonly number[][],
  visit: (at: readonly number[], length: number, steps: readonly number[]) => void,
): void {
  const sizes: number[] = [];
  const steps: number[][] = strides.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    if (shape[axis] === 0) return;
    if (shape[axis] === 1) continue;
    const last = sizes.length - 1;
    const joins = last >= 0 && strides.every((own, k) => steps[k][last] === own[axis] * shape[axis]);
    if (joins) sizes[last] *= shape[axis];
    else sizes.push(shape[axis]);
    for (let k = 0; k < strides.length; k++) steps[k][joins ? last : last + 1] = strides[k][axis];
  }
  const rank = sizes.length;
  const at = strides.map(() => 0);
  if (rank === 0) {
    visit(at, 1, at);
    return;
  }
  const length = sizes[rank - 1];
  const run = steps.map((own) => own[rank - 1]);
  const counter = new Array<number>(rank).fill(0);
  for (;;) {
    visit(at, length, run);
    let axis = rank - 2;
    for (; axis >= 0; axis--) {
      for (let k = 0; k < at.length; k++) at[k] += steps[k][axis];
      if (++counter[axis] < sizes[axis]) break;
      counter[axis] = 0;
      for (let k = 0; k < at.length; k++) at[k] -= steps[k][axis] * sizes[axis];
    }
    if (axis < 0) return;
  }
}

/** Copies a strided view of `data` into a new contiguous array. */
export function gather(
  type: DataType,
  data: TypedArray,
  shape: readonly number[],
  strides: readonly number[],
  offset = 0,
): TypedArray {
  const out = allocate(type, count(shape)) as Float32Array;
  const source = data as Float32Array;
  let to = 0;
  walk(shape, [strides as number[]], ([at], length, [step]) => {
    const from = offset + at;
    if (step === 1 && length > 32) out.set(source.subarray(from, from + length), to);
    else for (let i = 0; i < length; i++) out[to + i] = source[from + i * step];
    to += length;
  });
  return out;
}

/** The shape that `a` and `b` broadcast to. */
export function broadcast_shape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new RangeError(`Shapes ${shape_text(a)} and ${shape_text(b)} do not broadcast: ${left} against ${right}`);
    }
    return left === 1 ? right : left;
  });
}

/** The strides that read a tensor of `dims` as if it had `shape`: 0 where an axis is repeated. */
export function broadcast_strides(dims: readonly number[], shape: readonly number[]): number[] {
  const own = contiguous(dims);
  const missing = shape.length - dims.length;
  return shape.map((_, axis) => (axis < missing || dims[axis - missing] === 1 ? 0 : own[axis - missing]));
}

/** `tensor` seen along one axis: `outer` blocks of `length` steps of `inner` elements. */
export function along({ dims }: TensorLike, axis: number): { outer: number; length: number; inner: number } {
  return { outer: count(dims.slice(0, axis)), length: dims[axis] ?? 1, inner: count(dims.slice(axis + 1)) };
}
