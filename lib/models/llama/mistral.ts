import { ALL_KINDS, check_decoder, type LlamaFamily, u32 } from "./family.js";
import { decoder_metadata, llama3_rope_factors } from "./metadata.js";
import { decoder_parameters } from "./parameters.js";

/** Mistral 7B and its descendants: Llama's tensors, with a sliding window where the checkpoint has one. */
export const mistral: LlamaFamily = {
  model_type: "mistral",
  class_prefix: "Mistral",
  kinds: ALL_KINDS,
  architecture: "llama",
  parameters: (config) => decoder_parameters(config, { interleaved_rope: true }),
  constants: llama3_rope_factors,
  metadata: (config) => ({
    ...decoder_metadata("llama", config),
    // vendor/patches: upstream's llama graph knows no window
    ...(config.sliding_window ? { "llama.attention.sliding_window": u32(config.sliding_window) } : {}),
  }),
  check: check_decoder,
};
