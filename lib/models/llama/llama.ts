import { ALL_KINDS, check_decoder, type LlamaFamily } from "./family.js";
import { decoder_metadata, llama3_rope_factors } from "./metadata.js";
import { decoder_parameters } from "./parameters.js";

/** Llama 1 to 3, and what shares its architecture (TinyLlama, SmolLM, Vicuna, …). */
export const llama: LlamaFamily = {
  model_type: "llama",
  class_prefix: "Llama",
  kinds: ALL_KINDS,
  question_answering_prefix: "transformer",
  architecture: "llama",
  parameters: (config) =>
    decoder_parameters(config, {
      interleaved_rope: true,
      qkv_bias: !!config.attention_bias,
      output_bias: !!config.attention_bias,
      mlp_bias: !!config.mlp_bias,
    }),
  constants: llama3_rope_factors,
  metadata: (config) => decoder_metadata("llama", config),
  check: check_decoder,
};
