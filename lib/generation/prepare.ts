// What generate() does with its arguments before it starts. Ported from generation/utils.py.
import { isDeepStrictEqual } from "node:util";
import { compare_versions } from "../configuration/loading.js";
import type { PretrainedConfig } from "../configuration/pretrained_config.js";
import { out_of_range, TransformersError, warn_once } from "../errors.js";
import { repr } from "../python.js";
import { GenerationConfig, type GenerationMode } from "./configuration.js";
import { GENERATION_FIELDS, WITHOUT_EFFECT } from "./fields.js";

type Dict = Record<string, unknown>;

/**
 * The settings of one call, and the arguments that are no settings. Keywords win over what a given config changes,
 * that over the model's config, that over the defaults. A given config inherits from the model's if `use_model_defaults`
 * says so or, undecided, if Transformers 4.50 or later wrote the model's; else only the special tokens.
 *
 * Source: `GenerationMixin._prepare_generation_config`.
 */
export function prepare_generation_config(
  model_generation_config: GenerationConfig,
  generation_config: GenerationConfig | undefined,
  kwargs: Dict,
  options: { use_model_defaults?: boolean | null; model_config?: PretrainedConfig } = {},
): [GenerationConfig, Dict] {
  const model_defaults = current_defaults(model_generation_config, options.model_config);
  const config = (generation_config ?? model_defaults).clone();
  if (!generation_config) {
    if (config.cache_implementation === "hybrid") config.cache_implementation = null;
  } else if (
    options.use_model_defaults ??
    compare_versions(model_generation_config.transformers_version, "4.50.0") >= 0
  ) {
    inherit(config, model_defaults, options.use_model_defaults ?? null);
  } else {
    for (const name of ["bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"]) {
      config[name] ??= model_defaults[name];
    }
  }
  const model_kwargs = config.update(kwargs);
  for (const name of ["output_attentions", "output_hidden_states"]) if (config[name]) model_kwargs[name] = true;
  return [config, model_kwargs];
}

/** Settings in the model's config.json count for as long as nobody touched the generation config made from it. */
function current_defaults(config: GenerationConfig, model_config: PretrainedConfig | undefined): GenerationConfig {
  if (!model_config || !config._from_model_config) return config;
  if (Object.keys(model_config._get_non_default_generation_parameters()).length === 0) return config;
  if (!config.is_unmodified()) return config;
  const made = GenerationConfig.from_model_config(model_config);
  if (made.to_json_string(false, true) === config.to_json_string(false, true)) return config;
  warn_once(
    "You have modified the pretrained model configuration to control generation. This is a deprecated strategy to " +
      "control generation. Please use and modify the model generation configuration (see " +
      "https://huggingface.co/docs/transformers/generation_strategies#default-text-generation-configuration )",
  );
  return made;
}

/** Gives a config the model's values where it has only defaults. */
function inherit(config: GenerationConfig, model_defaults: GenerationConfig, use_model_defaults: boolean | null): void {
  const modified: Dict = {};
  for (const [name, value] of Object.entries(model_defaults)) {
    if (name.startsWith("_") || name === "transformers_version") continue;
    if (name === "cache_implementation" && value === "hybrid") continue;
    const global = GENERATION_FIELDS[name] ?? null;
    if (!isDeepStrictEqual(config[name] ?? null, global) || isDeepStrictEqual(value, global)) continue;
    modified[name] = config[name] = value;
  }
  if (config.temperature === 0) config.do_sample = false;
  if (use_model_defaults === null && Object.keys(modified).length > 0) {
    warn_once(
      "`generation_config` default values have been modified to match model-specific defaults: " +
        `${repr(modified)}. If this is not desired, please set these values explicitly.`,
    );
  }
}

const HUB_MODES: Partial<Record<GenerationMode, string>> = {
  dola_generation: "dola",
  contrastive_search: "contrastive-search",
  group_beam_search: "group-beam-search",
  constrained_beam_search: "constrained-beam-search",
};

/**
 * The mode that the settings ask for. Throws TransformersError `remote_code` for those that Python loads from the Hub;
 * warns of options that have no effect here.
 */
