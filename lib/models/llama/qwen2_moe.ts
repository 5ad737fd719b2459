import { check_qwen_experts, expert_metadata, type QwenMoeConfig, qwen_experts } from "./experts.js";
import { ALL_KINDS, type LlamaFamily, u32, unsupported } from "./family.js";
import { decoder_metadata } from "./metadata.js";
import { decoder_parameters } from "./parameters.js";
import { qwen2 } from "./qwen2.js";

interface Qwen2MoeConfig extends QwenMoeConfig {
  shared_expert_intermediate_size: number;
  qkv_bias: boolean;
}

/** Qwen1.5 and Qwen2 with experts, one of which sees every token. */
export const qwen2_moe: LlamaFamily = {
  model_type: "qwen2_moe",
  class_prefix: "Qwen2Moe",
  kinds: ALL_KINDS,
  wants_output: true,
  architecture: "qwen2moe",
  parameters: (config: Qwen2MoeConfig) =>
    decoder_parameters(config, {
      qkv_bias: !!config.qkv_bias,
      experts: { ...qwen_experts(config), shared_intermediate_size: config.shared_expert_intermediate_size },
    }),
  metadata: (config: Qwen2MoeConfig) => ({
    ...decoder_metadata("qwen2moe", config),
    ...expert_metadata("qwen2moe", config, config.num_experts, config.moe_intermediate_size),
    "qwen2moe.expert_shared_feed_forward_length": u32(config.shared_expert_intermediate_size),
  }),
  check(config: Qwen2MoeConfig) {
    qwen2.check?.(config);
    check_qwen_experts(config, false);
    if (!config.shared_expert_intermediate_size) throw unsupported(config, "shared_expert_intermediate_size=0");
  },
};
