// Symbolic tensors: what models compute with while they are traced. Names and meanings are those of torch.Tensor.
import type { Weight } from "./module.js";
import { broadcast, check_axis, product, text } from "./shapes.js";
import { type SymDtype, Trace } from "./trace.js";

export type Operand = Sym | Weight;

/** The symbol of an operand: a parameter becomes a leaf of the current trace. */
export function sym(value: Operand): Sym {
  return value instanceof Sym ? value : value.sym();
}

/** A value of a program: a shape (up to four axes) and the operation that makes it. */
export class Sym {
  readonly id: number;
  readonly shape: readonly number[];
  readonly dtype: SymDtype;

  constructor(id: number, shape: readonly number[], dtype: SymDtype) {
    this.id = id;
    this.shape = shape;
    this.dtype = dtype;
  }

  get ndim(): number {
    return this.shape.length;
  }

  /** Size of one axis; negative ones count from the end. */
  size(axis: number): number {
    return this.shape[check_axis(axis, this.shape, "size")];
  }

  private elementwise(op: string, other: Operand): Sym {
    const right = sym(other);
    return Trace.current.emit(op, [this, right], broadcast(op, this.shape, right.shape));
  }

  private unary(op: string, attributes = {}): Sym {
    return Trace.current.emit(op, [this], this.shape, attributes);
  }

  /** Sum with a tensor that broadcasts, or with a number. */
  add(other: Operand | number): Sym {
    return typeof other === "number" ? this.unary("scale", { scale: 1, bias: other }) : this.elementwise("add", other);
  }

  sub(other: Operand | number): Sym {
    return typeof other === "number" ? this.add(-other) : this.elementwise("sub", other);
  }

  mul(other: Operand | number): Sym {
    return typeof other === "number" ? this.unary("scale", { scale: other, bias: 0 }) : this.elementwise("mul", other);
  }

  div(other: Operand | number): Sym {
    return typeof other === "number" ? this.mul(1 / other) : this.elementwise("div", other);
  }

  neg(): Sym {
    return this.mul(-1);
  }

  exp(): Sym {
    return this.unary("exp");
  }

  log(): Sym {
    return this.unary("log");
  }

  sqrt(): Sym {
    return this.unary("sqrt");
  }

  /** 1 / sqrt(x). */
  rsqrt(): Sym {
    return this.pow(-0.5);
  }

  square(): Sym {
    return this.unary("square");
  }

  /** To a power that is a number. */
  pow(exponent: number): Sym {
    if (exponent === 2) return this.square();
    return this.unary("pow", { exponent });
  }

  /** 1 / x. */
  reciprocal(): Sym {
    return this.pow(-1);
  }

  /** exp(x) - 1 and log(1 + x), also where x is small. */
  expm1(): Sym {
    return this.unary("expm1");
  }

  log1p(): Sym {
    return this.unary("log1p");
  }

  floor(): Sym {
    return this.unary("floor");
  }

  ceil(): Sym {
    return this.unary("ceil");
  }

  /** The larger of two values, the other side a number or a tensor that broadcasts. */
  maximum(other: Operand | number): Sym {
    if (typeof other === "number") return this.clamp(other);
    return this.elementwise("maximum", other);
  }

  minimum(other: Operand | number): Sym {
    if (typeof other === "number") return this.clamp(-Infinity, other);
    return this.elementwise("minimum", other);
  }

  abs(): Sym {
    return this.unary("abs");
  }

  sin(): Sym {
    return this.unary("sin");
  }

  cos(): Sym {
    return this.unary("cos");
  }

  erf(): Sym {
    return this.unary("erf");
  }

  clamp(min: number, max = Infinity): Sym {
    if (!(min <= max)) throw Trace.current.error(`clamp to ${min} … ${max}`);
    return this.unary("clamp", { min: finite(min), max: finite(max) });
  }

  tanh(): Sym {
    return this.activation("tanh");
  }

  sigmoid(): Sym {
    return this.activation("sigmoid");
  }

