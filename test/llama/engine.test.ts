import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { native } from "../../lib/native.js";
import { expected, load, load_options, models_folder, read_case, read_json, relative_error, rows } from "./fixture.js";

const models = readdirSync(models_folder).filter((model) => {
  const { model_type } = read_json(model, "config.json");
  return ["llama", "mistral", "qwen2", "qwen3"].includes(model_type);
});

describe.each(models)("%s in float32", (model) => {
  const { inputs, cache_steps } = read_case(model);
  const input_ids = rows(inputs.input_ids);
  const length = input_ids[0]!.length;

  it("gives Python's logits and hidden states", async () => {
    const engine = await load(model);
    const { n_layer, n_vocab } = engine.info();
    const { logits, hidden_states } = await engine.forward({ input_ids, output_hidden_states: true });
    expect(hidden_states).toHaveLength(n_layer + 1);
    expect(n_vocab).toBe(read_json(model, "config.json").vocab_size);
    expect(relative_error(logits!, expected(model, "logits"))).toBeLessThan(1e-4);
    hidden_states!.forEach((states, layer) => {
      expect(relative_error(states, expected(model, `hidden_states.${layer}`))).toBeLessThan(1e-4);
    });
    await engine.dispose();
  });

  it("gives Python's logits step by step with a cache", async () => {
    const engine = await load(model);
    const { n_vocab } = engine.info();
    const whole = expected(model, "logits");
    let cache: number | undefined;
    let start = 0;
    for (const step of cache_steps) {
      const part = input_ids.map((row) => row.subarray(start, start + step));
      const result = await engine.forward({ input_ids: part, use_cache: true, ...(cache ? { cache } : {}) });
      cache = result.cache;
      input_ids.forEach((_, row) => {
        const at = (row * length + start) * n_vocab;
        const got = result.logits!.subarray(row * step * n_vocab, (row + 1) * step * n_vocab);
        expect(relative_error(got, whole.subarray(at, at + step * n_vocab))).toBeLessThan(1e-4);
      });
      start += step;
    }
    expect(start).toBe(length);
    engine.release_cache(cache!);
    await engine.dispose();
  });

  it("gives Python's logits for a row that was padded on the left", async () => {
    const engine = await load(model);
    const { n_vocab } = engine.info();
    const padding = inputs.attention_mask[0]!.indexOf(1);
    const row = Int32Array.from(inputs.padded_ids[0]!.slice(padding));
    const { logits } = await engine.forward({ input_ids: [row], first_position: Int32Array.of(padding) });
    const wanted = expected(model, "padded.logits").subarray(padding * n_vocab, length * n_vocab);
    expect(relative_error(logits!, wanted)).toBeLessThan(1e-4);
    await engine.dispose();
  });
});

