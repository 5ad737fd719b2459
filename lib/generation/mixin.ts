// generate(): reads the arguments as Python does, runs the native loop, hands out tokens and result.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/utils.py `GenerationMixin`
import { expected, from_native, TransformersError, warn_once } from "../errors.js";
import type { Adapter } from "../models/peft/adapter.js";
import { type ModelOptions, PreTrainedModel } from "../models/pretrained.js";
import type { NativeGenerateRequest, NativeGeneratingEngine } from "../native.js";
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
import { check_generation_mode, prepare_generated_length, prepare_generation_config, warn_of_idle } from "./prepare.js";
import { run_request } from "./request.js";
import type { ResponseFormat } from "./response_format.js";
import { type Start, type StartOptions, start_of_decoder } from "./start.js";
import { type Rerun, type RowStates, type Rows, type StateFlags, step_states } from "./states.js";
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

/** A model that generates: what both engines share. */
export abstract class GenerationMixin extends PreTrainedModel {
  abstract get vocab_size(): number;
  /** Size of the vocabulary that it says; that which it reads may be another one. */
  get output_vocab_size(): number {
    return this.vocab_size;
  }
  /** Positions that the model has. */
  abstract get max_positions(): number;
  /** The engine, ready to generate `rows` rows at a time after prompts of `tokens` tokens altogether. */
  protected abstract generating_engine(rows: number, tokens: number): Promise<NativeGeneratingEngine>;

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
    const {
      generation_config,
      logits_processor,
      stopping_criteria,
      prefix_allowed_tokens_fn,
      assistant_model,
      assistant_tokenizer,
      streamer,
      negative_prompt_ids,
      negative_prompt_attention_mask,
      use_model_defaults,
      tokenizer,
      response_format,
      signal,
      seed,
      generator,
      inputs,
      synced_gpus,
      custom_generate,
      trust_remote_code,
      ...kwargs
    } = options;
    this.check_alive();
    for (const [name, value] of Object.entries({ custom_generate, trust_remote_code }))
      if (value) throw new TransformersError(`\`${name}\` asks for Python code, which cannot run here.`, "remote_code");
    const adapters = this.chosen_adapters();
    if (streamer && !(typeof streamer.put === "function" && typeof streamer.end === "function"))
      throw expected("an object with the methods put and end", "streamer", streamer);
    if (signal && typeof signal.addEventListener !== "function") throw expected("an AbortSignal", "signal", signal);
    if (generation_config && typeof generation_config.clone !== "function")
      throw expected("a GenerationConfig", "generation_config", generation_config);
    const [config, model_kwargs] = prepare_generation_config(
      this.generation_config,
      generation_config ?? undefined,
      kwargs,
      { use_model_defaults: use_model_defaults ?? null, model_config: this.config },
    );
    const is_encoder_decoder = Boolean(this.config.is_encoder_decoder);
    const mode = check_generation_mode(config, assistant_model);
    const assisted = mode === "assisted_generation";
    warn_of_idle({ ...kwargs, synced_gpus }, config, { mode, is_encoder_decoder });
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
    const start = await this.start({ config, inputs, model_kwargs, states, tokenizer, vocab_size, output_vocab_size });
    const { ids, mask } = start;
    if (assisted && ids.length > 1) throw new TypeError("assisted generate is only supported for batch_size = 1");
    const length = ids[0].length;
    // What the encoder left in the engine goes with the call, unless the caller gets it.
    const keeps_cache = Boolean(config.return_dict_in_generate && (config["use_cache"] ?? true));
    const made = start.cache === (model_kwargs["past_key_values"] ?? undefined) ? undefined : start.cache;
    let kept = false;
    const release = () => {
      if (!kept) made?.dispose();
    };
    call.finally(release).catch(() => {}); // who awaits the call gets its error
    prepare_generated_length(config, {
      has_default_max_length: kwargs["max_length"] === undefined || kwargs["max_length"] === null,
      has_default_min_length: kwargs["min_length"] === undefined || kwargs["min_length"] === null,
      input_ids_length: length,
      inputs_embeds_length: start.embeds_length,
      max_position_embeddings: this.max_positions,
      is_encoder_decoder,
    });
    if (config.max_length > this.max_positions)
      warn_once(
        `This is a friendly reminder - the current text generation call may exceed the model's predefined maximum length (${this.max_positions}). Depending on the model, you may observe exceptions, performance degradation, or nothing at all.`,
      );
    const expanded = Math.max(config.num_beams, config.num_return_sequences);
    const prompts = ids.flatMap((row) => Array.from({ length: expanded }, () => Array.from(row)));
    streamer?.put(prompts);

