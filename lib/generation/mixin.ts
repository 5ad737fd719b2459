// generate(): reads the arguments as Python does, runs the native loop, hands out tokens and result.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/utils.py `GenerationMixin`
import { expected, from_native, TransformersError, warn_once } from "../errors.js";
import { is_given } from "../models/batch.js";
import type { Adapter } from "../models/peft/adapter.js";
import type { ModelOptions } from "../models/placement.js";
import { PreTrainedModel } from "../models/pretrained.js";
import type { NativeGenerateRequest, NativeGenerateResult, NativeGeneratingEngine } from "../native.js";
import type { Tensor } from "../tensor/index.js";
import type { Message } from "../tokenization/chat_template.js";
import type { PreTrainedTokenizerFast } from "../tokenization/fast.js";
import { type Assistance, type AssistedCall, assist, check_assistance } from "./assisted.js";
import { EngineCache } from "./cache.js";
import { GenerateCall } from "./call.js";
import { type ChatOptions, chat } from "./chat.js";
import { GenerationConfig } from "./configuration.js";
import { type HookOptions, make_hooks } from "./hooks.js";
import { merge, negative_prompt } from "./inputs.js";
import { native_options } from "./native_options.js";
import { type GenerateOutput, generate_output, to_int64 } from "./outputs.js";
import {
  check_copies,
  check_generation_mode,
  prepare_generated_length,
  prepare_generation_config,
  warn_of_idle,
} from "./prepare.js";
import { run_request } from "./request.js";
import type { ResponseFormat } from "./response_format.js";
import { type Start, type StartOptions, start_of_decoder } from "./start.js";
import {
  joined_states,
  pick_rows,
  type Rerun,
  type RowStates,
  type Rows,
  type StateFlags,
  step_states,
} from "./states.js";
import type { BaseStreamer } from "./streamers.js";
import { transition_scores } from "./transition_scores.js";

/** What belongs to one call; every field of GenerationConfig may stand beside these. */
export interface GenerateOptions extends HookOptions, Assistance {
  inputs?: unknown;
  input_ids?: unknown;
  /** [batch, length]: 0 for padding, which belongs to the left. */
  attention_mask?: unknown;
  /** A cache that covers a prefix of the rows. */
  past_key_values?: unknown;
  generation_config?: GenerationConfig | null;
  /** Take what a given generation_config leaves open from the model's. */
  use_model_defaults?: boolean | null;
  streamer?: BaseStreamer | null;
  /** For `stop_strings` and `response_format`. */
  tokenizer?: unknown;
  /** What the new text must look like: JSON, a JSON schema, a regular expression, a grammar. */
  response_format?: ResponseFormat | null;
  /** Stops the generation; the call rejects with code "aborted". */
  signal?: AbortSignal;
  /** Seed of the random numbers; without one each call draws anew. */
  seed?: number;
  [generation_parameter: string]: unknown;
}

/** Options of `save_gguf`. */
export interface SaveGgufOptions {
  /** A dtype's name; default: the model's. */
  quantization?: string;
  /** Puts the vocabulary, the chat template and the end tokens in. */
  tokenizer?: PreTrainedTokenizerFast;
  /** Is told of the writing, like a download: `progress` goes from 0 to 100. */
  progress_callback?: ModelOptions["progress_callback"];
}

export type GenerateResult = Tensor | GenerateOutput;

/** Python's error for a model that has no head to generate with. */
export function cannot_generate(model: object): TransformersError {
  return new TransformersError(
    `The current model class (${model.constructor.name}) is not compatible with \`.generate()\`, as it doesn't have a language model head.`,
    "cannot_generate",
  );
}

/** What a call of generate() is, before its rows are known. */
interface Settings {
  config: GenerationConfig;
  /** Arguments that may be settings, as the caller gave them. */
  kwargs: Record<string, unknown>;
  states: StateFlags;
  assisted: boolean;
  start: StartOptions;
}

/** Arguments that neither are settings nor go to the model. */
const OWN_ARGUMENTS = new Set([
  ...["logits_processor", "stopping_criteria", "prefix_allowed_tokens_fn", "assistant_model", "assistant_tokenizer"],
  ...["streamer", "negative_prompt_ids", "negative_prompt_attention_mask", "use_model_defaults", "tokenizer"],
  ...["response_format", "signal", "seed", "generator", "inputs", "generation_config"],
  ...["synced_gpus", "custom_generate", "trust_remote_code"],
]);

const kwargs_of = (options: GenerateOptions): Record<string, unknown> =>
  Object.fromEntries(Object.entries(options).filter(([name]) => !OWN_ARGUMENTS.has(name)));

