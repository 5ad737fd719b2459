import { check_decoder, type DecoderConfig, type LlamaFamily, unsupported } from "./family.js";
import { decoder_metadata } from "./metadata.js";
import { decoder_parameters } from "./parameters.js";

export const GELU = "gelu_pytorch_tanh";

/** Gemma 1: norms stored minus one, embeddings scaled by √hidden_size (in llama.cpp's graph), GELU. */
export const gemma: LlamaFamily = {
  model_type: "gemma",
  class_prefix: "Gemma",
  kinds: ["sequence_classification", "token_classification"],
  always_tied: true,
  architecture: "gemma",
  parameters: (config) => decoder_parameters(config, { norms_minus_one: true }),
  metadata: (config) => decoder_metadata("gemma", config),
  check(config) {
    check_decoder(config, config.hidden_act, GELU);
    check_gemma(config);
  },
};

/** What none of llama.cpp's Gemma graphs has. */
export function check_gemma(config: DecoderConfig): void {
  if (config.attention_bias) throw unsupported(config, "attention_bias=true");
  if (!config.tie_word_embeddings) throw unsupported(config, "tie_word_embeddings=false");
}
