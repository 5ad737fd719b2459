// Reads what scripts/fixtures made with Python.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const FIXTURES = fileURLToPath(new URL("./fixtures/", import.meta.url));

/** The path of a fixture. */
export function fixture(...parts: string[]): string {
  return join(FIXTURES, ...parts);
}

export function read_json<T>(...parts: string[]): T {
  return JSON.parse(readFileSync(fixture(...parts), "utf8")) as T;
}

/** The names of the folders in a folder of fixtures. */
export function folders(...parts: string[]): string[] {
  return readdirSync(fixture(...parts), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

/** Expected float32 and int64 tensors, as float32, read without our own reader. */
export function read_tensors(...parts: string[]): Record<string, { shape: number[]; data: Float32Array }> {
  const bytes = readFileSync(fixture(...parts));
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const result: Record<string, { shape: number[]; data: Float32Array }> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (entry.dtype !== "F32" && entry.dtype !== "I64") continue;
    const [begin, end] = entry.data_offsets;
    const { buffer } = new Uint8Array(bytes.subarray(8 + length + begin, 8 + length + end));
    const data =
      entry.dtype === "F32" ? new Float32Array(buffer) : Float32Array.from(new BigInt64Array(buffer), Number);
    result[name] = { shape: entry.shape, data };
  }
  return result;
}

/** The largest difference between two arrays, over the largest expected magnitude. */
export function relative_error(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let difference = 0;
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
    magnitude = Math.max(magnitude, Math.abs(expected[i]));
  }
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference / (magnitude || 1);
}
