// Forward passes of small checkpoints against Python's: what scripts/fixtures/forward_passes.py recorded.
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

/** Outputs by the names that the fixtures give them: members of a tuple by their index. */
function flatten(output: ModelOutput): Record<string, Tensor> {
  const result: Record<string, Tensor> = {};
  for (const [name, value] of output.items()) {
    if (value instanceof Tensor) result[name] = value;
    else if (Array.isArray(value)) for (const [i, item] of value.entries()) result[`${name}.${i}`] = item as Tensor;
  }
  return result;
}

/** What feeds tokens `start` to `end` of the rows; of an encoder-decoder's rows, those of the decoder. */
function piece_of(inputs: Record<string, unknown>, start: number, end: number): Record<string, unknown> {
  const prefix = "decoder_input_ids" in inputs ? "decoder_" : "";
  const from = (key: string) => (key === `${prefix}attention_mask` ? 0 : start);
  return Object.fromEntries(
    Object.entries(inputs).map(([key, rows]) => [
      key,
      key.startsWith(prefix) ? (rows as number[][]).map((row) => row.slice(from(key), end)) : rows,
    ]),
  );
}

/** Every checkpoint of a folder of fixtures, case by case. */
export function test_forward_passes(folder: string): void {
  describe.each(folders(folder))("%s", (name) => {
    const recorded = read_json<Recorded>(folder, name, "case.json");
    const expected = read_tensors(folder, name, "expected.safetensors");

    async function load(overrides: Record<string, unknown>): Promise<Loaded> {
      const path = fixture(folder, name);
      const config = await library.AutoConfig.from_pretrained(path, overrides);
      return CLASSES[recorded.class].from_pretrained(path, { config, dtype: "float32" });
    }

    /** Those of floats are tensors; the encoder's output is the first field of an output. */
    function inputs_of(one: Case): Record<string, unknown> {
      const tensors = one.tensor_inputs.map((input) => {
        const { data, shape } = expected[`${one.name}.${input}`];
        const tensor = new Tensor("float32", data, shape);
        return [input, input === "encoder_outputs" ? [tensor] : tensor];
      });
      return { ...one.inputs, ...Object.fromEntries(tensors) };
    }

    test.each(recorded.cases)("computes what Python computes: $name", async (one) => {
      const model = await load(one.config);
      const output = await model(inputs_of(one), one.options);
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
      const model = await load(one.config);
      const inputs = inputs_of(one);
      const { shape, data } = expected[`${one.name}.logits`];
      const whole = new Tensor("float32", data, shape);
      const mask = (inputs["decoder_input_ids"] ? inputs["decoder_attention_mask"] : inputs["attention_mask"]) as
        | number[][]
        | undefined;
      let past_key_values: unknown;
      let start = 0;
      for (const size of one.cache_steps as number[]) {
        const end = start + size;
        const output = await model({ ...piece_of(inputs, start, end), past_key_values });
        past_key_values = output["past_key_values"];
        const rows = mask ?? Array.from({ length: shape[0] }, () => new Array<number>(end).fill(1));
        const seen = rows.flatMap((row) => row.slice(start, end)).map(Boolean);
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
}
