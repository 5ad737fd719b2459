// What a request starts from: the rows that it goes on, and what the engine holds of them already.
import { expected, out_of_range, TransformersError, warn_once } from "../errors.js";
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
  /** Columns of a prompt of embeddings. */
  embeds_length?: number;
  /** What the rows have beside their ids. */
  row_inputs?: Record<string, Int32Array[]>;
  encoder?: { ids: Int32Array[] | undefined; outputs: EncoderOutputs | undefined; attention_mask: unknown };
}

export interface StartOptions {
  config: GenerationConfig;
  /** What generate() was called with first. */
  inputs: unknown;
  /** Whatever else is no setting. */
  model_kwargs: Kwargs;
  states: StateFlags;
  tokenizer: unknown;
  vocab_size: number;
  /** That of a decoder, which may have its own. */
  output_vocab_size: number;
}

const is_given = (value: unknown) => value !== undefined && value !== null;

/** What the start of a decoder needs of its model. */
export interface Decoder {
  /** What it takes beside ids, of their shape, each below a bound. */
  row_inputs: Record<string, number>;
  /** Computes a prompt of embeddings. */
  prefill(inputs_embeds: unknown, mask: Uint8Array[]): Promise<{ first_logits: Float32Array; cache: EngineCache }>;
  /** For `token_healing`. */
  choose_next: ChooseNext;
}

/** The start of a model that has a decoder only. */
export async function start_of_decoder(options: StartOptions, decoder: Decoder): Promise<Start> {
  const { config, inputs, model_kwargs, states, tokenizer, vocab_size } = options;
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
  const row_inputs = take_row_inputs(others, decoder.row_inputs, ids);
  const beside = [...(embeds ? ["inputs_embeds"] : []), ...Object.keys(row_inputs)];
  const wants_states = states.output_hidden_states || states.output_attentions;
  if (beside.length > 0 && (wants_states || (embeds && (is_given(past_key_values) || beside.length > 1))))
    throw new TransformersError(
      `generate() takes ${beside.join(" and ")} without other inputs, past_key_values, output_hidden_states and output_attentions only`,
      "unsupported",
    );
  if (!embeds) {
    const cache = (past_key_values as EngineCache | undefined) ?? undefined;
    return { ids, mask, row_inputs, cache, cached: cache?.length ?? 0 };
  }
  const { rows, length } = embeds;
  if (rows !== ids.length) throw out_of_range(`${rows} rows, as in inputs_embeds`, "input_ids", ids.length);
  const seen = mask ?? Array.from({ length: rows }, () => new Uint8Array(length).fill(1));
  const { first_logits, cache } = await decoder.prefill(inputs_embeds, seen);
  return { ids, mask, cache, cached: 0, first_logits, embeds_length: length };
}

/** Runs the encoder on what forward() would take; with `store` the engine keeps what the decoder needs of it. */
export type RunEncoder = (
  args: Kwargs,
  store: boolean,
) => Promise<{ outputs: EncoderOutputs; cache: EngineCache | undefined }>;

/**
 * … of a model with an encoder: runs it on `inputs`, `input_ids` or `inputs_embeds`, unless the call brings its outputs
 * or a cache behind it. The decoder begins with its start token, and with what `decoder_input_ids` put behind that.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/utils.py `_prepare_model_inputs`,
 * `_prepare_encoder_decoder_kwargs_for_generation`, `_prepare_decoder_input_ids_for_generation`
 */
export async function start_of_encoder_decoder(options: StartOptions, run_encoder: RunEncoder): Promise<Start> {
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
  if (config.guidance_scale !== null && config.guidance_scale !== 1)
    throw new TransformersError("guidance_scale is for models without an encoder", "unsupported");

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
  const run = !past || wants_states ? await run_encoder(encoder_args, !past) : undefined;
  const cache = past ?? run?.cache;
  try {
    const rows = (cache as EngineCache).lengths.length;
    return {
      ...decoder_rows(config, rows, decoder_input_ids, decoder_attention_mask, options.output_vocab_size),
      cache,
      cached: past?.length ?? 0,
      encoder: { ids: ids ?? encoder_ids(config), outputs: run?.outputs, attention_mask: mask },
    };
  } catch (error) {
    run?.cache?.dispose();
    throw error;
  }
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
