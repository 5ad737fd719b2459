// How a state dict is split into files: huggingface_hub/serialization/_base.py.
import { expected } from "../errors.js";

const UNITS: Record<string, number> = {
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** Bytes of "5GB", "1.5 MB", "1GiB", or of a number. */
export function parse_size(size: string | number, argument = "max_shard_size"): number {
  if (typeof size === "number" && Number.isInteger(size) && size >= 0) return size;
  const parts = typeof size === "string" ? /^\s*(\d+\.?\d*|\.\d+)\s*([KMGT]I?B)\s*$/i.exec(size) : null;
  if (!parts) throw expected("a count of bytes, or a size like 5GB (units KB, MB, GB, TB, KiB, …)", argument, size);
  return Math.trunc(Number(parts[1]) * UNITS[parts[2].toUpperCase()]);
}

/** Fills files in the order of the tensors; a tensor that is larger than `max_size` gets a file of its own. */
export function split_into_shards(sizes: ReadonlyMap<string, number>, max_size: number): string[][] {
  const shards: string[][] = [];
  let current: string[] = [];
  let filled = 0;
  for (const [name, size] of sizes) {
    if (size > max_size) {
      shards.push([name]);
      continue;
    }
    if (filled + size > max_size) {
      shards.push(current);
      current = [];
      filled = 0;
    }
    current.push(name);
    filled += size;
  }
  if (current.length > 0 || shards.length === 0) shards.push(current);
  return shards;
}
