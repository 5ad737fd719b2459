// Views and copies of other shapes.
import { expected } from "../errors.js";
import { along, axis_of, contiguous, gather, index_of } from "./strided.js";
import { allocate, convert, count, type DataType, promote, shape_text, type TensorLike } from "./types.js";

type Dims = readonly number[];

/** The sizes of `view` and `reshape`, where one may be -1. */
export function infer_dims(sizes: Dims, length: number): number[] {
  const dims = [...sizes];
  for (const size of dims) if (!Number.isInteger(size) || size < -1) throw expected("sizes", "the new shape", sizes);
  const free = dims.indexOf(-1);
  if (free !== dims.lastIndexOf(-1)) throw new RangeError("Only one dimension can be inferred");
  if (free >= 0) {
    const rest = -count(dims);
    dims[free] = rest === 0 ? 0 : length / rest;
  }
  if (count(dims) !== length || !dims.every(Number.isInteger)) {
    throw new RangeError(`Shape ${shape_text(sizes)} is invalid for a tensor of ${length} elements`);
  }
  return dims;
}

/** `dims` without its ones: all, or those at `dim`. */
export function squeeze_dims(dims: Dims, dim?: number | readonly number[] | null): number[] {
  if (dim === null || dim === undefined) return dims.filter((size) => size !== 1);
  const axes = (typeof dim === "number" ? [dim] : dim).map((one) => axis_of(one, dims.length));
  return dims.filter((size, axis) => size !== 1 || !axes.includes(axis));
}

export function unsqueeze_dims(dims: Dims, dim: number): number[] {
  const axis = axis_of(dim, dims.length + 1);
  return [...dims.slice(0, axis), 1, ...dims.slice(axis)];
}

export function flatten_dims(dims: Dims, start: number, end: number): number[] {
  if (dims.length === 0) return [1];
  const first = axis_of(start, dims.length, "start_dim");
  const last = axis_of(end, dims.length, "end_dim");
  if (first > last) throw new RangeError(`start_dim ${start} lies after end_dim ${end}`);
  return [...dims.slice(0, first), count(dims.slice(first, last + 1)), ...dims.slice(last + 1)];
}

export function permute({ type, dims, data }: TensorLike, axes: Dims): TensorLike {
  const order = axes.map((axis) => axis_of(axis, dims.length, "dims"));
  if (order.length !== dims.length || new Set(order).size !== order.length) {
    throw expected(`each of the ${dims.length} dimensions once`, "dims", axes);
  }
  const strides = contiguous(dims);
  const shape = order.map((axis) => dims[axis]);
  const steps = order.map((axis) => strides[axis]);
  return { type, dims: shape, data: gather(type, data, shape, steps) };
}

/** Two axes swapped, as torch.transpose; with an axis for each dimension, as `permute`. */
export function transpose(tensor: TensorLike, axes: Dims): TensorLike {
  const rank = tensor.dims.length;
  if (axes.length !== 2) return permute(tensor, axes.length === 0 ? [...tensor.dims.keys()].reverse() : axes);
  const order = [...tensor.dims.keys()];
  const [a, b] = axes.map((axis) => axis_of(axis, rank, "dims"));
  [order[a], order[b]] = [order[b], order[a]];
  return permute(tensor, order);
}

/** One index (the axis goes away), a range (ends may be negative, null or outside), or null for all. */
export type SliceItem =
  | number
  | readonly [number | null, number | null]
  | readonly (number | null)[]
  | null
  | undefined;

/** Python's `range` ends: negative ones count from the end, those outside are clipped. */
function clip(end: number | null, size: number, fallback: number): number {
  if (end === null) return fallback;
  if (!Number.isInteger(end)) throw expected("integers or null", "a slice's range", end);
  return Math.min(Math.max(end < 0 ? end + size : end, 0), size);
}

export function slice({ type, dims, data }: TensorLike, items: readonly SliceItem[]): TensorLike {
  if (items.length > dims.length) {
    throw new RangeError(`${items.length} slices for a tensor of ${dims.length} dimensions, ${shape_text(dims)}`);
  }
  const strides = contiguous(dims);
  const shape: number[] = [];
  const steps: number[] = [];
  let offset = 0;
  for (const [axis, size] of dims.entries()) {
    const item = items[axis] ?? [null, null];
    if (typeof item === "number") {
      offset += index_of(item, size, axis) * strides[axis];
      continue;
    }
    if (!Array.isArray(item) || item.length !== 2) throw expected("an index, [start, end] or null", "slice", item);
    const start = clip(item[0], size, 0);
    offset += start * strides[axis];
    shape.push(Math.max(clip(item[1], size, size) - start, 0));
    steps.push(strides[axis]);
  }
  return { type, dims: shape, data: gather(type, data, shape, steps, offset) };
}

