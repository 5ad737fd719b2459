// The first hour: what someone who knows Python Transformers types, as it stands, on small local checkpoints.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AutoConfig,
  AutoModel,
  AutoModelForCausalLM,
  AutoModelForMaskedLM,
  AutoModelForMultipleChoice,
  AutoModelForQuestionAnswering,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  AutoTokenizer,
  cos_sim,
  pipeline,
  tensor,
} from "../lib/index.js";
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

describe("models", () => {
  it("are loaded, made, printed, resized, saved and called in every form", async () => {
    const name = language("features");
    const tok = await AutoTokenizer.from_pretrained(name);
    const config = await AutoConfig.from_pretrained(name);
    const cache_dir = folder;
    const model = await AutoModel.from_pretrained(name, { config, cache_dir, revision: "main" });
    expect(inspect(model)).toMatch(/^BertModel\(\n {2}\(embeddings\): /);
    const blank = await AutoModel.from_config(config);
    expect(blank.num_parameters()).toBe(model.num_parameters());
    expect(model.eval()).toBe(model);
    expect(model.train().training).toBe(true);
    expect(model.to("cpu")).toBe(model);

    const padded = tok(["We are very happy", "Deepspeed is faster"], { padding: true, return_tensors: "pt" });
    const [a, b] = [await model(padded.input_ids), await model({ input_ids: [[101, 102]], attention_mask: [[1, 1]] })];
    expect([a.last_hidden_state.dims, b.last_hidden_state.dims]).toEqual([
      [...padded.input_ids.dims, 24],
      [1, 2, 24],
    ]);
    const out = await model(padded);
    expect(out["last_hidden_state"]).toBe(out.last_hidden_state);
    expect(out[0]).toBe(out.last_hidden_state);
    expect(out[1]).toBe(out.pooler_output);
    expect(out[2]).toBeUndefined();
    expect(Object.keys(out)).toEqual(["last_hidden_state", "pooler_output"]);

    tok.add_tokens(["[ENT_START]", "[ENT_END]"], { special_tokens: true });
    await model.resize_token_embeddings(tok.length);
    await model.save_pretrained(join(folder, "saved_model"));
    const saved = await AutoModel.from_pretrained(join(folder, "saved_model"));
    expect(saved.config.vocab_size).toBe(tok.length);
    for (const one of [model, blank, saved]) await one.dispose();
  });

  it("print their outputs and tensors as Python does, and nothing in megabytes", async () => {
    const tok = await AutoTokenizer.from_pretrained(language("features"));
    const model = await AutoModel.from_pretrained(language("features"));
    const padded = tok(["We are very happy", "Deepspeed is faster"], { padding: true, return_tensors: "pt" });
    expect(`${padded.input_ids}`).toMatch(/^tensor\(\[\[\s*\d+, .*\]\], shape=\[2, 15\], dtype=int64\)$/s);
    const long = tok("the old ".repeat(15), { return_tensors: "pt", truncation: true });
    expect(inspect(await model(long)).length).toBeLessThan(5000);
    await model.dispose();
  });
});

describe("heads", () => {
  it("a masked word is found", async () => {
    const tok = await AutoTokenizer.from_pretrained(language("masks"));
    const mlm = await AutoModelForMaskedLM.from_pretrained(language("masks"));
    const ids = tok.encode("The man worked as a [MASK].", { return_tensors: "pt" });
    const logits = (await mlm(ids)).logits;
    expect(logits.dims).toEqual([1, ids.dims[1], mlm.config.vocab_size]);
    const at = ids[0].tolist().indexOf(tok.mask_token_id);
    const fill = await pipeline("fill-mask", language("masks"));
    const [{ token_str }] = await fill("The man worked as a [MASK].");
    expect(tok.decode(logits[0][at].argmax().item())).toBe(token_str);
    for (const one of [mlm, fill]) await one.dispose();
  });

  it("one of several choices is chosen", async () => {
    const tok = await AutoTokenizer.from_pretrained(language("features"));
    const mc = await AutoModelForMultipleChoice.from_pretrained(language("features"));
    const choices = ["Blue", "Green", "Red"].map((c) => tok.encode_plus("What color is the sky?", c).input_ids);
    const rows = tok.pad({ input_ids: choices }, { return_tensors: "pt" });
    expect((await mc({ input_ids: rows.input_ids.unsqueeze(0) })).logits.dims).toEqual([1, 3]);
    expect(
      `${tensor([
        [1, 2],
        [3, 4],
      ])}`,
    ).toBe("tensor([[1, 2],\n        [3, 4]], shape=[2, 2], dtype=int64)");
    await mc.dispose();
  });

  it("a question is answered", async () => {
    const tok = await AutoTokenizer.from_pretrained(language("answers"));
    const qa = await AutoModelForQuestionAnswering.from_pretrained(language("answers"));
    const [question, context] = ["Who visited the museum?", "Anna Smith and Peter Meier visited the small museum."];
    const qa_inputs = tok.encode_plus(question, context, { return_tensors: "pt" });
    const qa_out = await qa(qa_inputs);
    const start = qa_out.start_logits.argmax().item();
    const end = qa_out.end_logits.argmax().item() + 1;
    expect(typeof tok.decode(qa_inputs.input_ids[0].slice([start, end]))).toBe("string");
    await qa.dispose();
  });

  it("texts and tokens are classified", async () => {
    const tok = await AutoTokenizer.from_pretrained(language("sentiment"));
    const seq = await AutoModelForSequenceClassification.from_pretrained(language("sentiment"));
    const best_class = (await seq(tok("I love this movie!", { return_tensors: "pt" }))).logits.argmax(1);
    expect(best_class.dims).toEqual([1]);
    const classifier = await pipeline("text-classification", language("sentiment"));
    const [{ label }] = await classifier("I love this movie!");
    expect(seq.config.id2label[best_class.item()]).toBe(label);

    const words = await AutoTokenizer.from_pretrained(language("entities"));
    const ner = await AutoModelForTokenClassification.from_pretrained(language("entities"));
    const t = words("Hugging Face is based in New York.", { return_tensors: "pt" });
    const best = (await ner(t)).logits.argmax(2);
    const labelled = words.convert_ids_to_tokens(t.input_ids[0]).map((token, i) => [token, best[0].tolist()[i]]);
    expect(labelled[0][0]).toBe("[CLS]");
    expect(labelled.length).toBe(t.input_ids.dims[1]);
    for (const one of [seq, classifier, ner]) await one.dispose();
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
