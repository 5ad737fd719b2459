import type { GgufValue } from "../../native.js";
import {
  bools,
  check_decoder,
  type DecoderConfig,
  f32,
  head_dim,
  type LlamaFamily,
  u32,
  unsupported,
} from "./family.js";
import { check_gemma, GELU } from "./gemma.js";
import { decoder_metadata } from "./metadata.js";
import { decoder_parameters, SANDWICH_NORMS } from "./parameters.js";

export interface Gemma2Config extends DecoderConfig {
  hidden_activation: string;
  query_pre_attn_scalar: number;
  attn_logit_softcapping: number | null;
  final_logit_softcapping: number | null;
}

/** Gemma 2: norms around each block, capped logits, a sliding window in every other layer. */
export const gemma2: LlamaFamily = {
  model_type: "gemma2",
  class_prefix: "Gemma2",
  kinds: ["sequence_classification", "token_classification"],
  always_tied: true,
  architecture: "gemma2",
  parameters: (config) => decoder_parameters(config, { norms: SANDWICH_NORMS, norms_minus_one: true }),
  metadata: (config: Gemma2Config) => ({
    ...decoder_metadata("gemma2", config),
    ...window_metadata("gemma2", config),
    "gemma2.attn_logit_softcapping": f32(config.attn_logit_softcapping ?? 0),
    "gemma2.final_logit_softcapping": f32(config.final_logit_softcapping ?? 0),
  }),
  check(config: Gemma2Config) {
    check_sandwich(config, 46);
    for (const name of ["attn_logit_softcapping", "final_logit_softcapping"] as const)
      if (!config[name]) throw unsupported(config, `${name}=${config[name]}`);
  },
};

const is_sliding = (config: DecoderConfig) => (config.layer_types ?? []).map((type) => type === "sliding_attention");

/** The window in tokens, and the layers that have it. */
export function window_metadata(architecture: string, config: DecoderConfig): Record<string, GgufValue> {
  return {
    [`${architecture}.attention.sliding_window`]: u32(config.sliding_window as number),
    [`${architecture}.attention.sliding_window_pattern`]: bools(is_sliding(config)),
  };
}

/**
 * Gemma 2 and 3. llama.cpp takes the scale of attention from the head's width, and from hidden_size alone for a model
 * of as many layers as the 27B one has.
 */
export function check_sandwich(config: Gemma2Config, layers_of_27b: number): void {
  check_decoder(config, config.hidden_activation, GELU);
  check_gemma(config);
  const { num_hidden_layers, hidden_size, num_attention_heads, query_pre_attn_scalar, sliding_window } = config;
  const scalar = num_hidden_layers === layers_of_27b ? Math.floor(hidden_size / num_attention_heads) : head_dim(config);
  if (query_pre_attn_scalar !== scalar)
    throw unsupported(config, `query_pre_attn_scalar=${query_pre_attn_scalar} (expected ${scalar})`);
  if (!Number.isInteger(sliding_window) || (sliding_window as number) < 1)
    throw unsupported(config, `sliding_window=${sliding_window}`);
  const sliding = is_sliding(config);
  if (sliding.length !== num_hidden_layers || !sliding.includes(true) || !sliding.includes(false))
    throw unsupported(config, "layer_types without both sliding and full attention");
}
