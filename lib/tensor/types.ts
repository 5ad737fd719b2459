// What a tensor is made of: element types, their arrays, and the conversions between them.
import { expected } from "../errors.js";

export type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** The arrays that arithmetic runs on: every element is a number. */
export type NumberArray = Exclude<TypedArray, BigInt64Array | BigUint64Array>;

export type DataType =
  | "float32"
  | "float16"
  | "float64"
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "bool";

type ArrayClass = {
  new (length: number): TypedArray;
  new (buffer: ArrayBufferLike): TypedArray;
  readonly name: string;
};

/** Node 24 has it; before, float16 elements are the bits in a Uint16Array, as in onnxruntime. */
const Float16Class = (globalThis as { Float16Array?: ArrayClass }).Float16Array;

export const array_classes: Record<DataType, ArrayClass> = {
  float32: Float32Array,
  float16: Float16Class ?? Uint16Array,
  float64: Float64Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
};

/** Anything shaped as a tensor: ours, transformers.js's, onnxruntime's. */
export interface TensorLike {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly data: TypedArray;
}

export function is_tensor(value: unknown): value is TensorLike {
  if (typeof value !== "object" || value === null) return false;
  const { type, dims, data } = value as Partial<TensorLike>;
  return typeof type === "string" && Array.isArray(dims) && (ArrayBuffer.isView(data) || Array.isArray(data));
}

/** Gives `value` back if it is a tensor, else throws. */
export function as_tensor(value: unknown, argument: string): TensorLike {
  if (is_tensor(value)) return value;
  throw expected("a Tensor", argument, value);
}

export const is_float = (type: DataType) => type.startsWith("float");
export const is_wide = (type: DataType) => type === "int64" || type === "uint64";

export function allocate(type: DataType, length: number): TypedArray {
  return new array_classes[type](length);
}

/** The number of elements of a shape. */
export function count(dims: readonly number[]): number {
  let product = 1;
  for (const dim of dims) product *= dim;
  return product;
}

/** `[2, 3]`, for messages. */
export const shape_text = (dims: readonly number[]) => `[${dims.join(", ")}]`;

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** The float16 nearest to `value` (ties to even), as bits. */
export function to_half(value: number): number {
  float[0] = value;
  const sign = (bits[0] >>> 16) & 0x8000;
  const magnitude = bits[0] & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // from 65520 on, infinity is nearer
  if (magnitude < 0x38800000) {
    // Subnormal: adding 0.5 leaves the rounded count of 2^-24 in the mantissa.
    float[0] = Math.abs(value) + 0.5;
    return sign | (bits[0] - 0x3f000000);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** The value of a float16 given as bits. */
export function from_half(half: number): number {
  const exponent = (half >>> 10) & 31;
  const mantissa = half & 1023;
  const magnitude =
    exponent === 0
      ? mantissa * 2 ** -24
      : exponent === 31
        ? mantissa
          ? Number.NaN
          : Number.POSITIVE_INFINITY
        : (1024 + mantissa) * 2 ** (exponent - 25);
  return half & 0x8000 ? -magnitude : magnitude;
}

let halves: Float32Array | undefined;

/**
 * The elements as numbers: the data itself where they are numbers already, else a copy.
 * 64-bit integers beyond 2^53 are rounded as float64 rounds them.
 */
export function numbers({ type, data }: TensorLike): NumberArray {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const values = new Float64Array(data.length);
    for (let i = 0; i < values.length; i++) values[i] = Number(data[i]);
    return values;
  }
  if (type !== "float16" || !(data instanceof Uint16Array)) return data;
  halves ??= Float32Array.from({ length: 65536 }, (_, half) => from_half(half));
  const values = new Float32Array(data.length);
  for (let i = 0; i < values.length; i++) values[i] = halves[data[i]];
  return values;
}

/** An array of numbers to compute elements of `type` in; `store` turns it into the tensor's data. */
export function working(type: DataType, length: number): NumberArray {
  if (is_wide(type)) return new Float64Array(length);
  return type === "float16" ? new Float32Array(length) : (allocate(type, length) as NumberArray);
}

/** What x86 and torch make of a float that no 64-bit integer can hold. */
const indefinite = -(2n ** 63n);

/** Numbers as elements of `type`, integers by truncation, as torch: the array itself if it serves already. */
export function store(type: DataType, values: ArrayLike<number>, into?: TypedArray): TypedArray {
  if (!into && type !== "bool" && type !== "float16" && values instanceof array_classes[type]) {
    return values as TypedArray;
  }
  const n = values.length;
  const out = into ?? allocate(type, n);
  if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    for (let i = 0; i < n; i++) {
      const value = values[i];
      out[i] = Number.isFinite(value) ? BigInt(Math.trunc(value)) : indefinite;
    }
  } else if (type === "float16" && out instanceof Uint16Array) {
    for (let i = 0; i < n; i++) out[i] = to_half(values[i]);
  } else if (type === "bool") {
    for (let i = 0; i < n; i++) out[i] = Number(values[i] !== 0);
  } else {
    out.set(values);
  }
  return out;
}

