import { inspect } from "node:util";
import type { Tensor } from "../tensor/index.js";

/**
 * What a model returns: fields by name, by index and in order, as Python's `ModelOutput`.
 * Fields that are absent (undefined or null) do not count, so `output[0]` is the loss when labels were given, else the logits.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/utils/generic.py `ModelOutput`
 */
export class ModelOutput {
  [field: string]: unknown;

  constructor(fields: object) {
    let index = 0;
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined || value === null) continue;
      this[name] = value;
      Object.defineProperty(this, index++, { get: () => this[name], enumerable: false });
    }
  }

  keys(): string[] {
    return Object.keys(this);
  }

  values(): unknown[] {
    return Object.values(this);
  }

  items(): [string, unknown][] {
    return Object.entries(this);
  }

  /** The present fields in order. */
  to_tuple(): unknown[] {
    return this.values();
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.values()[Symbol.iterator]();
  }

  [inspect.custom](_depth: number, options: object): string {
    return `${this.constructor.name} ${inspect({ ...this }, options)}`;
  }
}

/** Defines a `ModelOutput` class with typed fields. */
function output<Fields extends object>(name: string): new (fields: Fields) => ModelOutput & Fields {
  const type = class extends ModelOutput {};
  Object.defineProperty(type, "name", { value: name });
  return type as unknown as new (
    fields: Fields,
  ) => ModelOutput & Fields;
}

/** Logits [batch, length, vocabulary]; the loss when labels were given. */
export interface CausalLMFields {
  loss?: Tensor | undefined;
  logits: Tensor;
  past_key_values?: unknown;
  hidden_states?: Tensor[] | undefined;
}
export const CausalLMOutputWithPast = output<CausalLMFields>("CausalLMOutputWithPast");
export type CausalLMOutputWithPast = ModelOutput & CausalLMFields;

/** What `generate` returns with `return_dict_in_generate`. Scores and logits: one [rows, vocabulary] for each step. */
export interface GenerateFields {
  sequences: Tensor;
  scores?: Tensor[] | undefined;
  logits?: Tensor[] | undefined;
  /** Beams: the score of each sequence [rows], and the beam that each of its tokens came from [rows, steps], -1 after the end. */
  sequences_scores?: Tensor | undefined;
  beam_indices?: Tensor | undefined;
  past_key_values?: unknown;
}
export const GenerateDecoderOnlyOutput = output<GenerateFields>("GenerateDecoderOnlyOutput");
export type GenerateDecoderOnlyOutput = ModelOutput & GenerateFields;
