// generate(): reads the arguments as Python does, runs the native loop, hands out tokens and result.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/utils.py `GenerationMixin`
import { expected, from_native, out_of_range, TransformersError, warn_once } from "../errors.js";
import { check_ids, to_mask, to_rows } from "../models/inputs.js";
import { GenerateDecoderOnlyOutput } from "../models/outputs.js";
import { type ModelOptions, PreTrainedModel } from "../models/pretrained.js";
import type {
  NativeGenerateEvents,
  NativeGenerateRequest,
  NativeGenerateResult,
  NativeGeneratingEngine,
  NativeGenerationOptions,
} from "../native.js";
import { is_tensor, Tensor } from "../tensor/index.js";
import type { Message } from "../tokenization/chat_template.js";
import type { PreTrainedTokenizerFast } from "../tokenization/fast.js";
import { EngineCache } from "./cache.js";
import { aborted, GenerateCall, type Step } from "./call.js";
import { type ChatOptions, chat } from "./chat.js";
import { GenerationConfig } from "./configuration.js";
import { type HookOptions, make_hooks } from "./hooks.js";
import { native_options } from "./native_options.js";
import {
  check_generation_mode,
  prepare_generated_length,
  prepare_generation_config,
  prepare_special_tokens,
} from "./prepare.js";
import type { BaseStreamer } from "./streamers.js";

/** What belongs to one call; every field of GenerationConfig may stand beside these. */
export interface GenerateOptions extends HookOptions {
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
  /** For `stop_strings`. */
  tokenizer?: unknown;
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
}

export type GenerateResult = Tensor | GenerateDecoderOnlyOutput;

/** A model that generates: what both engines share. */
export abstract class GenerationMixin extends PreTrainedModel {
  abstract get vocab_size(): number;
  /** Positions that the model has. */
  abstract get max_positions(): number;
  /** The engine, ready to generate `rows` rows at a time after prompts of `tokens` tokens altogether. */
  protected abstract generating_engine(rows: number, tokens: number): Promise<NativeGeneratingEngine>;

