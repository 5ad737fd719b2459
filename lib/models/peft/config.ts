// adapter_config.json, as PEFT writes it. https://github.com/huggingface/peft/blob/v0.18.0/src/peft/tuners/lora/config.py
import { readFile } from "node:fs/promises";
import { TransformersError } from "../../errors.js";
import { cached_file, type HubOptions } from "../../hub/cached_file.js";
import { parse_json } from "../../python_json.js";

export const ADAPTER_CONFIG = "adapter_config.json";

/** The fields of a LoRA adapter's configuration that say how it is to be used; the others are kept as they are. */
export interface LoraConfig {
  peft_type: "LORA";
  base_model_name_or_path?: string | null;
  r: number;
  lora_alpha: number;
  use_rslora?: boolean;
  fan_in_fan_out?: boolean;
  alpha_pattern?: Record<string, number>;
  target_modules?: string[] | string | null;
  modules_to_save?: string[] | null;
  [field: string]: unknown;
}

/** Settings that change what an adapter computes, and the values that leave it a plain LoRA. */
const PLAIN: Record<string, unknown[]> = {
  bias: ["none"],
  use_dora: [false],
  lora_bias: [false],
  use_qalora: [false],
  use_bdlora: [],
  layer_replication: [],
  alora_invocation_tokens: [],
  trainable_token_indices: [],
  target_parameters: [],
};

/**
 * The configuration of an adapter.
 * @throws TransformersError `adapter_unsupported` for other methods than LoRA and variants of it, `adapter_invalid`.
 */
export function check_lora_config(value: unknown, where: string): LoraConfig {
  const invalid = (what: string) => new TransformersError(`${where}: ${what}`, "adapter_invalid");
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("expected a JSON object");
  const config = value as LoraConfig;
  if (config.peft_type !== "LORA")
    throw new TransformersError(
      `${where}: an adapter of peft_type ${JSON.stringify(config.peft_type)} is not supported, only LORA is`,
      "adapter_unsupported",
    );
  for (const [name, plain] of Object.entries(PLAIN)) {
    const setting = config[name];
    const empty = setting === undefined || setting === null || (Array.isArray(setting) && setting.length === 0);
    if (!empty && !plain.includes(setting))
      throw new TransformersError(
        `${where}: ${name}=${JSON.stringify(setting)} is not supported in adapters`,
        "adapter_unsupported",
      );
  }
  if (!Number.isInteger(config.r) || config.r < 1)
    throw invalid(`expected a positive integer for r but received ${config.r}`);
  if (!Number.isFinite(config.lora_alpha))
    throw invalid(`expected a number for lora_alpha but received ${config.lora_alpha}`);
  for (const [pattern, alpha] of Object.entries(config.alpha_pattern ?? {})) {
    if (!Number.isFinite(alpha))
      throw invalid(`expected a number for alpha_pattern["${pattern}"] but received ${alpha}`);
    try {
      new RegExp(pattern);
    } catch {
      throw invalid(`alpha_pattern: "${pattern}" is no regular expression`);
    }
  }
  return config;
}

/** What the product of a pair is multiplied by: alpha / r, or with rslora alpha / sqrt(r). `module`: its path. */
export function scaling(config: LoraConfig, module: string, rank: number): number {
  const patterns = Object.entries(config.alpha_pattern ?? {});
  const [, alpha] = patterns.find(([key]) => new RegExp(`^(.*\\.)?(${key})$`).test(module)) ?? ["", config.lora_alpha];
  return alpha / (config.use_rslora ? Math.sqrt(rank) : rank);
}

/** The path of an adapter's configuration; undefined where there is none. */
export function find_adapter_config(name_or_path: string, options: HubOptions): Promise<string | undefined> {
  return cached_file(name_or_path, ADAPTER_CONFIG, options);
}

export async function read_adapter_config(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8");
  try {
    return parse_json(text);
  } catch (error) {
    throw new TransformersError(
      `${path} is not a valid JSON file: ${(error as Error).message}`,
      "adapter_invalid",
      error,
    );
  }
}
