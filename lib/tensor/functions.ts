// The functions on tensors that transformers.js exports, under its names. Where its functions are asynchronous so are ours.
import { expected } from "../errors.js";
import { tensor } from "./create.js";
import { rfft_lines } from "./fft.js";
import { type Mode, resize } from "./interpolate.js";
import { product } from "./matmul.js";
import type { Dim } from "./reduce.js";
import * as reduce from "./reduce.js";
import * as shapes from "./shape.js";
import { axis_of } from "./strided.js";
import { type NestedArray, Tensor } from "./tensor.js";
import { top_lines } from "./topk.js";
import {
  as_tensor,
  is_tensor,
  numbers,
  shape_text,
  store,
  type TensorLike,
  type TypedArray,
  working,
} from "./types.js";

/** Tensors, of this library or another, and nested arrays of numbers. */
export type TensorInput = TensorLike | NestedArray;

const of = (value: TensorInput): TensorLike => (is_tensor(value) ? value : tensor(value));

function check_rank(input: TensorLike, rank: number, argument: string): void {
  if (input.dims.length !== rank) {
    throw new RangeError(`Expected ${rank} dimensions for ${argument} but its shape is ${shape_text(input.dims)}`);
  }
}

/** Tensors joined along one of their dimensions; the others must agree. */
export function cat(tensors: readonly TensorLike[], dim = 0): Tensor {
  return new Tensor(shapes.cat(tensors, dim));
}

/** Tensors of one shape joined along a new dimension. */
export function stack(tensors: readonly TensorLike[], dim = 0): Tensor {
  const grown = tensors.map(({ type, data, dims }) => ({ type, data, dims: shapes.unsqueeze_dims(dims, dim) }));
  return cat(grown, axis_of(dim, (tensors[0]?.dims.length ?? 0) + 1));
}

export function permute(input: TensorLike, axes: readonly number[]): Tensor {
  return new Tensor(shapes.permute(input, axes));
}

export function mean(input: TensorLike, dim?: Dim, keepdim = false): Tensor {
  return new Tensor(reduce.mean(input, dim, keepdim));
}

/** `[standard deviation, mean]`; `correction` 1 is Bessel's. */
export function std_mean(input: TensorLike, dim?: Dim, correction = 1, keepdim = false): [Tensor, Tensor] {
  return [new Tensor(reduce.std(input, dim, correction, keepdim)), mean(input, dim, keepdim)];
}

/**
 * The mean over the tokens that the mask keeps: [batch, tokens, width] and [batch, tokens] to [batch, width].
 * A row without kept tokens gives zeros, as sentence-transformers' clamp does.
 */
export function mean_pooling(last_hidden_state: TensorLike, attention_mask: TensorInput): Tensor {
  const { type, dims } = as_tensor(last_hidden_state, "last_hidden_state");
  check_rank(last_hidden_state, 3, "last_hidden_state");
  const mask = of(attention_mask);
  const [batch, tokens, width] = dims;
  if (mask.dims.length !== 2 || mask.dims[0] !== batch || mask.dims[1] !== tokens) {
    throw new RangeError(`The mask's shape ${shape_text(mask.dims)} does not fit hidden states ${shape_text(dims)}`);
  }
  const [x, weights] = [numbers(last_hidden_state), numbers(mask)];
  const out = working(type, batch * width);
  const sums = new Float64Array(width);
  for (let row = 0; row < batch; row++) {
    sums.fill(0);
    let total = 0;
    for (let token = 0; token < tokens; token++) {
      const weight = weights[row * tokens + token];
      if (weight === 0) continue;
      total += weight;
      const from = (row * tokens + token) * width;
      for (let i = 0; i < width; i++) sums[i] += x[from + i] * weight;
    }
    const scale = 1 / Math.max(total, 1e-9);
    for (let i = 0; i < width; i++) out[row * width + i] = sums[i] * scale;
  }
  return new Tensor(type, store(type, out), [batch, width]);
}

/** Mean 0 and variance 1 over the last dimensions, whose sizes `normalized_shape` gives. */
export function layer_norm(input: TensorLike, normalized_shape: readonly number[], { eps = 1e-5 } = {}): Tensor {
  const tail = input.dims.slice(-normalized_shape.length);
  if (normalized_shape.length === 0 || shape_text(tail) !== shape_text(normalized_shape)) {
    throw new RangeError(
      `normalized_shape ${shape_text(normalized_shape)} is not the end of the shape ${shape_text(input.dims)}`,
    );
  }
  return new Tensor(
    reduce.layer_norm(
      input,
      tail.reduce((a, b) => a * b),
      eps,
    ),
  );
}

/**
 * An image of [channels, height, width] in another size.
 * @param size [height, width]
 */
export function interpolate(
  input: TensorLike,
  size: readonly [number, number],
  mode: Mode = "bilinear",
  align_corners = false,
): Tensor {
  const [channels = 1, height, width] = [input.dims.at(-3), ...input.dims.slice(-2)];
  const image = new Tensor(input.type, input.data, [channels, height, width]);
  return new Tensor(resize(image, size, mode, align_corners));
}

/**
 * Images of [batch, channels, height, width] in another size; pixels by their centers, as onnx's Resize.
 * @param options.size the height and width, or the new shape from its end
 */
