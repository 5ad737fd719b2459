import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { read_gguf } from "../../lib/checkpoint/gguf.js";

const folder = mkdtempSync(join(tmpdir(), "gguf-"));

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number | bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
const head = (entries: number, version = 3) => [Buffer.from("GGUF"), u32(version), u64(0), u64(entries)];

async function read(...parts: Buffer[]) {
  const path = join(folder, "file.gguf");
  writeFileSync(path, Buffer.concat(parts));
  return read_gguf(path);
}

describe("read_gguf", () => {
  test("reads a real file's metadata and nothing of its tensors", async () => {
    const path = fileURLToPath(new URL("../../vendor/llama.cpp/models/ggml-vocab-llama-spm.gguf", import.meta.url));
    const { version, metadata } = await read_gguf(path);
    expect(version).toBe(3);
    expect(metadata.get("general.architecture")).toBe("llama");
    expect(metadata.get("tokenizer.ggml.bos_token_id")).toBe(1);
    expect(metadata.get("tokenizer.ggml.tokens")).toHaveLength(32000);
    expect(metadata.get("tokenizer.ggml.scores")).toBeInstanceOf(Float32Array);
  });

  test("reads every type", async () => {
    const float = Buffer.alloc(4);
    float.writeFloatLE(1.5);
    const { metadata } = await read(
      ...head(7),
      ...[text("u8"), u32(0), Buffer.from([200])],
      ...[text("i32"), u32(5), u32(0xffffffff)],
      ...[text("f32"), u32(6), float],
      ...[text("bool"), u32(7), Buffer.from([1])],
      ...[text("u64"), u32(10), u64(2n ** 60n)],
      ...[text("names"), u32(9), u32(8), u64(2), text("é"), text("")],
      ...[text("nested"), u32(9), u32(9), u64(1), u32(2), u64(2), Buffer.from([1, 0, 2, 0])],
    );
    expect(Object.fromEntries(metadata)).toEqual({
      u8: 200,
      i32: -1,
      f32: 1.5,
      bool: true,
      u64: 2n ** 60n,
      names: ["é", ""],
      nested: [Uint16Array.of(1, 2)],
    });
  });

  test.each<[string, Buffer[], RegExp]>([
    ["an empty file", [], /magic number of 4 bytes goes beyond the end/],
    ["another format", [Buffer.from("PK\x03\x04aaaaaaaaaaaaaaaaaaaaaaaa")], /does not start with 'GGUF'/],
    ["version 1", head(0, 1), /version 1 is not supported/],
    ["a big-endian file", head(0, 0x03000000), /big-endian/],
    ["a count beyond the file", head(2 ** 40), /number of metadata entries 1099511627776 is larger/],
    ["a cut-off entry", head(1), /goes beyond the end/],
    [
      "a key beyond the file",
      [...head(1), u64(40), Buffer.from("abc"), Buffer.alloc(20)],
      /a metadata key of 40 bytes/,
    ],
    ["an unknown type", [...head(1), text("a"), u32(77), u64(0)], /"a" has the unknown type 77/],
    [
      "a key twice",
      [...head(2), text("a"), u32(7), Buffer.from([0]), text("a"), u32(7), Buffer.from([0])],
      /occurs twice/,
    ],
    ["a bool of 2", [...head(1), text("a"), u32(7), Buffer.from([2])], /a bool of 2/],
    [
      "an array beyond the file",
      [...head(1), text("a"), u32(9), u32(10), u64(30), Buffer.alloc(40)],
      /"a" of 240 bytes/,
    ],
    [
      "arrays in arrays without end",
      [...head(1), text("a"), u32(9), ...Array.from({ length: 9 }, () => [u32(9), u64(1)]).flat()],
      /nested too deeply/,
    ],
  ])("refuses %s", async (_, parts, message) => {
    await expect(read(...parts)).rejects.toThrow(message);
    await expect(read(...parts)).rejects.toMatchObject({ code: "gguf_invalid" });
  });
});