/** What goes for the tokens that are made: of rows of embeddings the last number alone. */
function of_next(row_inputs: Record<string, Int32Array[]>, embeds: unknown): Record<string, Int32Array[]> {
  if (!embeds) return row_inputs;
  return Object.fromEntries(Object.entries(row_inputs).map(([name, rows]) => [name, rows.map((row) => row.slice(-1))]));
}

/** A model that generates: what both engines share. */
export abstract class GenerationMixin extends PreTrainedModel {
  abstract get vocab_size(): number;
  /** Size of the vocabulary that it says; that which it reads may be another one. */
  get output_vocab_size(): number {
    return this.vocab_size;
  }
  /** Positions that the model has. */
  abstract get max_positions(): number;
  /**
   * The engine, ready to generate `rows` rows at a time after prompts of `tokens` tokens altogether, which have these
   * `inputs` beside their ids.
   */
  protected abstract generating_engine(
    rows: number,
    tokens: number,
    inputs?: readonly string[],
  ): Promise<NativeGeneratingEngine>;

  override can_generate(): boolean {
    return true;
  }

  /** Tells an engine that keeps adapters apart from the weights which ones its next calls are computed with. */
  protected use_adapters(_engine: NativeGeneratingEngine, _adapters: readonly Adapter[]): void {}

  /** Writes a GGUF file, where the engine can. @throws TransformersError `unsupported` where it cannot. */
  async save_gguf(_path: string, _options?: SaveGgufOptions): Promise<void> {
    throw new TransformersError(`${this.constructor.name} cannot be written as GGUF`, "unsupported");
  }

  /** Reads generation_config.json; without one, what config.json says stays. */
  protected async load_generation_config(name_or_path: string, options: ModelOptions): Promise<void> {
    this.generation_config = await GenerationConfig.from_pretrained_or_model_config(name_or_path, this.config, options);
  }

  /**
   * Continues the rows of `inputs` (token ids, [batch, length]; or an object with `input_ids`).
   * `await` gives int64 [rows, length] with the prompt, or with `return_dict_in_generate` an output object;
   * `for await` gives the new token ids of each step, one for each row.
   */
  generate(inputs: unknown, options: GenerateOptions & { return_dict_in_generate: true }): GenerateCall<GenerateOutput>;
  generate(inputs?: unknown, options?: GenerateOptions): GenerateCall<Tensor>;
  // biome-ignore lint/suspicious/noExplicitAny: the result's type is decided by an option
  generate(inputs?: unknown, options: GenerateOptions = {}): GenerateCall<any> {
    const controller = new AbortController();
    const call = new GenerateCall<GenerateResult>(() => controller.abort());
    const run = async () => this.run(call, merge(inputs, options), controller.signal);
    run().catch((error) => call.fail(from_native(error)));
    return call;
  }

  private async run(
    call: GenerateCall<GenerateResult>,
    options: GenerateOptions,
    cancelled: AbortSignal,
  ): Promise<void> {
    this.check_alive();
    const adapters = this.chosen_adapters();
    const settings = this.settings_of(options);
    const { config } = settings;
    const start = await this.start(settings.start);
    // What the encoder left in the engine goes with the call, unless the caller gets it.
    const made = Object.is(start.cache, settings.start.model_kwargs["past_key_values"]) ? undefined : start.cache;
    let kept = false;
    try {
      const { ids } = start;
      if (settings.assisted && ids.length > 1)
        throw new TypeError("assisted generate is only supported for batch_size = 1");
      this.prepare_length(settings, start);
      const copies = check_copies(config, ids.length, this.output_vocab_size);
      const prompts = ids.flatMap((row) => Array.from({ length: copies }, () => Array.from(row)));
      options.streamer?.put(prompts);

      const request = this.request_of(settings, start, options);
      const lanes = prompts.length * (config.guidance_scale === null ? 1 : 2);
      const inputs = Object.keys(start.row_inputs ?? {});
      const engine = await this.generating_engine(lanes, ids.length * ids[0].length, inputs);
      if (start.cache !== undefined) request.cache = EngineCache.handle_of(start.cache, engine);
      if (start.guidance) request.guidance_cache = EngineCache.handle_of(start.guidance.cache, engine);
      const signals = [cancelled, ...(options.signal ? [options.signal] : [])];
      const assistance = await this.assistance_of(settings, start, options, signals);
      if (assistance) request.assistant = assistance.assistant;
      if (assistance?.candidates) request.hooks = { ...request.hooks, candidates: assistance.candidates };
      this.use_adapters(engine, adapters);
      const result = await run_request(engine, request, {
        rows: ids.length * config.num_return_sequences,
        call,
        streamer: options.streamer ?? undefined,
        signals,
      }).catch((error) => {
        assistance?.end(undefined);
        throw error;
      });
      options.streamer?.end();
      assistance?.end(result.assistant);
      if (!config.return_dict_in_generate) return call.finish(to_int64(result.sequences));
      kept = Boolean(config["use_cache"] ?? true);
      call.finish(await this.output_of(result, settings, start, copies, kept || !made ? engine : undefined));
    } finally {
      if (!kept) made?.dispose();
      start.guidance?.cache.dispose();
    }
  }

