import { inspect } from "node:util";
import { expected } from "../errors.js";
import type { Operand } from "./elementwise.js";
import * as elementwise from "./elementwise.js";
import { format } from "./format.js";
import { product } from "./matmul.js";
import type { Dim } from "./reduce.js";
import * as reduce from "./reduce.js";
import * as shapes from "./shape.js";
import { axis_of, contiguous, index_of } from "./strided.js";
import * as types from "./types.js";
import { as_tensor, type DataType, is_tensor, shape_text, type TensorLike, type TypedArray } from "./types.js";

export type Scalar = number | bigint;
export type NestedArray = Scalar | boolean | NestedArray[];

/**
 * Makes `tensor[0]` and `tensor[0] = 1` work. The proxy is the end of the prototype chain: only names that neither the
 * tensor nor its class has come here, so that everything else costs what it costs on a plain object.
 */
const Indexed = class {} as { new (): object };
const is_index = (key: string | symbol): key is string => typeof key === "string" && /^-?\d+$/.test(key);
Object.setPrototypeOf(
  Indexed.prototype,
  new Proxy(
    {},
    {
      get: (target, key, tensor) =>
        is_index(key) ? (tensor as Tensor)._getitem(Number(key)) : Reflect.get(target, key, tensor),
      set(target, key, value, tensor) {
        if (!is_index(key)) return Reflect.set(target, key, value, tensor);
        (tensor as Tensor)._setitem(Number(key), value);
        return true;
      },
    },
  ),
);

/**
 * An n-dimensional array of one element type: `data` is a typed array in row-major order, `dims` its shape.
 * Names follow transformers.js, numbers follow torch. Methods that end in `_` change the tensor and return it;
 * `tensor[i]`, `view`, `reshape`, `squeeze`, `unsqueeze` and `unbind(0)` share its data; all others return copies.
 *
 * `tolist()` and `item()` give numbers, also for 64-bit integers where they are exact. Arithmetic on 64-bit integers
 * is exact up to 2^53; float16 elements are computed with in float32.
 */
export class Tensor extends Indexed implements TensorLike {
  [index: number]: Tensor;
  readonly type: DataType;
  readonly data: TypedArray;
  dims: number[];

  /**
   * `new Tensor("float32", [1, 2, 3, 4], [2, 2])`, or of any object with type, dims and data. A typed array of the
   * right class is kept, other arrays are converted.
   * @throws RangeError if the number of elements is not that of the shape
   */
  constructor(type: DataType, data: TypedArray | readonly (Scalar | boolean)[], dims?: readonly number[]);
  constructor(tensor: TensorLike);
  constructor(
    type: DataType | TensorLike,
    data?: TypedArray | readonly (Scalar | boolean)[],
    dims?: readonly number[],
  ) {
    super();
    if (is_tensor(type)) ({ type, data, dims } = type);
    if (!Object.hasOwn(types.array_classes, type as string)) {
      throw expected(`one of ${Object.keys(types.array_classes).join(", ")}`, "type", type);
    }
    if (!Array.isArray(data) && !ArrayBuffer.isView(data)) throw expected("an array", "data", data);
    const shape = dims ?? [data.length];
    if (!Array.isArray(shape) || !shape.every((size) => Number.isInteger(size) && size >= 0)) {
      throw expected("sizes from 0 on", "dims", dims);
    }
    if (types.count(shape) !== data.length) {
      throw new RangeError(`${data.length} elements do not fill the shape ${shape_text(shape)}`);
    }
    this.type = type as DataType;
    this.data = data instanceof types.array_classes[this.type] ? data : types.from_list(this.type, data as Scalar[]);
    this.dims = [...shape];
  }

