// The index of a sharded checkpoint: which file has which tensor.
import { readFile, realpath } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { TransformersError } from "../errors.js";
import { safe_path } from "../hub/cache.js";

/** What save_pretrained writes beside the shards. */
export interface ShardIndex {
  metadata: Record<string, number>;
  /** Tensor names and the names of their files. */
  weight_map: Map<string, string>;
}

function is_object(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Python joins these names to the folder as they are; an index from a stranger must not open any file of this machine. */
function stays_inside(name: string): boolean {
  if (name.includes("\\") || /^[a-z][a-z0-9+.-]*:/i.test(name)) return false;
  try {
    safe_path(name, "file name");
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads an index. Its file names stay inside the folder that they will be joined to.
 * @throws TransformersError `checkpoint_invalid` that names the file and what is wrong with it
 */
export async function read_shard_index(path: string): Promise<ShardIndex> {
  const fail = (what: string, cause?: unknown) =>
    new TransformersError(`${path}: ${what}`, "checkpoint_invalid", cause);
  let index: unknown;
  try {
    index = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw fail(`not a valid JSON file (${(error as Error).message})`, error);
  }
  if (!is_object(index)) throw fail("expected an object");
  const { weight_map, metadata } = index;
  if (!is_object(metadata)) throw fail("expected an object for metadata");
  if (!is_object(weight_map)) throw fail("expected an object for weight_map");
  const entries = Object.entries(weight_map);
  if (entries.length === 0) throw fail("weight_map is empty");
  for (const [tensor, file] of entries) {
    if (typeof file !== "string" || file === "") throw fail(`expected a file name for tensor ${tensor} in weight_map`);
    if (!stays_inside(file)) {
      throw fail(`the file of tensor ${tensor} must be a name inside the folder, not ${JSON.stringify(file)}`);
    }
  }
  return { metadata: metadata as Record<string, number>, weight_map: new Map(entries as [string, string][]) };
}

/** The folders where a file beside `index_path` may really be: its own, and the blobs of the Hub cache around it. */
async function allowed_folders(index_path: string): Promise<string[]> {
  const folder = await realpath(dirname(index_path));
  const repository = folder.match(/^(.*[\\/]models--[^\\/]+)[\\/]snapshots[\\/]/)?.[1];
  if (repository === undefined) return [folder];
  const blobs = await realpath(join(repository, "blobs")).catch(() => undefined);
  return blobs === undefined ? [folder] : [folder, blobs];
}

/** Refuses shards that are links to files elsewhere. */
export async function check_shards_inside(index_path: string, shards: string[]): Promise<void> {
  const folders = await allowed_folders(index_path);
  for (const shard of shards) {
    const real = await realpath(shard);
    const inside = folders.some((folder) => {
      const path = relative(folder, real);
      return path !== "" && path !== ".." && !path.startsWith(`..${sep}`) && !/^([a-z]:|[\\/])/i.test(path);
    });
    if (!inside) {
      throw new TransformersError(`${shard} leads outside its folder, to ${real}`, "checkpoint_invalid");
    }
  }
}

/** As Python's `json.dumps(index, indent=2, sort_keys=True)`. */
export function format_shard_index({ metadata, weight_map }: ShardIndex): string {
  const ascii = (text: string) =>
    JSON.stringify(text).replace(/[\x7f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const block = (entries: [string, string][]) =>
    `{\n${entries.map(([key, value]) => `    ${ascii(key)}: ${value}`).join(",\n")}\n  }`;
  const sorted = <T>(entries: Iterable<[string, T]>) =>
    [...entries].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))); // by code points, as Python
  const numbers = sorted(Object.entries(metadata)).map(([key, value]): [string, string] => [key, String(value)]);
  const files = sorted(weight_map).map(([key, file]): [string, string] => [key, ascii(file)]);
  return `{\n  "metadata": ${block(numbers)},\n  "weight_map": ${block(files)}\n}\n`;
}
