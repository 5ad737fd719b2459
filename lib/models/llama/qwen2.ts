import { ALL_KINDS, check_decoder, type DecoderConfig, type LlamaFamily, unsupported } from "./family.js";
import { decoder_metadata } from "./metadata.js";
import { decoder_parameters } from "./parameters.js";

/** Qwen's window is off in the published checkpoints; llama.cpp's graphs of them know none. */
export function check_qwen(config: DecoderConfig): void {
  check_decoder(config);
  if (config.use_sliding_window) throw unsupported(config, "use_sliding_window=true");
}

/** Qwen2 and Qwen2.5: a bias on query, key and value. */
export const qwen2: LlamaFamily = {
  model_type: "qwen2",
  class_prefix: "Qwen2",
  kinds: ALL_KINDS,
  question_answering_prefix: "transformer",
  architecture: "qwen2",
  parameters: (config) => decoder_parameters(config, { qkv_bias: true }),
  metadata: (config) => decoder_metadata("qwen2", config),
  check(config) {
    check_qwen(config);
    if (config.head_dim && config.head_dim * config.num_attention_heads !== config.hidden_size)
      throw unsupported(config, "head_dim * num_attention_heads ≠ hidden_size");
  },
};
