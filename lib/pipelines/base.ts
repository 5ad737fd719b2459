// What all pipelines share: parameters of construction and call, single inputs, lists, iterables, batches.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/pipelines/base.py `Pipeline`
import { Callable } from "../callable.js";
import { expected, TransformersError } from "../errors.js";
import { GenerationConfig } from "../generation/configuration.js";
import type { GenerationMixin } from "../generation/mixin.js";
import { prepare_generation_config } from "../generation/prepare.js";
import type { PreTrainedModel } from "../models/pretrained.js";
import type { PreTrainedTokenizerFast } from "../tokenization/index.js";

/** Keyword arguments, split by the stage that uses them. */
export interface StageParameters {
  preprocess: Record<string, unknown>;
  forward: Record<string, unknown>;
  postprocess: Record<string, unknown>;
}

/** What a pipeline is made of. */
export interface PipelineParts {
  task: string;
  model: PreTrainedModel;
  tokenizer: PreTrainedTokenizerFast | undefined;
}

/** What `preprocess` makes of one input: rows of ids, padded when they are put into a batch, and anything else. */
export interface ModelInputs {
  rows: Record<string, number[]>;
  extra?: unknown;
}

export abstract class Pipeline<Input = unknown, Output = unknown> extends Callable<
  [unknown, Record<string, unknown>?],
  Promise<unknown>
