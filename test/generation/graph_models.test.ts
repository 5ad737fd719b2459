// generate() of the models that the graph engine runs, against Python's.
import { expect, test } from "vitest";
import type { GenerateDecoderOnlyOutput } from "../../lib/index.js";
import { read_json } from "../fixtures.js";
import { type GenerateCase, loader } from "./cases.js";

const { cases } = read_json<{ cases: GenerateCase[] }>("graph", "generate.json");
const load = loader("graph");

/** Some prompts hold the padding token, which Python was told to see. */
const mask_of = (one: GenerateCase) => one.attention_mask ?? one.input_ids.map((row) => row.map(() => 1));

test.each(cases)("gives Python's tokens: $name", async (one) => {
  const model = await load(one.model);
  const output = (await model.generate(one.input_ids, {
    ...one.options,
    attention_mask: mask_of(one),
    ...(one.uniforms ? { generator: one.uniforms } : {}),
    return_dict_in_generate: true,
    output_scores: true,
  })) as GenerateDecoderOnlyOutput;
  expect(output.sequences.tolist()).toEqual(one.sequences);
  if (!one.sequences_scores) return;
  expect(output.beam_indices?.tolist()).toEqual(one.beam_indices);
  for (const [i, score] of one.sequences_scores.entries())
    expect(output.sequences_scores?.data[i]).toBeCloseTo(score, 4);
});

test("several calls at a time give what each gives alone", async () => {
  const greedy = cases.filter(({ model, options }) => model === "gpt2-lm" && options["do_sample"] === false);
  const model = await load("gpt2-lm");
  const results = await Promise.all(
    greedy.map((one) => model.generate(one.input_ids, { ...one.options, attention_mask: mask_of(one) })),
  );
  expect(results.map((result) => result.tolist())).toEqual(greedy.map(({ sequences }) => sequences));
});

test("the steps come one by one, and end when the loop is left", async () => {
  const model = await load("gpt2-lm");
  const [one] = cases;
  const tokens: number[] = [];
  for await (const step of model.generate(one.input_ids, one.options)) {
    tokens.push(step[0]);
    if (tokens.length === 5) break;
  }
  expect(tokens).toEqual(one.sequences[0].slice(6, 11));
});

test("a prompt beyond the last position is refused, and the model stays usable", async () => {
  const model = await load("gpt2-lm");
  await expect(model.generate([new Array(50).fill(5)], { max_new_tokens: 2 })).rejects.toThrow(/40/);
  const [one] = cases;
  expect((await model.generate(one.input_ids, one.options)).tolist()).toEqual(one.sequences);
});
