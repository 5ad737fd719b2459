import { f32, type LlamaFamily, unsupported } from "./family.js";
import { check_sandwich, type Gemma2Config, window_metadata } from "./gemma2.js";
import { decoder_metadata, rope_type } from "./metadata.js";
import { decoder_parameters, SANDWICH_NORMS } from "./parameters.js";

interface Gemma3Config extends Gemma2Config {
  rope_local_base_freq: number;
  use_bidirectional_attention: boolean;
}

/** Gemma 3, text only: a norm over each head's query and key, and other rotary positions in the layers with a window. */
export const gemma3_text: LlamaFamily = {
  model_type: "gemma3_text",
  class_prefix: "Gemma3",
  text_prefix: "Gemma3Text",
  kinds: ["sequence_classification"],
  architecture: "gemma3",
  parameters: (config) => decoder_parameters(config, { norms: SANDWICH_NORMS, norms_minus_one: true, qk_norm: "head" }),
  metadata: (config: Gemma3Config) => ({
    ...decoder_metadata("gemma3", config),
    ...window_metadata("gemma3", config),
    "gemma3.rope.freq_base_swa": f32(config.rope_local_base_freq),
    ...(config.final_logit_softcapping && {
      "gemma3.final_logit_softcapping": f32(config.final_logit_softcapping),
    }),
  }),
  check(config: Gemma3Config) {
    check_sandwich(config, 62);
    if (config.attn_logit_softcapping) throw unsupported(config, "attn_logit_softcapping");
    if (config.use_bidirectional_attention) throw unsupported(config, "use_bidirectional_attention=true");
    if (rope_type(config) === "yarn") throw unsupported(config, 'rope_scaling of type "yarn"');
  },
};