    const hooks = make_hooks(
      { logits_processor, stopping_criteria, prefix_allowed_tokens_fn, ...(generator ? { generator } : {}) },
      config,
      output_vocab_size,
    );
    const request: NativeGenerateRequest = {
      input_ids: ids,
      ...(mask && start.embeds_length === undefined ? { attention_mask: mask } : {}),
      ...(Object.keys(start.row_inputs ?? {}).length > 0 ? { row_inputs: start.row_inputs } : {}),
      options: {
        ...native_options(config, { seed, generator, tokenizer, response_format }),
        ...(negative_prompt_ids
          ? negative_prompt(negative_prompt_ids, negative_prompt_attention_mask, this.vocab_size)
          : {}),
        ...(start.encoder?.ids ? { encoder_input_ids: start.encoder.ids } : {}),
        ...hooks.options,
      },
      ...(hooks.callbacks ? { hooks: hooks.callbacks } : {}),
    };
    const lanes = prompts.length * (config.guidance_scale === null ? 1 : 2);
    const engine = await this.generating_engine(lanes, ids.length * length);
    const past = start.cache;
    if (past) request.cache = EngineCache.handle_of(past, engine);
    if (start.first_logits) request.first_logits = start.first_logits;
    const signals = [cancelled, ...(signal ? [signal] : [])];
    let assistance: AssistedCall | undefined;
    if (assisted && assistant_model && config.prompt_lookup_num_tokens === null) {
      const assistant_engine = await assistant_model.generating_engine(1, length);
      assistance = assist(config, assistant_model, assistant_engine, { tokenizer, assistant_tokenizer, signals });
      request.assistant = assistance.assistant;
      if (assistance.candidates) request.hooks = { ...request.hooks, candidates: assistance.candidates };
    }
    const rows = ids.length * config.num_return_sequences;
    this.use_adapters(engine, adapters);
    const result = await run_request(engine, request, {
      rows,
      call,
      streamer: streamer ?? undefined,
      signals,
    }).catch((error) => {
      assistance?.end(undefined);
      throw error;
    });
    streamer?.end();
    assistance?.end(result.assistant);
    if (!config.return_dict_in_generate) return call.finish(to_int64(result.sequences));
    const { cache, cache_lengths = [] } = result;
    const padding = mask ? mask[0].length - mask[0].reduce((sum, bit) => sum + bit, 0) : 0;
    const rerun: Rerun = (inputs, owners) =>
      this.rerun(
        inputs,
        owners.map((row) => Math.floor(row / expanded)),
        states,
        start,
      );
    kept = keeps_cache;
    const wants_states = states.output_hidden_states || states.output_attentions;
    call.finish(
      generate_output(result, {
        vocab_size: output_vocab_size,
        is_encoder_decoder,
        output_scores: Boolean(config["output_scores"]),
        states: {
          ...(wants_states ? await step_states(result, { ids, mask, cached: start.cached }, rerun) : {}),
          encoder_hidden_states: start.encoder?.outputs?.hidden_states,
          encoder_attentions: start.encoder?.outputs?.attentions,
        },
        past_key_values:
          cache === undefined || (made && !kept)
            ? undefined
            : EngineCache.of(engine, cache, past, Array.from(cache_lengths), cache_lengths[0] + padding),
      }),
    );
  }

  /** Whether forward() can give attentions. */
  protected get gives_attentions(): boolean {
    return true;
  }

  /** What a call starts from. */
  protected async start(options: StartOptions): Promise<Start> {
    return start_of_decoder(options, {
      row_inputs: this.row_inputs,
      prefill: (embeds, mask) => this.prefill_embeds(embeds, mask),
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

  /** Computes a prompt of embeddings: the logits of what follows, [rows, vocabulary], and the cache. */
  private async prefill_embeds(inputs_embeds: unknown, attention_mask: Uint8Array[]) {
    const positions = this.positions_of(attention_mask);
    const output = await this.forward({ inputs_embeds, attention_mask, ...positions, use_cache: true });
    const { data, dims } = output["logits"] as Tensor;
    const [rows, length, size] = dims;
    const first_logits = new Float32Array(rows * size);
    for (let row = 0; row < rows; row++) {
      const end = (row + 1) * length * size;
      first_logits.set((data as Float32Array).subarray(end - size, end), row * size);
    }
    return { first_logits, cache: output["past_key_values"] as EngineCache };
  }

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
  protected async rerun(inputs: Rows, _prompts: number[], flags: StateFlags, _start: Start): Promise<RowStates> {
    const positions = this.positions_of(inputs.attention_mask);
    const { hidden_states, attentions } = await this.forward({ ...inputs, ...positions, ...flags, use_cache: false });
    return { hidden_states, attentions } as RowStates;
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
