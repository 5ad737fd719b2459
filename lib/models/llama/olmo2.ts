import { check_decoder, head_dim, type LlamaFamily, unsupported } from "./family.js";
import { decoder_metadata } from "./metadata.js";
import { decoder_parameters } from "./parameters.js";

/** OLMo 2: norms after each block instead of before it, and over all heads' queries and keys. */
export const olmo2: LlamaFamily = {
  model_type: "olmo2",
  class_prefix: "Olmo2",
  kinds: [],
  wants_output: true,
  architecture: "olmo2",
  parameters: (config) =>
    decoder_parameters(config, {
      norms: { post_attention_layernorm: "post_attention_norm", post_feedforward_layernorm: "post_ffw_norm" },
      qk_norm: "all",
    }),
  metadata: (config) => decoder_metadata("olmo2", config),
  check(config) {
    check_decoder(config);
    if (config.attention_bias) throw unsupported(config, "attention_bias=true");
    if (head_dim(config) * config.num_attention_heads !== config.hidden_size)
      throw unsupported(config, "head_dim * num_attention_heads ≠ hidden_size");
  },
};