  relu(): Sym {
    return this.activation("relu");
  }

  /** One of the native activations; `activation()` in activations.ts knows Python's names for them. */
  activation(kind: string): Sym {
    return this.unary("activation", { kind });
  }

  softmax(axis = -1): Sym {
    return this.along(axis, "softmax", (x) => x.unary("softmax"));
  }

  log_softmax(axis = -1): Sym {
    const shifted = this.sub(this.amax(axis, true));
    return shifted.sub(shifted.exp().sum(axis, true).log());
  }

  /** What `f` makes of this with an axis moved to the end, and back. */
  private along(axis: number, op: string, f: (x: Sym) => Sym): Sym {
    const at = check_axis(axis, this.shape, op);
    return at === this.ndim - 1 ? f(this) : f(this.transpose(at, -1)).transpose(at, -1);
  }

  /** `value` where the mask, of ones and zeros, is one; it broadcasts. The mask is float32: programs have no booleans. */
  masked_fill(mask: Operand, value: number): Sym {
    return where(mask, value, this);
  }

  /** Matrix product over the last two axes; leading axes broadcast. */
  matmul(other: Operand): Sym {
    const right = sym(other);
    const [rows, inner] = this.shape.slice(-2);
    const [columns_of, columns] = right.shape.slice(-2);
    if (this.ndim < 2 || right.ndim < 2 || inner !== columns_of)
      throw Trace.current.error(`matmul of shapes ${text(this.shape)} and ${text(right.shape)}`);
    const leading = broadcast("matmul", this.shape.slice(0, -2), right.shape.slice(0, -2));
    return Trace.current.emit("matmul", [this, right], [...leading, rows, columns]);
  }

  /** The same elements in another shape; one size may be -1. */
  reshape(...sizes: number[]): Sym {
    const total = product(this.shape);
    const known = product(sizes.filter((size) => size !== -1));
    const shape = sizes.map((size) => (size === -1 ? total / known : size));
    if (sizes.filter((size) => size === -1).length > 1 || product(shape) !== total || !shape.every(Number.isInteger))
      throw Trace.current.error(`reshape of ${text(this.shape)} to ${text(sizes)}`);
    return Trace.current.emit("reshape", [this], shape, {}, this.dtype);
  }

  flatten(start = 0, end = -1): Sym {
    const first = check_axis(start, this.shape, "flatten");
    const last = check_axis(end, this.shape, "flatten");
    const { shape } = this;
    return this.reshape(...shape.slice(0, first), product(shape.slice(first, last + 1)), ...shape.slice(last + 1));
  }

  unsqueeze(axis: number): Sym {
    const at = axis < 0 ? axis + this.ndim + 1 : axis;
    return this.reshape(...this.shape.slice(0, at), 1, ...this.shape.slice(at));
  }

  squeeze(axis: number): Sym {
    const at = check_axis(axis, this.shape, "squeeze");
    if (this.shape[at] !== 1) throw Trace.current.error(`squeeze of axis ${axis} of shape ${text(this.shape)}`);
    return this.reshape(...this.shape.slice(0, at), ...this.shape.slice(at + 1));
  }

  /** Axis i of the result is axis `axes[i]` of this. */
  permute(...axes: number[]): Sym {
    const order = axes.map((axis) => check_axis(axis, this.shape, "permute"));
    if (order.length !== this.ndim || new Set(order).size !== order.length)
      throw Trace.current.error(`permute(${axes}) of shape ${text(this.shape)}`);
    return Trace.current.emit(
      "permute",
      [this],
      order.map((axis) => this.shape[axis]),
      { axes: order },
    );
  }

  transpose(a: number, b: number): Sym {
    const axes = this.shape.map((_, axis) => axis);
    const [first, second] = [check_axis(a, this.shape, "transpose"), check_axis(b, this.shape, "transpose")];
    [axes[first], axes[second]] = [axes[second], axes[first]];
    return this.permute(...axes);
  }

