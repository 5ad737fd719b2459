// Everything that generate() returns, step by step, against Python's: test/fixtures/outputs.
import { describe, expect, it } from "vitest";
import type { GenerateOutput } from "../../lib/generation/outputs.js";
import type { Tensor } from "../../lib/index.js";
import { read_json, read_tensors, relative_error } from "../fixtures.js";
import { expect_states, type GenerateCase, loader } from "./cases.js";

interface StatesCase extends GenerateCase {
  key: string;
  class: string;
  keys: string[];
  /** Shapes of each step's first layer. */
  layers: Record<string, number[][]>;
  /** The prompt of the call whose cache this one continues. */
  first?: number[][];
}

const { cases } = read_json<{ cases: StatesCase[] }>("outputs", "states.json");
const tensors = read_tensors("outputs", "states.safetensors");
const load = loader("");
const all = { return_dict_in_generate: true as const, output_scores: true, output_logits: true };
const ones = (ids: number[][]) => ids.map((row) => row.map(() => 1));

async function run(one: StatesCase): Promise<GenerateOutput> {
  const model = await load(one.model);
  const options: Record<string, unknown> = {
    ...one.options,
    attention_mask: one.attention_mask ?? ones(one.input_ids),
    ...(one.uniforms ? { generator: one.uniforms } : {}),
  };
  if (one.first) {
    const first = await model.generate(one.first, { do_sample: false, max_new_tokens: 3, ...all });
    options["past_key_values"] = first.past_key_values;
  }
  return (await model.generate(one.input_ids, { ...options, ...all })) as unknown as GenerateOutput;
}

describe("generate() returns Python's", () => {
  it.each(cases)("$name", async (one) => {
    const output = await run(one);
    expect(output.sequences.tolist()).toEqual(one.sequences);
    expect(output.constructor.name).toBe(one.class);
    expect(output.keys()).toEqual(one.keys);
    expect_states(output, one, tensors);
    if (one.beam_indices) expect(output.beam_indices?.tolist()).toEqual(one.beam_indices);
    const model = await load(one.model);
    for (const normalized of [false, true]) {
      const scores = model.compute_transition_scores(
        output.sequences,
        output.scores as Tensor[],
        output.beam_indices,
        normalized,
      );
      const expected = tensors[`${one.key}.transition_scores${normalized ? ".normalized" : ""}`];
      expect(scores.dims).toEqual(expected.shape);
      const values = scores.data as Float32Array;
      expect(Array.from(values, Number.isFinite)).toEqual(Array.from(expected.data, Number.isFinite));
      expect(relative_error(values.filter(Number.isFinite), expected.data.filter(Number.isFinite))).toBeLessThan(1e-4);
    }
  });
});