  get shape(): number[] {
    return this.dims;
  }
  get dtype(): DataType {
    return this.type;
  }
  /** The number of elements. */
  get size(): number {
    return this.data.length;
  }
  get ndim(): number {
    return this.dims.length;
  }
  /** Python's `len`: the size of the first dimension. */
  get length(): number {
    return this.dims[0] ?? 0;
  }
  get location(): "cpu" {
    return "cpu";
  }
  numel(): number {
    return this.data.length;
  }
  stride(): number[] {
    return contiguous(this.dims);
  }
  /** Does nothing: the memory is JavaScript's. For programs written for transformers.js. */
  dispose(): void {}

  // ---- elements

  /** The only element, as a number; a 64-bit integer that no number holds comes as a bigint after all. */
  item(): number {
    if (this.data.length !== 1) {
      throw new RangeError(`a Tensor with ${this.data.length} elements cannot be converted to Scalar`);
    }
    return types.element(this, 0) as number;
  }

  /** Nested arrays of numbers; a scalar tensor gives its number. */
  // biome-ignore lint/suspicious/noExplicitAny: the depth of the nesting is known only at run time
  tolist(): any {
    if (this.dims.length === 0) return types.element(this, 0);
    const rows = Math.max(types.count(this.dims.slice(0, -1)), 1);
    const width = this.dims.at(-1) as number;
    let level: unknown[] = types.element_rows(this, rows, width);
    for (const size of this.dims.slice(1, -1).reverse()) {
      level = Array.from({ length: level.length / size }, (_, i) => level.slice(i * size, (i + 1) * size));
    }
    return this.dims.length === 1 ? level[0] : level;
  }

  /** Along the first dimension: tensors that share the data, or numbers if there is only one dimension. */
  // biome-ignore lint/suspicious/noExplicitAny: tensors or numbers, by the rank
  *[Symbol.iterator](): Generator<any> {
    if (this.dims.length === 0) throw new TypeError("A tensor without dimensions cannot be iterated over");
    if (this.dims.length === 1) yield* types.elements(this);
    else for (let i = 0; i < this.dims[0]; i++) yield this._getitem(i);
  }

  /** What `tensor[index]` gives: a view without the first dimension. */
  _getitem(index: number): Tensor {
    const [size, ...rest] = this.dims;
    if (size === undefined) throw new RangeError("A tensor without dimensions cannot be indexed");
    const step = types.count(rest);
    const start = index_of(index, size, 0) * step;
    return new Tensor(this.type, this.data.subarray(start, start + step), rest);
  }

  _setitem(index: number, value: Operand): void {
    const row = this._getitem(index);
    elementwise.assign(row, value);
  }

  // ---- arithmetic; the other operand is a number or a tensor, broadcast

  add(other: Operand): Tensor {
    return new Tensor(elementwise.binary("add", this, other));
  }
  sub(other: Operand): Tensor {
    return new Tensor(elementwise.binary("sub", this, other));
  }
  mul(other: Operand): Tensor {
    return new Tensor(elementwise.binary("mul", this, other));
  }
  /** True division: integers give float32. */
  div(other: Operand): Tensor {
    return new Tensor(elementwise.binary("div", this, other));
  }
  pow(other: Operand): Tensor {
    return new Tensor(elementwise.binary("pow", this, other));
  }
  /** Python's `%`: the result has the sign of the divisor. */
  remainder(other: Operand): Tensor {
    return new Tensor(elementwise.binary("remainder", this, other));
  }
  add_(other: Operand): this {
    elementwise.binary_in_place("add", this, other);
    return this;
  }
  sub_(other: Operand): this {
    elementwise.binary_in_place("sub", this, other);
    return this;
  }
  mul_(other: Operand): this {
    elementwise.binary_in_place("mul", this, other);
    return this;
  }
  div_(other: Operand): this {
    elementwise.binary_in_place("div", this, other);
    return this;
  }
  remainder_(other: Operand): this {
    elementwise.binary_in_place("remainder", this, other);
    return this;
  }

