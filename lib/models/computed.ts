// What a program computed, as the tensors that Python gives.
import { TransformersError } from "../errors.js";
import type { GraphTarget } from "../native.js";
import type { Sym } from "../nn/index.js";
import { product } from "../nn/shapes.js";
import { Tensor } from "../tensor/index.js";
import type { Arguments } from "./batch.js";
import type { ModelOutput } from "./outputs.js";
import { type Keys, type Packing, scatter_attention } from "./packing.js";
import type { Program, ProgramOutput } from "./programs.js";

/** Of which tokens an output is; `keys`: it holds attention weights over those. */
export interface Place {
  packing: Packing;
  keys?: Keys;
}

export type Fields = Record<string, Tensor | Tensor[]>;

/** Rows of a batch that one program computes: from `first` to `end`; the program is of `size` rows. */
export interface Part {
  first: number;
  end: number;
  size: number;
}
export const whole = ({ rows, size_rows }: Packing): Part => ({ first: 0, end: rows, size: size_rows });

/** Where the outputs of a program go, one after the other; attention weights are put in their places by `put_weights`. */
export interface Targets {
  list: GraphTarget[];
  weights: { values: Float32Array; shape: readonly number[]; place: Place; data: Float32Array }[] | undefined;
}

export function put_weights({ weights }: Targets): void {
  for (const { values, shape, place, data } of weights ?? [])
    scatter_attention(values, shape, place.packing, place.keys as Keys, data);
}

/** What is computed of a batch, part by part: tensors by field; the outputs `name.0`, `name.1`, … are a list. */
export class Results {
  readonly fields: Fields = {};
  private readonly rows: number;
  /** By output. */
  private readonly tensors: Tensor[] = [];

  constructor(rows: number) {
    this.rows = rows;
  }

  /**
   * Where a program is to put what it computes of a part; all programs have the same outputs. What has a place gets the
   * shape of its padded rows, [rows, length, …], or [rows, heads, length, width]; all else is of rows.
   */
  part({ outputs }: Program, { first, end, size }: Part, place_of: (field: string) => Place | undefined): Targets {
    const targets: Targets = { list: [], weights: undefined };
    for (let i = 0; i < outputs.length; i++) {
      const output = outputs[i];
      if (output.field === "trace") {
        targets.list.push(new Float32Array(product(output.shape)));
        continue;
      }
      const place = place_of(output.field);
      this.tensors[i] ??= this.tensor(output, size, place);
      const whole = this.tensors[i].data as Float32Array;
      const data = end - first === this.rows ? whole : this.rows_of(whole, first, end, output.field);
      if (!place) targets.list.push(data);
      else if (place.keys) {
        const values = new Float32Array(product(output.shape));
        targets.list.push(values);
        targets.weights ??= [];
        targets.weights.push({ values, shape: output.shape, place, data });
      } else targets.list.push(place.packing.in_order ? data : { data, places: place.packing.places });
    }
    return targets;
  }

  private rows_of(whole: Float32Array, first: number, end: number, field: string): Float32Array {
    const step = whole.length / this.rows;
    if (!Number.isInteger(step))
      throw new TransformersError(
        `${field} is neither of tokens nor of rows: no batch of many tokens can be computed`,
        "unsupported",
      );
    return whole.subarray(first * step, end * step);
  }

  private tensor({ field, is_listed, shape }: ProgramOutput, size: number, place: Place | undefined): Tensor {
    const dims = this.dims(shape, size, place);
    const made = new Tensor("float32", new Float32Array(product(dims)), dims);
    if (is_listed) {
      this.fields[field] ??= [];
      (this.fields[field] as Tensor[]).push(made);
    } else this.fields[field] = made;
    return made;
  }

  private dims(shape: readonly number[], size: number, place: Place | undefined): number[] {
    const [count, ...inner] = shape;
    if (place?.keys) return [this.rows, count, place.packing.length, inner[1]];
    if (place) return [this.rows, place.packing.length, ...inner];
    // What is not of rows stays as it is.
    return Number.isInteger(count / size) ? [(count / size) * this.rows, ...inner] : [...shape];
  }
}

/** The outputs `name.0`, `name.1`, … of a program. */
export const listed = (name: string, values: readonly Sym[]): Record<string, Sym> =>
  Object.fromEntries(values.map((value, i) => [`${name}.${i}`, value]));

/** A loss as Python gives it: a tensor without axes. */
export const scalar = (value: number): Tensor => new Tensor("float32", Float32Array.of(value), []);

/** The output, or the tuple of its fields that `return_dict: false` asks for. */
export const returned = (output: ModelOutput, { return_dict }: Arguments): ModelOutput =>
  return_dict === false ? (output.to_tuple() as unknown as ModelOutput) : output;
