import { readFileSync, renameSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { read_f32, read_tensor } from "../../lib/checkpoint/index.js";
import { type NativeStateDict, native } from "../../lib/native.js";
import { fixture, fixture_json, temporary_folder, write_safetensors, write_sparse } from "./helpers.js";

function state_dict(tensors: Record<string, number[]> = {}): NativeStateDict {
  const state = new (native().StateDict)();
  for (const [name, values] of Object.entries(tensors))
    state.set(name, "F32", [values.length], new Float32Array(values));
  return state;
}

function open(...paths: string[]): NativeStateDict {
  return new (native().StateDict)(paths);
}

describe("Tensors of a file", () => {
  it("have the values that Python wrote, whatever their dtype", () => {
    const state = open(fixture("dtypes.safetensors"));
    for (const [name, values] of Object.entries(fixture_json<Record<string, number[]>>("dtypes.json"))) {
      expect([...read_f32(state, name)], name).toEqual(values.map(Math.fround));
    }
  });

  it("come as the array of their dtype", () => {
    const state = open(fixture("dtypes.safetensors"));
    const numbers = fixture_json<Record<string, number[]>>("dtypes.json");
    for (const name of ["int8", "int16", "int32", "uint8", "uint16", "uint32", "float32"]) {
      const { data } = read_tensor(state, name);
      expect(data.constructor.name.toLowerCase()).toBe(`${name}array`);
      expect(Array.from(data as Float32Array), name).toEqual(numbers[name]);
    }
    expect(Array.from(read_tensor(state, "int64").data as BigInt64Array, Number)).toEqual(numbers["int64"]);
    expect(read_tensor(state, "float16").data).toBeInstanceOf(Uint16Array);
    expect(read_tensor(state, "none")).toMatchObject({ shape: [3, 0], data: new Float32Array(0) });
    expect(read_tensor(state, 'q"u\\o\n\u0001té')).toMatchObject({ shape: [], data: new Float32Array([2.5]) });
  });

  it("can be read in pieces", () => {
    const state = open(write_safetensors(join(temporary_folder(), "a.safetensors"), { a: [1, 2, 3, 4] }));
    const two = new Float32Array(2);
    state.read("a", two, 4);
    expect([...two]).toEqual([2, 3]);
    state.read_f32("a", two, 2);
    expect([...two]).toEqual([3, 4]);
    expect(() => state.read("a", two, 12)).toThrow(RangeError);
    expect(() => state.read_f32("a", two, 3)).toThrow(RangeError);
    expect(() => state.read("a", two, -1)).toThrow(
      "Expected a non-negative integer for begin but received -1 of type number",
    );
  });

  it("of types that are no numbers cannot become float32", () => {
    expect(() => read_f32(open(fixture("dtypes.safetensors")), "float8_e5m2")).toThrow(
      "cannot convert a tensor of dtype F8_E5M2 to float32",
    );
  });

  it("must have one name each over all files", () => {
    const folder = temporary_folder();
    const [a, b] = ["a", "b"].map((name) => write_safetensors(join(folder, name), { same: [1] }));
    expect(() => open(a, b)).toThrow(`Tensor same is in two files: ${a} and ${b}`);
  });

  it("stay readable when another file takes their file's name", () => {
    const folder = temporary_folder();
    const path = write_safetensors(join(folder, "model"), { a: [1, 2] });
    const state = open(path);
    renameSync(write_safetensors(join(folder, "other"), { b: [3, 4, 5] }), path);
    expect([...read_f32(state, "a")]).toEqual([1, 2]);
  });

  it("give an error when their file became shorter", () => {
    const path = write_safetensors(join(temporary_folder(), "model"), { a: [1, 2], b: [3, 4] });
    const state = open(path);
    truncateSync(path, 20);
    expect(() => read_f32(state, "b")).toThrow(`${path} became shorter after it was opened`);
    expect(() => read_tensor(state, "b")).toThrow(expect.objectContaining({ code: "checkpoint_changed" }));
  });

  it("are not read when a file is opened", () => {
    const path = write_sparse(join(temporary_folder(), "model"), 2 ** 28);
    native();
    const bytes_read = () =>
      process.platform === "linux" ? Number(/rchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]) : 0;
    const before = { rss: process.memoryUsage.rss(), read: bytes_read() };
    const state = open(path);
    const after = { rss: process.memoryUsage.rss(), read: bytes_read() };
    expect(state.info("zeros")).toMatchObject({ shape: [2 ** 28], nbytes: 2 ** 30 });
    expect(after.read - before.read).toBeLessThan(4096);
    expect(after.rss - before.rss).toBeLessThan(20e6);
  });
});

