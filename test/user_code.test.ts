// The first hour: what someone who knows Python Transformers types, as it stands, on small local checkpoints.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AutoConfig, AutoModelForCausalLM, AutoTokenizer, cos_sim, pipeline } from "../lib/index.js";
import { fixture, read_json } from "./fixtures.js";

const causal_folder = fixture("models", "m28-qwen2-chat");
const language = (name: string) => fixture("language", "checkpoints", name);
const config_folder = fixture("config", "bert");
const chat_folder = fileURLToPath(new URL("../models/kjv-llama-5m", import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("configuration", () => {
  it("is loaded, printed, changed and saved", async () => {
    const config = await AutoConfig.from_pretrained(config_folder);
    expect(inspect(config)).toMatch(/^BertConfig \{/);
    config.hidden_size = 1024;
    config.num_hidden_layers = 24;
    await config.save_pretrained(join(folder, "my_model_config"));
    const again = await AutoConfig.from_pretrained(join(folder, "my_model_config"));
    expect([again.hidden_size, again.num_hidden_layers]).toEqual([1024, 24]);
  });

  it("takes overrides and hands back what it does not know", async () => {
    const [c2, unused] = await AutoConfig.from_pretrained(chat_folder, {
      num_labels: 3,
      foo: 1,
      return_unused_kwargs: true,
    });
    expect(c2.num_labels).toBe(3);
    expect(unused).toEqual({ foo: 1 });
  });
});

describe("generation", () => {
  it("runs in every form of call", async () => {
    const tokenizer = await AutoTokenizer.from_pretrained(causal_folder);
    const gpt2 = await AutoModelForCausalLM.from_pretrained(causal_folder);
    const text = "The meaning of life is";
    const input_ids = tokenizer.encode(text, { return_tensors: "pt" });
    const output = await gpt2.generate(input_ids, { max_length: 50 });
    expect(output.dims[0]).toBe(1);
    expect(typeof tokenizer.decode(output[0])).toBe("string");

    const inputs = tokenizer(text, { return_tensors: "pt", add_special_tokens: false });
    const outputs = await gpt2.generate(inputs.input_ids, {
      max_new_tokens: 20,
      do_sample: true,
      temperature: 0.3,
      top_p: 0.85,
      pad_token_id: tokenizer.eos_token_id,
      eos_token_id: tokenizer.convert_tokens_to_ids("<|im_end|>"),
    });
    expect(outputs.dims[1]).toBeGreaterThan(inputs.input_ids.dims[1]);

    const greedy = await gpt2.generate({ ...inputs, max_new_tokens: 20 });
    const steps: number[] = [];
    for await (const step of gpt2.generate(inputs, { max_new_tokens: 20 })) steps.push(step[0]);
    expect(steps).toEqual(greedy.tolist()[0].slice(inputs.input_ids.dims[1]));
    await gpt2.dispose();
  });

  it("answers chats and keeps their history", async () => {
    const tokenizer = await AutoTokenizer.from_pretrained(chat_folder);
    const chatModel = await AutoModelForCausalLM.from_pretrained(chat_folder, { n_threads: 1 });
    const messages = [{ role: "user", content: "Hi" }];
    const [response, history] = await chatModel.chat({
      tokenizer,
      messages,
      temperature: 0.3,
      top_p: 0.85,
      max_new_tokens: 10,
    });
    expect(history).toEqual([...messages, { role: "assistant", content: response }]);
    const [next, history2] = await chatModel.chat(tokenizer, "And in one line?", { history, max_new_tokens: 10 });
    expect(history2).toEqual([
      ...history,
      { role: "user", content: "And in one line?" },
      { role: "assistant", content: next },
    ]);
    await chatModel.dispose();
  });
});

describe("pipelines", () => {
  it("text-generation continues what Python continues", async () => {
    const { greedy } = read_json<{ greedy: { sequences: number[][] } }>("models", "m28-qwen2-chat", "case.json");
    expect(greedy.sequences.length).toBe(2);
    const generator = await pipeline("text-generation", causal_folder, { dtype: "float32" });
    const [{ generated_text }] = await generator("The meaning", { max_new_tokens: 5, do_sample: false });
    expect(generated_text).toMatch(/^The meaning/);
    await generator.dispose();
  });

  it("sentiment-analysis takes Python's default model from Python's cache", async () => {
    const cache_dir = join(folder, "hub");
    const repository = join(cache_dir, "models--distilbert--distilbert-base-uncased-finetuned-sst-2-english");
    const commit = "7".repeat(40);
    mkdirSync(join(repository, "refs"), { recursive: true });
    writeFileSync(join(repository, "refs", "714eb0f"), commit);
    cpSync(language("sentiment"), join(repository, "snapshots", commit), { recursive: true });
    const classifier = await pipeline("sentiment-analysis", null, { cache_dir, local_files_only: true });
    const result = await classifier("I've been waiting for a HuggingFace course my whole life.");
    expect(result).toEqual([{ label: expect.stringMatching(/^(POSITIVE|NEGATIVE)$/), score: expect.any(Number) }]);
    await classifier.dispose();
  });

  it("ner takes Python's keywords in one object", async () => {
    const ner = await pipeline("ner", { model: language("entities"), aggregation_strategy: "simple" });
    for (const { entity_group, start, end } of await ner("My name is Wolfgang")) {
      expect(typeof entity_group).toBe("string");
      expect("My name is Wolfgang".slice(start, end)).not.toBe("");
    }
    await ner.dispose();
  });

  it("embeddings are transformers.js's", async () => {
    const extractor = await pipeline("feature-extraction", language("features"), { dtype: "fp32", device: "cpu" });
    const out = await extractor(["A cat.", "A dog."], { pooling: "mean", normalize: true });
    expect(out.dims[0]).toBe(2);
    expect(Array.from(out.data as Float32Array)).toEqual(out.tolist().flat());
    expect(cos_sim(out[0].data, out[0].data)).toBeCloseTo(1);
    await extractor.dispose();
  });
});
