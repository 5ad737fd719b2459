// The arguments of forward(), under Python's names.
import type { PretrainedConfig } from "../../configuration/pretrained_config.js";
import { expected, TransformersError } from "../../errors.js";
import type { EngineCache } from "../../generation/cache.js";
import { is_tensor } from "../../tensor/index.js";
import type { DecoderHead } from "./heads.js";
import type { Padding } from "./padding.js";

export interface DecoderInputs {
  /** [batch, length]. */
  input_ids: unknown;
  /** [batch, cached + length]; zeros at one end of a row only. */
  attention_mask?: unknown;
  /** [batch, length]; consecutive. */
  position_ids?: unknown;
  past_key_values?: EngineCache | null;
  use_cache?: boolean;
  output_hidden_states: boolean;
  return_dict: boolean;
  /** Logits of the last positions only; 0: of all. */
  logits_to_keep?: number;
  /** What the head's loss compares with. */
  targets: Record<string, unknown>;
}

const COMMON = [
  ...["input_ids", "attention_mask", "position_ids", "past_key_values", "use_cache", "inputs_embeds"],
  ...["output_hidden_states", "output_attentions", "return_dict"],
];

/** Reads the arguments; what a call leaves open the configuration says. */
export function forward_arguments(
  model_name: string,
  head: DecoderHead,
  config: PretrainedConfig,
  inputs: unknown,
  options: Record<string, unknown>,
): DecoderInputs {
  const named = typeof inputs === "object" && inputs !== null && !is_tensor(inputs) && !is_list(inputs);
  const args: Record<string, unknown> = named ? { ...inputs, ...options } : { input_ids: inputs, ...options };
  const known = new Set([...COMMON, ...head.labels, ...(head.logits ? ["logits_to_keep"] : [])]);
  for (const name of Object.keys(args)) {
    if (args[name] === undefined || args[name] === null) delete args[name];
    else if (!known.has(name))
      throw new TypeError(`${model_name}.forward() got an unexpected keyword argument '${name}'`);
  }
  if ("inputs_embeds" in args)
    throw new TransformersError("inputs_embeds is not supported by the llama engine: pass input_ids", "unsupported");
  if (args["output_attentions"] ?? config["output_attentions"])
    throw new TransformersError(
      "output_attentions is not supported by the llama engine, which never holds whole attention matrices",
      "unsupported",
    );
  const keep = args["logits_to_keep"];
  if (keep !== undefined && !(Number.isInteger(keep) && (keep as number) >= 0))
    throw expected("a count of positions", "logits_to_keep", keep);
  const targets = Object.fromEntries(head.labels.filter((name) => name in args).map((name) => [name, args[name]]));
  return {
    ...(args as unknown as DecoderInputs),
    ...("use_cache" in args ? { use_cache: Boolean(args["use_cache"]) } : {}),
    output_hidden_states: Boolean(args["output_hidden_states"] ?? config["output_hidden_states"] ?? false),
    return_dict: Boolean(args["return_dict"] ?? config["return_dict"] ?? true),
    targets,
  };
}

function is_list(value: unknown): boolean {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

/** How many of the last positions have logits, and who leaves the others out. */
export interface Kept {
  /** 0: all. */
  positions: number;
  /** `positions` where the engine computes no others, else 0. */
  by_engine: number;
}

/** The engine counts from the last token of each row: that is the last position where no padding follows it. */
export function kept_positions({ logits_to_keep: positions = 0, targets }: DecoderInputs, padding: Padding): Kept {
  const engine_can = padding.ends_with_tokens && Object.keys(targets).length === 0;
  return { positions, by_engine: engine_can ? positions : 0 };
}
