import { cpSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { load_state_dict } from "../../lib/checkpoint/index.js";
import { fixture, fixture_json, temporary_folder, write_safetensors } from "./helpers.js";

function write_index(folder: string, weight_map: unknown, metadata: unknown = { total_size: 4 }): void {
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ metadata, weight_map }));
}

/** A folder with two shards and an index with what `change` does to it. */
function sharded(weight_map: Record<string, string> = { a: "one.safetensors", b: "two.safetensors" }): string {
  const folder = temporary_folder();
  write_safetensors(join(folder, "one.safetensors"), { a: [1] });
  write_safetensors(join(folder, "two.safetensors"), { b: [2] });
  write_index(folder, weight_map);
  return folder;
}

describe("The weights of a folder", () => {
  it("are model.safetensors, before any index", async () => {
    const folder = sharded();
    write_safetensors(join(folder, "model.safetensors"), { c: [3] });
    expect((await load_state_dict(folder)).keys()).toEqual(["c"]);
  });

  it("are the shards that Python wrote", async () => {
    const state = await load_state_dict(fixture("shards", "4KB"));
    const names = fixture_json<string[]>("shards", "names.json").filter((name) => name !== "lm_head.weight");
    expect(state.keys().sort()).toEqual(names.sort());
    expect(state.info("model.embed_tokens.weight").shape).toEqual([40, 16]);
    expect(state.metadata()).toEqual({ format: "pt" });
  });

  it("can be those of a variant, in a subfolder, or a file by its path", async () => {
    const folder = temporary_folder();
    mkdirSync(join(folder, "sub"));
    const path = write_safetensors(join(folder, "sub", "model.fp16.safetensors"), { a: [1] });
    expect((await load_state_dict(folder, { variant: "fp16", subfolder: "sub" })).keys()).toEqual(["a"]);
    expect((await load_state_dict(path)).keys()).toEqual(["a"]);
  });

  it("are found in the cache of the Hub, whose snapshots are links", async () => {
    const cache_dir = temporary_folder();
    const repository = join(cache_dir, "models--org--model");
    const commit = "0123456789abcdef0123456789abcdef01234567";
    const snapshot = join(repository, "snapshots", commit);
    for (const folder of [snapshot, join(repository, "refs"), join(repository, "blobs")])
      mkdirSync(folder, { recursive: true });
    writeFileSync(join(repository, "refs", "main"), commit);
    for (const [i, name] of readdirSync(fixture("shards", "4KB")).entries()) {
      cpSync(fixture("shards", "4KB", name), join(repository, "blobs", `etag${i}`));
      symlinkSync(join("..", "..", "blobs", `etag${i}`), join(snapshot, name));
    }
    expect((await load_state_dict("org/model", { cache_dir, local_files_only: true })).size).toBe(20);
    expect((await load_state_dict(snapshot)).size).toBe(20);
  });
});

describe("Without weights", () => {
  it("the error has Python's text", async () => {
    const folder = temporary_folder();
    await expect(load_state_dict(folder)).rejects.toMatchObject({
      code: "entry_not_found",
      message: `Error no file named pytorch_model.bin, model.safetensors, tf_model.h5, model.ckpt.index or flax_model.msgpack found in directory ${folder}.`,
    });
    await expect(load_state_dict(folder, { use_safetensors: true, variant: "fp16" })).rejects.toThrow(
      `Error no file named model.fp16.safetensors found in directory ${folder}.`,
    );
  });

  it("in safetensors the error names the format that is there", async () => {
    const folder = temporary_folder();
    writeFileSync(join(folder, "pytorch_model.bin"), "");
    await expect(load_state_dict(folder)).rejects.toMatchObject({
      code: "checkpoint_format",
      message: expect.stringContaining("There is pytorch_model.bin, which cannot be read"),
    });
    await expect(load_state_dict(folder, { use_safetensors: false })).rejects.toMatchObject({
      code: "checkpoint_format",
    });
  });

  it("in the cache, offline, the error is the Hub's", async () => {
    const options = { cache_dir: temporary_folder(), local_files_only: true };
    await expect(load_state_dict("org/no-such-model", options)).rejects.toMatchObject({ code: "connection_error" });
  });

  it("wrong options are named", async () => {
    await expect(load_state_dict("")).rejects.toThrow(TypeError);
    await expect(load_state_dict("x", { variant: 5 as unknown as string })).rejects.toThrow(
      "Expected a name such as fp16 for variant",
    );
    await expect(load_state_dict("x", { use_safetensors: "yes" as unknown as boolean })).rejects.toThrow(
      "use_safetensors",
    );
  });
});

