// Folders and safetensors files for tests.
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** A path below test/fixtures/checkpoints. */
export function fixture(...parts: string[]): string {
  return join(fileURLToPath(new URL("../fixtures/checkpoints", import.meta.url)), ...parts);
}

export function fixture_json<T>(...parts: string[]): T {
  return JSON.parse(readFileSync(fixture(...parts), "utf8")) as T;
}

/** A folder that goes when the test ends. */
export function temporary_folder(): string {
  const folder = mkdtempSync(join(tmpdir(), "ggml-transformers-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file with one F32 vector for each entry, straight from the format's description. */
export function write_safetensors(path: string, tensors: Record<string, number[]>): string {
  let end = 0;
  const entries = Object.entries(tensors).map(([name, values]) => {
    const begin = end;
    end += 4 * values.length;
    return [name, { dtype: "F32", shape: [values.length], data_offsets: [begin, end] }];
  });
  const data = new Float32Array(Object.values(tensors).flat());
  writeFileSync(path, Buffer.concat([header(Object.fromEntries(entries)), Buffer.from(data.buffer)]));
  return path;
}

/** Length and text of a header. */
export function header(value: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(value));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text]);
}

/** A sparse file with one F32 vector of so many elements, all zero. */
export function write_sparse(path: string, elements: number): string {
  const bytes = header({ zeros: { dtype: "F32", shape: [elements], data_offsets: [0, 4 * elements] } });
  writeFileSync(path, bytes);
  truncateSync(path, bytes.length + 4 * elements);
  return path;
}
