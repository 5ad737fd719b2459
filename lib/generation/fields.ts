// The 66 fields of GenerationConfig.

type Kind = "integer" | "number" | "boolean" | "other";

const table: Record<string, [default_value: unknown, kind: Kind]> = {
  // length
  max_length: [20, "integer"],
  max_new_tokens: [null, "integer"],
  min_length: [0, "integer"],
  min_new_tokens: [null, "integer"],
  early_stopping: [false, "other"],
  max_time: [null, "number"],
  stop_strings: [null, "other"],
  // strategy
  do_sample: [false, "boolean"],
  num_beams: [1, "integer"],
  // cache
  use_cache: [true, "boolean"],
  cache_implementation: [null, "other"],
  cache_config: [null, "other"],
  return_legacy_cache: [null, "boolean"],
  prefill_chunk_size: [null, "integer"],
  // logits
  temperature: [1, "number"],
  top_k: [50, "integer"],
  top_p: [1, "number"],
  min_p: [null, "number"],
  typical_p: [1, "number"],
  epsilon_cutoff: [0, "number"],
  eta_cutoff: [0, "number"],
  repetition_penalty: [1, "number"],
  encoder_repetition_penalty: [1, "number"],
  length_penalty: [1, "number"],
  no_repeat_ngram_size: [0, "integer"],
  bad_words_ids: [null, "other"],
  renormalize_logits: [false, "boolean"],
  forced_bos_token_id: [null, "integer"],
  forced_eos_token_id: [null, "other"],
  remove_invalid_values: [false, "boolean"],
  exponential_decay_length_penalty: [null, "other"],
  suppress_tokens: [null, "other"],
  begin_suppress_tokens: [null, "other"],
  sequence_bias: [null, "other"],
  token_healing: [false, "boolean"],
  guidance_scale: [null, "number"],
  watermarking_config: [null, "other"],
  // outputs
  num_return_sequences: [1, "integer"],
  output_attentions: [false, "boolean"],
  output_hidden_states: [false, "boolean"],
  output_scores: [false, "boolean"],
  output_logits: [null, "boolean"],
  return_dict_in_generate: [false, "boolean"],
  // special tokens
  pad_token_id: [null, "integer"],
  bos_token_id: [null, "integer"],
  eos_token_id: [null, "other"],
  // encoder-decoder
  encoder_no_repeat_ngram_size: [0, "integer"],
  decoder_start_token_id: [null, "other"],
  // assistants
  is_assistant: [false, "boolean"],
  num_assistant_tokens: [20, "integer"],
  num_assistant_tokens_schedule: ["constant", "other"],
  assistant_confidence_threshold: [0.4, "number"],
  prompt_lookup_num_tokens: [null, "integer"],
  max_matching_ngram_size: [null, "integer"],
  assistant_early_exit: [null, "integer"],
  assistant_lookbehind: [10, "integer"],
  target_lookbehind: [10, "integer"],
  // PyTorch's compiler
  compile_config: [null, "other"],
  disable_compile: [false, "boolean"],
  // modes that Python loads from the Hub
  low_memory: [null, "boolean"],
  penalty_alpha: [null, "number"],
  dola_layers: [null, "other"],
  diversity_penalty: [0, "number"],
  num_beam_groups: [1, "integer"],
  constraints: [null, "other"],
  force_words_ids: [null, "other"],
};

const entries = Object.entries(table);

export const GENERATION_FIELDS: Readonly<Record<string, unknown>> = Object.fromEntries(
  entries.map(([name, [value]]) => [name, value]),
);

/** Fields that Python writes with a decimal point. */
export const FLOAT_FIELDS: readonly string[] = entries.flatMap(([name, [, kind]]) => (kind === "number" ? name : []));

const CHECKS: Record<Kind, [what: string, is: (value: unknown) => boolean]> = {
  integer: ["an integer or null", Number.isInteger],
  number: ["a number or null", (value) => typeof value === "number" && !Number.isNaN(value)],
  boolean: ["a boolean or null", (value) => typeof value === "boolean"],
  other: ["", () => true],
};

/** What a field of that name expects, if the value is not of it. */
export function wrong_kind(name: string, value: unknown): string | undefined {
  if (value === null || !Object.hasOwn(table, name)) return undefined;
  const [what, is] = CHECKS[table[name]![1]];
  return is(value) ? undefined : what;
}

/** Options that exist for Python's engines; here they change nothing. */
export const WITHOUT_EFFECT: readonly string[] = [
  "cache_implementation",
  "cache_config",
  "return_legacy_cache",
  "prefill_chunk_size",
  "compile_config",
  "disable_compile",
];

export const OUTPUT_FLAGS = ["output_attentions", "output_hidden_states", "output_scores", "output_logits"] as const;

/** Arguments of generate() that are not configuration. */
export const GENERATE_ARGUMENTS = [
  "logits_processor",
  "stopping_criteria",
  "prefix_allowed_tokens_fn",
  "synced_gpus",
  "assistant_model",
  "streamer",
  "negative_prompt_ids",
  "negative_prompt_attention_mask",
  "use_model_defaults",
] as const;

export const CACHE_IMPLEMENTATIONS = [
  "static",
  "offloaded_static",
  "sliding_window",
  "hybrid",
  "hybrid_chunked",
  "offloaded_hybrid",
  "offloaded_hybrid_chunked",
  "dynamic",
  "dynamic_full",
  "offloaded",
  "quantized",
] as const;
