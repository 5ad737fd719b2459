// What a caller's processors and criteria become: options of the native loop, and functions called from its thread.
import { expected, warn_once } from "../errors.js";
import type { NativeGenerationHooks, NativeGenerationOptions } from "../native.js";
import { is_tensor, Tensor } from "../tensor/index.js";
import type { GenerationConfig } from "./configuration.js";
import { flags_of } from "./hook_list.js";
import { BuiltInLogitsProcessor, type HookIds, type LogitsProcessor } from "./logits_process.js";
import {
  EosTokenCriteria,
  MaxLengthCriteria,
  MaxTimeCriteria,
  type StoppingCriteria,
  StopStringCriteria,
} from "./stopping_criteria.js";

/** Objects with `_call` serve as well as instances of the classes. */
type ProcessorLike = Pick<LogitsProcessor, "_call">;
type CriterionLike = Pick<StoppingCriteria, "_call">;

/** Whatever JavaScript takes part in a generation. */
export interface HookOptions {
  logits_processor?: Iterable<ProcessorLike> | ProcessorLike | null;
  stopping_criteria?: Iterable<CriterionLike> | CriterionLike | null;
  prefix_allowed_tokens_fn?: ((batch_id: number, input_ids: number[]) => number[]) | null;
  /** The uniforms in [0, 1) to sample with, one for each row and step in row order; or a function that gives the next. */
  generator?: ArrayLike<number> | (() => number);
}

/** How the native loop gets to know of them. */
export interface Hooks {
  /** undefined when nothing is to be called. */
  callbacks: NativeGenerationHooks | undefined;
  options: NativeGenerationOptions;
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

/** The library's own processors by what C++ calls them, in order; those between them in groups, each a null. */
function group(processors: ProcessorLike[], vocab_size: number) {
  const specs: NonNullable<NativeGenerationOptions["user_processors"]> = [];
  const groups: ProcessorLike[][] = [];
  for (const processor of processors) {
    const spec = BuiltInLogitsProcessor.spec_of(processor);
    if (spec) specs.push({ ...spec, vocab_size });
    else if (specs.length > 0 && specs.at(-1) === null) groups.at(-1)?.push(processor);
    else {
      specs.push(null);
      groups.push([processor]);
    }
  }
  return { specs, groups };
}

/**
 * The library's own criteria take the place of those that the configuration asks for, the first of each class, as in
 * Python; the others are called. Beams keep their room: there all are called.
 */
function replace_criteria(criteria: CriterionLike[], config: GenerationConfig) {
  const options: NativeGenerationOptions = {};
  const called: CriterionLike[] = [];
  const replaced = new Set<unknown>();
  for (const criterion of criteria) {
    const type = criterion.constructor;
    const own = config.num_beams === 1 && !replaced.has(type);
    if (own && type === MaxLengthCriteria) {
      options.max_length = (criterion as MaxLengthCriteria).max_length;
      warn_once(
        "A custom stopping criteria of type MaxLengthCriteria has been passed to `.generate()`, but it was also created in `.generate()`, given its parameterization. The custom MaxLengthCriteria will take precedence. Please check the docstring of MaxLengthCriteria to see related `.generate()` flags.",
      );
    } else if (own && type === MaxTimeCriteria) {
      options.max_time = Math.max(0, (criterion as MaxTimeCriteria).remaining);
    } else if (own && type === EosTokenCriteria) {
      options.stop_token_id = (criterion as EosTokenCriteria).eos_token_id;
    } else if (own && type === StopStringCriteria) {
      const { stop_strings, token_strings } = criterion as StopStringCriteria;
      Object.assign(options, { stop_strings, token_strings });
    } else {
      called.push(criterion);
    }
    replaced.add(type);
  }
  return { options, called };
}

/** What the loop calls and is told of the caller's processors and criteria. `vocab_size`: the model's. */
export function make_hooks(given: HookOptions, config: GenerationConfig, vocab_size: number): Hooks {
  const { specs, groups } = group(list(given.logits_processor, "logits_processor"), vocab_size);
  const criteria = replace_criteria(list(given.stopping_criteria, "stopping_criteria"), config);
  const options: NativeGenerationOptions = {
    ...criteria.options,
    ...(specs.length > 0 ? { user_processors: specs } : {}),
  };
  // The processor that forces the end goes by the configuration's length still.
  const forced = config["forced_eos_token_id"] as number | number[] | null;
  if (options.max_length !== undefined && forced !== null && !specs.some((spec) => spec?.class === FORCED_EOS))
    options.user_processors = [
      { class: FORCED_EOS, max_length: config.max_length, eos_token_id: forced, vocab_size },
      ...specs,
    ];

  const callbacks: NativeGenerationHooks = {};
  if (groups.length > 0)
    callbacks.logits_processor = (input_ids, scores, rows, index) => process(groups[index], input_ids, scores, rows);
  if (criteria.called.length > 0)
    callbacks.stopping_criteria = (input_ids, scores, rows) => {
      const ids = rows_of(input_ids, rows);
      const logits = new Tensor("float32", scores, [rows, scores.length / rows]);
      const done = new Array<boolean>(rows).fill(false);
      for (const criterion of criteria.called)
        for (const [row, flag] of flags_of(call(criterion, ids, logits), rows).entries()) done[row] ||= flag;
      return done;
    };
  const allowed = given.prefix_allowed_tokens_fn;
  if (allowed !== undefined && allowed !== null) callbacks.prefix_allowed_tokens_fn = constrain(allowed);
  if (typeof given.generator === "function") callbacks.uniform = given.generator;
  return { callbacks: Object.keys(callbacks).length > 0 ? callbacks : undefined, options };
}

const FORCED_EOS = "ForcedEOSTokenLogitsProcessor";

/** Runs processors that stand together. */
function process(processors: ProcessorLike[], input_ids: Int32Array, scores: Float32Array, rows: number): Float32Array {
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
}

function constrain(allowed: NonNullable<HookOptions["prefix_allowed_tokens_fn"]>) {
  if (typeof allowed !== "function") throw expected("a function", "prefix_allowed_tokens_fn", allowed);
  return (batch_id: number, input_ids: Int32Array): Int32Array => {
    const ids = allowed(batch_id, Array.from(input_ids));
    if (!(Array.isArray(ids) || ArrayBuffer.isView(ids)) || !Array.from(ids).every(Number.isInteger))
      throw expected("a list of token ids", "the result of prefix_allowed_tokens_fn", ids);
    return Int32Array.from(ids);
  };
}
