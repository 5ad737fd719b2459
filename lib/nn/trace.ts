// Records what a model's forward() does to symbolic tensors, as a flat program for the native engine.
import { TransformersError } from "../errors.js";
import type { ParameterSpec } from "../models/initialization.js";
import { compute_few_tokens } from "./few_tokens.js";
import { fuse } from "./fuse.js";
import { Sym } from "./sym.js";

export type SymDtype = "f32" | "i32";

/** One operation of a program: its inputs are earlier nodes. Shapes in Python's order. */
export interface Node {
  op: string;
  inputs: number[];
  shape: number[];
  dtype: SymDtype;
  attributes: Record<string, unknown>;
}

/** What the native engine takes. An output names the node that computes it. */
export interface Program {
  nodes: Node[];
  outputs: { name: string; node: number }[];
}

/** Operations that read integers: ids, and where tokens are. All others compute with floats. */
const READ_INTEGERS = /^(rows|reshape|float|(cached_)?attention(_weights)?)$/;

let current: Trace | undefined;

/** Tracing is synchronous, so there is at most one at a time. */
export class Trace {
  readonly nodes: Node[] = [];
  private readonly outputs: { name: string; node: number }[] = [];
  private readonly leaves = new Map<string, Sym>();
  private readonly path: string[] = [];
  /** The module whose result is wanted too, as output `trace`. */
  readonly watched: string | undefined;
  watched_shape: readonly number[] | undefined;

  constructor(watched?: string) {
    this.watched = watched;
  }

  static get current(): Trace {
    if (!current) throw new TransformersError("lib/nn works inside a model's compute() only", "not_tracing");
    return current;
  }

  /** Runs `body` with this trace as the current one. */
  run<Result>(body: () => Result): Result {
    const before = current;
    current = this;
    try {
      return body();
    } finally {
      current = before;
    }
  }

  /** Runs a module's forward(); errors inside name its path. */
  within<Result>(path: string, body: () => Result): Result {
    this.path.push(path);
    const result = body();
    this.path.pop();
    if (path === this.watched && result instanceof Sym) {
      this.output("trace", result);
      this.watched_shape = result.shape;
    }
    return result;
  }

  emit(op: string, inputs: readonly Sym[], shape: readonly number[], attributes = {}, dtype: SymDtype = "f32"): Sym {
    if (!READ_INTEGERS.test(op) && inputs.some((input) => input.dtype === "i32"))
      throw this.error(`${op} of integers: the engine computes with float32`);
    const node = { op, inputs: inputs.map((input) => input.id), shape: [...shape], dtype, attributes };
    return new Sym(this.nodes.push(node) - 1, node.shape, dtype);
  }

  /** What the caller of a program feeds under this name; the same symbol each time. */
  input(name: string, shape: readonly number[], dtype: SymDtype): Sym {
    return this.leaf("input", name, shape, dtype);
  }

  /** Integers that are part of the program. */
  constant(values: readonly number[]): Sym {
    return this.emit("constant", [], [values.length], { values }, "i32");
  }

  parameter({ name, shape }: ParameterSpec): Sym {
    return this.leaf("parameter", name, shape, "f32");
  }

  private leaf(op: string, name: string, shape: readonly number[], dtype: SymDtype): Sym {
    const key = `${op} ${name}`;
    const known = this.leaves.get(key);
    if (known) return known;
    const leaf = this.emit(op, [], shape, { name }, dtype);
    this.leaves.set(key, leaf);
    return leaf;
  }

  /** The operation that made a value, and its inputs. */
  made({ id }: Sym): { op: string; inputs: Sym[]; attributes: Node["attributes"] } {
    const { op, inputs, attributes } = this.nodes[id];
    const symbol = (input: number) => new Sym(input, this.nodes[input].shape, this.nodes[input].dtype);
    return { op, inputs: inputs.map(symbol), attributes };
  }

  output(name: string, value: Sym): void {
    if (value.dtype === "i32") throw this.error(`the output ${name} holds integers: give it as .float()`);
    this.outputs.push({ name, node: value.id });
  }

  program(): Program {
    return compute_few_tokens(fuse({ nodes: this.nodes, outputs: this.outputs }));
  }

  /** An error that says where in the model it happened. */
  error(message: string): RangeError {
    const where = this.path[this.path.length - 1];
    return new RangeError(where ? `${where}: ${message}` : message);
  }
}
