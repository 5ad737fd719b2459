// Decoders without a head, and with heads that classify, against Python: test/fixtures/decoder_heads and models.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as library from "../../lib/index.js";
import {
  AutoModel,
  AutoModelForCausalLM,
  AutoModelForQuestionAnswering,
  AutoModelForSequenceClassification,
  AutoModelForTokenClassification,
  pipeline,
  type Tensor,
} from "../../lib/index.js";
import { fixture, folders, read_json, read_tensors, relative_error } from "../fixtures.js";

interface Case {
  name: string;
  config: Record<string, unknown>;
  keys: string[];
  inputs: Record<string, number[][]>;
  problem_type: string | null;
}

const AUTO = {
  Model: AutoModel,
  ForSequenceClassification: AutoModelForSequenceClassification,
  ForTokenClassification: AutoModelForTokenClassification,
  ForQuestionAnswering: AutoModelForQuestionAnswering,
};

const auto_class = (name: string) => {
  const suffix = (Object.keys(AUTO) as (keyof typeof AUTO)[]).find((end) => name.endsWith(end));
  return AUTO[suffix as keyof typeof AUTO];
};

/** The largest difference where the mask lets tokens be seen: elsewhere nothing is defined. */
function error_where_visible(actual: Tensor, expected: Float32Array, mask: number[][] | undefined): number {
  const data = Float32Array.from(actual.data as Float32Array);
  const wanted = Float32Array.from(expected);
  if (mask && actual.dims[0] === mask.length && actual.dims[1] === mask[0].length) {
    const size = data.length / (mask.length * mask[0].length);
    mask.flat().forEach((seen, token) => {
      if (!seen) for (const values of [data, wanted]) values.fill(0, token * size, (token + 1) * size);
    });
  }
  return relative_error(data, wanted);
}

describe.each(folders("decoder_heads"))("%s", (folder) => {
  const { class: class_name, cases } = read_json<{ class: string; cases: Case[] }>(
    "decoder_heads",
    folder,
    "case.json",
  );
  const expected = read_tensors("decoder_heads", folder, "expected.safetensors");

  it.each(cases)("gives Python's outputs: $name", async ({ name, config, keys, inputs, problem_type }) => {
    const options = { ...config, output_loading_info: true };
    const [model, info] = (await auto_class(class_name).from_pretrained(
      fixture("decoder_heads", folder),
      options,
    )) as unknown as [library.PreTrainedModel, { missing_keys: string[]; unexpected_keys: string[] }];
    expect(model.constructor.name).toBe(class_name);
    expect(info).toMatchObject({ missing_keys: [], unexpected_keys: [] });
    const outputs = await model.forward(inputs, { output_hidden_states: keys.includes("hidden_states") });
    expect(outputs.keys()).toEqual(keys);
    const mask = inputs["attention_mask"];
    for (const key of keys) {
      const values = key === "hidden_states" ? (outputs[key] as Tensor[]) : [outputs[key] as Tensor];
      values.forEach((value, i) => {
        const { shape, data } = expected[key === "hidden_states" ? `${name}.${key}.${i}` : `${name}.${key}`];
        expect(value.dims).toEqual(shape);
        expect(error_where_visible(value, data, mask), `${key} ${i}`).toBeLessThan(1e-4);
      });
    }
    expect(model.config["problem_type"] ?? null).toBe(problem_type);
    await model.dispose();
  });

  it("loads by its own class, and comes back as it was saved", async () => {
    const target = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
    try {
      const type = new Map(Object.entries(library)).get(class_name) as typeof library.LlamaModel;
      const model = await type.from_pretrained(fixture("decoder_heads", folder));
      await model.save_pretrained(target);
      const copy = await type.from_pretrained(target);
      const ids = cases[0].inputs["input_ids"];
      const [first, second] = [await model.forward(ids), await copy.forward(ids)].map((out) => out[0] as Tensor);
      expect(second.tolist()).toEqual(first.tolist());
      expect(copy.config["architectures"]).toEqual([class_name]);
      await Promise.all([model.dispose(), copy.dispose()]);
    } finally {
      rmSync(target, { recursive: true });
    }
  });
});