export function check_generation_mode(config: GenerationConfig, assistant_model?: unknown): GenerationMode {
  const mode = config.get_generation_mode(assistant_model);
  const repository = HUB_MODES[mode];
  if (repository) {
    const title = mode.replace(/(^|_)([a-z])/g, (_, gap, letter) => (gap ? " " : "") + letter.toUpperCase());
    throw new TransformersError(
      `${title} requires \`trust_remote_code=True\` in your \`generate\` call, since it loads ` +
        `https://hf.co/transformers-community/${repository}. That is Python code, which cannot run here.`,
      "remote_code",
    );
  }
  if (mode === "assisted_generation" && config.num_return_sequences > 1) {
    throw new RangeError(
      `num_return_sequences has to be 1 when doing assisted generate, but is ${config.num_return_sequences}.`,
    );
  }
  for (const name of WITHOUT_EFFECT) {
    if (isDeepStrictEqual(config[name] ?? null, GENERATION_FIELDS[name])) continue;
    warn_once(`\`${name}\` has no effect in ggml-transformers.`);
  }
  return mode;
}

/** Rows of one call, and scores of all beams of a prompt: more would fill the memory of any machine. */
const MOST_ROWS = 2 ** 16;
const MOST_SCORES = 2 ** 28;

/** How often each of `rows` prompts is continued. @throws RangeError for more than can be held. */
export function check_copies(config: GenerationConfig, rows: number, vocab_size: number): number {
  const { num_beams, num_return_sequences } = config;
  const most_rows = Math.floor(MOST_ROWS / rows);
  const most_beams = Math.min(most_rows, Math.floor(MOST_SCORES / vocab_size));
  if (num_beams > 1 && num_beams > most_beams) throw out_of_range(`at most ${most_beams}`, "num_beams", num_beams);
  if (num_return_sequences > most_rows)
    throw out_of_range(`at most ${most_rows}`, "num_return_sequences", num_return_sequences);
  return Math.max(num_beams, num_return_sequences);
}

const ASSISTED = [
  ...[
    "num_assistant_tokens",
    "num_assistant_tokens_schedule",
    "assistant_confidence_threshold",
    "assistant_lookbehind",
  ],
  ...["target_lookbehind", "max_matching_ngram_size"],
];

/** Warns of what a caller asked for that does nothing in this call; Python passes over it. */
export function warn_of_idle(
  given: Dict,
  config: GenerationConfig,
  { mode, is_encoder_decoder }: { mode: GenerationMode; is_encoder_decoder: boolean },
): void {
  const idle: [names: readonly string[], why: string, is_idle: boolean][] = [
    [ASSISTED, "without an assistant", mode !== "assisted_generation" && !config["is_assistant"]],
    [["decoder_start_token_id"], "on a model without an encoder", !is_encoder_decoder],
    [["diversity_penalty"], "without groups of beams", true],
    [["low_memory"], "here", config.num_beams === 1],
    [["synced_gpus"], "here", true],
  ];
  for (const [names, why, is_idle] of idle)
    for (const name of is_idle ? names : []) {
      const value = given[name] ?? null;
      if (value === null || value === false || isDeepStrictEqual(value, GENERATION_FIELDS[name])) continue;
      warn_once(`\`${name}\` has no effect ${why}.`);
    }
  // https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/utils.py `_beam_search`
  if (config["low_memory"] && config.num_beams > 1)
    throw new TransformersError("`low_memory=True` is not supported after the beam search refactor.", "unsupported");
}

export interface SpecialTokensOptions {
  has_attention_mask?: boolean;
  is_encoder_decoder?: boolean;
}

/** Sets the padding token (the first end token if there is none) and, for encoder-decoders, the start token. */
export function prepare_special_tokens(config: GenerationConfig, options: SpecialTokensOptions = {}): void {
  const { has_attention_mask, is_encoder_decoder = false } = options;
  const eos = config.eos_token_id;
  const ends = eos === null ? [] : Array.isArray(eos) ? eos : [eos];
  if (is_encoder_decoder) config.decoder_start_token_id ??= config.bos_token_id;
  if (config.pad_token_id === null && ends.length > 0) {
    if (has_attention_mask === false) {
      warn_once(
        "The attention mask and the pad token id were not set. As a consequence, you may observe unexpected behavior. " +
          "Please pass your input's `attention_mask` to obtain reliable results.",
      );
    }
    config.pad_token_id = ends[0]!;
    warn_once(`Setting \`pad_token_id\` to \`eos_token_id\`:${ends[0]} for open-end generation.`);
  } else if (has_attention_mask === false && ends.includes(config.pad_token_id!)) {
    warn_once(
      "The attention mask is not set and cannot be inferred from input because pad token is same as eos token. As a " +
        "consequence, you may observe unexpected behavior. Please pass your input's `attention_mask` to obtain reliable results.",
    );
  }
  if (is_encoder_decoder && config.decoder_start_token_id === null) {
    throw new TypeError("`decoder_start_token_id` or `bos_token_id` has to be defined for encoder-decoder generation.");
  }
  if (ends.some((id) => !Number.isInteger(id) || id < 0)) {
    warn_once(
      `\`eos_token_id\` should consist of positive integers, but is ${repr(ends)}. Your generation will not stop until ` +
        "the maximum length is reached.",
    );
  }
}