describe("A state dict", () => {
  it("keeps the order of its names", () => {
    const state = state_dict({ a: [1], b: [2], c: [3] });
    state.rename("a", "z");
    state.set("b", "I64", [], new BigInt64Array(1));
    state.set("d", "U8", [2, 0], new Uint8Array(0));
    expect(state.delete("c")).toBe(true);
    expect(state.delete("c")).toBe(false);
    expect(state.keys()).toEqual(["z", "b", "d"]);
    expect(state.size).toBe(3);
    expect(state.has("a")).toBe(false);
  });

  it("copies what it is given", () => {
    const data = new Float32Array([1, 2]);
    const state = state_dict();
    state.set("a", "F32", [1], data.subarray(1));
    data.fill(9);
    expect([...read_f32(state, "a")]).toEqual([2]);
  });

  it("knows tied tensors", () => {
    const state = state_dict({ "embed.weight": [1, 2], other: [3] });
    state.alias("lm_head.weight", "embed.weight");
    expect(state.shares_storage("lm_head.weight", "embed.weight")).toBe(true);
    expect(state.shares_storage("lm_head.weight", "other")).toBe(false);
    expect(state.ties()).toEqual([["embed.weight", "lm_head.weight"]]);
    state.set("embed.weight", "F32", [1], new Float32Array([5]));
    expect(state.ties()).toEqual([]);
    expect([...read_f32(state, "lm_head.weight")]).toEqual([1, 2]);
  });

  it("refuses tensors whose data does not fit", () => {
    const state = state_dict();
    expect(() => state.set("a", "F32", [2, 3], new Float32Array(5))).toThrow(
      "Expected data of 24 bytes for a, F32 of shape (2, 3), but received 20",
    );
    expect(() => state.set("a", "F32", [2 ** 53 - 1, 2 ** 53 - 1], new Float32Array(1))).toThrow(RangeError);
    expect(() => state.set("a", "F4", [3], new Uint8Array(1))).toThrow(RangeError);
    expect(() => state.set("a", "F32", [-1], new Float32Array(1))).toThrow("Expected a non-negative integer for shape");
    expect(() => state.set("a", "F99" as "F32", [1], new Float32Array(1))).toThrow("received F99");
    expect(() => state.set("a", "F32", [1], [1] as unknown as Float32Array)).toThrow("Expected a typed array for data");
    expect(state.size).toBe(0);
  });

  it("names what is missing or taken", () => {
    const state = state_dict({ a: [1], b: [2] });
    expect(() => state.info("c")).toThrow("no tensor named c");
    expect(() => state.alias("d", "c")).toThrow(expect.objectContaining({ code: "missing_tensor" }));
    expect(() => state.rename("a", "b")).toThrow(expect.objectContaining({ code: "tensor_exists" }));
    expect(() => open("/no/such/file")).toThrow(expect.objectContaining({ code: "file_not_found" }));
    expect(() => open("a\0b")).toThrow(TypeError);
    expect(() => open(temporary_folder())).toThrow("is not a regular file");
  });

  it("refuses receivers of other kinds", () => {
    const { keys } = state_dict();
    for (const receiver of [undefined, {}, new (class {})()])
      expect(() => keys.call(receiver as NativeStateDict)).toThrow();
  });

  it("says that it was disposed", () => {
    const state = state_dict({ a: [1] });
    state.dispose();
    state.dispose();
    expect(() => state.keys()).toThrow(expect.objectContaining({ code: "disposed" }));
    expect(() => state.set("a", "F32", [], new Float32Array(1))).toThrow("was disposed");
  });
});

