// Writes a checkpoint's weights as Python's `save_pretrained` does.
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expected, from_native, TransformersError } from "../errors.js";
import { make_folder } from "../files.js";
import type { NativeStateDict } from "../native.js";
import { add_variant, SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME } from "./files.js";
import { format_shard_index } from "./index_file.js";
import { parse_size, split_into_shards } from "./split.js";

export interface SaveOptions {
  /** Largest file, in bytes or as "5GB" (the default); a tensor that is larger gets a file of its own. */
  max_shard_size?: string | number | undefined;
  /** "fp16" writes model.fp16.safetensors. */
  variant?: string | undefined;
  /** Written into the files, beside `format: "pt"`. */
  metadata?: Record<string, string> | undefined;
  /** Floating tensors are cast to it on the way. */
  dtype?: "F32" | "F16" | "BF16" | undefined;
  /** Which tensors, in which order: it decides their shards. Default: all, in the order of the state dict. */
  names?: readonly string[] | undefined;
  /** Of tied tensors these names are not written: Python's `_tied_weights_keys`. */
  drop?: readonly string[] | undefined;
  /** What an index says of the model; default: the number of elements that are written. */
  total_parameters?: number | undefined;
}

const ELEMENT_BITS: Record<string, number> = { F64: 64, F32: 32, F16: 16, BF16: 16 };

/** Bytes of a tensor in the file. */
function written_size(state: NativeStateDict, name: string, dtype: string | undefined): number {
  const info = state.info(name);
  const bits = ELEMENT_BITS[info.dtype];
  return dtype === undefined || bits === undefined ? info.nbytes : (info.nbytes / bits) * ELEMENT_BITS[dtype];
}

/** `names` without those of `drop` that are tied to another one; each group keeps at least one. */
function without_ties(state: NativeStateDict, names: readonly string[], drop: readonly string[]): string[] {
  const kept = new Set(names);
  const droppable = new Set(drop);
  for (const group of state.ties()) {
    const shared = group.filter((name) => kept.has(name)).sort();
    const dropped = shared.filter((name) => droppable.has(name)).slice(0, Math.max(shared.length - 1, 0));
    for (const name of dropped) kept.delete(name);
    const left = shared.filter((name) => kept.has(name));
    if (left.length > 1) {
      throw new TransformersError(
        `The weights trying to be saved contained shared tensors [{${left.map((name) => `'${name}'`).join(", ")}}] that are ` +
          "mismatching the transformers base configuration.",
        "shared_tensors",
      );
    }
  }
  return [...kept];
}

/**
 * Writes model.safetensors; or, beyond `max_shard_size`, numbered shards and their index. Every file takes its place
 * when it is whole, and the files of an earlier checkpoint in the folder that would be loaded instead go afterwards.
 *
 * @throws TransformersError `shared_tensors` for tied tensors that `drop` does not name, `missing_tensor`, `io_error`
 *
 * Source: `save_pretrained` of transformers/modeling_utils.py.
 */
export async function save_state_dict(
  folder: string,
  state: NativeStateDict,
  options: SaveOptions = {},
): Promise<void> {
  const { max_shard_size = "5GB", variant, metadata = {}, dtype, drop = [] } = options;
  if (typeof folder !== "string" || folder === "") throw expected("a folder", "save_directory", folder);
  if (variant !== undefined && !/^[\w-][\w.-]*$/.test(variant))
    throw expected("a name such as fp16", "variant", variant);
  const max_size = parse_size(max_shard_size);
  try {
    await make_folder(folder);
    const names = without_ties(state, options.names ?? state.keys(), drop);
    const sizes = new Map(names.map((name) => [name, written_size(state, name, dtype)]));
    const shards = split_into_shards(sizes, max_size);
    const weights = add_variant(SAFE_WEIGHTS_NAME, variant);
    const index_name = add_variant(SAFE_WEIGHTS_INDEX_NAME, variant);
    const file_of = (i: number) => {
      const [number, count] = [i + 1, shards.length].map((n) => String(n).padStart(5, "0"));
      return shards.length === 1 ? weights : weights.replace(/\.safetensors$/, `-${number}-of-${count}.safetensors`);
    };
    const written = new Set<string>(shards.length > 1 ? [index_name] : []);
    const weight_map = new Map<string, string>();
    for (const [i, shard] of shards.entries()) {
      const file = file_of(i);
      await state.save(join(folder, file), { names: shard, metadata: { ...metadata, format: "pt" }, dtype });
      written.add(file);
      for (const name of shard) weight_map.set(name, file);
    }
    if (shards.length > 1) {
      const count = (name: string) => state.info(name).shape.reduce((product, size) => product * size, 1);
      const total_parameters = options.total_parameters ?? names.reduce((sum, name) => sum + count(name), 0);
      const total_size = [...sizes.values()].reduce((sum, size) => sum + size, 0);
      await replace_file(
        join(folder, index_name),
        format_shard_index({ metadata: { total_parameters, total_size }, weight_map }),
      );
    }
    await remove_stale(folder, weights, index_name, written);
  } catch (error) {
    throw from_native(error);
  }
}

async function replace_file(path: string, text: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Python removes old shards only, and then loads a model.safetensors that an earlier save left beside new shards. */
async function remove_stale(folder: string, weights: string, index_name: string, written: Set<string>): Promise<void> {
  const prefix = `${weights.replace(/\.safetensors$/, "")}-`;
  for (const name of await readdir(folder)) {
    const shard = name.startsWith(prefix) && /^\d{5}-of-\d{5}\.safetensors$/.test(name.slice(prefix.length));
    if (!written.has(name) && (shard || name === weights || name === index_name)) await rm(join(folder, name));
  }
}
