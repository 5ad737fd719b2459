import { expected, from_native } from "../errors.js";
import { type NativeTokenizer, native } from "../native.js";
import type { ComponentKind } from "../tokenization/fast.js";
import type { Component as Spec } from "../tokenization/tokenizer_json.js";

export type { Spec };

/** Calls the engine; its errors become TransformersErrors. */
export function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw from_native(error);
  }
}

/** An engine with parts of a tokenizer.json, and a model that knows no token unless there is one among them. */
export function engine(parts: object): NativeTokenizer {
  const model = { type: "BPE", vocab: {}, merges: [] };
  return guarded(() => new (native().Tokenizer)(JSON.stringify({ model, ...parts })));
}

/** A part of a tokenizer that works alone, too. */
export abstract class Component {
  readonly #spec: Spec;
  protected readonly engine: NativeTokenizer;

  constructor(kind: ComponentKind, spec: Spec) {
    if (typeof spec !== "object" || spec === null) throw expected(`the JSON of a ${kind}`, "spec", spec);
    this.engine = engine({ [kind]: spec });
    this.#spec = spec;
  }

  /** The component as a tokenizer.json has it. */
  toJSON(): Spec {
    return this.#spec;
  }
}
