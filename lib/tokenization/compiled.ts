// Large vocabularies ready-made in a file: it loads in a fraction of the time that a tokenizer.json takes.
import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { home_folder } from "../hub/env.js";
import { native } from "../native.js";

/** Smaller files are parsed as quickly as looked for. */
const LEAST_BYTES = 500_000;
const KEY_BYTES = 32;

const hash = (text: string) => createHash("sha256").update(text).digest();

/** The folder of `compiled_cache: true`. */
export function compiled_folder(): string {
  return join(home_folder(), "ggml-transformers", "tokenizers");
}

/** A file's content in one piece, where Node's readFile asks for half a megabyte at a time. */
export async function read_whole(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const content = Buffer.allocUnsafeSlow((await file.stat()).size);
    let end = 0;
    for (let read = 1; read > 0 && end < content.length; end += read)
      read = (await file.read(content, end, content.length - end, end)).bytesRead;
    return content.subarray(0, end);
  } finally {
    await file.close();
  }
}

const file_of = (real: string, folder: string) => join(folder, `${hash(real).toString("hex").slice(0, 40)}.tokenizer`);

/**
 * The compiled form of a tokenizer.json from `folder`, where it is put the first time; undefined if there is none.
 * The name of its file comes from the path, and it starts with a key made of what changes when the tokenizer.json does,
 * as Python's .pyc files. The engine checks the rest. Whatever goes wrong with the folder, the tokenizer.json is still there.
 */
export async function compiled_tokenizer(path: string, folder: string): Promise<Uint8Array | undefined> {
  try {
    const real = await realpath(path);
    const { size, mtimeNs } = await stat(real, { bigint: true });
    if (size < LEAST_BYTES) return undefined;
    const key = hash(`${real}\0${size}\0${mtimeNs}`);
    const file = file_of(real, folder);
    const kept = await read_whole(file).catch(() => undefined);
    if (kept && key.equals(kept.subarray(0, KEY_BYTES))) return kept.subarray(KEY_BYTES);
    const compiled = new (native().Tokenizer)(await read_whole(real)).compile();
    if (compiled.length === 0) return undefined;
    await write(folder, file, [key, compiled]).catch(() => undefined);
    return compiled;
  } catch {
    return undefined;
  }
}

/** Removes a form that the engine did not take: it is broken, or of another version. */
export async function forget_compiled(path: string, folder: string): Promise<void> {
  await rm(file_of(await realpath(path), folder), { force: true }).catch(() => undefined);
}

/** All or nothing, for other processes that read the file. */
async function write(folder: string, file: string, parts: Uint8Array[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  const unfinished = `${file}.${randomUUID()}`;
  try {
    await writeFile(unfinished, Buffer.concat(parts), { mode: 0o600 });
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