describe("add_low_rank", () => {
  /** Whole numbers up to 4, so that every sum is exact. */
  const numbers = (count: number, seed: number) => Float32Array.from({ length: count }, (_, i) => ((i * seed) % 9) - 4);

  // The last one is work for several threads.
  it.each([
    [3, 5, 2],
    [1, 4, 1],
    [700, 900, 24],
  ])("adds the product of [%i, rank] and [rank, %i]", (outputs, inputs, rank) => {
    const [weight, a, b] = [numbers(outputs * inputs, 5), numbers(rank * inputs, 7), numbers(outputs * rank, 11)];
    const wanted = (i: number, j: number) => {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += b[i * rank + k] * a[k * inputs + j];
      return 0.5 * sum;
    };
    const adapter = state_dict();
    adapter.set("a", "F32", [rank, inputs], a);
    adapter.set("b", "F32", [outputs, rank], b);
    for (const transposed of [false, true]) {
      const state = state_dict();
      state.set("w", "F32", transposed ? [inputs, outputs] : [outputs, inputs], weight);
      state.alias("before", "w");
      state.add_low_rank("w", adapter, "a", "b", 0.5, transposed);
      const sums = read_f32(state, "w");
      const differences = sums.filter((sum, at) => {
        const [row, column] = [Math.floor(at / (transposed ? outputs : inputs)), at % (transposed ? outputs : inputs)];
        return sum !== weight[at] + (transposed ? wanted(column, row) : wanted(row, column));
      });
      expect(differences).toHaveLength(0);
      expect([...read_f32(state, "before")]).toEqual([...weight]);
    }
  });

  it("makes a tensor of half precision float32", () => {
    const adapter = state_dict();
    adapter.set("a", "BF16", [1, 2], new Uint16Array([0x3f80, 0x4000]));
    adapter.set("b", "F32", [1, 1], new Float32Array([3]));
    const state = state_dict();
    state.set("w", "BF16", [1, 2], new Uint16Array([0x3f80, 0x3f80]));
    state.add_low_rank("w", adapter, "a", "b", 1, false);
    expect(state.info("w")).toMatchObject({ dtype: "F32", shape: [1, 2] });
    expect([...read_f32(state, "w")]).toEqual([4, 7]);
  });

  it("refuses what does not fit", () => {
    const adapter = state_dict({ vector: [1, 2] });
    adapter.set("a", "F32", [2, 3], new Float32Array(6));
    adapter.set("b", "F32", [4, 2], new Float32Array(8));
    const state = state_dict({ vector: [1, 2] });
    state.set("w", "F32", [4, 3], new Float32Array(12));
    state.add_low_rank("w", adapter, "a", "b", 1, false);
    const add = (name: string, a: string, b: string, transposed: boolean) => () =>
      state.add_low_rank(name, adapter, a, b, 1, transposed);
    expect(add("w", "a", "b", true)).toThrow(RangeError);
    expect(add("w", "b", "a", false)).toThrow(
      "Expected matrices [rank, inputs] and [outputs, rank] for a weight (4, 3)",
    );
    expect(add("vector", "a", "b", false)).toThrow(RangeError);
    expect(add("w", "vector", "b", false)).toThrow(RangeError);
    expect(add("none", "a", "b", false)).toThrow("no tensor named none");
    expect(() => state.add_low_rank("w", {} as NativeStateDict, "a", "b", 1, false)).toThrow("a StateDict");
    expect(() => state.add_low_rank("w", adapter, "a", "b", "1" as unknown as number, false)).toThrow(
      "a number for scale",
    );
  });
});
