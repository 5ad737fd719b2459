// What a program computed, as the tensors that Python gives.
import type { Sym } from "../nn/index.js";
import { Tensor } from "../tensor/index.js";
import type { Arguments } from "./batch.js";
import type { Computed } from "./graph_model.js";
import type { ModelOutput } from "./outputs.js";
import { type Keys, type Packing, scatter, scatter_attention } from "./packing.js";

/** Of which tokens an output is; `keys`: it holds attention weights over those. */
export interface Place {
  packing: Packing;
  keys?: Keys;
}

export type Fields = Record<string, Tensor | Tensor[]>;

/**
 * Tensors by field; the outputs `name.0`, `name.1`, … are a list. What has a place gets the shape of its padded rows,
 * [rows, length, …], or [rows, heads, length, width].
 */
export function fields_of(computed: Computed, place_of: (field: string) => Place | undefined): Fields {
  const fields: Fields = {};
  for (const [name, { data, shape }] of Object.entries(computed)) {
    if (name === "trace") continue;
    const [field, index] = name.split(".");
    const place = place_of(field);
    const tensor = place ? placed(data, shape, place) : new Tensor("float32", data, [...shape]);
    if (index === undefined) fields[field] = tensor;
    else {
      fields[field] ??= [];
      (fields[field] as Tensor[]).push(tensor);
    }
  }
  return fields;
}

function placed(data: Float32Array, shape: readonly number[], { packing, keys }: Place): Tensor {
  const { rows, length } = packing;
  if (keys) {
    const values = scatter_attention(data, shape, packing, keys);
    return new Tensor("float32", values, [rows, shape[0], length, shape[2]]);
  }
  const values = scatter(data, data.length / packing.count, packing);
  return new Tensor("float32", values, [rows, length, ...shape.slice(1)]);
}

/** The outputs `name.0`, `name.1`, … of a program. */
export const listed = (name: string, values: readonly Sym[]): Record<string, Sym> =>
  Object.fromEntries(values.map((value, i) => [`${name}.${i}`, value]));

/** A loss as Python gives it: a tensor without axes. */
export const scalar = (value: number): Tensor => new Tensor("float32", Float32Array.of(value), []);

/** The output, or the tuple of its fields that `return_dict: false` asks for. */
export const returned = (output: ModelOutput, { return_dict }: Arguments): ModelOutput =>
  return_dict === false ? (output.to_tuple() as unknown as ModelOutput) : output;
