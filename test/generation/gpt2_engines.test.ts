// GPT-2 on both engines: a checkpoint on the graph engine, and on libllama the GGUF file that save_gguf makes of it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  AutoModel,
  AutoModelForCausalLM,
  AutoTokenizer,
  type CausalLM,
  type GenerateDecoderOnlyOutput,
  GPT2Config,
  GPT2LMHeadModel,
  type Tensor,
} from "../../lib/index.js";
import { LlamaEngineModel } from "../../lib/models/llama/engine_model.js";
import { fixture, read_json, read_tensors, relative_error } from "../fixtures.js";
import type { GenerateCase } from "./cases.js";

const NAMES = ["gpt2-lm", "gpt2-hub-style"];
const folder = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
const models: Record<string, { graph: CausalLM; llama: CausalLM }> = {};
const gguf = (name: string) => join(folder, `${name}.gguf`);

beforeAll(async () => {
  for (const name of NAMES) {
    const graph = await AutoModelForCausalLM.from_pretrained(fixture("graph", name), { n_threads: 1 });
    await graph.save_gguf(gguf(name));
    const llama = await AutoModelForCausalLM.from_pretrained(gguf(name), { n_threads: 1 });
    llama.generation_config = graph.generation_config.clone();
    models[name] = { graph, llama };
  }
});
afterAll(async () => {
  for (const { graph, llama } of Object.values(models)) await Promise.all([graph.dispose(), llama.dispose()]);
  rmSync(folder, { recursive: true });
});

it("is another engine", () => {
  for (const { graph, llama } of Object.values(models))
    expect([graph, llama].map((model) => (model as object) instanceof LlamaEngineModel)).toEqual([false, true]);
});

/** The values of finite scores, and zeros in the place of the others, which must be the same. */
function finite(values: Float32Array): number[] {
  return Array.from(values, (value) => (Number.isFinite(value) ? value : 0));
}

const { cases } = read_json<{ cases: GenerateCase[] }>("graph", "generate.json");
it.each(cases.filter(({ model }) => NAMES.includes(model)))("gives Python's tokens: $name", async (one) => {
  const mask = one.attention_mask ?? one.input_ids.map((row) => row.map(() => 1));
  const run = (model: CausalLM) =>
    model.generate(one.input_ids, {
      ...one.options,
      attention_mask: mask,
      ...(one.uniforms ? { generator: one.uniforms } : {}),
      return_dict_in_generate: true,
      output_scores: true,
    }) as PromiseLike<unknown> as Promise<GenerateDecoderOnlyOutput>;
  const { graph, llama } = models[one.model];
  const [of_graph, of_llama] = [await run(graph), await run(llama)];
  expect(of_llama.sequences.tolist()).toEqual(one.sequences);
  expect(of_llama.scores).toHaveLength((of_graph.scores as Tensor[]).length);
  for (const [step, { data }] of (of_llama.scores as Tensor[]).entries()) {
    const wanted = (of_graph.scores as Tensor[])[step].data as Float32Array;
    expect(Array.from(data as Float32Array, Number.isFinite)).toEqual(Array.from(wanted, Number.isFinite));
    expect(relative_error(finite(data as Float32Array), finite(wanted))).toBeLessThan(1e-4);
  }
  if (!one.sequences_scores) return;
  expect(of_llama.beam_indices?.tolist()).toEqual(one.beam_indices);
  expect(relative_error(of_llama.sequences_scores?.data as Float32Array, one.sequences_scores)).toBeLessThan(1e-4);
});

describe("forward() of the file", () => {
  it.each(NAMES)("gives Python's logits: %s", async (name) => {
    const { cases } = read_json<{ cases: { name: string; inputs: object }[] }>("graph", name, "case.json");
    const tensors = read_tensors("graph", name, "expected.safetensors");
    const { inputs } = cases.find((one) => one.name === "single") as { inputs: object };
    const { logits } = (await models[name].llama.forward(inputs)) as unknown as { logits: Tensor };
    expect(relative_error(logits.data as Float32Array, tensors["single.logits"].data)).toBeLessThan(1e-4);
    await expect(models[name].llama.forward(inputs, { output_hidden_states: true })).rejects.toThrow(
      "hidden states are not available for the architecture 'gpt2'",
    );
  });

  it("gives hidden states without a head, as AutoModel does", async () => {
    const { graph } = models["gpt2-lm"];
    const model = await AutoModel.from_pretrained(gguf("gpt2-lm"));
    const ids = [[5, 9, 17, 33, 2]];
    const { last_hidden_state } = (await model(ids)) as unknown as { last_hidden_state: Tensor };
    const { hidden_states } = (await graph.forward(ids, { output_hidden_states: true })) as unknown as {
      hidden_states: Tensor[];
    };
    expect(relative_error(last_hidden_state.data as Float32Array, hidden_states[2].data as Float32Array)).toBeLessThan(
      1e-4,
    );
    await model.dispose();
  });

  it("refuses positions that the table does not have, and stays usable", async () => {
    const { llama } = models["gpt2-lm"];
    const ids = [Array.from({ length: 41 }, () => 5)];
    await expect(llama.forward(ids)).rejects.toThrow("at most 40");
    await expect(llama.forward({ input_ids: [[5, 6]], position_ids: [[39, 40]] })).rejects.toThrow("at most 40");
    await expect(llama.generate(ids, { max_new_tokens: 2 })).rejects.toThrow(/40/);
    expect((await llama.forward([[5, 6]]))["logits"]).toMatchObject({ dims: [1, 2, 100] });
  });
});

