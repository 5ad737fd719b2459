import { check_experts, expert_metadata, type RoutedConfig } from "./experts.js";
import { ALL_KINDS, type LlamaFamily } from "./family.js";
import { mistral } from "./mistral.js";
import { decoder_parameters } from "./parameters.js";

interface MixtralConfig extends RoutedConfig {
  num_local_experts: number;
}

/** Mixtral: Mistral with experts. */
export const mixtral: LlamaFamily = {
  ...mistral,
  model_type: "mixtral",
  class_prefix: "Mixtral",
  kinds: ALL_KINDS,
  parameters: (config: MixtralConfig) =>
    decoder_parameters(config, {
      interleaved_rope: true,
      experts: {
        module: "block_sparse_moe",
        gate: "w1",
        up: "w3",
        down: "w2",
        count: config.num_local_experts,
        intermediate_size: config.intermediate_size,
      },
    }),
  metadata: (config: MixtralConfig) => ({
    ...mistral.metadata(config),
    ...expert_metadata("llama", config, config.num_local_experts, config.intermediate_size),
  }),
  check(config: MixtralConfig) {
    mistral.check?.(config);
    check_experts(config, config.num_local_experts, config.intermediate_size);
  },
};
