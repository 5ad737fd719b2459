// Out to GGUF and back: the model, its tokenizer and its end tokens.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AutoModelForCausalLM, AutoTokenizer, type CausalLM, type Tensor } from "../../lib/index.js";
import { fixture, read_json, relative_error } from "../fixtures.js";

const shipped = fileURLToPath(new URL("../../models/kjv-llama-5m", import.meta.url));
const strings = read_json<{ cases: { text: string; ids: number[] }[] }>("shipped", "strings.json").cases;
const IDS = [[0, 900, 1298, 336, 263, 851]];

describe("a model saved as GGUF", () => {
  let folder: string;
  let original: CausalLM;
  const path = (name: string) => join(folder, `${name}.gguf`);
  const logits = async (model: CausalLM) => ((await model(IDS)).logits as Tensor).data as Float32Array;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
    original = await AutoModelForCausalLM.from_pretrained(shipped);
    const tokenizer = await AutoTokenizer.from_pretrained(shipped);
    await original.save_gguf(path("float32"), { tokenizer });
    await original.save_gguf(path("q8_0"), { tokenizer, quantization: "q8_0" });
  });
  afterAll(async () => {
    await original.dispose();
    rmSync(folder, { recursive: true });
  });

  it("gives the same logits", async () => {
    const copy = await AutoModelForCausalLM.from_pretrained(path("float32"));
    expect(relative_error(await logits(copy), await logits(original))).toBeLessThan(1e-4);
    await copy.dispose();
  });

  it("stays close when it is quantised", async () => {
    const copy = await AutoModelForCausalLM.from_pretrained(path("q8_0"));
    expect(copy.dtype).toBe("Q8_0");
    const [a, b] = [await logits(copy), await logits(original)];
    const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i], 0);
    expect(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))).toBeGreaterThan(0.999);
    await copy.dispose();
  });

  it("knows the configuration and every end token", async () => {
    const copy = await AutoModelForCausalLM.from_pretrained(folder, { gguf_file: "float32.gguf" });
    const { hidden_size, num_hidden_layers, num_key_value_heads } = original.config;
    expect(copy.config).toMatchObject({ model_type: "llama", hidden_size, num_hidden_layers, num_key_value_heads });
    expect(copy.generation_config.eos_token_id).toEqual([1, 4]);
    expect(copy.num_parameters()).toBe(original.num_parameters());
    await copy.dispose();
  });

  it("carries its tokenizer and chat template", async () => {
    const tokenizer = await AutoTokenizer.from_pretrained(folder, { gguf_file: "float32.gguf" });
    for (const { text, ids } of strings) expect(tokenizer.encode(text)).toEqual(ids);
    const chat = [{ role: "user", content: "Hello" }];
    const ours = await AutoTokenizer.from_pretrained(shipped);
    expect(tokenizer.apply_chat_template(chat, { tokenize: false })).toBe(
      ours.apply_chat_template(chat, { tokenize: false }),
    );
  });

  it("refuses what it cannot do, in words", async () => {
    await expect(original.save_gguf(path("x"), { quantization: "q99" })).rejects.toThrow(/q4_k_m/);
    await expect(AutoModelForCausalLM.from_pretrained(path("float32"), { dtype: "q8_0" })).rejects.toThrow(
      /keep their types/,
    );
    await expect(AutoModelForCausalLM.from_pretrained(path("missing"))).rejects.toThrow(/No GGUF file/);
  });
});

describe("past_key_values of generate()", () => {
  it("lets another call go on, also after its first owner is gone", async () => {
    const model = await AutoModelForCausalLM.from_pretrained(fixture("models", "m27-llama"), { n_threads: 1 });
    const prompt = [[243, 58, 261, 111]];
    const options = { do_sample: false, eos_token_id: null, pad_token_id: 0, return_dict_in_generate: true } as const;
    const whole = await model.generate(prompt, { ...options, max_new_tokens: 12 });
    let output = await model.generate(prompt, { ...options, max_new_tokens: 4 });
    const cache = output.past_key_values;
    for (let i = 0; i < 2; i++) {
      output = await model.generate(output.sequences, {
        ...options,
        max_new_tokens: 4,
        past_key_values: output.past_key_values,
      });
      expect(output.past_key_values).toBe(cache);
    }
    expect(output.sequences.tolist()).toEqual(whole.sequences.tolist());
    await model.dispose();
  });
});
