import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { read_gguf_tensors } from "../../lib/checkpoint/gguf.js";

const folder = mkdtempSync(join(tmpdir(), "gguf-tensors-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value: number | bigint) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

/** `shape` in GGUF's order: the first dimension is contiguous. */
const tensor = (name: string, shape: (number | bigint)[], type: number) =>
  Buffer.concat([text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(0)]);

/** A file without metadata whose values are `size` bytes of nothing. */
function read(tensors: Buffer[], size = 4096) {
  const path = join(folder, "file.gguf");
  const head = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(0)];
  writeFileSync(path, Buffer.concat([...head, ...tensors, Buffer.alloc(size)]));
  return read_gguf_tensors(path);
}

describe("read_gguf_tensors", () => {
  it("gives names, Python's shapes, types and sizes", async () => {
    const { tensors } = await read([
      tensor("norm", [8], 0),
      tensor("matrix", [256, 3], 12),
      tensor("half", [2, 3, 4], 30),
    ]);
    expect(tensors).toEqual([
      { name: "norm", shape: [8], dtype: "F32", nbytes: 32 },
      { name: "matrix", shape: [3, 256], dtype: "Q4_K", nbytes: 3 * 144 },
      { name: "half", shape: [4, 3, 2], dtype: "BF16", nbytes: 48 },
    ]);
  });

  it.each([
    ["too many dimensions", [tensor("a", [1, 1, 1, 1, 1], 0)], '"a" has 5 dimensions'],
    ["a type that does not exist", [tensor("a", [32], 31)], '"a" has the unknown type 31'],
    ["values beyond the file", [tensor("a", [2n ** 60n, 2n ** 60n], 0)], '"a" is larger than the file'],
    ["a list that ends early", [tensor("a", [1], 0).subarray(0, 20)], "beyond the end of the file"],
  ])("refuses %s", async (_, tensors, message) => {
    await expect(read(tensors, 0)).rejects.toMatchObject({
      code: "gguf_invalid",
      message: expect.stringContaining(message),
    });
  });
});
