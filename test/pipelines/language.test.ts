// The pipelines that read text against Python's: test/fixtures/language.
import { afterAll, describe, expect, it } from "vitest";
import { pipeline, Tensor } from "../../lib/index.js";
import { fixture, read_json } from "../fixtures.js";
import { type AnyPipeline, close_to, type PipelineCase } from "./cases.js";

const TASKS = [
  "text-generation",
  "text-classification",
  "token-classification",
  "question-answering",
  "fill-mask",
  "zero-shot-classification",
  "feature-extraction",
];

const loaded = new Map<string, Promise<AnyPipeline>>();
function load(task: string, model: string): Promise<AnyPipeline> {
  const key = `${task} ${model}`;
  let pipe = loaded.get(key);
  if (!pipe) {
    pipe = pipeline(task, fixture("language", "checkpoints", model), { n_threads: 1 }) as Promise<AnyPipeline>;
    loaded.set(key, pipe);
  }
  return pipe;
}
afterAll(async () => {
  for (const pipe of loaded.values()) await (await pipe).dispose();
});

const plain = (value: unknown): unknown =>
  value instanceof Tensor ? value.tolist() : Array.isArray(value) ? value.map(plain) : value;

/** Where Python gives the vectors of padding too, if texts of several lengths share a batch, ours are those of the texts alone. */
function unpadded(one: PipelineCase, _: number, cases: PipelineCase[]): PipelineCase {
  if (one.model !== "features" || one.name !== "batch_size") return one;
  return { ...one, expected: cases.find(({ name }) => name === "a list")?.expected };
}

describe.each(TASKS)("%s", (task) => {
  const cases = read_json<{ cases: PipelineCase[] }>("language", `${task}.json`).cases.map(unpadded);
  const right = cases.filter(({ error }) => !error);

  it.each(right)("$model: $name", async ({ model, inputs, options, expected, expected_utf16 }) => {
    const pipe = await load(task, model);
    close_to(plain(await pipe(inputs, options)), expected_utf16 ?? expected);
    if (expected_utf16) close_to(await pipe(inputs, { ...options, offsets_unit: "code_point" }), expected);
  });

  it.each(cases.filter(({ error }) => error))("$model refuses: $name", async ({ model, inputs, options, message }) => {
    const pipe = await load(task, model);
    // A KeyError of a wrong name says nothing but the name.
    const text = /^'[A-Z]+'$/.test(message ?? "") ? "Expected one of" : message?.replace(/^'/, "").slice(0, 40);
    await expect((async () => pipe(inputs, options))()).rejects.toThrow(text);
  });
});