> {
  /** Defaults of pipelines that call `generate`. */
  static default_generation_config: Record<string, unknown> | undefined;

  readonly task: string;
  readonly model: PreTrainedModel;
  readonly tokenizer: PreTrainedTokenizerFast | undefined;
  /** The pipeline's own: its defaults under the model's generation config, under what the caller gave. */
  generation_config: GenerationConfig | undefined;
  prefix: string | undefined;
  private readonly batch_size: number;
  private readonly parameters: StageParameters;

  constructor({ task, model, tokenizer }: PipelineParts, options: Record<string, unknown> = {}) {
    super();
    this.task = task;
    this.model = model;
    this.tokenizer = tokenizer;
    const { batch_size = 1, num_workers: _, ...rest } = options;
    this.batch_size = check_batch_size(batch_size);
    const kwargs = this.prepare_generation(rest);
    this.parameters = this.sanitize_parameters(kwargs);
    if (this.prefix && !("prefix" in this.parameters.preprocess)) {
      const { preprocess, forward } = this.sanitize_parameters({ prefix: this.prefix });
      Object.assign(this.parameters.preprocess, preprocess);
      Object.assign(this.parameters.forward, forward);
    }
  }

  /** Splits keyword arguments by stage; throws for those of wrong value. */
  protected abstract sanitize_parameters(kwargs: Record<string, unknown>): StageParameters;
  abstract preprocess(input: Input, parameters: Record<string, unknown>): ModelInputs | Promise<ModelInputs>;
  /** One result for each of `batch`, in order. */
  abstract run(batch: ModelInputs[], parameters: Record<string, unknown>): Promise<unknown[]>;
  abstract postprocess(result: unknown, parameters: Record<string, unknown>): Output | Promise<Output>;

  /** Sets `generation_config` and `prefix`; returns the arguments that are not generation parameters. */
  private prepare_generation(kwargs: Record<string, unknown>): Record<string, unknown> {
    const defaults = (this.constructor as typeof Pipeline).default_generation_config;
    if (!defaults || !this.model.can_generate()) return kwargs;
    const [config, rest] = prepare_generation_config(
      this.model.generation_config,
      new GenerationConfig(defaults),
      kwargs,
      {
        use_model_defaults: true,
      },
    );
    if (config.max_new_tokens === defaults["max_new_tokens"] && config.max_length !== null && config.max_length !== 20)
      config.max_new_tokens = null;
    const model_config = this.model.config as unknown as Record<string, unknown>;
    this.prefix = (model_config["prefix"] as string | null | undefined) ?? undefined;
    const by_task = model_config["task_specific_params"] as Record<string, Record<string, unknown>> | null | undefined;
    if (by_task?.[this.task]) {
      const { prefix, ...task_parameters } = by_task[this.task];
      if (typeof prefix === "string") this.prefix = prefix;
      config.update(task_parameters);
    }
    const pad = this.tokenizer?.pad_token_id;
    if (pad !== undefined && pad !== null && config.pad_token_id === null) config.pad_token_id = pad;
    this.generation_config = config;
    return rest;
  }

  override async _call(inputs: unknown, options: Record<string, unknown> = {}): Promise<unknown> {
    const { batch_size = this.batch_size, num_workers: _, ...kwargs } = options;
    const size = check_batch_size(batch_size);
    const { preprocess, forward, postprocess } = this.sanitize_parameters(kwargs);
    const parameters: StageParameters = {
      preprocess: { ...this.parameters.preprocess, ...preprocess },
      forward: { ...this.parameters.forward, ...forward },
      postprocess: { ...this.parameters.postprocess, ...postprocess },
    };
    if (this.is_single(inputs)) {
      for await (const output of this.stream([inputs as Input], 1, parameters)) return output;
    }
    if (Array.isArray(inputs)) {
      const outputs: Output[] = [];
      for await (const output of this.stream(inputs as Input[], size, parameters)) outputs.push(output);
      return outputs;
    }
    if (typeof inputs === "object" && inputs !== null && (Symbol.iterator in inputs || Symbol.asyncIterator in inputs))
      return this.stream(inputs as Iterable<Input>, size, parameters);
    throw expected("an input, a list of inputs or an iterable of inputs", "inputs", inputs);
  }

  /** True for one input, false for several. */
  protected is_single(inputs: unknown): boolean {
    return typeof inputs === "string";
  }

  private async *stream(inputs: Iterable<Input> | AsyncIterable<Input>, size: number, parameters: StageParameters) {
    let batch: ModelInputs[] = [];
    for await (const input of inputs) {
      batch.push(await this.preprocess(input, parameters.preprocess));
      if (batch.length < size) continue;
      yield* this.finish(batch, parameters);
      batch = [];
    }
    if (batch.length > 0) yield* this.finish(batch, parameters);
  }

  private async *finish(batch: ModelInputs[], parameters: StageParameters): AsyncGenerator<Output> {
    for (const result of await this.run(batch, parameters.forward))
      yield await this.postprocess(result, parameters.postprocess);
  }

  /** One matrix for each key of the batch's rows, padded on the tokenizer's side. */
  protected collate(batch: ModelInputs[]): Record<string, number[][]> {
    const side = this.tokenizer?.padding_side ?? "right";
    const result: Record<string, number[][]> = {};
    for (const key of Object.keys(batch[0].rows)) {
      const rows = batch.map((inputs) => inputs.rows[key]);
      const length = Math.max(...rows.map((row) => row.length));
      if (rows.some((row) => row.length < length)) {
        const filler = this.filler(key);
        result[key] = rows.map((row) => {
          const fill = new Array<number>(length - row.length).fill(filler);
          return side === "left" ? [...fill, ...row] : [...row, ...fill];
        });
      } else result[key] = rows;
    }
    return result;
  }

  private filler(key: string): number {
    if (key === "p_mask" || key === "special_tokens_mask") return 1;
    if (key !== "input_ids") return 0;
    const pad = this.tokenizer?.pad_token_id;
    if (pad === undefined || pad === null)
      throw new TransformersError(
        "Pipeline with tokenizer without pad_token cannot do batching. You can try to set it with `pipe.tokenizer.pad_token_id = model.config.eos_token_id`.",
        "no_pad_token",
      );
    return pad;
  }

  /** Saves model and tokenizer into one folder. */
  async save_pretrained(folder: string): Promise<void> {
    await this.model.save_pretrained(folder);
    await this.tokenizer?.save_pretrained(folder);
  }

  dispose(): Promise<void> {
    return this.model.dispose();
  }
}

function check_batch_size(value: unknown): number {
  if (Number.isInteger(value) && (value as number) > 0) return value as number;
  throw expected("a positive integer", "batch_size", value);
}

/** The model of a pipeline that generates. */
export function generative(model: PreTrainedModel): GenerationMixin {
  if (model.can_generate()) return model as GenerationMixin;
  throw new TransformersError(`The model '${model.constructor.name}' cannot generate`, "wrong_model");
}