describe("the file", () => {
  const configuration = { vocab_size: 70, n_positions: 24, n_embd: 24, n_head: 3, n_layer: 1, n_inner: 44 };

  it("holds a feed-forward layer of any size, an untied head, and other types", async () => {
    const config = new GPT2Config({ ...configuration, tie_word_embeddings: false, layer_norm_epsilon: 0.02 });
    const model = await GPT2LMHeadModel.from_config(config, { seed: 3 });
    const ids = [[5, 9, 17, 33, 2]];
    const wanted = ((await model.forward(ids))["logits"] as Tensor).data as Float32Array;
    for (const [quantization, tolerance] of [
      [undefined, 1e-4],
      ["bfloat16", 0.02],
    ] as const) {
      await model.save_gguf(gguf("own"), quantization ? { quantization } : {});
      const copy = await AutoModelForCausalLM.from_pretrained(gguf("own"));
      expect(copy.config).toMatchObject({ n_inner: 44, n_embd: 24, n_positions: 24, layer_norm_epsilon: 0.02 });
      expect(relative_error((await copy(ids)).logits.data as Float32Array, wanted)).toBeLessThan(tolerance);
      await copy.dispose();
    }
    await model.dispose();
  });

  it("holds the tokenizer and what ends a text", async () => {
    const tokenizer = await AutoTokenizer.from_pretrained(fixture("tokenizers", "gpt2"));
    const config = new GPT2Config({ ...configuration, vocab_size: tokenizer.length, bos_token_id: 3, eos_token_id: 4 });
    const model = await GPT2LMHeadModel.from_config(config);
    await model.save_gguf(gguf("whole"), { tokenizer });
    const copy = await AutoTokenizer.from_pretrained(folder, { gguf_file: "whole.gguf" });
    expect(copy.encode("Hello there, 12 fish")).toEqual(tokenizer.encode("Hello there, 12 fish"));
    const loaded = await AutoModelForCausalLM.from_pretrained(gguf("whole"));
    expect(loaded.generation_config.eos_token_id).toBe(4);
    await Promise.all([model.dispose(), loaded.dispose()]);
  });

  it.each([
    [{ scale_attn_by_inverse_layer_idx: true }, "scale_attn_by_inverse_layer_idx=true"],
    [{ scale_attn_weights: false }, "scale_attn_weights=false"],
    [{ activation_function: "relu" }, 'the activation "relu"'],
  ])("is not written for what libllama computes otherwise: %o", async (fields, message) => {
    const model = await GPT2LMHeadModel.from_config(new GPT2Config({ ...configuration, ...fields }));
    await expect(model.save_gguf(gguf("no"))).rejects.toMatchObject({
      code: "unsupported_config",
      message: expect.stringContaining(message),
    });
    await model.dispose();
  });

  it("needs a path and a known type", async () => {
    const { graph } = models["gpt2-lm"];
    await expect(graph.save_gguf("")).rejects.toThrow("a file's path");
    await expect(graph.save_gguf(gguf("no"), { quantization: "q3" })).rejects.toThrow("quantization");
    await expect(graph.save_gguf(join(folder, "none", "no.gguf"))).rejects.toMatchObject({ code: "io_error" });
  });

  it("takes adapters that were made for the checkpoint", async () => {
    const [{ input_ids, greedy }] = read_json<{
      cases: { adapter: string; input_ids: number[][]; greedy: number[][] }[];
    }>("lora", "cases.json").cases.filter(({ adapter }) => adapter === "gpt2");
    const expected = read_tensors("lora", "expected.safetensors");
    const model = await AutoModelForCausalLM.from_pretrained(gguf("gpt2-lm"));
    await model.load_adapter(fixture("lora", "gpt2"));
    const logits = async () => (await model(input_ids)).logits.data as Float32Array;
    expect(relative_error(await logits(), expected["gpt2.adapted"].data)).toBeLessThan(1e-4);
    const settings = { max_new_tokens: 8, do_sample: false, eos_token_id: null, pad_token_id: 0 };
    expect((await model.generate(input_ids, settings)).tolist()).toEqual(greedy);
    model.disable_adapters();
    expect(relative_error(await logits(), expected["gpt2.base"].data)).toBeLessThan(1e-4);
    await model.dispose();
  });
});
