import { ALL_KINDS, type LlamaFamily, unsupported } from "./family.js";
import { decoder_metadata } from "./metadata.js";
import { decoder_parameters } from "./parameters.js";
import { check_qwen } from "./qwen2.js";

/** Qwen3: no bias, but a norm over each head's query and key. */
export const qwen3: LlamaFamily = {
  model_type: "qwen3",
  class_prefix: "Qwen3",
  kinds: ALL_KINDS,
  question_answering_prefix: "transformer",
  architecture: "qwen3",
  parameters: (config) => decoder_parameters(config, { qk_norm: "head" }),
  metadata: (config) => decoder_metadata("qwen3", config),
  check(config) {
    check_qwen(config);
    if (config.attention_bias) throw unsupported(config, "attention_bias=true");
  },
};