describe.each(folders("models"))("AutoModel of %s", (name) => {
  const { inputs } = read_json<{ inputs: Record<string, number[][]> }>("models", name, "case.json");
  const expected = read_tensors("models", name, "expected.safetensors");
  const layers = Object.keys(expected).filter((key) => key.startsWith("hidden_states")).length;
  const last = expected[`hidden_states.${layers - 1}`];

  it("gives Python's hidden states without the head of the checkpoint", async () => {
    const model = await AutoModel.from_pretrained(fixture("models", name), { dtype: "float32" });
    const { last_hidden_state, hidden_states } = await model(inputs["input_ids"], { output_hidden_states: true });
    expect(last_hidden_state.dims).toEqual(last.shape);
    expect(relative_error(last_hidden_state.data as Float32Array, last.data)).toBeLessThan(1e-4);
    expect(hidden_states).toHaveLength(layers);
    (hidden_states as Tensor[]).forEach((states, i) => {
      expect(relative_error(states.data as Float32Array, expected[`hidden_states.${i}`].data)).toBeLessThan(1e-4);
    });
    expect(() => (model as unknown as library.PreTrainedModel).parameters()).not.toThrow();
    await model.dispose();
  });
});

it("AutoModel opens a GGUF file", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
  try {
    const language = await AutoModelForCausalLM.from_pretrained(fixture("models", "qwen3"));
    await language.save_gguf(join(folder, "model.gguf"));
    await language.dispose();
    const expected = read_tensors("models", "qwen3", "expected.safetensors")["hidden_states.2"];
    const { inputs } = read_json<{ inputs: Record<string, number[][]> }>("models", "qwen3", "case.json");
    for (const [path, options] of [
      [join(folder, "model.gguf"), {}],
      [folder, { gguf_file: "model.gguf" }],
    ] as const) {
      const model = await AutoModel.from_pretrained(path, options);
      const { last_hidden_state } = await model(inputs["input_ids"]);
      expect(relative_error(last_hidden_state.data as Float32Array, expected.data)).toBeLessThan(1e-4);
      await model.dispose();
    }
    await expect(AutoModelForSequenceClassification.from_pretrained(join(folder, "model.gguf"))).rejects.toThrow();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("a decoder goes on after what it read: past_key_values of AutoModel", async () => {
  const model = await AutoModel.from_pretrained(fixture("decoder_heads", "llama-base"));
  const ids = [[5, 9, 12, 7, 33, 20]];
  const whole = await model(ids);
  const first = await model([ids[0].slice(0, 4)], { use_cache: true });
  const rest = await model([ids[0].slice(4)], { past_key_values: first["past_key_values"] });
  const expected = whole.last_hidden_state.slice(null, [4, 6], null);
  expect(relative_error(rest.last_hidden_state.data as Float32Array, expected.data as Float32Array)).toBeLessThan(1e-5);
  await model.dispose();
});

describe("forward() of a decoder", () => {
  it("gives the logits of the last positions alone", async () => {
    const model = await AutoModelForCausalLM.from_pretrained(fixture("models", "qwen3"));
    const ids = [
      [0, 0, 17, 4, 9, 30],
      [11, 5, 9, 21, 7, 2],
    ];
    for (const mask of [undefined, [[0, 0, 1, 1, 1, 1], Array(6).fill(1)], [[1, 1, 1, 1, 0, 0], Array(6).fill(1)]]) {
      const inputs = { input_ids: ids, ...(mask ? { attention_mask: mask } : {}) };
      const all = (await model(inputs)).logits;
      for (const keep of [1, 3, 5, 6, 9]) {
        const kept = (await model(inputs, { logits_to_keep: keep })).logits;
        const last = all.slice(null, [Math.max(0, 6 - keep), 6], null);
        expect(kept.dims).toEqual(last.dims);
        expect(relative_error(kept.data as Float32Array, last.data as Float32Array)).toBeLessThan(1e-5);
      }
    }
    await model.dispose();
  });

  it("follows output_hidden_states and return_dict of the configuration, as Python", async () => {
    const model = await AutoModel.from_pretrained(fixture("decoder_heads", "llama-base"), {
      output_hidden_states: true,
      return_dict: false,
    });
    const outputs = (await model([[5, 6, 7]])) as unknown as unknown[];
    expect(Array.isArray(outputs)).toBe(true);
    expect(outputs[1]).toHaveLength(2);
    expect((await model([[5, 6, 7]], { return_dict: true, output_hidden_states: false })).keys()).toEqual([
      "last_hidden_state",
    ]);
    await model.dispose();
  });

  it("refuses what it cannot do", async () => {
    const model = await AutoModel.from_pretrained(fixture("decoder_heads", "llama-base"));
    await expect(model([[5]], { labels: [[1]] })).rejects.toThrow("unexpected keyword argument 'labels'");
    await expect(model([[5]], { logits_to_keep: 1 })).rejects.toThrow("unexpected keyword argument 'logits_to_keep'");
    await expect(model([[64]])).rejects.toThrow(RangeError);
    await expect((model as unknown as library.CausalLM).generate([[5]])).rejects.toThrow(
      "The current model class (LlamaModel) is not compatible with `.generate()`, as it doesn't have a language model head.",
    );
    await model.dispose();
    await expect(model([[5]])).rejects.toMatchObject({ code: "disposed" });
  });

  it("classifies one row alone without a padding token, and no row by a token that the mask hides", async () => {
    const folder = fixture("decoder_heads", "llama");
    const bare = await AutoModelForSequenceClassification.from_pretrained(folder, { pad_token_id: null });
    expect((await bare([[5, 6, 7]])).logits.dims).toEqual([1, 3]);
    await expect(bare([[5], [6]])).rejects.toThrow("Cannot handle batch sizes > 1 if no padding token is defined.");
    await bare.dispose();
    const model = await AutoModelForSequenceClassification.from_pretrained(folder);
    const hidden = { input_ids: [[5, 6, 7]], attention_mask: [[1, 1, 0]] };
    await expect(model(hidden)).rejects.toMatchObject({ code: "hidden_token" });
    await expect(model({ input_ids: [[5, 6]], labels: [3] })).rejects.toThrow(RangeError);
    await model.dispose();
  });
});

describe("pipelines over decoders", () => {
  const texts = ["The cat sat on the mat.", "A dog."];

  it("embed by the last token, padded on either side", async () => {
    const folder = fixture("models", "m28-qwen2-chat");
    for (const side of ["left", "right"] as const) {
      const tokenizer = await library.AutoTokenizer.from_pretrained(folder);
      tokenizer.padding_side = side;
      const model = await AutoModel.from_pretrained(folder);
      const embed = await pipeline("embeddings", model as unknown as library.PreTrainedModel, { tokenizer });
      const together = await embed(texts, { pooling: "last_token", normalize: true });
      expect(together.dims).toEqual([2, 48]);
      for (const [i, text] of texts.entries()) {
        const { last_hidden_state } = await model(tokenizer(text, { return_tensors: "pt" }));
        const vector = last_hidden_state.slice(null, [-1, null], null).squeeze(1).normalize(2, -1);
        expect(relative_error(together[i].data as Float32Array, vector.data as Float32Array)).toBeLessThan(1e-5);
      }
      await embed.dispose();
    }
  });

  it("classify by a decoder, padded or alone, texts and pairs", async () => {
    const folder = fixture("models", "m27-llama");
    for (const num_labels of [1, 3]) {
      const model = await AutoModelForSequenceClassification.from_pretrained(folder, { num_labels, dtype: "float32" });
      const tokenizer = await library.AutoTokenizer.from_pretrained(folder);
      const classify = await pipeline("text-classification", model as unknown as library.PreTrainedModel, {
        tokenizer,
      });
      const expected: number[] = [];
      for (const text of texts) {
        const { logits } = await model(tokenizer(text, { return_tensors: "pt" }));
        const [first] = (num_labels === 1 ? logits.sigmoid() : logits.softmax(-1)).tolist() as number[][];
        expected.push(Math.max(...first));
      }
      for (const options of [{}, { batch_size: 2 }]) {
        const results = (await classify(texts, options)) as { label: string; score: number }[];
        results.forEach(({ label, score }, i) => {
          expect(label).toMatch(/^LABEL_[012]$/);
          expect(score).toBeCloseTo(expected[i], 5);
        });
      }
      expect(await classify({ text: texts[0], text_pair: texts[1] }, { top_k: null })).toHaveLength(num_labels);
      await classify.dispose();
    }
  });

  it("load a decoder by its folder", async () => {
    const extract = await pipeline("feature-extraction", fixture("models", "m27-llama"), { dtype: "float32" });
    const vectors = await extract(texts, { pooling: "mean", normalize: true });
    expect(vectors.dims).toEqual([2, 48]);
    const lists = await extract("A dog.");
    expect(lists[0][0]).toHaveLength(48);
    await extract.dispose();
  });
});
