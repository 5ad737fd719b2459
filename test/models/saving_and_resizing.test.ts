// What models do with folders, files and tensors of the caller's, and vocabularies of decoders that grow and shrink.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AutoModel, AutoModelForCausalLM, MarianMTModel, type Tensor } from "../../lib/index.js";
import { native } from "../../lib/native.js";
import { fixture, read_json, read_tensors, relative_error } from "../fixtures.js";

describe("what is given or written", () => {
  it("state_dict stays as it was, and outlives the model", async () => {
    for (const [theme, name, load] of [
      ["models", "m27-llama", AutoModelForCausalLM],
      ["graph", "bert-seqcls", AutoModel],
    ] as const) {
      const path = fixture(theme, name);
      const state = new (native().StateDict)([join(path, "model.safetensors")]);
      const keys = state.keys();
      const model = await load.from_pretrained(path, { state_dict: state });
      await model.forward([[5, 6, 7]]);
      await model.dispose();
      expect(state.keys()).toEqual(keys);
      const [first] = keys;
      const values = new Float32Array(state.info(first).shape.reduce((a, b) => a * b, 1));
      state.read_f32(first, values);
      expect(values.some((value) => value !== 0)).toBe(true);
      state.dispose();
    }
  });

  it.runIf(process.platform === "linux")("rejects where no folder can be made", async () => {
    const model = await AutoModelForCausalLM.from_pretrained(fixture("models", "m27-llama"));
    for (const folder of ["/proc/none", "/proc/self/none/deep", "/dev/null/x"]) {
      await expect(model.save_pretrained(folder)).rejects.toThrow(/ENOENT|ENOTDIR|EACCES/);
      await expect(model.save_gguf(join(folder, "x.gguf"))).rejects.toMatchObject({ code: "io_error" });
    }
    await model.dispose();
  });

  it("Marian's positions stay out of what is saved, as in Python, and are computed again", async () => {
    const target = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
    const model = await MarianMTModel.from_pretrained(fixture("seq2seq", "marian"));
    await model.save_pretrained(target, { max_shard_size: "20KB" });
    const files = readdirSync(target).filter((file) => file.endsWith(".safetensors"));
    const saved = new (native().StateDict)(files.map((file) => join(target, file)));
    expect(saved.keys().filter((name) => name.includes("positions"))).toEqual([]);
    const { metadata } = JSON.parse(readFileSync(join(target, "model.safetensors.index.json"), "utf8"));
    expect(metadata.total_parameters).toBe(model.num_parameters());
    const copy = await MarianMTModel.from_pretrained(target);
    const inputs = { input_ids: [[5, 6, 7]], decoder_input_ids: [[99, 8]] };
    const [before, after] = [await model(inputs), await copy(inputs)];
    expect((after["logits"] as Tensor).tolist()).toEqual((before["logits"] as Tensor).tolist());
    await Promise.all([model.dispose(), copy.dispose()]);
    saved.dispose();
    rmSync(target, { recursive: true });
  });

  it("a GGUF file is written while the model generates, and its progress told", async () => {
    const target = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
    try {
      const model = await AutoModelForCausalLM.from_pretrained(fixture("models", "m27-llama"));
      const steps: number[] = [];
      const tokens = model.generate([[5, 6, 7]], { max_new_tokens: 40, do_sample: false, eos_token_id: null });
      const saves = ["a", "b"].map((name) =>
        model.save_gguf(join(target, `${name}.gguf`), {
          progress_callback: (event) => {
            if (event.status === "progress") steps.push(event.progress);
          },
        }),
      );
      expect((await tokens).dims).toEqual([1, 43]);
      await Promise.all(saves);
      expect(steps.at(-1)).toBe(100);
      expect(steps.filter((step) => step === 100)).toHaveLength(2);
      const copy = await AutoModelForCausalLM.from_pretrained(join(target, "b.gguf"));
      expect((await copy.forward([[5]]))["logits"]).toMatchObject({ dims: [1, 1, 384] });
      await copy.dispose();
      const unfinished = model.save_gguf(join(target, "c.gguf")).catch((error) => error.code);
      await model.dispose();
      expect([undefined, "disposed"]).toContain(await unfinished);
    } finally {
      rmSync(target, { recursive: true });
    }
  });
});

describe("resize_token_embeddings of decoders", () => {
  it.each(["m27-llama", "llama-tied-bf16", "gemma2"])(
    "keeps Python's logits of the tokens that stay: %s",
    async (name) => {
      const { inputs } = read_json<{ inputs: { input_ids: number[][] } }>("models", name, "case.json");
      const { shape, data } = read_tensors("models", name, "expected.safetensors")["logits"];
      const old = shape[2];
      const ids = inputs.input_ids.map((row) => row.map((id) => id % 100));
      const whole = await AutoModelForCausalLM.from_pretrained(fixture("models", name), { dtype: "float32" });
      const plain = (await whole(ids)).logits;
      for (const [count, ids_of] of [
        [old + 13, inputs.input_ids],
        [old - 40, ids],
      ] as const) {
        const model = await AutoModelForCausalLM.from_pretrained(fixture("models", name), { dtype: "float32" });
        const table = await model.resize_token_embeddings(count);
        expect(table.shape[0]).toBe(count);
        expect(model.config["vocab_size"]).toBe(count);
        const { logits } = await model(ids_of);
        expect(logits.dims[2]).toBe(count);
        const kept = logits.slice(null, null, [0, Math.min(old, count)]).data as Float32Array;
        const wanted = ids_of === ids ? plain.slice(null, null, [0, count]).data : data;
        expect(relative_error(kept, wanted as Float32Array)).toBeLessThan(1e-4);
        const sequence = await model.generate(
          ids_of.map((row) => row.slice(0, 5)),
          { max_new_tokens: 3, do_sample: false },
        );
        expect(sequence.dims[0]).toBe(2);
        await model.dispose();
      }
      await whole.dispose();
    },
  );
});
