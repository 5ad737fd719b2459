import { ALL_KINDS, check_decoder, type DecoderConfig, type LlamaFamily, unsupported } from "./family.js";
import { decoder_metadata } from "./metadata.js";
import { decoder_parameters } from "./parameters.js";

interface SmolLM3Config extends DecoderConfig {
  no_rope_layers: number[];
}

/** SmolLM3: Llama without rotary positions in every fourth layer. */
export const smollm3: LlamaFamily = {
  model_type: "smollm3",
  class_prefix: "SmolLM3",
  kinds: ALL_KINDS,
  question_answering_prefix: "transformer",
  architecture: "smollm3",
  parameters: (config) => decoder_parameters(config, { interleaved_rope: true }),
  metadata: (config) => decoder_metadata("smollm3", config),
  check(config: SmolLM3Config) {
    check_decoder(config);
    if (config.attention_bias || config.mlp_bias) throw unsupported(config, "attention_bias or mlp_bias");
    if (config.layer_types?.includes("sliding_attention")) throw unsupported(config, "sliding attention");
    const rotated = Array.from({ length: config.num_hidden_layers }, (_, layer) => (layer + 1) % 4 !== 0);
    if (rotated.some((expected, layer) => Boolean(config.no_rope_layers[layer]) !== expected))
      throw unsupported(config, "no_rope_layers other than every fourth");
  },
};
