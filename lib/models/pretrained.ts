// The life of a model: loaded or made, called, changed, saved.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/modeling_utils.py `PreTrainedModel`

import { inspect } from "node:util";
import type { Called } from "../callable.js";
import { load_state_dict, save_state_dict } from "../checkpoint/index.js";
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { expected, TransformersError } from "../errors.js";
import { make_folder } from "../files.js";
import { GenerationConfig } from "../generation/configuration.js";
import { type NativeStateDict, native } from "../native.js";
import { resolve_device } from "./device.js";
import { parse_dtype } from "./dtype.js";
import { initialize, type ParameterSpec } from "./initialization.js";
import { type LoadingInfo, reconcile } from "./loading.js";
import type { ModelOutput } from "./outputs.js";
import { PeftAdapterMixin } from "./peft/mixin.js";
import { type ModelOptions, type Placement, placement, split_target } from "./placement.js";
import { print_tree } from "./print_tree.js";
import { type ResizeOptions, resize, resized_count, type TokenTensors } from "./resizing.js";

export interface SavePretrainedOptions {
  /** Largest file: bytes, or such as "5GB", the default. */
  max_shard_size?: string | number;
  /** "fp16" writes model.fp16.safetensors. */
  variant?: string;
}

/** A model as its users have it: `await model(inputs, options)`. */
export type CallableModel<Model extends PreTrainedModel> = Called<
  Model,
  [inputs?: unknown, options?: Record<string, unknown>],
  Promise<ModelOutput>
>;

/** A model class as the registries hold it. */
export interface ModelClass {
  readonly name: string;
  from_pretrained(
    name_or_path: string,
    options: ModelOptions & { config: PretrainedConfig; [config_field: string]: unknown },
  ): Promise<PreTrainedModel>;
  from_config(config: PretrainedConfig, options?: ModelOptions & { seed?: number }): Promise<PreTrainedModel>;
}

/** Base of every model. A subclass describes its tensors and computes; what is here is the same for all. */
export abstract class PreTrainedModel extends PeftAdapterMixin {
  static base_model_prefix = "model";
  /** Names that checkpoints carry and no model needs. */
  static keys_to_ignore_on_load_unexpected: RegExp[] = [/rotary_emb\.inv_freq$/, /embeddings\.position_ids$/];

  /** Names that checkpoints may lack: nobody need be told. */
  static keys_to_ignore_on_load_missing: RegExp[] = [];

  /** Names that saved checkpoints lack: what is computed anew. */
  static keys_to_ignore_on_save: RegExp[] = [];

  readonly config: PretrainedConfig;
  generation_config: GenerationConfig;
  name_or_path: string;
  training = false;
  protected placement: Placement = placement({}, () => parse_dtype("float32"));
  /** The model's tensors; none for a model that lives in a GGUF file. */
  protected state: NativeStateDict | undefined;
  private disposed = false;

  constructor(config: PretrainedConfig, name_or_path = "") {
    super();
    this.config = config;
    this.name_or_path = name_or_path;
    this.generation_config = GenerationConfig.from_model_config(config);
  }

  /** Every tensor of the model, in the order of Python's modules, tied ones included. */
  abstract override parameters(): ParameterSpec[];
  /** `[tied, source]` pairs that share one tensor. */
  abstract override tied_weights(): (readonly [string, string])[];
  /** Frees the engine and what it holds; the next use builds it anew from the tensors. */
  protected abstract drop_engine(): Promise<void>;
  abstract forward(inputs?: unknown, options?: Record<string, unknown>): Promise<ModelOutput>;

  override _call(inputs?: unknown, options?: Record<string, unknown>): Promise<ModelOutput> {
    return this.forward(inputs, options);
  }

  /** Opens the checkpoint and brings its tensors under this model's names. */
  protected async load_tensors(name_or_path: string, options: ModelOptions): Promise<LoadingInfo> {
    const type = this.constructor as typeof PreTrainedModel;
    const state = options.state_dict
      ? new (native().StateDict)(options.state_dict)
      : await load_state_dict(name_or_path, options);
    const info = reconcile(state, {
      class_name: type.name,
      name_or_path,
      base_model_prefix: type.base_model_prefix,
      parameters: this.parameters(),
      tied: this.tied_weights(),
      ignore_unexpected: type.keys_to_ignore_on_load_unexpected,
      ignore_missing: type.keys_to_ignore_on_load_missing,
      key_mapping: options.key_mapping,
      ignore_mismatched_sizes: options.ignore_mismatched_sizes ?? false,
      initializer_range: this.initializer_range,
    });
    this.state = state;
    return info;
  }

  /** Draws fresh weights: `from_config`. */
  protected initialize(state: NativeStateDict, seed?: number): void {
    const tied = this.tied_weights();
    const own = this.parameters().filter(({ name }) => !tied.some(([alias]) => alias === name));
    initialize(state, own, { initializer_range: this.initializer_range, ...(seed === undefined ? {} : { seed }) });
    for (const [alias, source] of tied) state.alias(alias, source);
    this.state = state;
  }

  private get initializer_range(): number {
    return Number(this.config["initializer_range"] ?? this.config["init_std"] ?? 0.02);
  }

  /** The dtype's name: "float32", "bfloat16", "q4_k_m", … */
  get dtype(): string {
    return this.placement.dtype.name;
  }

  /** A name of `devices()`, or "auto". */
  get device(): string {
    return this.placement.device ?? "auto";
  }

