// The arguments that every configuration has, and their defaults.
import { with_floats } from "../python.js";

/** Python's release that this package follows: what it writes into `transformers_version`. */
export const TRANSFORMERS_VERSION = "4.57.6";

/** Generation settings that old checkpoints keep in config.json: `_get_global_generation_defaults`. */
export const GENERATION_DEFAULTS: Readonly<Record<string, unknown>> = {
  max_length: 20,
  min_length: 0,
  do_sample: false,
  early_stopping: false,
  num_beams: 1,
  temperature: 1,
  top_k: 50,
  top_p: 1,
  typical_p: 1,
  repetition_penalty: 1,
  length_penalty: 1,
  no_repeat_ngram_size: 0,
  encoder_no_repeat_ngram_size: 0,
  bad_words_ids: null,
  num_return_sequences: 1,
  output_scores: false,
  return_dict_in_generate: false,
  forced_bos_token_id: null,
  forced_eos_token_id: null,
  remove_invalid_values: false,
  exponential_decay_length_penalty: null,
  suppress_tokens: null,
  begin_suppress_tokens: null,
  num_beam_groups: 1,
  diversity_penalty: 0,
};

/** What is stored as it is given. `dtype`, the labels, `output_attentions` and `name_or_path` have rules of their own. */
export const COMMON_DEFAULTS: Readonly<Record<string, unknown>> = with_floats(
  {
    return_dict: true,
    output_hidden_states: false,
    torchscript: false,
    pruned_heads: {},
    tie_word_embeddings: true,
    chunk_size_feed_forward: 0,
    is_encoder_decoder: false,
    is_decoder: false,
    cross_attention_hidden_size: null,
    add_cross_attention: false,
    tie_encoder_decoder: false,
    architectures: null,
    finetuning_task: null,
    task_specific_params: null,
    problem_type: null,
    tokenizer_class: null,
    prefix: null,
    bos_token_id: null,
    pad_token_id: null,
    eos_token_id: null,
    sep_token_id: null,
    decoder_start_token_id: null,
    ...GENERATION_DEFAULTS,
    transformers_version: null,
    tf_legacy_loss: false,
    use_bfloat16: false,
  },
  ["temperature", "top_p", "typical_p", "repetition_penalty", "length_penalty", "diversity_penalty"],
);
