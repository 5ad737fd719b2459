// Tensors as scripts/fixtures/tensor.py stores them.
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { type DataType, Tensor, type TensorLike } from "../../lib/tensor/index.js";

export interface Stored {
  type: DataType;
  dims: number[];
  values: (number | string)[];
}

// biome-ignore lint/suspicious/noExplicitAny: the shape is that of the JSON file
export function fixture(name: string): any {
  return JSON.parse(readFileSync(new URL(`../fixtures/tensor/${name}.json`, import.meta.url), "utf8"));
}

/** JSON has neither infinity nor nan. */
export function number(value: unknown): number {
  return value === "inf" ? Infinity : value === "-inf" ? -Infinity : Number(value);
}

export const load = ({ type, dims, values }: Stored) => new Tensor(type, values.map(number), dims);

/** Equal within what float32 sums in another order differ by; float16 within its own precision. */
export function expect_close(actual: TensorLike, expected: Tensor): void {
  expect({ type: actual.type, dims: actual.dims }).toEqual({ type: expected.type, dims: expected.dims });
  const [values, wanted] = [new Tensor(actual).flatten().tolist(), expected.flatten().tolist()];
  const precision = actual.type === "float16" ? 1e-3 : 2e-6;
  values.forEach((value: number, i: number) => {
    const error = Math.abs(value - wanted[i]);
    const near = Object.is(value, wanted[i]) || error <= precision * Math.max(1, Math.abs(wanted[i]));
    if (!near) expect(value, `element ${i}`).toBe(wanted[i]);
  });
}
