import { check_qwen_experts, expert_metadata, type QwenMoeConfig, qwen_experts } from "./experts.js";
import { ALL_KINDS, type LlamaFamily } from "./family.js";
import { decoder_metadata } from "./metadata.js";
import { decoder_parameters } from "./parameters.js";
import { qwen3 } from "./qwen3.js";

/** Qwen3 with experts. */
export const qwen3_moe: LlamaFamily = {
  model_type: "qwen3_moe",
  class_prefix: "Qwen3Moe",
  kinds: ALL_KINDS,
  question_answering_prefix: "transformer",
  architecture: "qwen3moe",
  parameters: (config: QwenMoeConfig) => decoder_parameters(config, { qk_norm: "head", experts: qwen_experts(config) }),
  metadata: (config: QwenMoeConfig) => ({
    ...decoder_metadata("qwen3moe", config),
    ...expert_metadata("qwen3moe", config, config.num_experts, config.moe_intermediate_size),
  }),
  check(config: QwenMoeConfig) {
    qwen3.check?.(config);
    check_qwen_experts(config, true);
  },
};
