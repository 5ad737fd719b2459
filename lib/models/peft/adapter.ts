// One LoRA adapter: its tensors, by the parameters of the model that they change.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expected, TransformersError, warn_once } from "../../errors.js";
import { make_folder } from "../../files.js";
import { cached_file, type HubOptions } from "../../hub/cached_file.js";
import { type NativeStateDict, native } from "../../native.js";
import type { ParameterSpec } from "../initialization.js";
import {
  ADAPTER_CONFIG,
  check_lora_config,
  find_adapter_config,
  type LoraConfig,
  read_adapter_config,
  scaling,
} from "./config.js";

const WEIGHTS = "adapter_model.safetensors";
const PREFIX = "base_model.model.";

/** `scale * b a`, added to a matrix. */
export interface Pair {
  /** Names in the adapter's state dict. a: [rank, columns], b: [rows, rank]. */
  a: string;
  b: string;
  rank: number;
  scale: number;
  /** Of a table of embeddings, whose rows are the matrix's columns: a is [rank, tokens], b [size, rank]. */
  embedding: boolean;
}

export interface LoadAdapterOptions extends HubOptions {
  /** Default: "default". */
  adapter_name?: string;
  /** Instead of a folder: an adapter's configuration … */
  peft_config?: object;
  /** … and its tensors. */
  adapter_state_dict?: NativeStateDict;
}

export class Adapter {
  readonly config: LoraConfig;
  readonly state: NativeStateDict;
  /** What is added to the model's matrices, by their names. */
  readonly pairs = new Map<string, Pair>();
  /** Tensors that take the place of the model's, `modules_to_save`: names in the adapter, by names in the model. */
  readonly replacements = new Map<string, string>();

  /** @throws TransformersError `adapter_invalid` for tensors that do not fit the model. */
  constructor(config: LoraConfig, state: NativeStateDict, where: string, parameters: readonly ParameterSpec[]) {
    this.config = config;
    this.state = state;
    const shapes = new Map(parameters.map(({ name, shape }) => [name, shape]));
    const strangers: string[] = [];
    const halves = new Map<string, Partial<Record<"a" | "b", string>>>();
    for (const key of state.keys()) {
      const name = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key;
      const half = /^(.*)\.lora_(?:embedding_)?([AB])(?:\.weight)?$/.exec(name);
      const target = half ? `${half[1]}.weight` : name.replace(/\.base_layer\.([^.]+)$/, ".$1");
      if (!shapes.has(target)) strangers.push(name);
      else if (half) halves.set(target, { ...halves.get(target), [half[2].toLowerCase()]: key });
      else this.replacements.set(target, key);
    }
    if (strangers.length > 0)
      warn_once(
        `Loading adapter weights from ${where} led to unexpected keys not found in the model: ${strangers.join(", ")}.`,
      );
    for (const [target, { a, b }] of halves) {
      if (!a || !b) throw new TransformersError(`${where}: ${target} has only one half of its pair`, "adapter_invalid");
      this.pairs.set(target, this.pair(where, target, a, b, shapes.get(target) as number[]));
    }
    for (const [target, key] of this.replacements) {
      const [found, shape] = [state.info(key).shape, shapes.get(target) as number[]];
      if (`${found}` !== `${shape}`)
        throw new TransformersError(
          `${where}: ${key} has shape [${found}], and ${target} of the model [${shape}]`,
          "adapter_invalid",
        );
    }
    if (this.pairs.size + this.replacements.size === 0)
      throw new TransformersError(`${where}: no tensor of the adapter belongs to the model`, "adapter_invalid");
  }

  /** PEFT saves the tables that it adapts, too (`base_layer`): where they are the model's, nothing takes their place. */
  drop_copies(values_of: (name: string) => Float32Array | undefined): void {
    for (const [target, key] of this.replacements) {
      if (!key.includes(".base_layer.")) continue;
      const [own, saved] = [values_of(target), this.read(key)];
      if (!own || own.every((value, i) => value === saved[i])) this.replacements.delete(target);
    }
  }

