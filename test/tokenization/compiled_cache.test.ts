import { chmodSync, cpSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import { folder_of, temporary } from "./fixtures.js";

const ROOM = 600_000; // files below 500 KB are not compiled

/** A checkpoint whose tokenizer.json is large enough, with `token` as another added token. */
function checkpoint(token: string): { folder: string; file: string } {
  const folder = temporary();
  cpSync(folder_of("qwen2"), folder, { recursive: true });
  const file = join(folder, "tokenizer.json");
  write(file, token);
  return { folder, file };
}

function write(file: string, token: string): void {
  const json = JSON.parse(readFileSync(join(folder_of("qwen2"), "tokenizer.json"), "utf8"));
  const id = 1 + Math.max(...json.added_tokens.map((added: { id: number }) => added.id));
  json.added_tokens.push({ ...json.added_tokens[0], id, content: token });
  writeFileSync(file, JSON.stringify(json).padEnd(ROOM));
}

const tokens_of = async (folder: string, compiled_cache?: string | boolean) => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder, { compiled_cache });
  return [tokenizer.tokenize("a <one> or <two> b"), JSON.stringify(tokenizer.component("pre_tokenizer"))];
};

describe("compiled_cache", () => {
  test("takes the tables of an unchanged tokenizer.json from its folder", async () => {
    const { folder, file } = checkpoint("<one>");
    const cache = temporary();
    const plain = await tokens_of(folder);
    expect(await tokens_of(folder, cache)).toEqual(plain);
    expect(readdirSync(cache)).toHaveLength(1);
    expect(await tokens_of(folder, cache)).toEqual(plain);

    // With size and time as they were, the kept form answers: it was read. With another time it is made anew.
    const { atime, mtime } = statSync(file);
    utimesSync(file, atime, mtime);
    expect(await tokens_of(folder, cache)).toEqual(plain);
    write(file, "<two>");
    utimesSync(file, atime, mtime);
    expect(await tokens_of(folder, cache)).toEqual(plain);
    utimesSync(file, atime, new Date(mtime.getTime() + 5000));
    const changed = await tokens_of(folder, cache);
    expect(changed).toEqual(await tokens_of(folder));
    expect(changed).not.toEqual(plain);
    expect(readdirSync(cache)).toHaveLength(1);
  });

  test("does without where the kept file is broken or the folder cannot be used", async () => {
    const { folder } = checkpoint("<one>");
    const cache = temporary();
    const plain = await tokens_of(folder, cache);
    const kept = join(cache, readdirSync(cache)[0]!);
    const bytes = readFileSync(kept);
    for (const broken of [
      bytes.subarray(0, 1000),
      Buffer.concat([bytes.subarray(0, 5000), Buffer.alloc(bytes.length - 5000)]),
      Buffer.alloc(0),
    ]) {
      writeFileSync(kept, broken);
      expect(await tokens_of(folder, cache)).toEqual(plain);
      await tokens_of(folder, cache);
      expect(readFileSync(kept).equals(bytes)).toBe(true);
    }
    const no_folder = join(temporary(), "file");
    writeFileSync(no_folder, "");
    expect(await tokens_of(folder, no_folder)).toEqual(plain);
    const locked = temporary();
    chmodSync(locked, 0o500);
    expect(await tokens_of(folder, locked)).toEqual(plain);
  });

  test("names the option that is neither a folder nor true", async () => {
    const options = { compiled_cache: 3 as unknown as string };
    await expect(AutoTokenizer.from_pretrained(folder_of("qwen2"), options)).rejects.toThrow("compiled_cache");
  });
});
