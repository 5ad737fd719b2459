// What a request starts from: the rows that it goes on, and what the engine holds of them already.
import { expected, out_of_range, TransformersError, warn_once } from "../errors.js";
import { is_given } from "../models/batch.js";
import { check_ids, to_mask, to_rows, to_vectors } from "../models/inputs.js";
import { continued_memory, type EncoderOutputs } from "../models/memory.js";
import type { EngineCache } from "./cache.js";
import type { GenerationConfig } from "./configuration.js";
import { check_model_kwargs, inferred_mask, prompt_mask, prompt_rows, take_row_inputs } from "./inputs.js";
import { prepare_special_tokens } from "./prepare.js";
import type { StateFlags } from "./states.js";
import { type ChooseNext, heal_tokens } from "./token_healing.js";

type Kwargs = Record<string, unknown>;

export interface Start {
  /** The rows: prompts, or what a decoder begins with. */
  ids: Int32Array[];
  mask: Uint8Array[] | undefined;
  /** Covers a beginning of the rows, and what the encoder read. */
  cache: EngineCache | undefined;
  /** Columns of the rows that a cache of the caller's holds. */
  cached: number;
  /** [rows, vocabulary]: what follows the rows, which the cache holds altogether then. */
  first_logits?: Float32Array;
  /** A prompt of embeddings, which the ids are not. */
  embeds?: Vectors;
  /** What the rows have beside their ids, or embeddings. */
  row_inputs?: Record<string, Int32Array[]>;
  encoder?: { ids: Int32Array[] | undefined; outputs: EncoderOutputs | undefined; attention_mask: unknown };
  /** What guidance leads away from, where that is more than a prompt. */
  guidance?: Guidance;
}

/** Rows of a decoder behind what the encoder made of negative prompts. */
export interface Guidance {
  cache: EngineCache;
  ids: Int32Array[];
  /** What they go on with, whatever is chosen; undefined: what is chosen. */
  token: number | undefined;
}

/** Rows of vectors. */
export interface Vectors {
  data: Float32Array;
  rows: number;
  length: number;
  size: number;
}

export interface StartOptions {
  config: GenerationConfig;
  /** What generate() was called with first. */
  inputs: unknown;
  /** Whatever else is no setting. */
  model_kwargs: Kwargs;
  /** Of classifier-free guidance. */
  negative?: { ids: unknown; attention_mask: unknown };
  states: StateFlags;
  tokenizer: unknown;
  vocab_size: number;
  /** That of a decoder, which may have its own. */
  output_vocab_size: number;
}

/** What the start of a decoder needs of its model. */
export interface Decoder {
  /** What it takes beside ids, of their shape, each below a bound. */
  row_inputs: Record<string, number>;
  /** Computes a prompt by arguments of forward(). */
  prefill(args: Kwargs): Promise<{ first_logits: Float32Array; cache: EngineCache }>;
  /** The positions of rows with this mask, where forward() takes them. */
  positions_of(mask: Uint8Array[]): Record<string, Int32Array[]>;
  /** For `token_healing`. */
  choose_next: ChooseNext;
}