describe("forward", () => {
  const model = "m27-llama";
  const input_ids = rows(read_case(model).inputs.input_ids);

  it("keeps the logits of the last tokens alone", async () => {
    const engine = await load(model);
    const { n_vocab } = engine.info();
    const { logits } = await engine.forward({
      input_ids: [input_ids[0]!, input_ids[1]!.subarray(0, 2)],
      logits_to_keep: 3,
    });
    const wanted = expected(model, "logits");
    expect(logits!.length).toBe((3 + 2) * n_vocab);
    expect(relative_error(logits!.subarray(0, 3 * n_vocab), wanted.subarray(17 * n_vocab, 20 * n_vocab))).toBeLessThan(
      1e-4,
    );
    expect(relative_error(logits!.subarray(3 * n_vocab), wanted.subarray(20 * n_vocab, 22 * n_vocab))).toBeLessThan(
      1e-4,
    );
    await engine.dispose();
  });

  it("continues the rows that beam_idx names", async () => {
    const engine = await load(model);
    const { n_vocab } = engine.info();
    const { cache } = await engine.forward({ input_ids: input_ids.map((row) => row.subarray(0, 10)), use_cache: true });
    const swapped = [input_ids[1]!.subarray(10), input_ids[0]!.subarray(10)];
    const { logits } = await engine.forward({ input_ids: swapped, cache: cache!, beam_idx: Int32Array.of(1, 0) });
    const wanted = expected(model, "logits");
    expect(relative_error(logits!.subarray(0, 10 * n_vocab), wanted.subarray(30 * n_vocab))).toBeLessThan(1e-4);
    expect(relative_error(logits!.subarray(10 * n_vocab), wanted.subarray(10 * n_vocab, 20 * n_vocab))).toBeLessThan(
      1e-4,
    );
    await engine.dispose();
  });

  it("keeps older caches while it makes room for more and longer rows", async () => {
    const engine = await load(model);
    const first = input_ids.map((row) => row.subarray(0, 12));
    const { cache } = await engine.forward({ input_ids: first, use_cache: true });
    const many = Array.from({ length: 9 }, (_, i) => Int32Array.from({ length: 60 }, (_, j) => (i * 31 + j * 7) % 384));
    await engine.forward({ input_ids: many });
    const { logits } = await engine.forward({ input_ids: input_ids.map((row) => row.subarray(12)), cache: cache! });
    const wanted = expected(model, "logits");
    const n = engine.info().n_vocab;
    expect(relative_error(logits!.subarray(0, 8 * n), wanted.subarray(12 * n, 20 * n))).toBeLessThan(1e-4);
    expect(relative_error(logits!.subarray(8 * n), wanted.subarray(32 * n))).toBeLessThan(1e-4);
    await engine.dispose();
  });

  it("names what is wrong with a request", async () => {
    const engine = await load(model);
    const { n_ctx_train } = engine.info();
    expect(() => engine.forward({ input_ids: [] })).toThrow("Expected an array of Int32Array for input_ids");
    expect(() => engine.forward({ input_ids: [new Int32Array(0)] })).toThrow("at least one token for input_ids[0]");
    await expect(engine.forward({ input_ids: [Int32Array.of(384)] })).rejects.toThrow(
      "token ids from 0 to 383 but received 384",
    );
    await expect(engine.forward({ input_ids: [new Int32Array(n_ctx_train + 1)] })).rejects.toThrow(
      `at most ${n_ctx_train} tokens in a row but received ${n_ctx_train + 1}`,
    );
    const many = Array.from({ length: 300 }, () => Int32Array.of(1));
    await expect(engine.forward({ input_ids: many })).rejects.toThrow("at most 256 rows at a time but received 300");
    expect(() => engine.forward({ input_ids, cache: 99 })).toThrow("past_key_values that were not released");
    await engine.dispose();
    expect(() => engine.forward({ input_ids })).toThrow("disposed");
    expect(() => engine.info()).toThrow("disposed");
    await engine.dispose();
  });

  it("rejects what waits when the engine is disposed of", async () => {
    const engine = await load(model);
    const waiting = Array.from({ length: 20 }, () => engine.forward({ input_ids }).catch((error) => error));
    await engine.dispose();
    const codes = (await Promise.all(waiting)).map((result) => result.code ?? "done");
    expect(codes.every((code) => code === "disposed" || code === "done")).toBe(true);
  });
});

