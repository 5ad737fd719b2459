// generate() through the public API, case by case against Python: test/fixtures/generate, made by scripts/fixtures.
import { describe, expect, it } from "vitest";
import { AutoTokenizer, type Tensor } from "../../lib/index.js";
import { fixture, read_json, read_tensors, relative_error } from "../fixtures.js";
import { type GenerateCase, loader } from "./cases.js";

const load = loader("models");

/** The call of a case: a table stands for prefix_allowed_tokens_fn, and stop strings need the tokenizer. */
async function options_of({
  options,
  model,
  attention_mask,
  uniforms,
}: GenerateCase): Promise<Record<string, unknown>> {
  const { allowed_tokens_table, ...rest } = options;
  const table = allowed_tokens_table as number[][] | undefined;
  return {
    ...rest,
    ...(attention_mask ? { attention_mask } : {}),
    ...(uniforms ? { generator: uniforms } : {}),
    ...(table
      ? {
          prefix_allowed_tokens_fn: (batch: number, ids: number[]) =>
            table[(batch + (ids.at(-1) as number)) % table.length],
        }
      : {}),
    ...(rest["stop_strings"] ? { tokenizer: await AutoTokenizer.from_pretrained(fixture("models", model)) } : {}),
  };
}

const cases = (file: string) => read_json<{ cases: GenerateCase[] }>("generate", `${file}.json`).cases;

describe.each(["options", "combinations", "sampling", "batches", "stops", "beams"])("%s", (file) => {
  it.each(cases(file))("$name", async (one) => {
    const model = await load(one.model);
    const output = await model.generate(one.input_ids, await options_of(one));
    expect(output.tolist()).toEqual(one.sequences);
  });
});

describe("beams", () => {
  const scored = cases("beams").filter((one) => one.sequences_scores);
  it.each(scored)("$name: scores and indices", async (one) => {
    const model = await load(one.model);
    const output = await model.generate(one.input_ids, {
      ...(await options_of(one)),
      return_dict_in_generate: true,
      output_scores: true,
    });
    const scores = output["sequences_scores"] as Tensor;
    expect(relative_error(scores.data as Float32Array, one.sequences_scores as number[])).toBeLessThan(1e-4);
    if (one.beam_indices) expect((output["beam_indices"] as Tensor).tolist()).toEqual(one.beam_indices);
  });
});

describe("outputs", () => {
  const tensors = read_tensors("generate", "outputs.safetensors");
  it.each(cases("outputs"))("$name: scores and logits of each step", async (one) => {
    const model = await load(one.model);
    const output = await model.generate(one.input_ids, {
      ...(await options_of(one)),
      return_dict_in_generate: true,
      output_scores: true,
      output_logits: true,
    });
    expect(output.sequences.tolist()).toEqual(one.sequences);
    for (const kind of ["scores", "logits"] as const) {
      const steps = output[kind] as Tensor[];
      const expected = tensors[`${one.key}.${kind}`];
      const ours = steps.flatMap((step) => Array.from(step.data as Float32Array));
      const finite = ours.map((value, i) => (Number.isFinite(expected.data[i]) ? value : 0));
      const wanted = Array.from(expected.data, (value) => (Number.isFinite(value) ? value : 0));
      expect(ours.map((value) => value === -Infinity)).toEqual(
        Array.from(expected.data, (value) => value === -Infinity),
      );
      expect(relative_error(finite, wanted)).toBeLessThan(1e-4);
    }
  });
});

describe("errors", () => {
  // A whole number is a float in JavaScript: Python refuses a bias of 1 and takes 1.0.
  const refused = cases("errors").filter(({ error, options }) => error && !options["sequence_bias"]);
  it.each(refused)("$error: $message", async ({ model, input_ids, options, message }) => {
    await expect((await load(model)).generate(input_ids, options)).rejects.toThrow(message?.slice(0, 40));
  });

  const accepted = cases("errors").filter(({ error }) => !error);
  it.each(accepted)("are none with $options", async ({ model, input_ids, options }) => {
    expect((await (await load(model)).generate(input_ids, options)).dims[0]).toBe(1);
  });
});
