// Finds and reads a checkpoint's config.json.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expected, TransformersError } from "../errors.js";
import { extract_commit_hash, is_file } from "../hub/cache.js";
import { cached_file, type HubOptions, split_hub_options } from "../hub/cached_file.js";
import { parse_json } from "../python_json.js";
import { TRANSFORMERS_VERSION } from "./defaults.js";
import { read_gguf_config } from "./gguf.js";

/** Options of `from_pretrained`: where the files come from, and fields that override the file's. */
export interface ConfigOptions extends HubOptions {
  /** Return `[config, unused]`, with the options that are no fields. Default: false. */
  return_unused_kwargs?: boolean;
  /** Code of a repository is Python: it cannot run here. */
  trust_remote_code?: boolean;
  [field: string]: unknown;
}

/** Reads an object from a JSON file. Throws TransformersError `config_invalid`. */
export async function read_json(path: string): Promise<Record<string, unknown>> {
  const bytes = await readFile(path);
  try {
    const value = parse_json(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw new SyntaxError("not an object");
    return value as Record<string, unknown>;
  } catch (error) {
    throw new TransformersError(
      `It looks like the config file at '${path}' is not a valid JSON file. (${(error as Error).message})`,
      "config_invalid",
      error,
    );
  }
}

/**
 * The object of a checkpoint's config.json (with `gguf_file`, of that file's metadata), and the options that are not about finding it.
 *
 * Source: `PretrainedConfig.get_config_dict`.
 */
export async function get_config_dict(
  name_or_path: string,
  options: ConfigOptions,
): Promise<[Record<string, unknown>, Record<string, unknown>]> {
  if (typeof name_or_path !== "string" || name_or_path === "") {
    throw expected("a folder or a repository's id", "pretrained_model_name_or_path", name_or_path);
  }
  const [hub, { trust_remote_code: _, gguf_file, ...rest }] = split_hub_options(options);
  if (gguf_file !== undefined && gguf_file !== null) {
    if (typeof gguf_file !== "string" || gguf_file === "") throw expected("a file's name", "gguf_file", gguf_file);
    const file = await config_path(name_or_path, gguf_file, hub);
    const commit = extract_commit_hash(file);
    return [{ ...(await read_gguf_config(file)), ...(commit ? { _commit_hash: commit } : {}) }, rest];
  }
  const path = await config_path(name_or_path, "config.json", hub);
  let dict = await read_json(path);
  const commit = extract_commit_hash(path);
  const versions = dict.configuration_files;
  if (Array.isArray(versions)) {
    dict = await read_json(await config_path(name_or_path, configuration_file(versions), hub));
  }
  if (commit) dict._commit_hash = commit;
  return [dict, rest];
}

async function config_path(name_or_path: string, filename: string, hub: HubOptions): Promise<string> {
  const direct = join(hub.subfolder ?? "", name_or_path);
  if (await is_file(direct)) return direct;
  try {
    const found = await cached_file(name_or_path, filename, { ...hub, required: true });
    return found!;
  } catch (error) {
    if (!(error instanceof TransformersError && error.code === "repository_id_invalid")) throw error;
    throw new TransformersError(
      `Can't load the configuration of '${name_or_path}'. If you were trying to load it from ` +
        "'https://huggingface.co/models', make sure you don't have a local directory with the same name. Otherwise, make " +
        `sure '${name_or_path}' is the correct path to a directory containing a ${filename} file`,
      "config_not_found",
      error,
    );
  }
}

/** The file for this version among `config.<version>.json`: the last that is not newer. */
function configuration_file(names: unknown[]): string {
  const versions = names.flatMap((name) => String(name).match(/^config\.(\d+(?:\.\d+)*)\.json$/)?.[1] ?? []);
  const older = versions.filter((version) => compare_versions(version, TRANSFORMERS_VERSION) <= 0);
  const best = older.sort(compare_versions).at(-1);
  return best ? `config.${best}.json` : "config.json";
}

/** Order of dotted versions; what follows the numbers (`.dev0`) does not count. */
export function compare_versions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map((part) => Number.parseInt(part, 10) || 0));
  for (let i = 0; i < 3; i++) {
    const difference = (left![i] ?? 0) - (right![i] ?? 0);
    if (difference) return difference;
  }
  return 0;
}
