// Loads a fixture of Python into an engine, with the family that its config names.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FAMILIES } from "../../lib/models/llama/families.js";
import type { LlamaFamily } from "../../lib/models/llama/family.js";
import { tensor_sources } from "../../lib/models/llama/parameters.js";
import { type LlamaLoadOptions, type NativeLlamaEngine, native } from "../../lib/native.js";

export const models_folder = fileURLToPath(new URL("../fixtures/models", import.meta.url));

export interface Case {
  inputs: { input_ids: number[][]; padded_ids: number[][]; attention_mask: number[][] };
  cache_steps: number[];
  greedy: { max_new_tokens: number; eos_token_id: number | null; sequences: number[][] };
}

export const read_json = (model: string, file: string) =>
  JSON.parse(readFileSync(join(models_folder, model, file), "utf8"));

export const read_case = (model: string): Case => read_json(model, "case.json");

/** A tensor of expected.safetensors. */
export function expected(model: string, name: string): Float32Array {
  const dict = new (native().StateDict)([join(models_folder, model, "expected.safetensors")]);
  const size = dict.info(name).shape.reduce((a, b) => a * b, 1);
  const data = new Float32Array(size);
  dict.read_f32(name, data);
  dict.dispose();
  return data;
}

export function load_options(model: string): LlamaLoadOptions {
  const config = read_json(model, "config.json");
  const files = readdirSync(join(models_folder, model)).filter((file) => /^model.*\.safetensors$/.test(file));
  const state_dict = new (native().StateDict)(files.map((file) => join(models_folder, model, file)));
  const family: LlamaFamily = FAMILIES[config.model_type as keyof typeof FAMILIES];
  config.num_key_value_heads ??= config.num_attention_heads;
  const tensors = tensor_sources(family.parameters(config).filter((one) => state_dict.has(one.name)));
  for (const { gguf, data } of family.constants?.(config) ?? []) tensors.push({ name: gguf, data });
  return { state_dict, metadata: family.metadata(config), tensors, dtype: "f32", n_threads: 1 };
}

export const load = (model: string, changes: Partial<LlamaLoadOptions> = {}): Promise<NativeLlamaEngine> =>
  native().load_llama_engine({ ...load_options(model), ...changes }).promise;

export const rows = (ids: number[][]) => ids.map((row) => Int32Array.from(row));

/** The largest difference, relative to the largest expected value. */
export function relative_error(actual: Float32Array, wanted: Float32Array): number {
  if (actual.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < wanted.length; i++) {
    difference = Math.max(difference, Math.abs((actual[i] as number) - (wanted[i] as number)));
    scale = Math.max(scale, Math.abs(wanted[i] as number));
  }
  return difference / scale;
}
