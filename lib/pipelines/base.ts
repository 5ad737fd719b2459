// What all pipelines share: parameters of construction and call, single inputs, lists, iterables, batches.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/base.py `Pipeline`
import { Callable } from "../callable.js";
import { expected, TransformersError, warn_once } from "../errors.js";
import type { GenerationConfig } from "../generation/configuration.js";
import { GenerationMixin } from "../generation/mixin.js";
import type { ModelOutput } from "../models/outputs.js";
import type { PreTrainedModel } from "../models/pretrained.js";
import type { PreTrainedTokenizerFast } from "../tokenization/index.js";
import { batches, collate, type Fields, is_iterable, iterable, separate } from "./batching.js";
import { generation_of } from "./generation.js";

export type { Fields } from "./batching.js";

/** Keyword arguments. */
export type Kwargs = Record<string, unknown>;

/** Keyword arguments, split by the stage that uses them. */
export interface StageParameters {
  preprocess?: Kwargs;
  forward?: Kwargs;
  postprocess?: Kwargs;
}

/** What a pipeline is made of. */
export interface PipelineParts {
  task: string;
  model: PreTrainedModel;
  tokenizer?: PreTrainedTokenizerFast | undefined;
}

/** Options of every pipeline, at construction and in a call. */
export interface PipelineCallOptions {
  /** How many inputs go through the model together. Default: 1, or what a pipeline says. */
  batch_size?: number | null;
  /** Python's loader processes. There are none here; more than 0 is answered with a warning. */
  num_workers?: number | null;
}

/** The type of options when none are given. */
export type NoOptions = Record<never, never>;

/** What a call gives: `One` for one input, a list of `Each` for a list of inputs, `Each` one by one for an iterable. */
export type Results<Q, One, Each = One> = Q extends string
  ? One
  : Q extends readonly unknown[]
    ? Each[]
    : Q extends Iterable<unknown> | AsyncIterable<unknown>
      ? AsyncGenerator<Each>
      : One;

/** Rows that go through the model in one call, where their number changes no result. */
export const ROWS_PER_CALL = 64;

/**
 * Text in, answers out: `preprocess` makes Tensors of an input, `_forward` runs the model on a batch of them, and
 * `postprocess` makes the result of one input. Called with one input it gives one result, with a list a list, with an
 * iterable (also an asynchronous one) results one by one: `for await (const result of await pipe(inputs))`.
 *
 * A subclass writes these three and `_sanitize_parameters`, as in Python; `register_pipeline` makes it known.
 */
export abstract class Pipeline<Input = unknown, Output = unknown, Outputs = Fields> extends Callable<
  [inputs: unknown, ...rest: unknown[]],
  Promise<unknown>