/** onnx's Slice: ranges with steps on chosen axes. */
export function slice_steps(tensor: TensorLike, starts: Dims, ends: Dims, axes: Dims, steps: Dims): TensorLike {
  const { type, dims, data } = tensor;
  const strides = contiguous(dims);
  const shape = [...dims];
  let offset = 0;
  axes.forEach((named, i) => {
    const axis = axis_of(named, dims.length, "axes");
    const size = dims[axis];
    const step = steps[i];
    if (!Number.isInteger(step) || step === 0) throw expected("integers other than 0", "steps", step);
    // Going down, the range starts at most at the last element and ends at least before the first.
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const place = (end: number) => Math.min(Math.max(end < 0 ? end + size : end, low), high);
    const start = place(starts[i]);
    shape[axis] = Math.max(Math.ceil((place(ends[i]) - start) / step), 0);
    offset += start * strides[axis];
    strides[axis] *= step;
  });
  return { type, dims: shape, data: gather(type, data, shape, strides, offset) };
}

/** Axes of size 1 repeated to `sizes`; -1 keeps a size, new axes come in front. */
export function expand({ type, dims, data }: TensorLike, sizes: Dims): TensorLike {
  const added = sizes.length - dims.length;
  const shape = sizes.map((size, axis) => (size === -1 ? dims[axis - added] : size));
  const own = contiguous(dims);
  const fits = added >= 0 && shape.every((size, i) => size >= 0 && (i < added || [1, size].includes(dims[i - added])));
  if (!fits) throw new RangeError(`A tensor of shape ${shape_text(dims)} does not expand to ${shape_text(sizes)}`);
  const steps = shape.map((_, i) => (i < added || dims[i - added] === 1 ? 0 : own[i - added]));
  return { type, dims: shape, data: gather(type, data, shape, steps) };
}

export function repeat({ type, dims, data }: TensorLike, repeats: Dims): TensorLike {
  if (repeats.length < dims.length) {
    throw new RangeError(
      `Number of dimensions of repeat dims (${repeats.length}) cannot be smaller than number of dimensions of tensor (${dims.length})`,
    );
  }
  for (const times of repeats) if (!Number.isInteger(times) || times < 0) throw expected("counts", "repeats", repeats);
  const sizes = [...repeats.slice(dims.length).map(() => 1), ...dims];
  const own = contiguous(sizes);
  // Each axis becomes two: the repeats, which do not move in the data, and the axis itself.
  const shape = sizes.flatMap((size, axis) => [repeats[axis], size]);
  const steps = sizes.flatMap((_, axis) => [0, own[axis]]);
  const result = sizes.map((size, axis) => size * repeats[axis]);
  return { type, dims: result, data: gather(type, data, shape, steps) };
}

export function cat(tensors: readonly TensorLike[], dim: number): TensorLike {
  const [first] = tensors;
  if (!first) throw expected("at least one Tensor", "tensors", tensors);
  const axis = axis_of(dim, first.dims.length);
  let type: DataType = first.type;
  for (const { type: other, dims } of tensors) {
    if (dims.length !== first.dims.length || dims.some((size, i) => i !== axis && size !== first.dims[i])) {
      throw new RangeError(
        `Tensors of shapes ${shape_text(first.dims)} and ${shape_text(dims)} differ in more than dimension ${axis}`,
      );
    }
    type = promote(type, other);
  }
  const total = tensors.reduce((size, { dims }) => size + dims[axis], 0);
  const shape = first.dims.map((size, i) => (i === axis ? total : size));
  const out = allocate(type, count(shape)) as Float32Array;
  const row = total * count(shape.slice(axis + 1));
  let column = 0;
  for (const tensor of tensors) {
    const source = (tensor.type === type ? tensor.data : convert(tensor, type)) as Float32Array;
    const { outer, length, inner } = along(tensor, axis);
    const block = length * inner;
    for (let o = 0; o < outer; o++) out.set(source.subarray(o * block, (o + 1) * block), o * row + column);
    column += block;
  }
  return { type, dims: shape, data: out };
}
