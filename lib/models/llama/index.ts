// The families that the llama engine runs from safetensors: one line for each file of this folder.
import type { LlamaFamily } from "./family.js";
import { llama } from "./llama.js";
import { mistral } from "./mistral.js";
import { qwen2 } from "./qwen2.js";
import { qwen3 } from "./qwen3.js";

export const LLAMA_FAMILIES: readonly LlamaFamily[] = [llama, mistral, qwen2, qwen3];