/** The start of a model that has a decoder only. */
export async function start_of_decoder(options: StartOptions, decoder: Decoder): Promise<Start> {
  const { config, inputs, model_kwargs, tokenizer, vocab_size } = options;
  const { input_ids, attention_mask, past_key_values, inputs_embeds, ...rest } = model_kwargs;
  const { output_attentions: _attentions, output_hidden_states: _hidden_states, ...others } = rest;
  check_model_kwargs(Object.fromEntries(Object.entries(others).filter(([name]) => !(name in decoder.row_inputs))));
  if (is_given(inputs) && is_given(input_ids))
    throw new TypeError(
      "`inputs` were passed alongside input_ids which is not allowed. Make sure to pass one of them.",
    );
  const text = inputs ?? input_ids;
  const embeds = is_given(inputs_embeds) ? to_vectors(inputs_embeds, "inputs_embeds") : undefined;
  let ids =
    embeds && !is_given(text)
      ? Array.from({ length: embeds.rows }, () => new Int32Array(0))
      : prompt_rows(text, config, vocab_size);
  prepare_special_tokens(config, { has_attention_mask: is_given(attention_mask) });
  let mask = prompt_mask(ids, attention_mask, config, embeds?.length);
  if (config["token_healing"]) {
    const { length } = ids[0];
    ids = await heal_tokens(ids, tokenizer, decoder.choose_next);
    if (!is_given(attention_mask) || ids[0].length !== length) mask = prompt_mask(ids, undefined, config);
  }
  if (ids.length > 1 && ids.some((row) => row[row.length - 1] === config.pad_token_id))
    warn_once(
      "A decoder-only architecture is being used, but right-padding was detected! For correct generation results, please set `padding_side='left'` when initializing the tokenizer.",
    );
  const length = embeds?.length ?? ids[0].length;
  if (embeds && embeds.rows !== ids.length)
    throw out_of_range(`${embeds.rows} rows, as in inputs_embeds`, "input_ids", ids.length);
  const row_inputs = take_row_inputs(others, decoder.row_inputs, [ids.length, length]);
  if (!embeds) {
    const cache = (past_key_values as EngineCache | undefined) ?? undefined;
    return { ids, mask, row_inputs, cache, cached: cache?.length ?? 0 };
  }
  if (is_given(past_key_values))
    throw new TransformersError("generate() takes inputs_embeds without past_key_values only", "unsupported");
  const attention_of = mask ?? ids.map(() => new Uint8Array(length).fill(1));
  const positions = decoder.positions_of(attention_of);
  const { first_logits, cache } = await decoder.prefill({
    inputs_embeds,
    attention_mask: attention_of,
    ...positions,
    ...row_inputs,
  });
  return { ids, mask, row_inputs, cache, cached: 0, first_logits, embeds };
}

/** What the start of an encoder-decoder needs of its model. */
export interface EncoderDecoder {
  /** Runs the encoder on what forward() would take; with `store` the engine keeps what the decoder needs of it. */
  run_encoder(args: Kwargs, store: boolean): Promise<{ outputs: EncoderOutputs; cache: EngineCache | undefined }>;
  /** What the decoder reads where a call brings these ids of the encoder alone. @throws TypeError where it must be told. */
  decoder_ids(input_ids: Int32Array[]): Int32Array[];
}

/**
 * … of a model with an encoder: runs it on `inputs`, `input_ids` or `inputs_embeds`, unless the call brings its outputs
 * or a cache behind it. The decoder begins with its start token, and with what `decoder_input_ids` put behind that.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/utils.py `_prepare_model_inputs`,
 * `_prepare_encoder_decoder_kwargs_for_generation`, `_prepare_decoder_input_ids_for_generation`
 */
export async function start_of_encoder_decoder(options: StartOptions, model: EncoderDecoder): Promise<Start> {
  const { config, inputs, model_kwargs, states, vocab_size } = options;
  const { input_ids, inputs_embeds, attention_mask, encoder_outputs, past_key_values, ...rest } = model_kwargs;
  const {
    decoder_input_ids,
    decoder_attention_mask,
    output_attentions: _a,
    output_hidden_states: _h,
    ...others
  } = rest;
  check_model_kwargs(others);
  if (is_given(inputs) && is_given(input_ids))
    throw new TypeError(
      "`inputs` were passed alongside input_ids which is not allowed. Make sure to pass one of them.",
    );
  const text = inputs ?? input_ids;
  if (is_given(text) && is_given(inputs_embeds))
    throw new TypeError("You passed `inputs_embeds` and `input_ids` to `.generate()`. Please pick one.");
  const has_states = is_given(encoder_outputs) || is_given(inputs_embeds) || is_given(past_key_values);
  const ids = is_given(text) || !has_states ? prompt_rows(text, config, vocab_size) : undefined;
  prepare_special_tokens(config, { has_attention_mask: is_given(attention_mask), is_encoder_decoder: true });
  const mask = attention_mask ?? (ids && !is_given(encoder_outputs) ? inferred_mask(ids, config) : undefined);
  const encoder_args = {
    ...(is_given(encoder_outputs) ? { encoder_outputs } : ids ? { input_ids: ids } : { inputs_embeds }),
    attention_mask: mask,
    ...states,
  };
  if (is_given(past_key_values)) continued_memory(past_key_values, attention_mask);
  const past = (past_key_values as EngineCache | undefined) ?? undefined;
  const wants_states = states.output_attentions || states.output_hidden_states;
  const reads = ids || is_given(encoder_outputs) || is_given(inputs_embeds);
  if (past && wants_states && !reads)
    throw expected("encoder_outputs, for the states that are wanted", "input_ids", undefined);
  const run = !past || wants_states ? await model.run_encoder(encoder_args, !past) : undefined;
  const cache = past ?? run?.cache;
  try {
    const rows = (cache as EngineCache).lengths.length;
    const begun = decoder_rows(config, rows, decoder_input_ids, decoder_attention_mask, options.output_vocab_size);
    const guided = config.guidance_scale !== null && config.guidance_scale !== 1;
    return {
      ...begun,
      ...(guided ? { guidance: await start_of_guidance(options, begun.ids, model) } : {}),
      cache,
      cached: past?.length ?? 0,
      encoder: { ids: ids ?? encoder_ids(config), outputs: run?.outputs, attention_mask: mask },
    };
  } catch (error) {
    run?.cache?.dispose();
    throw error;
  }
}