  /** Sets the mode that Python's layers ask for; there is no training here. */
  train(mode = true): this {
    this.training = mode;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** Moves the model to a device, or changes its dtype; takes effect at the next use. */
  to(target: string | { device?: string; dtype?: string }): this {
    const { device, dtype } = typeof target === "string" ? split_target(target) : target;
    const next = { ...this.placement };
    if (device !== undefined) next.device = resolve_device(device);
    if (dtype !== undefined) next.dtype = parse_dtype(dtype);
    if (next.device !== this.placement.device || next.dtype !== this.placement.dtype) {
      this.require_tensors("to");
      void this.drop_engine();
      this.placement = next;
    }
    return this;
  }

  /** The tables of the model's Embedding modules. */
  protected embedding_names(): string[] {
    return this.parameters()
      .map(({ name }) => name)
      .filter((name) => /embed_tokens/.test(name));
  }

  /** Number of elements of all tensors; tied ones count once. */
  num_parameters({
    exclude_embeddings = false,
  }: {
    only_trainable?: boolean;
    exclude_embeddings?: boolean;
  } = {}): number {
    const tied = new Set(this.tied_weights().map(([alias]) => alias));
    const embeddings = new Set(exclude_embeddings ? this.embedding_names() : []);
    return this.parameters()
      .filter(({ name, buffer }) => !buffer && !tied.has(name) && !embeddings.has(name))
      .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  }

  can_generate(): boolean {
    return false;
  }

  /** The tensors with a row for each token; undefined for a model that has none. */
  protected token_tensors(): TokenTensors | undefined {
    return undefined;
  }

  /** Tells a subclass that its vocabulary has another size. */
  protected abstract vocabulary_resized(count: number): void;

  /**
   * Gives the model a vocabulary of `new_num_tokens`: new rows of the embeddings (and of an untied head) lie about the
   * mean of the others. Without a number nothing changes. Returns the table of embeddings, [tokens, size].
   * @throws TypeError for counts that are no positive integers.
   */
  async resize_token_embeddings(
    new_num_tokens?: number | null,
    options: ResizeOptions = {},
  ): Promise<{ name: string; shape: number[] }> {
    this.require_tensors("resize_token_embeddings");
    const tensors = this.token_tensors();
    if (!tensors) throw new TransformersError(`${this.constructor.name} has no embeddings of tokens`, "unsupported");
    return this.resize_tokens(tensors, new_num_tokens, options, (count) => this.vocabulary_resized(count));
  }

  /** Gives these tensors rows for as many tokens; `resized` says so to the model. */
  protected async resize_tokens(
    tensors: TokenTensors,
    new_num_tokens: number | null | undefined,
    { pad_to_multiple_of, mean_resizing = true }: ResizeOptions,
    resized: (count: number) => void,
  ): Promise<{ name: string; shape: number[] }> {
    const state = this.require_tensors("resize_token_embeddings");
    const [current] = state.info(tensors.embeddings).shape;
    const count = resized_count(current, new_num_tokens, pad_to_multiple_of);
    if (count !== current) {
      await this.drop_engine();
      const tied = this.tied_weights().some(([alias]) => alias === tensors.head);
      resize(state, tensors, count, { tied, mean_resizing, initializer_range: this.initializer_range });
      resized(count);
      for (const [alias, source] of this.tied_weights()) if (state.has(source)) state.alias(alias, source);
    }
    return { name: tensors.embeddings, shape: state.info(tensors.embeddings).shape };
  }

  /** The tensors by name. */
  state_dict(): NativeStateDict {
    return this.require_tensors("state_dict");
  }

  /**
   * Writes config.json, generation_config.json and model.safetensors (or shards), which Python loads; of a model with
   * adapters the active adapter alone.
   * A quantised model writes the tensors that it was made from.
   */
  async save_pretrained(folder: string, options: SavePretrainedOptions = {}): Promise<void> {
    if (typeof folder !== "string" || folder === "") throw expected("a folder", "save_directory", folder);
    if (await this.save_adapter(folder)) return;
    const state = this.require_tensors("save_pretrained");
    await make_folder(folder);
    const config = this.config as unknown as Record<string, unknown>;
    config["architectures"] = [this.constructor.name];
    const type = this.constructor as typeof PreTrainedModel;
    const { name, safetensors } = this.placement.dtype;
    if (safetensors) config["dtype"] = name;
    await this.config.save_pretrained(folder);
    if (this.can_generate()) await this.generation_config.save_pretrained(folder);
    await save_state_dict(folder, state, {
      ...options,
      ...(safetensors ? { dtype: safetensors } : {}),
      names: this.parameters()
        .map(({ name }) => name)
        .filter((name) => !type.keys_to_ignore_on_save.some((pattern) => pattern.test(name))),
      drop: this.tied_weights().map(([alias]) => alias),
      total_parameters: this.num_parameters(),
    });
  }

  /** Frees the model: engine, tensors, caches. Requests under way reject. */
  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    await this.drop_engine();
    this.state?.dispose();
    this.state = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  protected override check_alive(): void {
    if (this.disposed) throw new TransformersError("The model was disposed", "disposed");
  }

  protected override require_tensors(method: string): NativeStateDict {
    this.check_alive();
    if (!this.state)
      throw new TransformersError(
        `${method} needs the tensors of a checkpoint; this model lives in a GGUF file`,
        "no_state_dict",
      );
    return this.state;
  }

  [inspect.custom](): string {
    return print_tree(this.constructor.name, this.parameters());
  }
}
