import { check_decoder, type DecoderConfig, f32, type LlamaFamily, unsupported } from "./family.js";
import { llama } from "./llama.js";
import { decoder_metadata, llama3_rope_factors } from "./metadata.js";

const MULTIPLIERS = {
  embedding_multiplier: "granite.embedding_scale",
  attention_multiplier: "granite.attention.scale",
  residual_multiplier: "granite.residual_scale",
  logits_scaling: "granite.logit_scale",
} as const;

type GraniteConfig = DecoderConfig & Record<keyof typeof MULTIPLIERS, number>;

const names = Object.keys(MULTIPLIERS) as (keyof typeof MULTIPLIERS)[];

/** Granite 3: Llama with four multipliers. */
export const granite: LlamaFamily = {
  model_type: "granite",
  class_prefix: "Granite",
  kinds: [],
  architecture: "granite",
  parameters: llama.parameters,
  constants: llama3_rope_factors,
  metadata: (config: GraniteConfig) => ({
    ...decoder_metadata("granite", config),
    ...Object.fromEntries(names.map((name) => [MULTIPLIERS[name], f32(config[name])])),
  }),
  check(config: GraniteConfig) {
    check_decoder(config);
    for (const name of names) if (!config[name]) throw unsupported(config, `${name}=${config[name]}`); // 0 means 1 there
  },
};
