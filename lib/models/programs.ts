// The programs of a model: what it computes, written down once for each shape of inputs and kept by its engine.
import type { NativeGraphEngine } from "../native.js";
import { type Sym, Trace } from "../nn/index.js";
import { Recent } from "../recent.js";
import type { DecodeSize } from "./decode_programs.js";

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

/** What generate() wants to know of the model. */
interface Settings {
  max_positions: number;
  counts_padding: boolean;
}

const name_of = ({ tokens, outputs, given = [] }: DecodeSize) => [tokens, outputs, ...given].join(" ");

/** For debugging: the result of the module at this path is an output more, `trace`, which each pass prints. */
export const TRACED = process.env["TRANSFORMERS_TRACE"];

export class Programs {
  private readonly engine: NativeGraphEngine;
  private readonly by_key = new Recent<string, Program>(MAX_PROGRAMS);
  /** Those of generate(), by their size. */
  private readonly of_decoder = new Map<string, number>();
  private decoder: Promise<void> = Promise.resolve();

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

  /** Sees to it that generate() finds programs of these sizes; `step` writes one down: its logits. */
  add_decoder(sizes: DecodeSize[], step: (size: DecodeSize) => Sym | undefined, settings: Settings): Promise<void> {
    // One call after the other: none may go on before all programs that it needs are there.
    const added = this.decoder.then(() => this.add_missing(sizes, step, settings));
    this.decoder = added.catch(() => {});
    return added;
  }

  private async add_missing(...[sizes, step, settings]: Parameters<Programs["add_decoder"]>): Promise<void> {
    let is_complete = true;
    for (const size of sizes) {
      if (this.of_decoder.has(name_of(size))) continue;
      // Each takes a millisecond or two, together they would hold up the event loop.
      if (!is_complete) await new Promise((resolve) => setImmediate(resolve));
      is_complete = false;
      this.of_decoder.set(name_of(size), this.add(() => ({ logits: step(size) })).id);
    }
    if (!is_complete) this.engine.set_decoder({ programs: [...this.of_decoder.values()], ...settings });
  }
}
