// The text-generation pipeline against Python's: test/fixtures/pipelines.
import { afterAll, describe, expect, it } from "vitest";
import { pipeline, type TextGenerationPipeline } from "../../lib/index.js";
import { fixture, read_json } from "../fixtures.js";

interface Case {
  name: string;
  model: string;
  inputs: unknown;
  options: Record<string, unknown>;
  expected: unknown;
  error?: string;
  message?: string;
}

const { cases, padding_side } = read_json<{ cases: Case[]; padding_side: string }>("pipelines", "text-generation.json");
const errors = [
  ...cases.filter(({ error }) => error),
  ...read_json<{ cases: Case[] }>("pipelines", "text-generation-errors.json").cases,
];

type Generator = TextGenerationPipeline & ((inputs: unknown, options?: object) => Promise<unknown>);
const pipelines = new Map<string, Promise<Generator>>();
async function load(model: string): Promise<Generator> {
  if (!pipelines.has(model))
    pipelines.set(
      model,
      pipeline("text-generation", fixture("models", model), { n_threads: 1 }) as unknown as Promise<Generator>,
    );
  const loaded = (await pipelines.get(model)) as Generator;
  if (loaded.tokenizer) loaded.tokenizer.padding_side = padding_side as "left" | "right";
  return loaded;
}
afterAll(async () => {
  for (const one of pipelines.values()) await (await one).dispose();
});

describe("text-generation", () => {
  it.each(cases.filter(({ error }) => !error))("$name", async ({ model, inputs, options, expected }) => {
    const generator = await load(model);
    expect(JSON.parse(JSON.stringify(await generator(inputs, options)))).toEqual(expected);
  });

  it.each(errors)("refuses: $name", async ({ model, inputs, options, message }) => {
    const generator = await load(model);
    await expect((async () => generator(inputs, options))()).rejects.toThrow(message?.slice(0, 40));
  });

  it("gives results one by one for an iterable", async () => {
    const generator = await load("m27-llama");
    const results: unknown[] = [];
    const inputs = (function* () {
      yield "The old house";
      yield "A small boat";
    })();
    for await (const result of (await generator(inputs, {
      do_sample: false,
      max_new_tokens: 3,
    })) as AsyncIterable<unknown>)
      results.push(result);
    expect(results.length).toBe(2);
  });
});