  override can_generate(): boolean {
    return true;
  }

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
  generate(
    inputs: unknown,
    options: GenerateOptions & { return_dict_in_generate: true },
  ): GenerateCall<GenerateDecoderOnlyOutput>;
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
      streamer,
      negative_prompt_ids,
      negative_prompt_attention_mask,
      use_model_defaults,
      tokenizer,
      signal,
      seed,
      generator,
      inputs,
      synced_gpus: _,
      ...kwargs
    } = options;
    this.check_alive();
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
    if (check_generation_mode(config, assistant_model) === "assisted_generation") {
      if (assistant_model) throw new TransformersError("generate() does not take an assistant_model", "unsupported");
      warn_once(
        "`prompt_lookup_num_tokens` and `assistant_early_exit` make nothing faster here; the tokens are the same.",
      );
    }
    const { input_ids: named_ids, attention_mask, past_key_values, ...strangers } = model_kwargs;
    check_model_kwargs(strangers);
    if (streamer && config.num_beams > 1)
      throw new TypeError("`streamer` cannot be used with beam search (yet!). Make sure that `num_beams` is set to 1.");
    if (config.output_attentions || config.output_hidden_states)
      throw new TransformersError(
        "output_attentions and output_hidden_states are not supported by generate() on this engine",
        "unsupported",
      );

    const ids = this.prompt(inputs ?? named_ids, config);
    prepare_special_tokens(config, { has_attention_mask: attention_mask !== undefined && attention_mask !== null });
    const mask = prompt_mask(ids, attention_mask, config);
    if (ids.length > 1 && ids.some((row) => row[row.length - 1] === config.pad_token_id))
      warn_once(
        "A decoder-only architecture is being used, but right-padding was detected! For correct generation results, please set `padding_side='left'` when initializing the tokenizer.",
      );
    const length = ids[0].length;
    prepare_generated_length(config, {
      has_default_max_length: kwargs["max_length"] === undefined || kwargs["max_length"] === null,
      has_default_min_length: kwargs["min_length"] === undefined || kwargs["min_length"] === null,
      input_ids_length: length,
      max_position_embeddings: this.max_positions,
    });
    if (config.max_length > this.max_positions)
      warn_once(
        `This is a friendly reminder - the current text generation call may exceed the model's predefined maximum length (${this.max_positions}). Depending on the model, you may observe exceptions, performance degradation, or nothing at all.`,
      );
    const expanded = Math.max(config.num_beams, config.num_return_sequences);
    const prompts = ids.flatMap((row) => Array.from({ length: expanded }, () => Array.from(row)));
    streamer?.put(prompts);

    const hooks = make_hooks({
      logits_processor,
      stopping_criteria,
      prefix_allowed_tokens_fn,
      ...(generator ? { generator } : {}),
    });
    const request: NativeGenerateRequest = {
      input_ids: ids,
      ...(mask ? { attention_mask: mask } : {}),
      options: {
        ...native_options(config, { seed, generator, tokenizer }),
        ...(negative_prompt_ids ? this.negative_prompt(negative_prompt_ids, negative_prompt_attention_mask) : {}),
      },
      ...(hooks ? { hooks } : {}),
    };
    const lanes = prompts.length * (config.guidance_scale === null ? 1 : 2);
    const engine = await this.generating_engine(lanes, ids.length * length);
    if (past_key_values) request.cache = EngineCache.handle_of(past_key_values, engine);
    const rows = ids.length * config.num_return_sequences;
    const result = await this.stream(engine, request, rows, call, streamer ?? undefined, [
      cancelled,
      ...(signal ? [signal] : []),
    ]);
    streamer?.end();
    call.finish(this.output(engine, result, config, past_key_values));
  }

  /** Runs the request; tokens go to the call and the streamer as they come. */
  private stream(
    engine: NativeGeneratingEngine,
    request: NativeGenerateRequest,
    rows: number,
    call: GenerateCall<GenerateResult>,
    streamer: BaseStreamer | undefined,
    signals: AbortSignal[],
  ): Promise<NativeGenerateResult> {
    return new Promise((resolve, reject) => {
      let handle: { cancel(): void } | undefined;
      let failure: unknown;
      const stop = (reason: unknown) => {
        failure ??= reason;
        handle?.cancel();
      };
      const on_abort = () => stop(aborted(signals.find((one) => one.aborted)?.reason));
      const settle = (finish: () => void) => {
        for (const signal of signals) signal.removeEventListener("abort", on_abort);
        finish();
      };
      const step: Step = [];
      const fail = (error: unknown) => {
        const reason = failure ?? from_native(error);
        (streamer as { fail?: (error: unknown) => void } | undefined)?.fail?.(reason);
        settle(() => reject(reason));
      };
      for (const signal of signals) signal.addEventListener("abort", on_abort, { once: true });
      if (signals.some((signal) => signal.aborted)) return fail(aborted(signals.find((one) => one.aborted)?.reason));

      const events: NativeGenerateEvents = {
        on_tokens: (tokens) => {
          for (const token of tokens) {
            if (step.push(token) < rows) continue;
            const whole = step.splice(0);
            call.push(whole);
            try {
              streamer?.put(whole.map((id) => [id]));
            } catch (error) {
              stop(error);
            }
          }
        },
        on_done: (result) => settle(() => (failure ? reject(failure) : resolve(result))),
        on_error: fail,
      };
      try {
        handle = engine.generate(request, events);
      } catch (error) {
        fail(error);
      }
    });
  }

  private output(
    engine: NativeGeneratingEngine,
    result: NativeGenerateResult,
    config: GenerationConfig,
    past: unknown,
  ): GenerateResult {
    const { sequences, cache, cache_lengths = [] } = result;
    const tensor = to_int64(sequences);
    if (!config.return_dict_in_generate) return tensor;
    const steps = (all: Float32Array[] | undefined) =>
      all?.map((scores) => new Tensor("float32", scores, [scores.length / this.vocab_size, this.vocab_size]));
    return new GenerateDecoderOnlyOutput({
      sequences: tensor,
      scores: steps(result.scores),
      logits: steps(result.logits),
      sequences_scores:
        result.sequences_scores && new Tensor("float32", result.sequences_scores, [result.sequences_scores.length]),
      beam_indices: result.beam_indices && to_int64(result.beam_indices),
      past_key_values:
        cache === undefined
          ? undefined
          : EngineCache.of(engine, cache, past, Array.from(cache_lengths), sequences[0].length - 1),
    });
  }

  /** The prompt's rows; without any, one row that begins with BOS. */
  private prompt(inputs: unknown, config: GenerationConfig): Int32Array[] {
    if (inputs === undefined || inputs === null) {
      if (config.bos_token_id === null)
        throw new TypeError("`bos_token_id` has to be defined when no `input_ids` are provided.");
      return [Int32Array.of(config.bos_token_id)];
    }
    const rows = to_rows(inputs, "input_ids");
    if (rows[0].length === 0) throw out_of_range("at least one token in each row", "input_ids", inputs);
    check_ids(rows, this.vocab_size, "input_ids");
    return rows;
  }

  /** The rows that classifier-free guidance moves away from. */
  private negative_prompt(ids: unknown, mask: unknown): NativeGenerationOptions {
    const rows = to_rows(ids, "negative_prompt_ids");
    check_ids(rows, this.vocab_size, "negative_prompt_ids");
    return {
      negative_prompt_ids: rows,
      ...(mask
        ? {
            negative_prompt_attention_mask: to_mask(
              mask,
              [rows.length, rows[0].length],
              "negative_prompt_attention_mask",
            ),
          }
        : {}),
    };
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

/** `generate(ids, options)`, `generate({...inputs, ...options})`, `generate(encoding, options)`: one object of arguments. */
function merge(inputs: unknown, options: GenerateOptions): GenerateOptions {
  if (typeof options !== "object" || options === null) throw expected("an object of options", "options", options);
  const is_ids =
    inputs === undefined || inputs === null || Array.isArray(inputs) || ArrayBuffer.isView(inputs) || is_tensor(inputs);
  if (is_ids) return inputs === undefined || inputs === null ? options : { ...options, inputs };
  if (typeof inputs !== "object") throw expected("token ids or an object with input_ids", "inputs", inputs);
  return { ...inputs, ...options };
}

/** The mask as 0 and 1; without one, what Python infers from the padding token. */
function prompt_mask(ids: Int32Array[], mask: unknown, config: GenerationConfig): Uint8Array[] | undefined {
  if (mask !== undefined && mask !== null) {
    const rows = to_mask(mask, [ids.length, ids[0].length], "attention_mask");
    if (rows.some((row) => !row.includes(1)))
      throw out_of_range("at least one visible token in each row", "attention_mask", mask);
    return rows;
  }
  const pad = config.pad_token_id;
  const eos = config.eos_token_id;
  const is_eos = Array.isArray(eos) ? eos.includes(pad as number) : eos === pad;
  if (pad === null || is_eos || !ids.some((row) => row.includes(pad))) return undefined;
  return ids.map((row) => Uint8Array.from(row, (id) => (id === pad ? 0 : 1)));
}

function check_model_kwargs(strangers: Record<string, unknown>): void {
  const names = Object.keys(strangers).filter((name) => strangers[name] !== undefined && strangers[name] !== null);
  if (names.length === 0) return;
  const quoted = names.map((name) => `'${name}'`).join(", ");
  throw new TypeError(
    `The following \`model_kwargs\` are not used by the model: [${quoted}] (note: typos in the generate arguments will also show up in this list)`,
  );
}

/** Rows of one length as an int64 matrix. */
function to_int64(rows: Int32Array[]): Tensor {
  const flat = BigInt64Array.from(rows.flatMap((row) => Array.from(row, BigInt)));
  return new Tensor("int64", flat, [rows.length, rows[0].length]);
}
