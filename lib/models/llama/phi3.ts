import { check_decoder, type DecoderConfig, f32, head_dim, type LlamaFamily, u32, unsupported } from "./family.js";
import { decoder_metadata, rope_type } from "./metadata.js";
import { decoder_parameters } from "./parameters.js";

interface Phi3Config extends DecoderConfig {
  original_max_position_embeddings: number;
  partial_rotary_factor: number;
}

interface LongRope {
  short_factor: number[];
  attention_factor?: number;
}

function long_rope(config: DecoderConfig): LongRope | undefined {
  return rope_type(config) === "longrope" ? (config.rope_scaling as unknown as LongRope) : undefined;
}

/**
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/modeling_rope_utils.py `_compute_longrope_parameters`
 */
function attention_factor(config: Phi3Config, scaling: LongRope): number {
  const { max_position_embeddings: length, original_max_position_embeddings: original } = config;
  return (
    scaling.attention_factor ??
    (length <= original ? 1 : Math.sqrt(1 + Math.log(length / original) / Math.log(original)))
  );
}

/**
 * Phi-3, Phi-3.5 and Phi-4: fused projections, part of each head rotated. With "longrope" the engine has the factors for
 * rows up to `original_max_position_embeddings`, where Python changes to other ones for the whole row.
 */
export const phi3: LlamaFamily = {
  model_type: "phi3",
  class_prefix: "Phi3",
  kinds: ["sequence_classification", "token_classification"],
  architecture: "phi3",
  parameters: (config) => decoder_parameters(config, { fused: true }),
  constants(config) {
    const data = Float32Array.from(long_rope(config)?.short_factor ?? []);
    return data.length
      ? [
          { gguf: "rope_factors_short.weight", data },
          { gguf: "rope_factors_long.weight", data },
        ]
      : [];
  },
  metadata(config: Phi3Config) {
    const scaling = long_rope(config);
    return {
      ...decoder_metadata("phi3", config),
      "phi3.rope.dimension_count": u32(Math.floor(head_dim(config) * config.partial_rotary_factor)),
      "phi3.attention.sliding_window": u32(config.sliding_window ?? 0), // vendor/patches: upstream's graph knows none
      ...(scaling && {
        "phi3.context_length": u32(config.original_max_position_embeddings),
        "phi3.rope.scaling.attn_factor": f32(attention_factor(config, scaling)),
      }),
    };
  },
  max_positions: (config: Phi3Config) => (long_rope(config) ? config.original_max_position_embeddings : undefined),
  check(config: Phi3Config) {
    check_decoder(config);
    if (config.head_dim && config.head_dim * config.num_attention_heads !== config.hidden_size)
      throw unsupported(config, "head_dim * num_attention_heads ≠ hidden_size");
    const rotated = Math.floor(head_dim(config) * config.partial_rotary_factor);
    if (rotated < 2 || rotated % 2 !== 0)
      throw unsupported(config, `partial_rotary_factor=${config.partial_rotary_factor}`);
  },
};
