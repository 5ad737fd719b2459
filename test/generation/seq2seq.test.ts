// generate() of encoder-decoders against Python's: test/fixtures/seq2seq/generate.json.
import { describe, expect, test } from "vitest";
import type { BaseStreamer, GenerateEncoderDecoderOutput, ModelOutput } from "../../lib/index.js";
import { Tensor } from "../../lib/index.js";
import { read_json, read_tensors, relative_error } from "../fixtures.js";
import { type GenerateCase, loader } from "./cases.js";

interface Case extends GenerateCase {
  keys?: string[];
  /** What a streamer gets. */
  chunks?: unknown[];
}

const { cases } = read_json<{ cases: Case[] }>("seq2seq", "generate.json");
const numbers = read_tensors("seq2seq", "generate.safetensors");
const load = loader("seq2seq");

type Encoder = (ids: number[][], options: object) => Promise<ModelOutput>;

/** The options of a call; `encoder_outputs: true` stands for what the encoder gives. */
async function options_of(one: Case): Promise<Record<string, unknown>> {
  // Some prompts hold the padding token, which Python was told to see.
  const attention_mask = one.attention_mask ?? one.input_ids.map((row) => row.map(() => 1));
  const model = await load(one.model);
  const encoder = (model as unknown as { get_encoder(): Encoder }).get_encoder?.();
  return {
    ...one.options,
    attention_mask,
    ...(one.options["encoder_outputs"] ? { encoder_outputs: await encoder(one.input_ids, { attention_mask }) } : {}),
    ...(one.uniforms ? { generator: one.uniforms } : {}),
  };
}

const plain = cases.filter(({ key, chunks }) => !key && !chunks);

test.each(plain)("gives Python's tokens: $name", async (one) => {
  const model = await load(one.model);
  const output = (await model.generate(one.input_ids, {
    ...(await options_of(one)),
    return_dict_in_generate: true,
    output_scores: true,
  })) as unknown as GenerateEncoderDecoderOutput;
  expect(output.sequences.tolist()).toEqual(one.sequences);
  if (!one.sequences_scores) return;
  expect((output["beam_indices"] as Tensor).tolist()).toEqual(one.beam_indices);
  const scores = output["sequences_scores"] as Tensor;
  expect(relative_error(scores.data as Float32Array, one.sequences_scores)).toBeLessThan(1e-4);
});

test("the encoder's outputs alone say how many rows there are", async () => {
  const one = plain.find(({ options }) => options["encoder_outputs"]) as Case;
  const model = await load(one.model);
  const output = await model.generate(undefined, await options_of(one));
  expect(output.tolist()).toEqual(one.sequences);
});

test("several calls at a time give what each gives alone", async () => {
  const model = await load("bart-cnn");
  const own = plain.filter(({ model, uniforms }) => model === "bart-cnn" && !uniforms);
  const results = await Promise.all(own.map(async (one) => model.generate(one.input_ids, await options_of(one))));
  expect(results.map((result) => result.tolist())).toEqual(own.map(({ sequences }) => sequences));
});

test.each(cases.filter(({ chunks }) => chunks))("a streamer gets Python's chunks: $name", async (one) => {
  const model = await load(one.model);
  const chunks: unknown[] = [];
  const streamer = {
    put: (value: unknown) => chunks.push(value instanceof Tensor ? value.tolist() : value),
    end: () => chunks.push("end"),
  };
  const output = await model.generate(one.input_ids, {
    ...(await options_of(one)),
    streamer: streamer as unknown as BaseStreamer,
  });
  expect(output.tolist()).toEqual(one.sequences);
  const flat = (values: unknown[]) =>
    values.flat(2).map((value) => (typeof value === "bigint" ? Number(value) : value));
  expect(flat(chunks)).toEqual(flat(one.chunks as unknown[]));
});

/** Tensors of nested tuples by their path. */
function flatten(value: unknown, path: string, into: Record<string, Tensor>): void {
  if (value instanceof Tensor) into[path] = value;
  else if (Array.isArray(value)) for (const [i, member] of value.entries()) flatten(member, `${path}.${i}`, into);
}

describe("numbers", () => {
  test.each(cases.filter(({ key }) => key))("are Python's: $name", async (one) => {
    const model = await load(one.model);
    const output = (await model.generate(one.input_ids, {
      ...(await options_of(one)),
      return_dict_in_generate: true,
      output_scores: true,
      output_logits: true,
    })) as unknown as ModelOutput;
    expect((output["sequences"] as Tensor).tolist()).toEqual(one.sequences);
    expect(output.keys()).toEqual(one.keys);
    const ours: Record<string, Tensor> = {};
    for (const name of output.keys())
      if (!["sequences", "past_key_values", "beam_indices"].includes(name))
        flatten(output[name], `${one.key}.${name}`, ours);
    const wanted = Object.keys(numbers).filter(
      (name) => name.startsWith(`${one.key}.`) && !name.includes("transition_scores"),
    );
    expect(Object.keys(ours).sort()).toEqual(wanted.sort());
    for (const [name, tensor] of Object.entries(ours)) {
      const { data, shape } = numbers[name];
      expect([name, ...tensor.dims]).toEqual([name, ...shape]);
      const finite = (values: ArrayLike<number>) => Array.from(values, (value) => (Number.isFinite(value) ? value : 0));
      expect(Array.from(tensor.data as Float32Array, Number.isFinite)).toEqual(Array.from(data, Number.isFinite));
      expect([name, relative_error(finite(tensor.data as Float32Array), finite(data))]).toSatisfy(
        ([, error]) => (error as number) < 1e-4,
      );
    }
  });
});
