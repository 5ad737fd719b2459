// Vocabularies that grow and shrink.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/modeling_utils.py `resize_token_embeddings`
import { expected } from "../errors.js";
import type { NativeStateDict } from "../native.js";
import { random } from "../tensor/index.js";

/** The tensors that have a row for each token, by name. */
export interface TokenTensors {
  embeddings: string;
  /** The head's matrix and its bias, where there is a head. */
  head?: string;
  head_bias?: string;
}

export interface ResizeOptions {
  /** The count of tokens is rounded up to a multiple of it. */
  pad_to_multiple_of?: number | null;
  /** New rows lie about the mean of the old ones; otherwise they are drawn as fresh weights are. Default true. */
  mean_resizing?: boolean;
}

/** How far new rows stray from the mean: their covariance is that of the old rows, times this. */
const EPSILON = 1e-9;
/** Old rows that a new one is mixed from: any choice of them gives the same mean and covariance. */
const MIXED = 64;

/** The count of tokens to have. */
export function resized_count(current: number, wanted: number | null | undefined, multiple: unknown): number {
  if (wanted !== null && wanted !== undefined && !(Number.isInteger(wanted) && wanted > 0))
    throw expected("a positive integer", "new_num_tokens", wanted);
  const count = wanted ?? current;
  if (multiple === null || multiple === undefined) return count;
  if (!Number.isInteger(multiple) || (multiple as number) < 1)
    throw new TypeError(
      `Asking to pad the embedding matrix to a multiple of \`${multiple}\`, which is not and integer. Please make sure to pass an integer`,
    );
  return Math.ceil(count / (multiple as number)) * (multiple as number);
}

/**
 * Gives each of the tensors `count` rows. A tied head follows the embeddings by itself; its bias grows by zeros, an
 * untied head's by the mean.
 */
export function resize(
  state: NativeStateDict,
  tensors: TokenTensors,
  count: number,
  { tied, mean_resizing, initializer_range }: { tied: boolean; mean_resizing: boolean; initializer_range: number },
): void {
  const fresh = (rows: Float32Array, size: number, added: number) =>
    mean_resizing ? rows_about_mean(rows, size, added) : normal(added * size, initializer_range);
  resize_rows(state, tensors.embeddings, count, fresh);
  if (tensors.head && !tied) resize_rows(state, tensors.head, count, fresh);
  if (tensors.head_bias) resize_rows(state, tensors.head_bias, count, tied || !mean_resizing ? zeros : bias_mean);
}

type Fresh = (old: Float32Array, size: number, added: number) => Float32Array;

const zeros: Fresh = (_old, size, added) => new Float32Array(added * size);

/** Python strays from the mean by 1e-9 deviations: nothing, in float32. */
const bias_mean: Fresh = (old, _size, added) =>
  new Float32Array(added).fill(old.reduce((sum, value) => sum + value, 0) / old.length);

function normal(count: number, deviation: number): Float32Array {
  return Float32Array.from({ length: count }, () => random.gauss() * deviation);
}

/**
 * Draws from the normal distribution with the mean of the rows and EPSILON times their covariance, as a random mixture
 * of the centred rows; the mean itself where that covariance is singular.
 */
function rows_about_mean(old: Float32Array, size: number, added: number): Float32Array {
  const count = old.length / size;
  const mean = new Float64Array(size);
  for (let i = 0; i < old.length; i++) mean[i % size] += old[i] / count;
  const rows = new Float32Array(added * size);
  const mixed = count > size ? Math.min(MIXED, count) : 0;
  for (let row = 0; row < added; row++) {
    const sum = Float64Array.from(mean);
    for (let k = 0; k < mixed; k++) {
      const at = Math.floor(random.random() * count) * size;
      const factor = Math.sqrt(EPSILON / mixed) * random.gauss();
      for (let i = 0; i < size; i++) sum[i] += factor * (old[at + i] - mean[i]);
    }
    rows.set(sum, row * size);
  }
  return rows;
}

/** Keeps the first columns of a tensor [1, tokens], and adds zeros. */
export function resize_columns(state: NativeStateDict, name: string, count: number): void {
  const [, current] = state.info(name).shape;
  const old = new Float32Array(current);
  state.read_f32(name, old);
  const columns = new Float32Array(count);
  columns.set(old.subarray(0, count));
  state.set(name, "F32", [1, count], columns);
}

/** Gives `name` the values of `source`, as a tensor of its own. */
export function copy_rows(state: NativeStateDict, name: string, source: string): void {
  const { shape } = state.info(source);
  const values = new Float32Array(shape.reduce((product, axis) => product * axis, 1));
  state.read_f32(source, values);
  state.set(name, "F32", shape, values);
}

/** Keeps the first rows, and adds others from `fresh`. The tensor becomes float32: no value changes. */
function resize_rows(state: NativeStateDict, name: string, count: number, fresh: Fresh): void {
  const [current, ...rest] = state.info(name).shape;
  if (count === current) return;
  const size = rest.reduce((product, axis) => product * axis, 1);
  const old = new Float32Array(current * size);
  state.read_f32(name, old);
  const rows = new Float32Array(count * size);
  rows.set(old.subarray(0, rows.length));
  if (count > current) rows.set(fresh(old, size, count - current), old.length);
  state.set(name, "F32", [count, ...rest], rows);
}