  eq(other: Operand): Tensor {
    return new Tensor(elementwise.compare("eq", this, other));
  }
  ne(other: Operand): Tensor {
    return new Tensor(elementwise.compare("ne", this, other));
  }
  lt(other: Operand): Tensor {
    return new Tensor(elementwise.compare("lt", this, other));
  }
  le(other: Operand): Tensor {
    return new Tensor(elementwise.compare("le", this, other));
  }
  gt(other: Operand): Tensor {
    return new Tensor(elementwise.compare("gt", this, other));
  }
  ge(other: Operand): Tensor {
    return new Tensor(elementwise.compare("ge", this, other));
  }

  exp(): Tensor {
    return new Tensor(elementwise.unary(this, "exp"));
  }
  log(): Tensor {
    return new Tensor(elementwise.unary(this, "log"));
  }
  sqrt(): Tensor {
    return new Tensor(elementwise.unary(this, "sqrt"));
  }
  sigmoid(): Tensor {
    return new Tensor(elementwise.unary(this, "sigmoid"));
  }
  sigmoid_(): this {
    elementwise.unary(this, "sigmoid", this.data);
    return this;
  }
  abs(): Tensor {
    return new Tensor(elementwise.unary(this, "abs"));
  }
  neg(): Tensor {
    return new Tensor(elementwise.unary(this, "neg"));
  }
  neg_(): this {
    elementwise.unary(this, "neg", this.data);
    return this;
  }
  /** To the nearest integer, halves upwards, as JavaScript and transformers.js round. */
  round(): Tensor {
    return new Tensor(elementwise.unary(this, "round"));
  }
  round_(): this {
    elementwise.unary(this, "round", this.data);
    return this;
  }
  clamp(min?: number | null, max?: number | null): Tensor {
    return new Tensor(elementwise.unary(this, elementwise.clamp(min, max)));
  }
  clamp_(min?: number | null, max?: number | null): this {
    elementwise.unary(this, elementwise.clamp(min, max), this.data);
    return this;
  }
  // biome-ignore lint/suspicious/noExplicitAny: elements are numbers or bigints by the type
  map(callback: (value: any, index: number, data: TypedArray) => any): Tensor {
    return this.clone().map_(callback);
  }
  /** Elements come as they are in `data`: bigints in 64-bit tensors; float16 as numbers. */
  // biome-ignore lint/suspicious/noExplicitAny: elements are numbers or bigints by the type
  map_(callback: (value: any, index: number, data: TypedArray) => any): this {
    const data = (this.type === "float16" ? types.numbers(this) : this.data) as Float32Array;
    for (let i = 0; i < data.length; i++) data[i] = callback(data[i], i, data);
    types.store(this.type, data, data === this.data ? undefined : this.data);
    return this;
  }

  // ---- reductions, over `dim` or, without it, over all elements

  sum(dim?: Dim, keepdim = false): Tensor {
    return new Tensor(reduce.sum(this, dim, keepdim));
  }
  mean(dim?: Dim, keepdim = false): Tensor {
    return new Tensor(reduce.mean(this, dim, keepdim));
  }
  /** The largest values alone, as in transformers.js; `argmax` gives their places. */
  max(dim?: Dim, keepdim = false): Tensor {
    return new Tensor(reduce.extreme("max", this, dim, keepdim));
  }
  min(dim?: Dim, keepdim = false): Tensor {
    return new Tensor(reduce.extreme("min", this, dim, keepdim));
  }
  argmax(dim?: Dim, keepdim = false): Tensor {
    return new Tensor(reduce.arg("max", this, dim, keepdim));
  }
  argmin(dim?: Dim, keepdim = false): Tensor {
    return new Tensor(reduce.arg("min", this, dim, keepdim));
  }
  norm(p: number | "fro" = "fro", dim?: Dim, keepdim = false): Tensor {
    return new Tensor(reduce.norm(this, p, dim, keepdim));
  }
  normalize(p = 2, dim = 1): Tensor {
    return new Tensor(reduce.normalize(this, p, dim));
  }
  normalize_(p = 2, dim = 1): this {
    elementwise.assign(this, reduce.normalize(this, p, dim));
    return this;
  }
  softmax(dim = -1): Tensor {
    return new Tensor(reduce.softmax(this, dim));
  }
  log_softmax(dim = -1): Tensor {
    return new Tensor(reduce.log_softmax(this, dim));
  }
  matmul(other: TensorLike): Tensor {
    return new Tensor(product(this, as_tensor(other, "other")));
  }