  /** Reads the arguments of generate(). @throws for what cannot be, in Python's order. */
  private settings_of(options: GenerateOptions): Settings {
    const kwargs = kwargs_of(options);
    for (const name of ["custom_generate", "trust_remote_code"])
      if (options[name])
        throw new TransformersError(`\`${name}\` asks for Python code, which cannot run here.`, "remote_code");
    const { streamer, signal, generation_config, assistant_model, tokenizer, assistant_tokenizer } = options;
    if (is_given(streamer) && !(typeof streamer?.put === "function" && typeof streamer.end === "function"))
      throw expected("an object with the methods put and end", "streamer", streamer);
    if (is_given(signal) && typeof signal?.addEventListener !== "function")
      throw expected("an AbortSignal", "signal", signal);
    if (is_given(generation_config) && typeof generation_config?.get_generation_mode !== "function")
      throw expected("a GenerationConfig", "generation_config", generation_config);
    const [config, model_kwargs] = prepare_generation_config(
      this.generation_config,
      generation_config ?? undefined,
      kwargs,
      { use_model_defaults: options.use_model_defaults ?? null, model_config: this.config },
    );
    const mode = check_generation_mode(config, assistant_model);
    const assisted = mode === "assisted_generation";
    const is_encoder_decoder = Boolean(this.config.is_encoder_decoder);
    warn_of_idle({ ...kwargs, synced_gpus: options["synced_gpus"] }, config, { mode, is_encoder_decoder });
    if (assisted) check_assistance(this, config, { assistant_model, tokenizer, assistant_tokenizer });
    if (streamer && config.num_beams > 1)
      throw new TypeError("`streamer` cannot be used with beam search (yet!). Make sure that `num_beams` is set to 1.");
    const states: StateFlags = {
      output_hidden_states: Boolean(config.return_dict_in_generate && config["output_hidden_states"]),
      output_attentions: Boolean(config.return_dict_in_generate && config["output_attentions"]),
    };
    if (states.output_attentions && !this.gives_attentions)
      throw new TransformersError(
        "output_attentions is not supported by the llama engine, which never holds whole attention matrices",
        "unsupported",
      );
    const { vocab_size, output_vocab_size } = this;
    const { inputs, negative_prompt_ids, negative_prompt_attention_mask } = options;
    const negative = { ids: negative_prompt_ids, attention_mask: negative_prompt_attention_mask };
    const start = { config, inputs, model_kwargs, states, tokenizer, negative, vocab_size, output_vocab_size };
    return { config, kwargs, states, assisted, start };
  }

  /** Resolves the lengths of a call. */
  private prepare_length({ config, kwargs }: Settings, { ids, embeds }: Start): void {
    const is_default = (name: string) => kwargs[name] === undefined || kwargs[name] === null;
    prepare_generated_length(config, {
      has_default_max_length: is_default("max_length"),
      has_default_min_length: is_default("min_length"),
      input_ids_length: ids[0].length,
      inputs_embeds_length: embeds?.length,
      max_position_embeddings: this.max_positions,
      is_encoder_decoder: Boolean(this.config.is_encoder_decoder),
    });
    if (config.max_length > this.max_positions)
      warn_once(
        `This is a friendly reminder - the current text generation call may exceed the model's predefined maximum length (${this.max_positions}). Depending on the model, you may observe exceptions, performance degradation, or nothing at all.`,
      );
  }

