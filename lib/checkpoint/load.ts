// Opens a checkpoint's weights, wherever they are.
import { join } from "node:path";
import { expected, from_native, TransformersError } from "../errors.js";
import { is_file } from "../hub/cache.js";
import { cached_file, type HubOptions, local_folder } from "../hub/cached_file.js";
import { type NativeStateDict, native } from "../native.js";
import { add_variant, OTHER_WEIGHTS_NAMES, SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME } from "./files.js";
import { check_shards_inside, read_shard_index } from "./index_file.js";

export interface CheckpointOptions extends HubOptions {
  /** "fp16" opens model.fp16.safetensors. */
  variant?: string | undefined;
  /** False asks for pytorch_model.bin, which is an error here. Default: safetensors if there are any. */
  use_safetensors?: boolean | undefined;
}

/**
 * The tensors of a checkpoint: model.safetensors, or the shards that model.safetensors.index.json names. Reads headers
 * alone; the bytes stay in the files until they are used.
 *
 * @param name_or_path a folder, a .safetensors file, or a repository's id
 * @throws TransformersError `checkpoint_invalid` for damaged or hostile files, `entry_not_found` with Python's text when
 *   there are no weights, and what `cached_file` throws
 *
 * Source: `_get_resolved_checkpoint_files` and `load_state_dict` of transformers/modeling_utils.py.
 */
export async function load_state_dict(name_or_path: string, options: CheckpointOptions = {}): Promise<NativeStateDict> {
  const { variant, use_safetensors, ...hub } = options;
  if (typeof name_or_path !== "string" || name_or_path === "")
    throw expected("a folder or a repository's id", "pretrained_model_name_or_path", name_or_path);
  if (variant !== undefined && (typeof variant !== "string" || variant === ""))
    throw expected("a name such as fp16", "variant", variant);
  if (use_safetensors !== undefined && typeof use_safetensors !== "boolean")
    throw expected("a boolean", "use_safetensors", use_safetensors);
  if (use_safetensors === false) {
    throw new TransformersError(
      "use_safetensors=False asks for pytorch_model.bin, which cannot be read: only safetensors can.",
      "checkpoint_format",
    );
  }
  if (name_or_path.endsWith(".safetensors") && (await is_file(name_or_path))) return open([name_or_path]);

  const single = await cached_file(name_or_path, add_variant(SAFE_WEIGHTS_NAME, variant), hub);
  if (single !== undefined) return open([single]);
  const index = await cached_file(name_or_path, add_variant(SAFE_WEIGHTS_INDEX_NAME, variant), hub);
  if (index !== undefined) return open_shards(name_or_path, index, hub);
  throw await no_weights(name_or_path, options);
}

function open(paths: string[]): NativeStateDict {
  try {
    return new (native().StateDict)(paths);
  } catch (error) {
    throw from_native(error);
  }
}

async function open_shards(name_or_path: string, index: string, hub: HubOptions): Promise<NativeStateDict> {
  const { weight_map } = await read_shard_index(index);
  const files = new Map<string, string>();
  for (const name of [...new Set(weight_map.values())].sort()) {
    files.set(name, (await cached_file(name_or_path, name, { ...hub, required: true })) as string);
  }
  await check_shards_inside(index, [...files.values()]);
  const state = open([...files.values()]);
  for (const [tensor, name] of weight_map) {
    if (state.has(tensor) && state.info(tensor).file === files.get(name)) continue;
    state.dispose();
    throw new TransformersError(
      `${index}: tensor ${tensor} is not in ${name}, where weight_map has it`,
      "checkpoint_invalid",
    );
  }
  return state;
}

/** Why there is nothing to load, in Python's words. */
async function no_weights(name_or_path: string, options: CheckpointOptions): Promise<unknown> {
  const { variant, use_safetensors, subfolder = "", ...hub } = options;
  const name = add_variant(SAFE_WEIGHTS_NAME, variant);
  const folder = await local_folder(name_or_path);
  if (folder === undefined) {
    // Asked again, as required: the Hub's own refusal says more.
    return cached_file(name_or_path, name, { ...hub, subfolder, required: true }).catch((error) => error);
  }
  const text = `Error no file named ${use_safetensors ? name : `${add_variant("pytorch_model.bin", variant)}, ${name}, tf_model.h5, model.ckpt.index or flax_model.msgpack`} found in directory ${name_or_path}`;
  for (const other of OTHER_WEIGHTS_NAMES) {
    if (!(await is_file(join(folder, subfolder, other)))) continue;
    return new TransformersError(
      `Error no file named ${name} found in directory ${name_or_path}. There is ${other}, which cannot be read: only ` +
        "safetensors can. Saving the model in Python with `save_pretrained` makes them.",
      "checkpoint_format",
    );
  }
  return new TransformersError(`${text}.`, "entry_not_found");
}
