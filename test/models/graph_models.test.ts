import { describe, expect, test } from "vitest";
import * as library from "../../lib/index.js";
import type { ModelOutput } from "../../lib/models/outputs.js";
import { Tensor } from "../../lib/tensor/index.js";
import { fixture, folders, read_json, read_tensors, relative_error } from "../fixtures.js";

interface Case {
  name: string;
  inputs: Record<string, unknown>;
  tensor_inputs: string[];
  options: Record<string, unknown>;
  config: Record<string, unknown>;
  keys: string[];
  cache_steps?: number[];
}

interface Recorded {
  class: string;
  dtype: string;
  cases: Case[];
}

type Loaded = ((inputs: object, options?: object) => Promise<ModelOutput>) & { dispose(): Promise<void> };
interface Loader {
  from_pretrained(folder: string, options: object): Promise<Loaded>;
}
const CLASSES = library as unknown as Record<string, Loader>;

async function load(name: string, type: string, overrides: Record<string, unknown>): Promise<Loaded> {
  const folder = fixture("graph", name);
  const config = await library.AutoConfig.from_pretrained(folder, overrides);
  return CLASSES[type].from_pretrained(folder, { config, dtype: "float32" });
}

/** Outputs by the names that the fixtures give them: members of a tuple by their index. */
function flatten(output: ModelOutput): Record<string, Tensor> {
  const result: Record<string, Tensor> = {};
  for (const [name, value] of output.items()) {
    if (value instanceof Tensor) result[name] = value;
    else if (Array.isArray(value)) for (const [i, item] of value.entries()) result[`${name}.${i}`] = item as Tensor;
  }
  return result;
}

describe.each(folders("graph"))("%s", (name) => {
  const recorded = read_json<Recorded>("graph", name, "case.json");
  const expected = read_tensors("graph", name, "expected.safetensors");

  test.each(recorded.cases)("computes what Python computes: $name", async (one) => {
    const model = await load(name, recorded.class, one.config);
    const inputs: Record<string, unknown> = { ...one.inputs };
    for (const input of one.tensor_inputs) {
      const { data, shape } = expected[`${one.name}.${input}`];
      inputs[input] = new Tensor("float32", data, shape);
    }
    const output = await model(inputs, one.options);
    await model.dispose();
    expect(output.keys()).toEqual(one.keys);
    const values = flatten(output);
    for (const [key, value] of Object.entries(values)) {
      const wanted = expected[`${one.name}.${key}`];
      expect([key, ...value.dims]).toEqual([key, ...wanted.shape]);
      expect([key, relative_error(value.data as Float32Array, wanted.data)]).toSatisfy(
        ([, error]) => (error as number) < 1e-4,
      );
    }
  });

  test.each(recorded.cases.filter(({ cache_steps }) => cache_steps))("goes on from a cache: $name", async (one) => {
    const model = await load(name, recorded.class, one.config);
    const inputs = one.inputs as Record<string, number[][]>;
    const { shape, data } = expected[`${one.name}.logits`];
    const whole = new Tensor("float32", data, shape);
    const mask = inputs["attention_mask"];
    let past_key_values: unknown;
    let start = 0;
    for (const size of one.cache_steps as number[]) {
      const end = start + size;
      const piece = Object.fromEntries(
        Object.entries(inputs).map(([key, rows]) => [key, rows.map((row) => row.slice(start, end))]),
      );
      const attention_mask = mask.map((row) => row.slice(0, end));
      const output = await model({ ...piece, attention_mask, past_key_values });
      past_key_values = output["past_key_values"];
      const seen = mask.flatMap((row) => row.slice(start, end)).map(Boolean);
      const visible = (tensor: Tensor) =>
        (tensor.view(seen.length, -1).tolist() as number[][]).filter((_, token) => seen[token]).flat();
      expect(
        relative_error(visible(output["logits"] as Tensor), visible(whole.slice(null, [start, end], null))),
      ).toBeLessThan(1e-4);
      start = end;
    }
    expect((past_key_values as { get_seq_length(): number }).get_seq_length()).toBe(start);
    await model.dispose();
  });
});

test.each(["bert-qa", "distilbert-qa", "roberta-qa"])("%s: an answer has two ends, not three", async (name) => {
  const config = await library.AutoConfig.from_pretrained(fixture("graph", name), { num_labels: 3 });
  const model = await library.AutoModelForQuestionAnswering.from_config(config);
  await expect(model([[5, 6, 7]])).rejects.toThrow("num_labels");
  await model.dispose();
});