  // ---- shapes

  clone(): Tensor {
    return new Tensor(this.type, this.data.slice(), this.dims);
  }
  /** Sizes as arguments or in one array; one of them may be -1. */
  view(...sizes: (number | readonly number[])[]): Tensor {
    return this.#with_dims(shapes.infer_dims(sizes.flat(), this.data.length));
  }
  reshape(...sizes: (number | readonly number[])[]): Tensor {
    return this.view(...sizes);
  }
  squeeze(dim?: number | readonly number[] | null): Tensor {
    return this.#with_dims(shapes.squeeze_dims(this.dims, dim));
  }
  squeeze_(dim?: number | readonly number[] | null): this {
    this.dims = shapes.squeeze_dims(this.dims, dim);
    return this;
  }
  unsqueeze(dim: number): Tensor {
    return this.#with_dims(shapes.unsqueeze_dims(this.dims, dim));
  }
  unsqueeze_(dim: number): this {
    this.dims = shapes.unsqueeze_dims(this.dims, dim);
    return this;
  }
  flatten(start_dim = 0, end_dim = -1): Tensor {
    return this.clone().flatten_(start_dim, end_dim);
  }
  flatten_(start_dim = 0, end_dim = -1): this {
    this.dims = shapes.flatten_dims(this.dims, start_dim, end_dim);
    return this;
  }
  permute(...dims: (number | readonly number[])[]): Tensor {
    return new Tensor(shapes.permute(this, dims.flat()));
  }
  /** `transpose(a, b)` swaps two dimensions as torch does; otherwise as `permute`, without arguments reversed. */
  transpose(...dims: (number | readonly number[])[]): Tensor {
    return new Tensor(shapes.transpose(this, dims.flat()));
  }
  /** For each dimension an index, `[start, end]` (as Python's `start:end`, either may be null), or null for all. */
  slice(...slices: shapes.SliceItem[]): Tensor {
    return new Tensor(shapes.slice(this, slices));
  }
  expand(...sizes: (number | readonly number[])[]): Tensor {
    return new Tensor(shapes.expand(this, sizes.flat()));
  }
  repeat(...repeats: (number | readonly number[])[]): Tensor {
    return new Tensor(shapes.repeat(this, repeats.flat()));
  }
  /** As `repeat`, where missing counts in front are 1. */
  tile(...repeats: (number | readonly number[])[]): Tensor {
    const counts = repeats.flat();
    return this.repeat(...new Array(Math.max(this.dims.length - counts.length, 0)).fill(1), ...counts);
  }
  /** The slices along `dim`. */
  unbind(dim = 0): Tensor[] {
    const axis = axis_of(dim, this.dims.length);
    const first = axis === 0 ? this : this.permute(axis, ...[...this.dims.keys()].filter((other) => other !== axis));
    return Array.from({ length: first.length }, (_, i) => first._getitem(i));
  }
  #with_dims(dims: readonly number[]): Tensor {
    return new Tensor(this.type, this.data, dims);
  }

  /** Another element type (the tensor itself if it has it already; floats become integers by truncation), or "cpu". */
  to(type: DataType | "cpu"): Tensor {
    if (type === "cpu" || type === this.type) return this;
    if (!Object.hasOwn(types.array_classes, type)) {
      throw expected(`one of ${Object.keys(types.array_classes).join(", ")}`, "type", type);
    }
    return new Tensor(type, types.convert(this, type), this.dims);
  }

  override toString(): string {
    return format(this);
  }
  [inspect.custom](): string {
    return format(this);
  }
}
