import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { load_state_dict, read_f32, save_state_dict } from "../../lib/checkpoint/index.js";
import { type NativeStateDict, native } from "../../lib/native.js";
import { fixture, fixture_json, temporary_folder, write_safetensors } from "./helpers.js";

function files_of(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString("latin1")]),
  );
}

/** The tensors of Python's model, with its tied head. */
async function model(): Promise<NativeStateDict> {
  const state = await load_state_dict(fixture("shards", "10GB"));
  state.alias("lm_head.weight", "model.embed_tokens.weight");
  return state;
}

const names = fixture_json<string[]>("shards", "names.json");
const drop = ["lm_head.weight"];

describe("A file that Python wrote", () => {
  for (const file of ["dtypes.safetensors", "without_metadata.safetensors", "cast_float16.safetensors"]) {
    it(`comes out byte for byte: ${file}`, async () => {
      const state = new (native().StateDict)([fixture(file)]);
      const copy = join(temporary_folder(), "copy");
      await state.save(copy, { names: state.keys().reverse(), metadata: state.metadata() });
      expect(readFileSync(copy).equals(readFileSync(fixture(file)))).toBe(true);
    });
  }

  for (const [dtype, python] of [
    ["F16", "float16"],
    ["BF16", "bfloat16"],
    ["F32", "float32"],
  ] as const) {
    it(`comes out as Python's cast to ${python}, integers as they were`, async () => {
      const state = new (native().StateDict)([fixture("cast_float32.safetensors")]);
      const copy = join(temporary_folder(), "copy");
      await state.save(copy, { names: state.keys(), metadata: state.metadata(), dtype });
      expect(readFileSync(copy).equals(readFileSync(fixture(`cast_${python}.safetensors`)))).toBe(true);
    });
  }
});

describe("A model", () => {
  for (const max_shard_size of ["10GB", "4KB", "2.5KB"]) {
    it(`becomes the files that Python's save_pretrained writes with max_shard_size ${max_shard_size}`, async () => {
      const folder = join(temporary_folder(), "new", "folder");
      await save_state_dict(folder, await model(), { max_shard_size, names, drop });
      expect(files_of(folder)).toEqual(files_of(fixture("shards", max_shard_size)));
    });
  }

  it("loads again from its shards", async () => {
    const folder = temporary_folder();
    const state = await model();
    await save_state_dict(folder, state, { max_shard_size: 2500, names, drop });
    const again = await load_state_dict(folder);
    expect(again.keys().sort()).toEqual(names.filter((name) => name !== "lm_head.weight").sort());
    for (const name of again.keys()) expect(read_f32(again, name)).toEqual(read_f32(state, name));
  });

  it("keeps one of its tied tensors, whatever may be dropped", async () => {
    const folder = temporary_folder();
    const state = await model();
    await save_state_dict(folder, state, { drop: ["lm_head.weight", "model.embed_tokens.weight"] });
    expect((await load_state_dict(folder)).has("model.embed_tokens.weight")).toBe(true);
    await expect(save_state_dict(folder, state)).rejects.toThrow(
      "contained shared tensors [{'lm_head.weight', 'model.embed_tokens.weight'}]",
    );
    state.set("lm_head.weight", "F32", [1], new Float32Array(1));
    await save_state_dict(folder, state, { drop });
    expect((await load_state_dict(folder)).info("lm_head.weight").shape).toEqual([1]);
  });

  it("has its variant in the names of its files", async () => {
    const folder = temporary_folder();
    await save_state_dict(folder, await model(), { max_shard_size: "8KB", variant: "fp16", dtype: "F16", drop });
    expect(readdirSync(folder).sort()).toEqual([
      "model.fp16-00001-of-00002.safetensors",
      "model.fp16-00002-of-00002.safetensors",
      "model.safetensors.index.fp16.json",
    ]);
    const state = await load_state_dict(folder, { variant: "fp16" });
    expect(state.info("model.norm.weight")).toMatchObject({ dtype: "F16", shape: [16] });
    expect(state.metadata()).toEqual({ format: "pt" });
  });

  it("replaces what an earlier save left, and leaves other files alone", async () => {
    const folder = temporary_folder();
    const others = ["config.json", "model.fp16.safetensors", "model-00001-of-00002.bin", "tokenizer.json"];
    for (const name of others) writeFileSync(join(folder, name), "");
    const state = await model();
    await save_state_dict(folder, state, { drop });
    await save_state_dict(folder, state, { max_shard_size: "4KB", drop });
    expect(readdirSync(folder)).not.toContain("model.safetensors");
    await save_state_dict(folder, state, { max_shard_size: "12KB", drop });
    expect(readdirSync(folder).filter((name) => name.includes("-of-0"))).toHaveLength(3);
    await save_state_dict(folder, state, { drop });
    expect(readdirSync(folder).sort()).toEqual([...others, "model.safetensors"].sort());
  });

  it("can be saved over the files that it was opened from", async () => {
    const folder = temporary_folder();
    write_safetensors(join(folder, "model.safetensors"), { a: [1, 2], b: [3] });
    const state = await load_state_dict(folder);
    state.rename("b", "c");
    await save_state_dict(folder, state);
    expect([...read_f32(state, "c")]).toEqual([3]);
    expect([...read_f32(await load_state_dict(folder), "c")]).toEqual([3]);
  });
});

describe("Saving", () => {
  it("leaves no half files when it fails", async () => {
    const folder = temporary_folder();
    mkdirSync(join(folder, "model.safetensors"));
    await expect(save_state_dict(folder, await model(), { drop })).rejects.toMatchObject({
      name: "TransformersError",
      code: "io_error",
    });
    expect(readdirSync(folder)).toEqual(["model.safetensors"]);
  });

  it("writes the tensors that were there when it began", async () => {
    const path = join(temporary_folder(), "model.safetensors");
    const state = await model();
    const saving = state.save(path, { names: state.keys() });
    for (const name of state.keys()) state.delete(name);
    state.dispose();
    await saving;
    expect((await load_state_dict(path)).size).toBe(names.length);
  });

  it("names wrong arguments", async () => {
    const state = await model();
    await expect(save_state_dict("", state)).rejects.toThrow("Expected a folder for save_directory");
    await expect(save_state_dict("x", state, { max_shard_size: "5 giga" })).rejects.toThrow("max_shard_size");
    await expect(save_state_dict("x", state, { variant: "../x" })).rejects.toThrow("variant");
    await expect(save_state_dict(temporary_folder(), state, { names: ["no"] })).rejects.toThrow("no tensor named no");
    expect(() => state.save("x", { names: ["model.norm.weight"], dtype: "I8" as "F16" })).toThrow(
      "Expected F32, F16 or BF16 for dtype",
    );
    expect(() => state.save("x", { names: [], metadata: { a: 1 as unknown as string } })).toThrow(
      "Expected a string for metadata",
    );
  });
});