  /** Elements `start` to `start + length` of one axis. */
  narrow(axis: number, start: number, length: number): Sym {
    const at = check_axis(axis, this.shape, "narrow");
    const fits = start >= 0 && length >= 1 && start + length <= this.shape[at];
    if (!fits || !Number.isInteger(start) || !Number.isInteger(length))
      throw Trace.current.error(`narrow(${axis}, ${start}, ${length}) of shape ${text(this.shape)}`);
    const shape = this.shape.map((size, i) => (i === at ? length : size));
    return Trace.current.emit("narrow", [this], shape, { axis: at, start });
  }

  /** One element of an axis, which goes away. */
  select(axis: number, index: number): Sym {
    const at = check_axis(axis, this.shape, "select");
    return this.narrow(at, index < 0 ? index + this.shape[at] : index, 1).squeeze(at);
  }

  /** Equal pieces along an axis. */
  chunk(count: number, axis = -1): Sym[] {
    const length = this.size(axis) / count;
    return Array.from({ length: count }, (_, i) => this.narrow(axis, i * length, length));
  }

  /** Pieces of these lengths, or all of one length (but for the last one, which may be shorter). */
  split(lengths: number | readonly number[], axis = 0): Sym[] {
    const size = this.size(axis);
    const all =
      typeof lengths === "number"
        ? Array.from({ length: Math.ceil(size / lengths) }, (_, i) => Math.min(lengths, size - i * lengths))
        : lengths;
    if (all.length === 0 || all.reduce((sum, length) => sum + length, 0) !== size)
      throw Trace.current.error(`split(${text(all)}, ${axis}) of shape ${text(this.shape)}`);
    let start = 0;
    return all.map((length) => {
      start += length;
      return this.narrow(axis, start - length, length);
    });
  }

  /** The elements of an axis that stand at `indices`, known while tracing; -1 gives `fill`. */
  take(axis: number, indices: readonly number[], fill?: number): Sym {
    const at = check_axis(axis, this.shape, "take");
    const lowest = fill === undefined ? 0 : -1;
    if (indices.length === 0 || !indices.every((i) => Number.isInteger(i) && i >= lowest && i < this.shape[at]))
      throw Trace.current.error(`take(${axis}, ${text(indices)}) of shape ${text(this.shape)}`);
    return this.windows(at, indices.length, { kind: "copy", indices, fill: finite(fill ?? 0) });
  }

  /** Each place along an axis made from places of this one; see `window_operations` in native/graph/lower_windows.cpp. */
  windows(axis: number, size: number, attributes: Windows): Sym {
    const shape = this.shape.map((old, i) => (i === axis ? size : old));
    return Trace.current.emit("windows", [this], shape, { axis, ...attributes });
  }

  /** Elements in the opposite order along these axes. */
  flip(...axes: number[]): Sym {
    return axes.reduce<Sym>((x, axis) => x.take(axis, range(x.size(axis)).reverse()), this);
  }

  /** Moved along an axis, what leaves at one end comes in at the other. */
  roll(shift: number, axis: number): Sym {
    const size = this.size(axis);
    const start = (((-shift % size) + size) % size) as number;
    if (start === 0) return this;
    return cat([this.narrow(axis, start, size - start), this.narrow(axis, 0, start)], axis);
  }

  /** Each element `count` times, one after the other. */
  repeat_interleave(count: number, axis: number): Sym {
    return this.take(
      axis,
      range(this.size(axis) * count).map((i) => Math.floor(i / count)),
    );
  }

  /** Axes of size 1 repeat; new ones may stand in front; -1 keeps a size. */
  expand(...sizes: number[]): Sym {
    const extra = sizes.length - this.ndim;
    const shape = sizes.map((size, i) => (size === -1 ? this.shape[i - extra] : size));
    if (extra < 0 || this.shape.some((size, i) => size !== 1 && size !== shape[i + extra]))
      throw Trace.current.error(`expand of ${text(this.shape)} to ${text(sizes)}`);
    return Trace.current.emit("expand", [this], shape);
  }