  /** What the native loop is asked for. Caches and an assistant are yet to come. */
  private request_of({ config, start: { negative } }: Settings, start: Start, options: GenerateOptions) {
    const { logits_processor, stopping_criteria, prefix_allowed_tokens_fn, generator } = options;
    const { seed, tokenizer, response_format } = options;
    const hooks = make_hooks(
      { logits_processor, stopping_criteria, prefix_allowed_tokens_fn, ...(generator ? { generator } : {}) },
      config,
      this.output_vocab_size,
    );
    const { ids, mask, embeds, row_inputs, guidance, first_logits } = start;
    const request: NativeGenerateRequest = {
      input_ids: ids,
      ...(mask && !embeds ? { attention_mask: mask } : {}),
      ...(row_inputs && Object.keys(row_inputs).length > 0 ? { row_inputs: of_next(row_inputs, embeds) } : {}),
      options: {
        ...native_options(config, { seed, generator, tokenizer, response_format }),
        ...(guidance
          ? { negative_prompt_ids: guidance.ids, guidance_token: guidance.token }
          : negative?.ids
            ? negative_prompt(negative.ids, negative.attention_mask, this.vocab_size)
            : {}),
        ...(start.encoder?.ids ? { encoder_input_ids: start.encoder.ids } : {}),
        ...hooks.options,
      },
      ...(hooks.callbacks ? { hooks: hooks.callbacks } : {}),
      ...(first_logits ? { first_logits } : {}),
    };
    return request;
  }

  /** Puts the assistant of a call to work: the one that it names, or the first layers of this model. */
  private async assistance_of(
    { config, assisted }: Settings,
    start: Start,
    { assistant_model, tokenizer, assistant_tokenizer }: GenerateOptions,
    signals: AbortSignal[],
  ): Promise<AssistedCall | undefined> {
    if (!assisted) return undefined;
    const layers = config["assistant_early_exit"] as number | null;
    if (layers === null && config.prompt_lookup_num_tokens !== null) return undefined;
    const model = layers === null ? (assistant_model as GenerationMixin) : this.early_exit(layers);
    const engine = await model.generating_engine(1, start.ids[0].length);
    const cache = model.config.is_encoder_decoder ? await model.encoded_for(start, config) : undefined;
    const target_vocab_size = this.output_vocab_size;
    const is_self = layers !== null;
    return assist(
      config,
      { model, engine, cache, is_self },
      { tokenizer, assistant_tokenizer, signals, target_vocab_size },
    );
  }

  /** What an assistant's own encoder makes of the text of the call that it assists. */
  private async encoded_for({ encoder }: Start, config: GenerationConfig): Promise<EngineCache> {
    const { vocab_size, output_vocab_size } = this;
    if (!encoder?.ids)
      throw expected("the encoder's ids, for the encoder of the assistant_model", "input_ids", undefined);
    const model_kwargs = { input_ids: encoder.ids, attention_mask: encoder.attention_mask };
    const states = { output_hidden_states: false, output_attentions: false };
    const own = new GenerationConfig({ ...config.to_dict(), guidance_scale: null });
    const options = { config: own, inputs: undefined, model_kwargs, states, tokenizer: undefined };
    const { cache } = await this.start({ ...options, vocab_size, output_vocab_size });
    return cache as EngineCache;
  }

  /** The output object of a finished request. `engine`: that which goes on with its cache, unless that is not kept. */
  private async output_of(
    result: NativeGenerateResult,
    { config, states }: Settings,
    start: Start,
    copies: number,
    engine: NativeGeneratingEngine | undefined,
  ): Promise<GenerateOutput> {
    const { cache, cache_lengths = [] } = result;
    const { mask, encoder } = start;
    const padding = mask ? mask[0].length - mask[0].reduce((sum, bit) => sum + bit, 0) : 0;
    const rerun: Rerun = (rows, owners) =>
      this.rerun(
        rows,
        owners.map((row) => Math.floor(row / copies)),
        states,
        start,
      );
    const wants_states = states.output_hidden_states || states.output_attentions;
    return generate_output(result, {
      vocab_size: this.output_vocab_size,
      is_encoder_decoder: Boolean(this.config.is_encoder_decoder),
      output_scores: Boolean(config["output_scores"]),
      states: {
        ...(wants_states ? await step_states(result, start, rerun) : {}),
        encoder_hidden_states: encoder?.outputs?.hidden_states,
        encoder_attentions: encoder?.outputs?.attentions,
      },
      past_key_values:
        cache === undefined || !engine
          ? undefined
          : EngineCache.of(engine, cache, start.cache, Array.from(cache_lengths), cache_lengths[0] + padding),
    });
  }

  /** Whether forward() can give attentions. */
  protected get gives_attentions(): boolean {
    return true;
  }