  private pair(where: string, target: string, a: string, b: string, shape: number[]): Pair {
    const [a_shape, b_shape] = [this.state.info(a).shape, this.state.info(b).shape];
    const embedding = a.includes("lora_embedding_");
    const wanted = embedding ? [shape[1], shape[0]] : shape;
    const fits = (rows: number, columns: number) =>
      a_shape.length === 2 &&
      b_shape.length === 2 &&
      shape.length === 2 &&
      a_shape[0] === b_shape[1] &&
      a_shape[0] > 0 &&
      b_shape[0] === rows &&
      a_shape[1] === columns;
    // The other way round for Conv1D, whose matrices stand transposed.
    if (!fits(wanted[0], wanted[1]) && !(fits(wanted[1], wanted[0]) && !embedding))
      throw new TransformersError(
        `${where}: the pair of ${target} has shapes [${a_shape}] and [${b_shape}], which do not fit [${shape}]`,
        "adapter_invalid",
      );
    const module = target.replace(/\.weight$/, "");
    return { a, b, rank: a_shape[0], scale: scaling(this.config, module, a_shape[0]), embedding };
  }

  /** Adds `scale * b a` to a matrix of `state`. `transposed`: it is a Conv1D's. */
  add_to(state: NativeStateDict, name: string, transposed: boolean): void {
    const pair = this.pairs.get(name);
    if (pair) state.add_low_rank(name, this.state, pair.a, pair.b, pair.scale, pair.embedding || transposed);
  }

  /** A tensor of the adapter, flat. */
  read(key: string): Float32Array {
    const values = new Float32Array(this.state.info(key).shape.reduce((product, size) => product * size, 1));
    this.state.read_f32(key, values);
    return values;
  }

  /** A copy of the tensors, by the names in the model. */
  state_dict(): NativeStateDict {
    const copy = new (native().StateDict)(this.state);
    for (const name of copy.keys()) if (name.startsWith(PREFIX)) copy.rename(name, name.slice(PREFIX.length));
    return copy;
  }

  /** Writes adapter_config.json and adapter_model.safetensors, which PEFT loads. */
  async save_pretrained(folder: string): Promise<void> {
    await make_folder(folder);
    const state = this.state_dict();
    for (const name of state.keys()) state.rename(name, PREFIX + name);
    await state.save(join(folder, WEIGHTS), { names: state.keys(), metadata: { format: "pt" } });
    await writeFile(join(folder, ADAPTER_CONFIG), `${JSON.stringify(this.config, null, 2)}\n`);
  }
}

/** Reads an adapter for a model with these parameters: a folder, or a name in the cache or on the Hub. */
export async function load_adapter(
  name_or_path: string | undefined,
  { peft_config, adapter_state_dict, ...options }: LoadAdapterOptions,
  parameters: readonly ParameterSpec[],
): Promise<Adapter> {
  if (name_or_path === undefined || name_or_path === null) {
    if (!peft_config || !adapter_state_dict)
      throw new TypeError(
        "You should either pass a `peft_model_id` or a `peft_config` and `adapter_state_dict` to load an adapter.",
      );
    return new Adapter(check_lora_config(peft_config, "peft_config"), adapter_state_dict, "state_dict", parameters);
  }
  if (typeof name_or_path !== "string" || name_or_path === "")
    throw expected("an adapter's name or folder", "peft_model_id", name_or_path);
  const config_path = peft_config ? undefined : await find_adapter_config(name_or_path, options);
  if (!config_path && !peft_config)
    throw new TransformersError(
      `adapter model file not found in ${name_or_path}. Make sure you are passing the correct path to the adapter model.`,
      "file_not_found",
    );
  const config = check_lora_config(
    config_path ? await read_adapter_config(config_path) : peft_config,
    config_path ?? "peft_config",
  );
  if (adapter_state_dict) return new Adapter(config, adapter_state_dict, "state_dict", parameters);
  const weights = await cached_file(name_or_path, WEIGHTS, options);
  if (!weights)
    throw new TransformersError(
      `${name_or_path} has no ${WEIGHTS}: adapters are read from safetensors`,
      "file_not_found",
    );
  return new Adapter(config, new (native().StateDict)([weights]), name_or_path, parameters);
}