export interface GeneratedLengthOptions {
  /** Did the caller leave `max_length` and `min_length` alone? */
  has_default_max_length: boolean;
  has_default_min_length: boolean;
  /** Tokens of the prompt, or of the decoder's. */
  input_ids_length: number;
  max_position_embeddings?: number | undefined;
  is_encoder_decoder?: boolean;
  /** Length of `inputs_embeds` that came instead of ids; decoder-only models count new tokens alone then. */
  inputs_embeds_length?: number | undefined;
}

/**
 * Resolves the lengths: afterwards `max_length` and `min_length` count the prompt. Throws RangeError for a prompt that
 * leaves no room.
 *
 * Source: `_prepare_generated_length` and `_validate_generated_length`.
 */
export function prepare_generated_length(config: GenerationConfig, options: GeneratedLengthOptions): void {
  const { has_default_max_length, has_default_min_length, input_ids_length: length } = options;
  const embeds = options.is_encoder_decoder ? undefined : options.inputs_embeds_length;
  const from_embeds = embeds !== undefined && embeds !== length;
  const both = (kind: string, tokens: number, total: number) =>
    warn_once(
      `Both \`${kind}_new_tokens\` (=${tokens}) and \`${kind}_length\`(=${total}) seem to have been set. ` +
        `\`${kind}_new_tokens\` will take precedence. Please refer to the documentation for more information. ` +
        "(https://huggingface.co/docs/transformers/main/en/main_classes/text_generation)",
    );
  if (config.max_new_tokens !== null) {
    if (!has_default_max_length && config.max_length !== null) both("max", config.max_new_tokens, config.max_length);
    config.max_length = config.max_new_tokens + length;
  } else if (from_embeds) {
    config.max_length -= embeds;
  } else if (has_default_max_length && config.max_length === GENERATION_FIELDS.max_length) {
    config.max_length = Math.min(
      config.max_length + length,
      options.max_position_embeddings ?? Number.POSITIVE_INFINITY,
    );
  }
  if (config.min_new_tokens !== null) {
    if (!has_default_min_length) both("min", config.min_new_tokens, config.min_length);
    config.min_length = config.min_new_tokens + length;
  } else if (from_embeds) {
    config.min_length = Math.max(config.min_length - embeds, 0);
  }
  check_lengths(config, length, options);
}

function check_lengths(config: GenerationConfig, length: number, options: GeneratedLengthOptions): void {
  const { max_length, min_length, min_new_tokens } = config;
  if (length >= max_length) {
    throw new RangeError(
      `Input length of ${options.is_encoder_decoder ? "decoder_input_ids" : "input_ids"} is ${length}, but \`max_length\` ` +
        `is set to ${max_length}. This can lead to unexpected behavior. You should consider increasing \`max_length\` or, ` +
        "better yet, setting `max_new_tokens`.",
    );
  }
  const unfeasible = (what: string) =>
    warn_once(
      `Unfeasible length constraints: ${what} the maximum possible length (${max_length}). Generation will stop at the ` +
        "defined maximum length. You should decrease the minimum length and/or increase the maximum length." +
        (options.has_default_max_length ? ` Note that \`max_length\` is set to ${max_length}, its default value.` : ""),
    );
  if (min_new_tokens !== null && min_new_tokens + length > max_length) {
    unfeasible(`\`min_new_tokens\` (${min_new_tokens}), when added to the prompt length (${length}), is larger than`);
  } else if (min_length > max_length) unfeasible(`\`min_length\` (${min_length}) is larger than`);
}
