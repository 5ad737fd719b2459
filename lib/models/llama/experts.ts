// What the families with experts share.
import { TransformersError } from "../../errors.js";
import type { GgufValue } from "../../native.js";
import { type DecoderConfig, u32, unsupported } from "./family.js";
import type { Experts } from "./parameters.js";

/** The fields of a decoder that sends each token to some of its experts. */
export interface RoutedConfig extends DecoderConfig {
  num_experts_per_tok: number;
  output_router_logits?: boolean;
}

/** Qwen's spelling. */
export interface QwenMoeConfig extends RoutedConfig {
  num_experts: number;
  moe_intermediate_size: number;
  norm_topk_prob: boolean;
  decoder_sparse_step: number;
  mlp_only_layers: number[];
}

/** llama.cpp's LLAMA_MAX_EXPERTS. */
const MAX_EXPERTS = 1024;

export function expert_metadata(
  architecture: string,
  config: RoutedConfig,
  count: number,
  intermediate_size: number,
): Record<string, GgufValue> {
  return {
    [`${architecture}.expert_count`]: u32(count),
    [`${architecture}.expert_used_count`]: u32(config.num_experts_per_tok),
    [`${architecture}.expert_feed_forward_length`]: u32(intermediate_size),
  };
}

export function check_experts(config: RoutedConfig, count: number, intermediate_size: number): void {
  if (config.output_router_logits) throw unsupported(config, "output_router_logits=true");
  const { num_experts_per_tok: used } = config;
  for (const [name, value, limit] of [
    ["experts", count, MAX_EXPERTS],
    ["num_experts_per_tok", used, count],
    ["intermediate size of experts", intermediate_size, 2 ** 31 - 1],
  ] as const)
    if (!Number.isInteger(value) || value < 1 || value > limit)
      throw new TransformersError(
        `Expected an integer from 1 to ${limit} for the ${name} of config but received ${value}`,
        "invalid_config",
      );
}

export function qwen_experts(config: QwenMoeConfig): Experts {
  return {
    module: "mlp",
    gate: "gate_proj",
    up: "up_proj",
    down: "down_proj",
    count: config.num_experts,
    intermediate_size: config.moe_intermediate_size,
  };
}

/** `norm_topk_prob` is fixed in llama.cpp's graphs, and each layer has experts. */
export function check_qwen_experts(config: QwenMoeConfig, norm_topk_prob: boolean): void {
  check_experts(config, config.num_experts, config.moe_intermediate_size);
  if (Boolean(config.norm_topk_prob) !== norm_topk_prob)
    throw unsupported(config, `norm_topk_prob=${config.norm_topk_prob}`);
  if (config.decoder_sparse_step !== 1 || config.mlp_only_layers.length)
    throw unsupported(config, "decoder_sparse_step or mlp_only_layers, layers without experts,");
}
