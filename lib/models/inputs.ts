// Reads the many forms in which token ids come: tensors, nested or flat arrays, typed arrays, numbers or BigInts.
import { expected, out_of_range } from "../errors.js";
import { is_tensor, type TensorLike, tensor } from "../tensor/index.js";

/** What a caller may pass for `input_ids`, `attention_mask` or `labels`. One row gets its batch axis. */
export type Ids = TensorLike | ArrayLike<number | bigint> | ArrayLike<ArrayLike<number | bigint>>;

function is_list(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

/** The halves of 64-bit integers that lie in memory as numbers of 32 bits, the lower one first. */
const LOW_FIRST = new Int32Array(BigInt64Array.of(1n).buffer)[0] === 1;

const INTEGERS = new Set(["number", "bigint", "boolean"]);

function to_int32(values: ArrayLike<unknown>, name: string): Int32Array {
  const integers = new Int32Array(values.length);
  if (values instanceof BigInt64Array && LOW_FIRST) {
    const halves = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
    for (let i = 0; i < integers.length; i++) {
      integers[i] = halves[2 * i];
      if (halves[2 * i + 1] !== integers[i] >> 31 || integers[i] === -(2 ** 31))
        throw expected("integers of 32 bits", name, values[i]);
    }
    return integers;
  }
  for (let i = 0; i < values.length; i++) {
    const value = INTEGERS.has(typeof values[i]) ? Number(values[i]) : Number.NaN;
    if ((value | 0) !== value || value === -(2 ** 31)) throw expected("integers of 32 bits", name, values[i]);
    integers[i] = value;
  }
  return integers;
}

/**
 * The rows of `value`, all of one length.
 * @throws TypeError for other than one or two axes of integers, RangeError for no row or rows of several lengths.
 */
export function to_rows(value: unknown, name: string): Int32Array[] {
  let rows: Int32Array[];
  if (is_tensor(value)) {
    const { dims } = value;
    if (dims.length !== 1 && dims.length !== 2) throw expected("a tensor of 1 or 2 dimensions", name, `dims [${dims}]`);
    const [count, length] = dims.length === 1 ? [1, dims[0]] : dims;
    const flat = to_int32(value.data, name);
    rows = [];
    for (let i = 0; i < count; i++) rows.push(count === 1 ? flat : flat.slice(i * length, (i + 1) * length));
  } else if (is_list(value)) {
    const nested = value.length > 0 && (is_list(value[0]) || is_tensor(value[0]));
    rows = [];
    for (let i = 0; i < (nested ? value.length : 1); i++) {
      const row = nested ? value[i] : value;
      rows.push(to_int32(is_tensor(row) ? row.data : (row as ArrayLike<unknown>), name));
    }
  } else {
    throw expected("token ids (a Tensor, number[] or number[][])", name, value);
  }
  if (rows.length === 0) throw out_of_range("at least one row", name, value);
  if (rows.some((row) => row.length !== rows[0].length))
    throw out_of_range(
      "rows of one length (activate padding in the tokenizer)",
      name,
      `rows of lengths ${rows.map((row) => row.length)}`,
    );
  return rows;
}

/** Checks that every id is a token of the vocabulary. */
export function check_ids(rows: Int32Array[], vocab_size: number, name: string): void {
  for (const row of rows)
    for (let i = 0; i < row.length; i++)
      if (row[i] < 0 || row[i] >= vocab_size) throw out_of_range(`token ids from 0 to ${vocab_size - 1}`, name, row[i]);
}

/** Rows of 0 and 1 for a mask, which must be [count, length]. */
export function to_mask(value: unknown, [count, length]: readonly [number, number], name: string): Uint8Array[] {
  const rows = to_rows(value, name);
  if (rows.length !== count || rows[0].length !== length)
    throw out_of_range(
      `the shape of input_ids, [${count}, ${length}]`,
      name,
      `shape [${rows.length}, ${rows[0].length}]`,
    );
  return rows.map((row) => {
    const bits = new Uint8Array(length);
    for (let i = 0; i < length; i++) bits[i] = row[i] === 0 ? 0 : 1;
    return bits;
  });
}

/**
 * Vectors for each token: a Tensor [rows, length, size] (or [length, size]), or nested lists.
 * @throws TypeError for anything else.
 */
export function to_vectors(
  value: unknown,
  name: string,
): { data: Float32Array; rows: number; length: number; size: number } {
  const tensor_of = is_tensor(value) ? value : Array.isArray(value) ? tensor(value) : undefined;
  if (!tensor_of || tensor_of.dims.length < 2 || tensor_of.dims.length > 3)
    throw expected("a tensor [rows, length, size]", name, value);
  const [rows, length, size] = tensor_of.dims.length === 3 ? tensor_of.dims : [1, ...tensor_of.dims];
  const { data } = tensor_of;
  return {
    data: data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>, Number),
    rows,
    length,
    size,
  };
}

/** `forward(ids, options)` or `forward({...inputs}, options)`: the arguments by name. */
export function named_arguments(inputs: unknown, options: Record<string, unknown>): Record<string, unknown> {
  const named = typeof inputs === "object" && inputs !== null && !is_tensor(inputs) && !is_list(inputs);
  const args: Record<string, unknown> = named ? { ...inputs } : { input_ids: inputs };
  for (const name in options) args[name] = options[name];
  return args;
}
