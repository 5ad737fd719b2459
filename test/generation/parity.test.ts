// Python's generate() over the fixture models, option by option: the same tokens, from the same uniforms.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { token_strings } from "../../lib/generation/stop_strings.js";
import { AutoTokenizer } from "../../lib/index.js";
import {
  type NativeGenerateResult,
  type NativeGenerationHooks,
  type NativeGenerationOptions,
  native,
} from "../../lib/native.js";
import { load, models_folder, read_json, relative_error, rows } from "../llama/fixture.js";
import type { GenerateCase } from "./cases.js";

type Case = GenerateCase & {
  options: { max_length?: number; max_new_tokens?: number; allowed_tokens_table?: number[][] };
};

const folder = fileURLToPath(new URL("../fixtures/generate", import.meta.url));
const read = (group: string) => JSON.parse(readFileSync(`${folder}/${group}.json`, "utf8")).cases as Case[];

/** Engine, tokenizer and generation config of a fixture. */
async function subject(model: string) {
  const tokenizer = await AutoTokenizer.from_pretrained(`${models_folder}/${model}`);
  const config = read_json(model, "generation_config.json");
  return { engine: await load(model), strings: token_strings(tokenizer), config };
}
const subjects = new Map<string, ReturnType<typeof subject>>();

async function generate(one: Case): Promise<NativeGenerateResult> {
  if (!subjects.has(one.model)) subjects.set(one.model, subject(one.model));
  const { engine, strings, config } = await subjects.get(one.model)!;
  const { allowed_tokens_table: table, max_new_tokens, ...given } = one.options;
  const prompt = one.input_ids[0].length;
  const options = { ...config, ...given } as Record<string, unknown>;
  const first_eos = [options["eos_token_id"]].flat()[0];
  Object.assign(options, {
    pad_token_id: options["pad_token_id"] ?? first_eos,
    max_length: max_new_tokens === undefined ? (given.max_length ?? prompt + 20) : prompt + max_new_tokens,
    min_length:
      given["min_new_tokens"] === undefined ? options["min_length"] : prompt + Number(given["min_new_tokens"]),
    token_strings: strings,
    ...(one.uniforms ? { uniforms: Float64Array.from(one.uniforms) } : {}),
    ...(given["negative_prompt_ids"] ? { negative_prompt_ids: rows(given["negative_prompt_ids"] as number[][]) } : {}),
  });
  const hooks: NativeGenerationHooks = {};
  if (table)
    hooks.prefix_allowed_tokens_fn = (batch_id, ids) =>
      Int32Array.from(table[(batch_id + ids[ids.length - 1]!) % table.length]);
  return new Promise((on_done, on_error) =>
    engine.generate(
      {
        input_ids: rows(one.input_ids),
        ...(one.attention_mask ? { attention_mask: one.attention_mask.map((row) => Uint8Array.from(row)) } : {}),
        options: options as NativeGenerationOptions,
        ...(table ? { hooks } : {}),
      },
      { on_done, on_error },
    ),
  );
}

describe.each(["options", "combinations", "batches", "sampling", "stops"])("generate() with %s", (group) => {
  it.each(read(group))("gives Python's tokens: $name", async (one) => {
    const { sequences } = await generate(one);
    expect(sequences.map((row) => Array.from(row))).toEqual(one.sequences);
  });
});

describe("generate() with beams", () => {
  it.each(read("beams"))("gives Python's tokens, scores and beams: $name", async (one) => {
    const { sequences, sequences_scores, beam_indices } = await generate(one);
    expect(sequences.map((row) => Array.from(row))).toEqual(one.sequences);
    expect(beam_indices!.map((row) => Array.from(row))).toEqual(one.beam_indices);
    one.sequences_scores!.forEach((score, i) => {
      expect(sequences_scores![i]).toBeCloseTo(score, 4);
    });
  });
});

describe("generate() with output_scores and output_logits", () => {
  const dict = new (native().StateDict)([`${folder}/outputs.safetensors`]);
  const tensor = (name: string) => {
    const data = new Float32Array(dict.info(name).shape.reduce((a, b) => a * b, 1));
    dict.read_f32(name, data);
    return data;
  };
  const flat = (steps: Float32Array[]) => Float32Array.from(steps.flatMap((step) => Array.from(step)));

  it.each(read("outputs") as (Case & { key: string })[])("gives Python's numbers: $name", async (one) => {
    const outputs = { output_scores: true, output_logits: true, return_dict_in_generate: true };
    const result = await generate({ ...one, options: { ...one.options, ...outputs } });
    expect(result.sequences.map((row) => Array.from(row))).toEqual(one.sequences);
    for (const kind of ["scores", "logits"] as const) {
      const [ours, wanted] = [flat(result[kind]!), tensor(`${one.key}.${kind}`)];
      expect(Array.from(ours, Number.isFinite), kind).toEqual(Array.from(wanted, Number.isFinite));
      expect(relative_error(ours.filter(Number.isFinite), wanted.filter(Number.isFinite)), kind).toBeLessThan(1e-4);
    }
  });
});
