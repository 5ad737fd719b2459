// New tensors: of given values, filled, random.
import { expected } from "../errors.js";
import { random } from "./random.js";
import { type NestedArray, type Scalar, Tensor } from "./tensor.js";
import { allocate, count, type DataType, from_list, shape_text } from "./types.js";

/** The shape of nested arrays, which must not be ragged, with their elements in order. */
function unnest(values: unknown): { dims: number[]; flat: (Scalar | boolean)[] } {
  const dims: number[] = [];
  for (let row: unknown = values; Array.isArray(row); row = row[0]) dims.push(row.length);
  const flat: (Scalar | boolean)[] = [];
  const visit = (value: unknown, axis: number): void => {
    if (Array.isArray(value)) {
      if (value.length !== dims[axis]) {
        throw new RangeError(
          `Nested arrays are ragged: one of length ${value.length} where the first gives the shape ${shape_text(dims)}`,
        );
      }
      for (const item of value) visit(item, axis + 1);
    } else if (axis !== dims.length) {
      throw new RangeError(`Nested arrays are ragged: a value where the first gives the shape ${shape_text(dims)}`);
    } else if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
      flat.push(value);
    } else {
      throw expected("nested arrays of numbers", "values", value);
    }
  };
  visit(values, 0);
  return { dims, flat };
}

/** torch's choice: bool, int64 for integers, else float32. JavaScript's 1.0 is an integer. */
function infer_type(flat: readonly (Scalar | boolean)[]): DataType {
  if (flat.length === 0) return "float32";
  if (flat.every((value) => typeof value === "boolean")) return "bool";
  return flat.every((value) => typeof value !== "number" || Number.isSafeInteger(value)) ? "int64" : "float32";
}

/**
 * `tensor([[1, 2], [3, 4]])`, as torch.tensor: integers give int64, other numbers float32, booleans bool.
 * @param values nested arrays of numbers of one length on each level, or a number
 */
export function tensor(values: NestedArray, { dtype }: { dtype?: DataType } = {}): Tensor {
  const { dims, flat } = unnest(values);
  const type = dtype ?? infer_type(flat);
  return new Tensor(type, flat, dims);
}

/** `size` filled with one value, whose type decides: a number float32, a bigint int64, a boolean bool. */
export function full(size: readonly number[], fill_value: Scalar | boolean): Tensor {
  const type = { number: "float32", bigint: "int64", boolean: "bool" }[typeof fill_value as "number"] as DataType;
  if (!type) throw expected("a number, a bigint or a boolean", "fill_value", fill_value);
  const data = allocate(type, count(size)) as Float32Array;
  return new Tensor(type, data.fill(from_list(type, [fill_value])[0] as number), size);
}

type Shaped = { readonly dims: readonly number[] };

export const full_like = (like: Shaped, fill_value: Scalar | boolean) => full(like.dims, fill_value);
/** int64, as in transformers.js. */
export const ones = (size: readonly number[]) => full(size, 1n);
export const ones_like = (like: Shaped) => ones(like.dims);
/** int64, as in transformers.js. */
export const zeros = (size: readonly number[]) => full(size, 0n);
export const zeros_like = (like: Shaped) => zeros(like.dims);

function fill(size: readonly number[], next: () => number): Tensor {
  const data = new Float32Array(count(size));
  for (let i = 0; i < data.length; i++) data[i] = next();
  return new Tensor("float32", data, size);
}

/** Uniform in [0, 1), from `random`. */
export const rand = (size: readonly number[]) => fill(size, random.random);
/** Normal, of mean 0 and variance 1, from `random`. */
export const randn = (size: readonly number[]) => fill(size, () => random.gauss());