> {
  /** Defaults of pipelines that call `generate`. */
  static default_generation_config: Kwargs | undefined;
  /** Rows do not change one another's results: a list needs no `batch_size` to share calls of the model. */
  static rows_are_independent = false;

  readonly task: string;
  readonly model: PreTrainedModel;
  readonly tokenizer: PreTrainedTokenizerFast | undefined;
  /** The pipeline's own: its defaults under the model's generation config, under what the caller gave. */
  generation_config: GenerationConfig | undefined;
  prefix: string | undefined;
  protected readonly batch_size: number | undefined;
  protected readonly parameters: Required<StageParameters>;

  constructor({ task, model, tokenizer }: PipelineParts, options: Kwargs = {}) {
    super();
    this.task = task;
    this.model = model;
    this.tokenizer = tokenizer;
    const { batch_size, kwargs } = split_common(options);
    this.batch_size = batch_size;
    const {
      preprocess = {},
      forward = {},
      postprocess = {},
    } = this._sanitize_parameters(this.prepare_generation(kwargs));
    this.parameters = { preprocess, forward, postprocess };
    if (this.prefix && !("prefix" in preprocess)) {
      const prefixed = this._sanitize_parameters({ prefix: this.prefix });
      Object.assign(preprocess, prefixed.preprocess);
      Object.assign(forward, prefixed.forward);
    }
  }

  /** Splits keyword arguments by stage; throws for those of wrong name or value. */
  abstract _sanitize_parameters(kwargs: Kwargs): StageParameters;
  abstract preprocess(
    input: Input,
    parameters: Kwargs,
  ): Fields | Promise<Fields> | Iterable<Fields> | AsyncIterable<Fields>;
  /** Runs the model on a batch. What it returns is taken apart again: Tensors by their first axis, lists by element. */
  abstract _forward(batch: Fields, parameters: Kwargs): Promise<ModelOutput | Fields>;
  abstract postprocess(outputs: Outputs, parameters: Kwargs): Output | Promise<Output>;

  get device(): string {
    return this.model.device;
  }

  get dtype(): string {
    return this.model.dtype;
  }

  /** Sets `generation_config` and `prefix`; returns the arguments that are not generation parameters. */
  private prepare_generation(kwargs: Kwargs): Kwargs {
    const defaults = (this.constructor as typeof Pipeline).default_generation_config;
    if (!defaults || !this.model.can_generate()) return kwargs;
    const { config, prefix, rest } = generation_of(this, defaults, kwargs);
    this.generation_config = config;
    this.prefix = prefix;
    return rest;
  }

  override async _call(inputs: unknown, options: Kwargs = {}, ..._rest: unknown[]): Promise<unknown> {
    const { batch_size, kwargs } = split_common(options);
    const size = batch_size ?? this.batch_size;
    const { preprocess, forward, postprocess } = this._sanitize_parameters(kwargs);
    const parameters = {
      preprocess: { ...this.parameters.preprocess, ...preprocess },
      forward: { ...this.parameters.forward, ...forward },
      postprocess: { ...this.parameters.postprocess, ...postprocess },
    };
    if (this.is_single(inputs)) {
      for await (const output of this.results([inputs as Input], size, parameters)) return output;
    }
    if (Array.isArray(inputs)) {
      const together = size ?? (this.rows_may_share() ? ROWS_PER_CALL : 1);
      const outputs: Output[] = [];
      for await (const output of this.results(inputs as Input[], together, parameters)) outputs.push(output);
      return outputs;
    }
    return this.results(iterable<Input>(inputs), size, parameters);
  }

  /** Scikit-learn's name for a call. */
  predict(inputs: unknown): Promise<unknown> {
    return this._call(inputs);
  }

  /** Scikit-learn's name for a call. */
  transform(inputs: unknown): Promise<unknown> {
    return this._call(inputs);
  }

  /** True for one input, false for several. */
  protected is_single(inputs: unknown): boolean {
    return !is_iterable(inputs);
  }

  /** Whether rows of several lengths give together what each gives alone: padding stands after them, and is known to be padding. */
  protected rows_may_share(): boolean {
    const { padding_side, pad_token_id } = this.tokenizer ?? {};
    return (
      (this.constructor as typeof Pipeline).rows_are_independent &&
      padding_side === "right" &&
      pad_token_id !== null &&
      pad_token_id === (this.model.config as unknown as Record<string, unknown>)["pad_token_id"]
    );
  }

  /** Results in order, of `size` inputs at a time. */
  private async *results(
    inputs: Iterable<Input> | AsyncIterable<Input>,
    size = 1,
    parameters: Required<StageParameters>,
  ): AsyncGenerator<Output> {
    for await (const group of batches(inputs, size)) {
      const pending: Fields[][] = [];
      for (const input of group) pending.push(await this.rows_of(input, parameters.preprocess));
      yield* this.finish(pending, size, parameters);
    }
  }

  private async *finish(
    pending: Fields[][],
    size: number,
    parameters: Required<StageParameters>,
  ): AsyncGenerator<Output> {
    const rows = pending.flat();
    const outputs: Fields[] = [];
    const step = this.rows_may_share() ? Math.max(size, ROWS_PER_CALL) : size;
    for (let start = 0; start < rows.length; start += step) {
      const part = rows.slice(start, start + step);
      const batch = await this._forward(collate(part, this.tokenizer), parameters.forward);
      outputs.push(...separate(batch, part.length));
    }
    let next = 0;
    for (const { length } of pending) {
      yield await this.result_of(outputs.slice(next, next + length), parameters.postprocess);
      next += length;
    }
  }

  /** The model's rows of one input. */
  protected async rows_of(input: Input, parameters: Kwargs): Promise<Fields[]> {
    return [(await this.preprocess(input, parameters)) as Fields];
  }

  protected result_of(outputs: Fields[], parameters: Kwargs): Output | Promise<Output> {
    return this.postprocess(outputs[0] as Outputs, parameters);
  }

  /** Calls the model with the fields of a batch that it takes, as the tokenizer names them. Nothing goes on from its cache. */
  protected run_model(batch: Fields): Promise<ModelOutput> {
    const names = this.require_tokenizer().model_input_names.filter((name) => name in batch);
    const options = this.model instanceof GenerationMixin ? { use_cache: false } : {};
    return this.model._call(Object.fromEntries(names.map((name) => [name, batch[name]])), options);
  }

  protected require_tokenizer(): PreTrainedTokenizerFast {
    if (this.tokenizer) return this.tokenizer;
    throw new TransformersError(`The ${this.task} pipeline needs a tokenizer`, "no_tokenizer");
  }

  /** Saves model and tokenizer into one folder, from which `pipeline(task, folder)` loads them. */
  async save_pretrained(folder: string): Promise<void> {
    await this.model.save_pretrained(folder);
    await this.tokenizer?.save_pretrained(folder);
  }

  dispose(): Promise<void> {
    return this.model.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** A pipeline that makes several rows of one input: parts of a long text, or one for each label. */
export abstract class ChunkPipeline<Input = unknown, Output = unknown> extends Pipeline<Input, Output, Fields[]> {
  abstract override preprocess(input: Input, parameters: Kwargs): Iterable<Fields> | AsyncIterable<Fields>;

  protected override async rows_of(input: Input, parameters: Kwargs): Promise<Fields[]> {
    const rows: Fields[] = [];
    for await (const row of this.preprocess(input, parameters)) rows.push(row);
    return rows;
  }

  protected override result_of(outputs: Fields[], parameters: Kwargs): Output | Promise<Output> {
    return this.postprocess(outputs, parameters);
  }
}

/** What a pipeline says about its input, as Python's class of this name. */
export class PipelineException extends TransformersError {
  override name = "PipelineException";
  readonly task: string;
  readonly model: string;

  constructor(task: string, model: string, reason: string) {
    super(reason, "pipeline");
    this.task = task;
    this.model = model;
  }
}

/** Without what was not given. */
export function given<T extends object>(fields: T): Kwargs {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

/** Throws for keywords that are left over. */
export function no_more(kwargs: Kwargs, task: string): void {
  const [stranger] = Object.keys(kwargs);
  if (stranger !== undefined) throw new TypeError(`The ${task} pipeline got an unexpected option '${stranger}'`);
}

export function check_kwargs(options: unknown): Kwargs {
  if (typeof options === "object" && options !== null) return options as Kwargs;
  throw expected("an object of options", "options", options);
}

/** Takes the options of every pipeline out of those of one. */
export function split_common(options: Kwargs): { batch_size: number | undefined; kwargs: Kwargs } {
  const { batch_size, num_workers, ...kwargs } = check_kwargs(options);
  for (const [name, value, least] of [
    ["batch_size", batch_size, 1],
    ["num_workers", num_workers, 0],
  ] as const)
    if (value !== undefined && value !== null && !(Number.isInteger(value) && (value as number) >= least))
      throw expected(`an integer from ${least} on`, name, value);
  if (num_workers)
    warn_once("`num_workers` does nothing: tokenizer and model use threads of their own (see the option `n_threads`).");
  return { batch_size: (batch_size as number | null | undefined) ?? undefined, kwargs };
}