export async function interpolate_4d(
  input: TensorLike,
  { size, mode = "bilinear" }: { size: readonly number[]; mode?: Mode },
): Promise<Tensor> {
  check_rank(input, 4, "input");
  if (!Array.isArray(size) || size.length < 2 || size.length > 4) throw expected("2, 3 or 4 sizes", "size", size);
  const kept = size.slice(0, -2);
  const same = input.dims.slice(2 - kept.length, 2);
  if (shape_text(kept) !== shape_text(same)) {
    throw new RangeError(`Only height and width can change: ${shape_text(size)} from ${shape_text(input.dims)}`);
  }
  return new Tensor(resize(input, size.slice(-2) as [number, number], mode, false));
}

/** The matrix product, with torch.matmul's rules for shapes. */
export async function matmul(a: TensorLike, b: TensorLike): Promise<Tensor> {
  return new Tensor(product(as_tensor(a, "a"), as_tensor(b, "b")));
}

/**
 * The Fourier transform of real numbers along one dimension: n of them give n / 2 + 1 pairs [real, imaginary],
 * in a new last dimension.
 * @param dim a number, or a tensor that holds it
 */
export async function rfft(input: TensorLike, dim: number | TensorLike = -1): Promise<Tensor> {
  const named = typeof dim === "number" ? dim : Number(as_tensor(dim, "dim").data[0]);
  return new Tensor(rfft_lines(input, axis_of(named, input.dims.length)));
}

/** `[values, indices]` of the k largest along the last dimension, the largest first; all of them without `k`. */
export async function topk(input: TensorLike, k?: number | null): Promise<[Tensor, Tensor]> {
  const [values, indices] = top_lines(input, k);
  return [new Tensor(values), new Tensor(indices)];
}

/** onnx's Slice: from `starts` to `ends` (not included) in `steps`, on the dimensions `axes`. */
export async function slice(
  data: TensorLike,
  starts: readonly number[],
  ends: readonly number[],
  axes: readonly number[],
  steps: readonly number[] = axes.map(() => 1),
): Promise<Tensor> {
  return new Tensor(shapes.slice_steps(data, starts, ends, axes, steps));
}

/** One bit for each element, 1 where it is above 0, eight to a byte; "binary" gives int8 (less 128), "ubinary" uint8. */
export function quantize_embeddings(input: TensorLike, precision: "binary" | "ubinary"): Tensor {
  check_rank(input, 2, "tensor");
  const [rows, width] = input.dims;
  if (width % 8 !== 0) throw new RangeError(`The last dimension must be a multiple of 8, but it is ${width}`);
  if (precision !== "binary" && precision !== "ubinary")
    throw expected('"binary" or "ubinary"', "precision", precision);
  const x = numbers(input);
  const bytes = new Uint8Array(x.length / 8);
  for (let i = 0; i < x.length; i++) if (x[i] > 0) bytes[i >> 3] |= 128 >> (i & 7);
  const shape = [rows, width / 8];
  if (precision === "ubinary") return new Tensor("uint8", bytes, shape);
  return new Tensor(
    "int8",
    Int8Array.from(bytes, (byte) => byte - 128),
    shape,
  );
}

/** Arrays of numbers, as vectors. */
export type Vector = number[] | TypedArray;

function as_vector(values: Vector | TensorLike, argument: string): TensorLike {
  if (is_tensor(values)) return values;
  if (Array.isArray(values)) return { type: "float64", dims: [values.length], data: Float64Array.from(values) };
  if (!ArrayBuffer.isView(values)) throw expected("an array of numbers or a Tensor", argument, values);
  const type = values instanceof Float32Array ? "float32" : "float64";
  return { type, dims: [values.length], data: type === "float32" ? values : Float64Array.from(values as Float64Array) };
}

/** Applies `f` to an array, giving an array of its kind, or to a tensor, along `dim`. */
function along_vector<T extends Vector | TensorLike>(values: T, f: (tensor: TensorLike) => TensorLike) {
  const result = f(as_vector(values, "values"));
  if (is_tensor(values)) return new Tensor(result) as never;
  return (Array.isArray(values) ? Array.from(result.data as Float64Array) : result.data) as never;
}

/** Of an array: an array of its kind; of a tensor: a Tensor, along `dim`. */
export function softmax<T extends Vector | TensorLike>(values: T, dim = -1): T extends TensorLike ? Tensor : T {
  return along_vector(values, (line) => reduce.softmax(line, dim));
}

/** The logarithm of the softmax; arguments as there. */
export function log_softmax<T extends Vector | TensorLike>(values: T, dim = -1): T extends TensorLike ? Tensor : T {
  return along_vector(values, (line) => reduce.log_softmax(line, dim));
}

/** The sum of the products of the elements of two vectors. */
export function dot(a: Vector | TensorLike, b: Vector | TensorLike): number {
  const [x, y] = [numbers(as_vector(a, "a")), numbers(as_vector(b, "b"))];
  if (x.length !== y.length) throw new RangeError(`Vectors of ${x.length} and ${y.length} elements differ in length`);
  let total = 0;
  for (let i = 0; i < x.length; i++) total += x[i] * y[i];
  return total;
}

/** The cosine of the angle between two vectors, from -1 to 1. */
export function cos_sim(a: Vector | TensorLike, b: Vector | TensorLike): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}