  /** Rows of the first axis, by int32 indices: [indices..., rest]. */
  index_select(indices: Sym): Sym {
    if (this.dtype !== "f32" || indices.dtype !== "i32")
      throw Trace.current.error(`index_select of ${this.dtype} by indices of ${indices.dtype}`);
    return Trace.current.emit("rows", [this, indices], [...indices.shape, ...this.shape.slice(1)]);
  }

  sum(axis: number, keepdim = false): Sym {
    return this.reduce("sum", axis, keepdim);
  }

  mean(axis: number, keepdim = false): Sym {
    return this.reduce("mean", axis, keepdim);
  }

  /** Largest values along an axis. */
  amax(axis: number, keepdim = false): Sym {
    return this.reduce("amax", axis, keepdim);
  }

  amin(axis: number, keepdim = false): Sym {
    return this.neg().amax(axis, keepdim).neg();
  }

  /** Integers as float32, which everything else computes with; floats stay what they are. */
  float(): Sym {
    return this.dtype === "i32" ? this.unary("float") : this;
  }

  /** Where along an axis the largest value stands, the first of equal ones: integers, as `index_select` takes them. */
  argmax(axis: number, keepdim = false): Sym {
    const at = check_axis(axis, this.shape, "argmax");
    const axes = range(this.ndim);
    const last = at === this.ndim - 1 ? this : this.permute(...axes.filter((i) => i !== at), at);
    const found = Trace.current.emit("argmax", [last], last.shape.slice(0, -1), {}, "i32");
    return keepdim ? found.unsqueeze(at) : found;
  }

  private reduce(op: string, axis: number, keepdim: boolean): Sym {
    const kept = this.along(axis, op, (x) => Trace.current.emit(op, [x], [...x.shape.slice(0, -1), 1]));
    return keepdim ? kept : kept.squeeze(axis);
  }

  cumsum(axis: number): Sym {
    return this.along(axis, "cumsum", (x) => x.unary("cumsum"));
  }
}

/** What `Sym.windows` makes along an axis: for each place as many indices, -1 for none, and for sums their weights. */
export interface Windows {
  kind: "copy" | "sum" | "max";
  indices: readonly number[];
  weights?: readonly number[];
  fill?: number;
}

export const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

/** Programs are JSON, which has no infinities: the largest float32 and what lies beyond are the same to the engine. */
const finite = (value: number): number => (Math.abs(value) === Infinity ? Math.sign(value) * 1e300 : value);

/** `yes` where the mask, of ones and zeros, is one, and `no` where it is zero; all broadcast. */
export function where(mask: Operand, yes: Operand | number, no: Operand | number): Sym {
  const condition = sym(mask);
  const [left, right] = [yes, no].map((value) => (typeof value === "number" ? full([1], value) : sym(value)));
  const shape = broadcast("where", broadcast("where", condition.shape, left.shape), right.shape);
  return Trace.current.emit("where", [condition, left, right], shape);
}

/** A tensor of one number. */
export function full(shape: readonly number[], value: number): Sym {
  return Trace.current.emit("full", [], shape, { value: finite(value) });
}

/** Joins along a new axis. */
export function stack(values: readonly Operand[], axis = 0): Sym {
  return cat(
    values.map((value) => sym(value).unsqueeze(axis)),
    axis,
  );
}

/** Joins along an axis; the other axes are equal. */
export function cat(values: readonly Operand[], axis = 0): Sym {
  const parts = values.map(sym);
  const [first] = parts;
  const at = check_axis(axis, first.shape, "cat");
  for (const part of parts)
    if (part.ndim !== first.ndim || part.shape.some((size, i) => i !== at && size !== first.shape[i]))
      throw Trace.current.error(`cat of shapes ${text(first.shape)} and ${text(part.shape)} along axis ${axis}`);
  return parts.reduce((left, right) =>
    Trace.current.emit(
      "concat",
      [left, right],
      left.shape.map((size, i) => (i === at ? size + right.shape[i] : size)),
      { axis: at },
    ),
  );
}
