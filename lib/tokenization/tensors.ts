import { expected } from "../errors.js";
import { is_tensor, Tensor } from "../tensor/index.js";

/** "pt" and "np" both name this package's Tensor. */
export type TensorType = "pt" | "np";

/** Python's TensorType, for the frameworks that exist here; transformers.js's `return_tensor: true` is "pt". */
export function tensor_type(value: unknown, argument = "return_tensors"): TensorType | null {
  if (value === undefined || value === null || value === false) return null;
  if (value === true || value === "pt" || value === "np") return value === true ? "pt" : value;
  throw expected('"pt" or "np"', argument, value);
}

export type Nested = number | boolean | bigint | null | Nested[];

function dims_of(value: Nested): number[] {
  return Array.isArray(value) ? [value.length, ...(value.length ? dims_of(value[0]!) : [])] : [];
}

/** Nested lists of whole numbers to an int64 Tensor. RangeError where the rows differ in length. */
export function to_tensor(value: Nested): Tensor {
  const dims = dims_of(value);
  const data = new BigInt64Array(dims.reduce((product, size) => product * size, 1));
  let next = 0;
  const fill = (item: Nested, axis: number): void => {
    if (axis === dims.length) {
      if (Array.isArray(item) || item === null) throw new RangeError("too many dimensions");
      data[next++] = BigInt(item);
    } else {
      if (!Array.isArray(item) || item.length !== dims[axis]) throw new RangeError("rows of different lengths");
      for (const part of item) fill(part, axis + 1);
    }
  };
  fill(value, 0);
  return new Tensor("int64", data, dims);
}

/** Python's to_py_obj: Tensors, typed arrays and bigints inside `value` become plain numbers and lists. */
export function to_lists(value: unknown): unknown {
  if (is_tensor(value)) return (value as Tensor).tolist();
  if (typeof value === "bigint") return Number(value);
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Int32Array, Number);
  return Array.isArray(value) && value.some((item) => typeof item !== "number") ? value.map(to_lists) : value;
}