/**
 * Python's processor of guidance calls the model with the negative prompt, or with the last tokens of the decoder, as
 * ids of the *encoder*, and the model takes for the decoder's what forward() makes of them. So it does at each step with
 * the token that was chosen, while the encoder's part is in the cache already.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/logits_process.py `UnbatchedClassifierFreeGuidanceLogitsProcessor`
 */
async function start_of_guidance(
  { config, negative, vocab_size, output_vocab_size }: StartOptions,
  begun: Int32Array[],
  model: EncoderDecoder,
): Promise<Guidance> {
  if (config.use_cache === false)
    throw new TransformersError("guidance_scale of an encoder-decoder needs use_cache", "unsupported");
  const given = is_given(negative?.ids);
  const input_ids = given ? to_rows(negative?.ids, "negative_prompt_ids") : begun.map((row) => row.slice(-1));
  check_ids(input_ids, vocab_size, "negative_prompt_ids");
  if (input_ids.length !== begun.length)
    throw out_of_range(`${begun.length} rows, as many as the prompt's`, "negative_prompt_ids", input_ids.length);
  const shape = [input_ids.length, input_ids[0].length] as const;
  const mask = given && is_given(negative?.attention_mask) ? negative?.attention_mask : undefined;
  const attention_mask = mask && to_mask(mask, shape, "negative_prompt_attention_mask");
  const ids = model.decoder_ids(input_ids);
  check_ids(ids, output_vocab_size, "negative_prompt_ids");
  // What a token that was chosen becomes: always the same one, or itself.
  const other = ids[0][0] === 0 ? 1 : 0;
  const [[fed]] = model.decoder_ids([Int32Array.of(other)]);
  const { cache } = await model.run_encoder({ input_ids, attention_mask }, true);
  return { cache: cache as EngineCache, ids, token: fed === other ? undefined : fed };
}

/** Processors that look at the encoder's ids have none to look at: they are switched off. */
function encoder_ids(config: GenerationConfig): undefined {
  for (const [name, off] of [
    ["encoder_repetition_penalty", 1],
    ["encoder_no_repeat_ngram_size", 0],
  ] as const) {
    if ((config[name] ?? off) === off) continue;
    warn_once(
      `Passing \`${name}\` requires some form of \`input_ids\` to be passed to \`generate\`, ignoring the argument.`,
    );
    config[name] = off;
  }
}

/** What the decoder begins with: its start token, unless the caller's ids begin with it, and those. */
function decoder_rows(
  config: GenerationConfig,
  rows: number,
  given: unknown,
  mask: unknown,
  vocab_size: number,
): Pick<Start, "ids" | "mask"> {
  const start = config.decoder_start_token_id as number | number[];
  if (Array.isArray(start) && start.length !== rows)
    throw new RangeError(`\`decoder_start_token_id\` expected to have length ${rows} but got ${start.length}`);
  const starts = Array.from({ length: rows }, (_, row) => Int32Array.of(Array.isArray(start) ? start[row] : start));
  check_ids(starts, vocab_size, "decoder_start_token_id");
  if (!is_given(given)) return { ids: starts, mask: undefined };
  const ids = to_rows(given, "decoder_input_ids");
  if (ids.length !== rows || ids[0].length === 0)
    throw out_of_range(`${rows} rows of tokens, as many as the encoder's`, "decoder_input_ids", given);
  check_ids(ids, vocab_size, "decoder_input_ids");
  const seen = is_given(mask) ? to_mask(mask, [rows, ids[0].length], "decoder_attention_mask") : undefined;
  if (ids.some((row, i) => row[0] === starts[i][0])) return { ids, mask: seen };
  return {
    ids: ids.map((row, i) => Int32Array.of(starts[i][0], ...row)),
    mask: seen?.map((row) => Uint8Array.of(1, ...row)),
  };
}
