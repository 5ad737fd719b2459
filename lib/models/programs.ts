// The programs of a model: what it computes, written down once for each shape of inputs and kept by its engine.
import type { NativeGraphEngine } from "../native.js";
import { type Sym, Trace } from "../nn/index.js";
import { Recent } from "../recent.js";
import { type DecodeSize, decode_sizes } from "./decode_programs.js";

/** Writes a computation down; what is undefined is no output. */
export type Compute = () => Record<string, Sym | undefined>;

export interface ProgramOutput {
  name: string;
  /** The name, without the place in a list that a name such as `hidden_states.3` ends in. */
  field: string;
  is_listed: boolean;
  shape: readonly number[];
}

/** A program that the engine holds. */
export interface Program {
  id: number;
  /** Names of what it reads. */
  inputs: readonly string[];
  outputs: readonly ProgramOutput[];
}

/** One for each shape of inputs. The engine keeps the graphs of the last 64. */
const MAX_PROGRAMS = 256;

const name_of = ({ tokens, outputs, given = [] }: DecodeSize) => [tokens, outputs, ...given].join(" ");

/** For debugging: the result of the module at this path is an output more, `trace`, which each pass prints. */
export const TRACED = process.env["TRANSFORMERS_TRACE"];

export class Programs {
  private readonly engine: NativeGraphEngine;
  private readonly by_key = new Recent<string, Program>(MAX_PROGRAMS);
  /** Those of generate(), by their size. */
  private readonly of_decoder = new Map<string, number>();

  constructor(engine: NativeGraphEngine) {
    this.engine = engine;
  }

  /** The program of this key, which names all shapes; traced when there is none. */
  get(key: string, compute: Compute): Program {
    const known = this.by_key.get(key);
    if (known) return known;
    const made = this.add(compute, TRACED);
    const gone = this.by_key.set(key, made);
    if (gone) this.engine.remove_program(gone.id);
    return made;
  }

  private add(compute: Compute, watched?: string): Program {
    const trace = new Trace(watched);
    trace.run(() => {
      for (const [name, value] of Object.entries(compute())) if (value) trace.output(name, value);
    });
    const program = trace.program();
    const outputs = program.outputs.map(({ name, node }) => {
      const [field, index] = name.split(".");
      return { name, field, is_listed: index !== undefined, shape: program.nodes[node].shape };
    });
    const inputs = program.nodes
      .filter(({ op }) => op === "input")
      .map(({ attributes }) => attributes["name"] as string);
    return { id: this.engine.add_program(JSON.stringify(program)), inputs, outputs };
  }

  /**
   * Sees to it that generate() finds programs for `rows` rows at a time, after prompts of `tokens` tokens altogether.
   * `step` writes one down, `given` are the optional inputs that it reads.
   */
  add_decoder(
    rows: number,
    tokens: number,
    given: readonly string[],
    step: (size: DecodeSize) => Sym | undefined,
    settings: { max_positions: number; counts_padding: boolean },
  ): void {
    const missing = decode_sizes(rows, tokens)
      .map((size) => ({ ...size, given }))
      .filter((size) => !this.of_decoder.has(name_of(size)));
    for (const size of missing) this.of_decoder.set(name_of(size), this.add(() => ({ logits: step(size) })).id);
    if (missing.length > 0) this.engine.set_decoder({ programs: [...this.of_decoder.values()], ...settings });
  }
}
