import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as transformers from "../../lib/index.js";
import { AutoConfig } from "../../lib/index.js";
import type { LoadingInfo } from "../../lib/models/loading.js";
import type { PreTrainedModel } from "../../lib/models/pretrained.js";
import type { Tensor } from "../../lib/tensor/index.js";
import { fixture, read_json, read_tensors, relative_error } from "../fixtures.js";

type Model = PreTrainedModel & {
  (inputs: object): Promise<{ logits: Tensor }>;
  resize_decoder_token_embeddings(count: number): Promise<{ name: string; shape: number[] }>;
};
interface Class {
  from_pretrained(name: string, options?: object): Promise<Model>;
  from_config(config: object, options?: object): Promise<Model>;
}
const classes = transformers as unknown as Record<string, Class | undefined>;
const class_of = (name: string) => classes[name] as Class;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ggml-transformers-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Loads through the Auto class's kind: a model class wants its configuration. */
async function load(name: string, path: string): Promise<Model> {
  return class_of(name).from_pretrained(path, { config: await AutoConfig.from_pretrained(path) });
}

function values(model: Model, name: string): Float32Array {
  const state = model.state_dict();
  const data = new Float32Array(state.info(name).shape.reduce((product, size) => product * size, 1));
  state.read_f32(name, data);
  return data;
}

interface Loading {
  class: string;
  model: string;
  options: Record<string, unknown>;
  model_class?: string;
  loading_info?: Omit<LoadingInfo, "mismatched_keys"> & { mismatched_keys: string[] };
  message?: string;
}

describe("loading says what Python says of the keys", () => {
  const { cases } = read_json<{ cases: Loading[] }>("lifecycle", "loading.json");
  test.each(cases.map((one) => [`${one.class} ${one.model} ${JSON.stringify(one.options)}`, one] as const))(
    "%s",
    async (_, one) => {
      const loaded = class_of(one.class).from_pretrained(fixture("graph", one.model), {
        ...one.options,
        output_loading_info: true,
      });
      if (one.message) {
        const reason = /size mismatch|Unrecognized configuration class/.exec(one.message)?.[0];
        await expect(loaded).rejects.toThrow(reason);
        return;
      }
      const [model, info] = (await loaded) as unknown as [Model, LoadingInfo];
      expect(model.constructor.name).toBe(one.model_class);
      expect({ ...info, mismatched_keys: info.mismatched_keys.map(([name]) => name).sort() }).toEqual(one.loading_info);
      await model.dispose();
    },
  );
});

interface Resizing {
  name: string;
  class: string;
  model: string;
  options: Record<string, number>;
  method?: string;
  reloads?: boolean;
  exact?: boolean;
  vocab_size?: number;
  tensors?: string[];
  error?: string;
  message?: string;
}

describe("resize_token_embeddings", () => {
  const { input_ids, cases } = read_json<{ input_ids: number[][]; cases: Resizing[] }>("lifecycle", "resizing.json");
  const expected = read_tensors("lifecycle", "resizing.safetensors");
  test.each(cases)("$name", async (one) => {
    const model = await load(one.class, fixture("lifecycle", "checkpoints", one.model));
    const { new_num_tokens, ...options } = one.options;
    if (one.error) {
      await expect(model.resize_token_embeddings(new_num_tokens, options)).rejects.toThrow(one.message);
      return model.dispose();
    }
    const inputs = { input_ids, ...(model.config.is_encoder_decoder ? { decoder_input_ids: input_ids } : {}) };
    await model(inputs);
    const table = one.method
      ? await model.resize_decoder_token_embeddings(new_num_tokens)
      : await model.resize_token_embeddings(new_num_tokens, options);
    expect(table.shape[0]).toBe(one.vocab_size);
    expect(model.config[one.method ? "decoder_vocab_size" : "vocab_size"]).toBe(one.vocab_size);
    const before = await load(one.class, fixture("lifecycle", "checkpoints", one.model));
    for (const name of one.tensors ?? []) {
      const { data, shape } = expected[`${one.name}.${name}`];
      expect(model.state_dict().info(name).shape).toEqual(shape);
      const ours = values(model, name);
      const old = before
        .state_dict()
        .info(name)
        .shape.reduce((product, size) => product * size, 1);
      expect(relative_error(ours.subarray(0, old), data.subarray(0, old))).toBe(0);
      // Where Python draws, both stay close to the mean of the old rows.
      expect(relative_error(ours, data)).toBeLessThan(one.exact ? 1e-6 : 1e-3);
    }
    await before.dispose();
    if (one.exact) {
      const { logits } = await model(inputs);
      const wanted = expected[`${one.name}.logits`];
      expect(logits.dims).toEqual(wanted.shape);
      expect(relative_error(logits.data as Float32Array, wanted.data)).toBeLessThan(1e-4);
    }
    const path = join(folder, one.name.replace(/\W/g, "-"));
    await model.save_pretrained(path);
    if (one.reloads === false) {
      await expect(load(one.class, path)).rejects.toMatchObject({ code: "size_mismatch" });
      return model.dispose();
    }
    const again = await load(one.class, path);
    for (const key of model.state_dict().keys()) expect(values(again, key)).toEqual(values(model, key));
    await again.dispose();
    await model.dispose();
  });
});

interface Initialization {
  name: string;
  class: string;
  config: Record<string, unknown>;
  num_parameters: number;
  num_parameters_without_embeddings: number;
  tensors: Record<string, { shape: number[]; mean: number; std: number; zero_rows?: number[] }>;
}

describe("from_config draws from Python's distributions", () => {
  const { cases } = read_json<{ cases: Initialization[] }>("lifecycle", "initialization.json");
  test.each(cases)("$name", async (one) => {
    const config = await AutoConfig.for_model(one.config["model_type"] as string, one.config);
    const model = await class_of(one.class).from_config(config, { seed: 7 });
    // The order decides which shard a tensor is written to.
    expect(model.parameters().map(({ name }) => name)).toEqual(Object.keys(one.tensors));
    expect(model.num_parameters()).toBe(one.num_parameters);
    expect(model.num_parameters({ exclude_embeddings: true })).toBe(one.num_parameters_without_embeddings);
    for (const [name, { shape, mean, std, zero_rows }] of Object.entries(one.tensors)) {
      expect([name, ...model.state_dict().info(name).shape]).toEqual([name, ...shape]);
      const data = values(model, name);
      const average = data.reduce((sum, value) => sum + value, 0) / data.length;
      const deviation = Math.sqrt(data.reduce((sum, value) => sum + (value - average) ** 2, 0) / data.length);
      // Five standard errors of both draws.
      const tolerance = 1e-6 + (10 * Math.max(std, deviation)) / Math.sqrt(data.length);
      expect([name, Math.abs(average - mean) < tolerance]).toEqual([name, true]);
      expect([name, Math.abs(deviation - std) < tolerance]).toEqual([name, true]);
      const rows = Array.from({ length: shape.length === 2 ? shape[0] : 0 }, (_, i) => i);
      const zeros = rows.filter((i) => data.subarray(i * shape[1], (i + 1) * shape[1]).every((value) => value === 0));
      if (std > 0) expect([name, zeros]).toEqual([name, zero_rows ?? []]);
    }
    await model.dispose();
  });
});