describe("loading", () => {
  const folder = mkdtempSync(join(tmpdir(), "llama-engine-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const model = "m29-llama-aligned-f16";
  const input_ids = rows(read_case(model).inputs.input_ids);

  it.each([
    ["f16", 1e-2],
    ["bf16", 5e-2],
    ["q8_0", 5e-2],
    ["q4_k_m", 0.5],
  ])("casts or quantises to %s, and saves what loads again with the same logits", async (dtype, tolerance) => {
    const engine = await load(model, { dtype });
    const { logits } = await engine.forward({ input_ids });
    expect(relative_error(logits!, expected(model, "logits"))).toBeLessThan(tolerance);
    const path = join(folder, `${dtype}.gguf`);
    await engine.save_gguf(path, { metadata: { "general.name": { type: "string", value: "saved" } } });
    const again = await native().load_llama_engine({ gguf_path: path, n_threads: 1 }).promise;
    expect(again.info().metadata["general.name"]).toBe("saved");
    expect(again.info().ftype).toBe(engine.info().ftype);
    expect(relative_error((await again.forward({ input_ids })).logits!, logits!)).toBeLessThan(1e-6);
    await Promise.all([engine.dispose(), again.dispose()]);
    expect(readdirSync(folder).filter((file) => !file.endsWith(".gguf"))).toEqual([]);
  });

  it("saves a GGUF file under another type and with other metadata", async () => {
    const engine = await load(model);
    const plain = join(folder, "plain.gguf");
    const small = join(folder, "small.gguf");
    await engine.save_gguf(plain, {});
    const from_file = await native().load_llama_engine({ gguf_path: plain }).promise;
    const metadata = {
      "tokenizer.ggml.tokens": { type: "string[]", value: Array.from({ length: 256 }, (_, i) => `t${i}`) },
    } as const;
    await from_file.save_gguf(small, { dtype: "q8_0", metadata });
    const again = await native().load_llama_engine({ gguf_path: small }).promise;
    expect(again.info().ftype).toBe("Q8_0");
    expect(again.info().n_vocab).toBe(256);
    await Promise.all([engine.dispose(), from_file.dispose(), again.dispose()]);
  });

  it("reports progress up to 1 and can be cancelled", async () => {
    const told: number[] = [];
    const engine = await native().load_llama_engine(load_options(model), (progress) => told.push(progress)).promise;
    expect(told.at(-1)).toBe(1);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    await engine.dispose();
    const cancelled = native().load_llama_engine(load_options(model));
    cancelled.cancel();
    await expect(cancelled.promise).rejects.toMatchObject({ code: "aborted" });
  });

  it("names a missing or misshapen tensor", async () => {
    const options = load_options(model);
    const without = options.tensors!.filter((one) => one.name !== "blk.0.attn_q.weight");
    await expect(native().load_llama_engine({ ...options, tensors: without }).promise).rejects.toThrow(
      "tensor 'blk.0.attn_q.weight' not found",
    );
    const wrong = options.tensors!.map((one) =>
      one.name === "output_norm.weight" ? { name: one.name, data: new Float32Array(7) } : one,
    );
    await expect(native().load_llama_engine({ ...options, tensors: wrong }).promise).rejects.toThrow(
      /tensor 'output_norm.weight' has wrong shape; expected +256, got +7/,
    );
    const unknown = [...options.tensors!, { name: "blk.0.no_such.weight", data: new Float32Array(7) }];
    await expect(native().load_llama_engine({ ...options, tensors: unknown }).promise).rejects.toThrow("tensors");
    expect(() => native().load_llama_engine({ ...options, tensors: [{ name: "a", sources: ["nowhere"] }] })).toThrow(
      "nowhere",
    );
    expect(() => native().load_llama_engine({ ...options, dtype: "float8" })).toThrow(
      "for dtype but received 'float8'",
    );
    const device = native().load_llama_engine({ ...options, device: "nothing" }).promise;
    await expect(device).rejects.toThrow("for device but received 'nothing'");
  });

  it("says what is wrong with metadata and with files", async () => {
    const options = load_options(model);
    const metadata = { ...options.metadata, "llama.block_count": { type: "u32", value: 0 } } as const;
    await expect(native().load_llama_engine({ ...options, metadata }).promise).rejects.toThrow(
      "impossible value for llama.block_count: 0",
    );
    const text = join(folder, "text.gguf");
    writeFileSync(text, "no model");
    await expect(native().load_llama_engine({ gguf_path: text }).promise).rejects.toThrow("not a GGUF file");
    await expect(native().load_llama_engine({ gguf_path: join(folder, "nothing") }).promise).rejects.toThrow(
      "cannot open",
    );
    writeFileSync(text, "GGUF\x03\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff");
    await expect(native().load_llama_engine({ gguf_path: text }).promise).rejects.toMatchObject({
      code: "load_failed",
    });
  });

  it("refuses vocabularies without a model, and encoders", async () => {
    const vocabularies = fileURLToPath(new URL("../../vendor/llama.cpp/models", import.meta.url));
    for (const file of readdirSync(vocabularies).filter((name) => name.endsWith(".gguf")))
      await expect(
        native().load_llama_engine({ gguf_path: join(vocabularies, file) }).promise,
        file,
      ).rejects.toMatchObject({ code: expect.stringMatching(/^(load_failed|unsupported)$/) });
  });
});
