// Processors and criteria that a caller writes in JavaScript: called while the engine's thread waits.
import { expected } from "../errors.js";
import type { NativeGenerationHooks } from "../native.js";
import { is_tensor, Tensor } from "../tensor/index.js";

/** Rows of token ids, as a processor or criterion gets them (bigint, as in transformers.js). */
export type HookIds = bigint[][];

/** Changes the scores of the next token. A subclass writes `_call`, which may change `logits` [rows, vocabulary] in place or return others. */
export abstract class LogitsProcessor {
  // biome-ignore lint/suspicious/noConfusingVoidType: a processor that works in place returns nothing
  abstract _call(input_ids: HookIds, logits: Tensor): Tensor | void;
}

/** A processor that Python runs only when sampling. */
export abstract class LogitsWarper extends LogitsProcessor {}

/** Says for each row whether it is done. A subclass writes `_call`. */
export abstract class StoppingCriteria {
  abstract _call(input_ids: HookIds, scores: Tensor): boolean[] | boolean | Tensor;
}

/** A list to push to, for both kinds of hook. */
class HookList<Hook> {
  private readonly items: Hook[] = [];

  push(item: Hook): void {
    this.items.push(item);
  }

  extend(items: Iterable<Hook>): void {
    for (const item of items) this.push(item);
  }

  [Symbol.iterator](): Iterator<Hook> {
    return this.items[Symbol.iterator]();
  }
}

export class LogitsProcessorList extends HookList<LogitsProcessor> {}
export class StoppingCriteriaList extends HookList<StoppingCriteria> {}

/** Stops when the program says so. An AbortSignal does the same without a call for each token. */
export class InterruptableStoppingCriteria extends StoppingCriteria {
  interrupted = false;

  interrupt(): void {
    this.interrupted = true;
  }

  reset(): void {
    this.interrupted = false;
  }

  override _call(input_ids: HookIds): boolean[] {
    return input_ids.map(() => this.interrupted);
  }
}

/** Whatever JavaScript takes part in a generation. */
export interface HookOptions {
  logits_processor?: Iterable<LogitsProcessor> | LogitsProcessor | null;
  stopping_criteria?: Iterable<StoppingCriteria> | StoppingCriteria | null;
  prefix_allowed_tokens_fn?: ((batch_id: number, input_ids: number[]) => number[]) | null;
  /** The uniforms in [0, 1) to sample with, one for each row and step in row order; or a function that gives the next. */
  generator?: ArrayLike<number> | (() => number);
}

function list<Hook extends object>(value: Iterable<Hook> | Hook | null | undefined, argument: string): Hook[] {
  if (value === undefined || value === null) return [];
  const hooks = Symbol.iterator in Object(value) ? [...(value as Iterable<Hook>)] : [value as Hook];
  for (const hook of hooks)
    if (typeof (hook as { _call?: unknown })?._call !== "function" && typeof hook !== "function")
      throw expected("objects with a method _call", argument, hook);
  return hooks;
}

function call<Result>(hook: object, ...args: unknown[]): Result {
  const target = hook as { _call?: (...args: unknown[]) => Result } & ((...args: unknown[]) => Result);
  return typeof target._call === "function" ? target._call(...args) : target(...args);
}

/** Rows of bigint out of the engine's flat ids. */
function rows_of(ids: Int32Array, rows: number): HookIds {
  const length = ids.length / rows;
  return Array.from({ length: rows }, (_, i) => Array.from(ids.subarray(i * length, (i + 1) * length), BigInt));
}

/** The callbacks for the addon; undefined when the caller gave none. */
export function make_hooks(options: HookOptions): NativeGenerationHooks | undefined {
  const processors = list(options.logits_processor, "logits_processor");
  const criteria = list(options.stopping_criteria, "stopping_criteria");
  const allowed = options.prefix_allowed_tokens_fn;
  if (allowed !== undefined && allowed !== null && typeof allowed !== "function")
    throw expected("a function", "prefix_allowed_tokens_fn", allowed);
  const hooks: NativeGenerationHooks = {};
  if (processors.length > 0)
    hooks.logits_processor = (input_ids, scores, rows) => {
      const ids = rows_of(input_ids, rows);
      let logits = new Tensor("float32", scores, [rows, scores.length / rows]);
      for (const processor of processors) logits = call<Tensor | undefined>(processor, ids, logits) ?? logits;
      if (!is_tensor(logits) || logits.data.length !== scores.length || !(logits.data instanceof Float32Array))
        throw expected(
          `float32 logits of shape [${rows}, ${scores.length / rows}]`,
          "the result of a logits processor",
          is_tensor(logits) ? `[${logits.dims}] ${logits.type}` : logits,
        );
      return logits.data;
    };
  if (criteria.length > 0)
    hooks.stopping_criteria = (input_ids, scores, rows) => {
      const ids = rows_of(input_ids, rows);
      const logits = new Tensor("float32", scores, [rows, scores.length / rows]);
      const done = new Array<boolean>(rows).fill(false);
      for (const criterion of criteria) {
        const answer = call<unknown>(criterion, ids, logits);
        const flags = is_tensor(answer) ? answer.data : answer;
        if (typeof flags !== "boolean" && (typeof flags !== "object" || (flags as boolean[] | null)?.length !== rows))
          throw expected(`a boolean, or ${rows} of them`, "the result of a stopping criterion", answer);
        for (let i = 0; i < rows; i++)
          done[i] ||= typeof flags === "boolean" ? flags : Boolean((flags as boolean[])[i]);
      }
      return done;
    };
  if (allowed)
    hooks.prefix_allowed_tokens_fn = (batch_id, input_ids) => {
      const ids = allowed(batch_id, Array.from(input_ids));
      if (!(Array.isArray(ids) || ArrayBuffer.isView(ids)) || !Array.from(ids).every(Number.isInteger))
        throw expected("a list of token ids", "the result of prefix_allowed_tokens_fn", ids);
      return Int32Array.from(ids);
    };
  if (typeof options.generator === "function") hooks.uniform = options.generator;
  return Object.keys(hooks).length > 0 ? hooks : undefined;
}