  /** What a call starts from. */
  protected async start(options: StartOptions): Promise<Start> {
    return start_of_decoder(options, {
      row_inputs: this.row_inputs,
      prefill: (args) => this.prefill(args),
      positions_of: (mask) => this.positions_of(mask) as Record<string, Int32Array[]>,
      choose_next: (ids, sequence_bias) => this.choose_next(ids, sequence_bias, options.tokenizer),
    });
  }

  /** What generate() takes beside ids, of their shape, each below a bound. */
  protected get row_inputs(): Record<string, number> {
    return {};
  }

  /** The positions that generate() gives the tokens of rows, where forward() takes them. */
  protected positions_of(_attention_mask: Uint8Array[]): { position_ids?: Int32Array[] } {
    return {};
  }

  /**
   * Computes a prompt by arguments of forward(): the logits of what follows each row, [rows, vocabulary], the cache, and
   * the states that the arguments ask for.
   */
  protected async prefill(
    _args: Record<string, unknown>,
  ): Promise<{ first_logits: Float32Array; cache: EngineCache; states: RowStates }> {
    throw new TransformersError(
      `inputs_embeds is not supported by ${this.constructor.name}: pass input_ids`,
      "unsupported",
    );
  }

  /** A model of the first `layers` layers of this one: for `assistant_early_exit`. @throws for those that have none. */
  protected abstract early_exit(layers: number): GenerationMixin;

  /** A prompt and the token that follows, as `token_healing` chooses it. */
  private async choose_next(ids: number[], sequence_bias: [number[], number][], tokenizer: unknown): Promise<number[]> {
    const pad_token_id = (tokenizer as { pad_token_id?: number | null }).pad_token_id ?? null;
    const generation_config = new GenerationConfig({ max_new_tokens: 1, pad_token_id, sequence_bias });
    return (await this.generate([ids], { generation_config })).tolist()[0];
  }

  /**
   * The states of whole rows, by the output's fields: for `output_hidden_states` and `output_attentions`. `prompts`: the
   * row of `start` that each began as.
   */
  protected async rerun(rows: Rows, prompts: number[], flags: StateFlags, start: Start): Promise<RowStates> {
    const { input_ids, attention_mask } = rows;
    const { embeds, row_inputs = {} } = start;
    const [{ length }] = input_ids;
    const beside: Record<string, Int32Array[]> = { ...this.positions_of(attention_mask) };
    for (const [name, values] of Object.entries(row_inputs))
      beside[name] = prompts.map((prompt) =>
        Int32Array.from({ length }, (_, i) => values[prompt][i] ?? values[prompt].at(-1)),
      );
    const columns = (begin: number, end: number) =>
      Object.fromEntries(Object.entries(beside).map(([name, all]) => [name, all.map((row) => row.slice(begin, end))]));
    const run = async (args: Record<string, unknown>): Promise<RowStates> => {
      const { hidden_states, attentions } = await this.forward({ ...args, ...flags });
      return { hidden_states, attentions } as RowStates;
    };
    if (!embeds) return run({ ...rows, ...beside, use_cache: false });
    // Embeddings first, then the ids behind them.
    const { cache, states } = await this.prefill({
      inputs_embeds: pick_rows(embeds, prompts),
      attention_mask: attention_mask.map((row) => row.slice(0, embeds.length)),
      ...columns(0, embeds.length),
      ...flags,
    });
    try {
      if (length === embeds.length) return states;
      const ids = input_ids.map((row) => row.slice(embeds.length));
      const more = await run({
        input_ids: ids,
        attention_mask,
        ...columns(embeds.length, length),
        past_key_values: cache,
        use_cache: true,
      });
      return joined_states(states, more);
    } finally {
      cache.dispose();
    }
  }

  /**
   * The scores of the tokens that generate() chose, float32 [sequences, steps], from its `sequences`, its `scores` and,
   * for beams, its `beam_indices`. `normalize_logits`: as log-probabilities.
   */
  compute_transition_scores(
    sequences: unknown,
    scores: readonly Tensor[],
    beam_indices?: unknown,
    normalize_logits = false,
  ): Tensor {
    return transition_scores(sequences, scores, beam_indices, normalize_logits);
  }

  /**
   * Answers a conversation with the checkpoint's chat template: `[response, history]`.
   * `chat({tokenizer, messages, ...generate options})`, or `chat(tokenizer, query, {history})`.
   */
  chat(first: ChatOptions | object, query?: string, options: ChatOptions = {}): Promise<[string, Message[]]> {
    return query === undefined
      ? chat(this, first as ChatOptions)
      : chat(this, { ...options, query, tokenizer: first as NonNullable<ChatOptions["tokenizer"]> });
  }
}