describe("An index is refused", () => {
  const invalid = { name: "TransformersError", code: "checkpoint_invalid" };

  for (const name of [
    "../../etc/passwd",
    "../one.safetensors",
    "sub/../../one.safetensors",
    "/etc/passwd",
    "..\\one.safetensors",
    "C:\\one.safetensors",
    "C:one.safetensors",
    "one.safetensors\0",
    "https://example.com/one.safetensors",
    "file:one.safetensors",
    "",
  ]) {
    it(`when it names ${JSON.stringify(name)}`, async () => {
      const folder = sharded({ a: name, b: "two.safetensors" });
      await expect(load_state_dict(folder)).rejects.toMatchObject(invalid);
      await expect(load_state_dict(folder)).rejects.toThrow("tensor a");
    });
  }

  it("when a shard is a link that leads outside", async () => {
    const outside = write_safetensors(join(temporary_folder(), "one.safetensors"), { a: [1] });
    const folder = sharded();
    rmSync(join(folder, "one.safetensors"));
    symlinkSync(outside, join(folder, "one.safetensors"));
    await expect(load_state_dict(folder)).rejects.toMatchObject(invalid);
    await expect(load_state_dict(folder)).rejects.toThrow("leads outside its folder");
  });

  it("not when a link leads to another file of the folder", async () => {
    const folder = sharded({ a: "link.safetensors", b: "two.safetensors" });
    symlinkSync("one.safetensors", join(folder, "link.safetensors"));
    expect((await load_state_dict(folder)).size).toBe(2);
  });

  it("when a shard is missing", async () => {
    const folder = sharded({ a: "one.safetensors", b: "three.safetensors" });
    await expect(load_state_dict(folder)).rejects.toMatchObject({ code: "entry_not_found" });
    await expect(load_state_dict(folder)).rejects.toThrow("three.safetensors");
  });

  it("when a tensor is not in its shard", async () => {
    const text = "tensor b is not in one.safetensors, where weight_map has it";
    await expect(load_state_dict(sharded({ a: "two.safetensors", b: "one.safetensors" }))).rejects.toThrow(
      "weight_map",
    );
    await expect(load_state_dict(sharded({ a: "one.safetensors", b: "one.safetensors" }))).rejects.toThrow(text);
    await expect(load_state_dict(sharded({ c: "one.safetensors" }))).rejects.toMatchObject(invalid);
  });

  it("when a tensor is in two shards", async () => {
    const folder = sharded();
    write_safetensors(join(folder, "two.safetensors"), { b: [2], a: [3] });
    await expect(load_state_dict(folder)).rejects.toThrow("Tensor a is in two files");
  });

  for (const [what, weight_map, metadata] of [
    ["an empty weight_map", {}, {}],
    ["a weight_map that is a list", ["one.safetensors"], {}],
    ["a weight_map that is null", null, {}],
    ["no weight_map", undefined, {}],
    ["numbers for files", { a: 1 }, {}],
    ["null for metadata", { a: "one.safetensors" }, null],
  ] as const) {
    it(`with ${what}`, async () => {
      const folder = sharded();
      write_index(folder, weight_map, metadata);
      await expect(load_state_dict(folder)).rejects.toMatchObject(invalid);
    });
  }

  it("when it is not JSON", async () => {
    const folder = sharded();
    writeFileSync(join(folder, "model.safetensors.index.json"), "{");
    await expect(load_state_dict(folder)).rejects.toThrow("not a valid JSON file");
  });
});