/** The elements of `tensor` as elements of `type`, in a new array. */
export function convert(tensor: TensorLike, type: DataType): TypedArray {
  const { data } = tensor;
  if (tensor.type === type) return data.slice();
  if (is_wide(type) && (data instanceof BigInt64Array || data instanceof BigUint64Array)) {
    const out = allocate(type, data.length) as BigInt64Array;
    out.set(data as BigInt64Array);
    return out;
  }
  return store(type, numbers(tensor), allocate(type, data.length));
}

function to_number(value: unknown): number {
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") return Number(value);
  throw expected("numbers", "data", value);
}

/** An array of any numbers as elements of `type`. */
export function from_list(type: DataType, list: ArrayLike<number | bigint | boolean>): TypedArray {
  if (!is_wide(type)) return store(type, Float64Array.from(list, to_number), allocate(type, list.length));
  const out = allocate(type, list.length);
  for (let i = 0; i < out.length; i++) {
    const value = list[i];
    out[i] = typeof value === "bigint" ? value : BigInt(Math.trunc(to_number(value)));
  }
  return out;
}

/** A wide integer as a number where that is exact. */
function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** One element for JavaScript. */
export function element({ type, data }: TensorLike, index: number): number | bigint {
  const value = data[index];
  if (typeof value === "bigint") return narrow(value);
  return type === "float16" && data instanceof Uint16Array ? from_half(value) : value;
}

/** The elements for JavaScript, in arrays of `width`. */
export function element_rows(tensor: TensorLike, rows: number, width: number): (number | bigint)[][] {
  const { data } = tensor;
  const wide = data instanceof BigInt64Array || data instanceof BigUint64Array;
  const values = wide ? [] : numbers(tensor);
  return Array.from({ length: rows }, (_, row) => {
    const list: (number | bigint)[] = [];
    const end = (row + 1) * width;
    if (wide) for (let i = row * width; i < end; i++) list.push(narrow(data[i]));
    else for (let i = row * width; i < end; i++) list.push(values[i]);
    return list;
  });
}

/** All elements for JavaScript, in order. */
export const elements = (tensor: TensorLike) => element_rows(tensor, 1, tensor.data.length)[0];

const floats: DataType[] = ["float16", "float32", "float64"];
const integers: DataType[] = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"];

/** The type of a result of `a` and `b`, as torch promotes: floats before integers, then the wider one. */
export function promote(a: DataType, b: DataType): DataType {
  if (a === b) return a;
  if (is_float(a) !== is_float(b)) return is_float(a) ? a : b;
  if (is_float(a)) return floats[Math.max(floats.indexOf(a), floats.indexOf(b))];
  const [low, high] = integers.indexOf(a) < integers.indexOf(b) ? [a, b] : [b, a];
  // A signed and an unsigned type of one width need the next signed one.
  const unsigned_pair = low.startsWith("uint") && !high.startsWith("uint") && low === `u${high}`;
  const wider: Partial<Record<DataType, DataType>> = { int8: "int16", int16: "int32", int32: "int64" };
  return unsigned_pair ? (wider[high] ?? high) : high;
}
