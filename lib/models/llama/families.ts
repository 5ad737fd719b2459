// The families that the llama engine runs from safetensors: one line for each file of this folder.
import type { PretrainedConfig } from "../../configuration/pretrained_config.js";
import type { LlamaArchitecture, LlamaFamily } from "./family.js";
import { gemma } from "./gemma.js";
import { gemma2 } from "./gemma2.js";
import { gemma3_text } from "./gemma3.js";
import { gpt2 } from "./gpt2.js";
import { granite } from "./granite.js";
import { llama } from "./llama.js";
import { mistral } from "./mistral.js";
import { mixtral } from "./mixtral.js";
import { olmo2 } from "./olmo2.js";
import { phi3 } from "./phi3.js";
import { qwen2 } from "./qwen2.js";
import { qwen2_moe } from "./qwen2_moe.js";
import { qwen3 } from "./qwen3.js";
import { qwen3_moe } from "./qwen3_moe.js";
import { smollm3 } from "./smollm3.js";

/** By `model_type`. */
export const FAMILIES = {
  gemma,
  gemma2,
  gemma3_text,
  granite,
  llama,
  mistral,
  mixtral,
  olmo2,
  phi3,
  qwen2,
  qwen2_moe,
  qwen3,
  qwen3_moe,
  smollm3,
} satisfies Record<string, LlamaFamily>;

/** What is known of the checkpoints that became a GGUF file. */
export const ARCHITECTURES: readonly (LlamaFamily | LlamaArchitecture<PretrainedConfig>)[] = [
  ...Object.values(FAMILIES),
  gpt2,
];
