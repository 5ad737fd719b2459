// LoRA adapters of PEFT on both engines, against Python: test/fixtures/lora.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  AutoModel,
  AutoModelForCausalLM,
  AutoModelForSeq2SeqLM,
  AutoModelForSequenceClassification,
  type CausalLM,
  LlamaForCausalLM,
  type PreTrainedModel,
  type Tensor,
} from "../../lib/index.js";
import { native } from "../../lib/native.js";
import { fixture, read_json, read_tensors, relative_error } from "../fixtures.js";

interface Case {
  adapter: string;
  model: string;
  class: string;
  input_ids: number[][];
  decoder_input_ids?: number[][];
  greedy?: number[][];
}

const { cases, together, new_tokens } = read_json<{ cases: Case[]; together: string[]; new_tokens: number }>(
  "lora",
  "cases.json",
);
const expected = read_tensors("lora", "expected.safetensors");
const folder = (adapter: string) => fixture("lora", adapter);
const of = (adapter: string) => cases.find((one) => one.adapter === adapter) as Case;

/** Loads the model of a case, or what was saved of it. */
function load(one: Case, options = {}, path = fixture(...one.model.split("/"))): Promise<CausalLM> {
  const kind = /For(SequenceClassification|ConditionalGeneration)$/.exec(one.class)?.[1];
  const auto = {
    SequenceClassification: AutoModelForSequenceClassification,
    ConditionalGeneration: AutoModelForSeq2SeqLM,
    CausalLM: AutoModelForCausalLM,
  }[kind ?? "CausalLM"] as typeof AutoModelForCausalLM;
  return auto.from_pretrained(path, { dtype: "float32", ...options });
}

const logits = async (model: PreTrainedModel, ids: number[][], said?: number[][]) =>
  ((await model.forward(ids, said ? { decoder_input_ids: said } : {}))["logits"] as Tensor).data as Float32Array;
const difference = async (model: PreTrainedModel, ids: number[][], name: string, said?: number[][]) =>
  relative_error(await logits(model, ids, said), expected[name].data);
const greedy = async (model: CausalLM, ids: number[][]) =>
  (
    await model.generate(ids, { max_new_tokens: new_tokens, do_sample: false, eos_token_id: null, pad_token_id: 0 })
  ).tolist();

describe.each(cases.filter(({ adapter }) => adapter !== "dora"))("$adapter", (one) => {
  const { adapter, input_ids: ids, decoder_input_ids: said } = one;

  it("gives Python's logits and tokens, and the model's own again without it", async () => {
    const model = await load(one);
    await model.load_adapter(folder(adapter));
    expect(model.active_adapters()).toEqual(["default"]);
    expect(await difference(model, ids, `${adapter}.adapted`, said)).toBeLessThan(1e-4);
    if (one.greedy) expect(await greedy(model, ids)).toEqual(one.greedy);
    expect(model.get_adapter_state_dict().keys()[0]).toMatch(
      /^(model|transformer|bert|lm_head|encoder|decoder|classification_head)\./,
    );
    model.disable_adapters();
    expect(await difference(model, ids, `${adapter}.base`, said)).toBeLessThan(1e-4);
    model.enable_adapters();
    expect(await difference(model, ids, `${adapter}.adapted`, said)).toBeLessThan(1e-4);
    model.delete_adapter("default");
    expect(await difference(model, ids, `${adapter}.base`, said)).toBeLessThan(1e-4);
    expect(() => model.active_adapters()).toThrow("No adapter loaded. Please load an adapter first.");
    await model.dispose();
  });

  it("is merged into the weights", async () => {
    const target = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
    try {
      const model = await load(one);
      await model.load_adapter(folder(adapter), { adapter_name: "a" });
      if (adapter === "llama-tied") {
        await expect(model.merge_and_unload()).rejects.toThrow("shares its tensor with another weight");
        return await model.dispose();
      }
      expect(await model.merge_and_unload()).toBe(model);
      expect(model.peft_config).toEqual({});
      expect(await difference(model, ids, `${adapter}.merged`, said)).toBeLessThan(1e-4);
      await model.save_pretrained(target);
      const saved = await load(one, {}, target);
      expect(await difference(saved, ids, `${adapter}.merged`, said)).toBeLessThan(1e-4);
      await Promise.all([model.dispose(), saved.dispose()]);
    } finally {
      rmSync(target, { recursive: true });
    }
  });
});

describe("several adapters", () => {
  const first = of(together[0]);
  const ids = first.input_ids;

  it("are switched, used together, and deleted, as in Python", async () => {
    const model = await load(first);
    for (const name of together) await model.load_adapter(folder(name), { adapter_name: name });
    expect(model.active_adapters()).toEqual([together[1]]);
    expect(Object.keys(model.peft_config)).toEqual(together);
    for (const name of [...together, ...together]) {
      model.set_adapter(name);
      expect(await difference(model, ids, `${name}.adapted`)).toBeLessThan(1e-4);
    }
    model.set_adapter(together);
    expect(await difference(model, ids, "together")).toBeLessThan(1e-4);
    model.disable_adapters();
    model.set_adapter(together[0]);
    expect(await difference(model, ids, `${together[0]}.base`)).toBeLessThan(1e-4);
    model.enable_adapters();
    model.delete_adapter(together[0]);
    expect(model.active_adapters()).toEqual([together[1]]);
    expect(await difference(model, ids, `${together[1]}.adapted`)).toBeLessThan(1e-4);
    await model.dispose();
  });

  it("do not disturb calls under way: each ends with what it began with", async () => {
    const model = await load(first);
    for (const name of together) await model.load_adapter(folder(name), { adapter_name: name });
    model.disable_adapters();
    const plain = await greedy(model, ids);
    model.enable_adapters();
    const pending: [string, Promise<unknown>][] = [];
    for (let i = 0; i < 6; i++) {
      const name = together[i % 2];
      model.set_adapter(name);
      pending.push([name, greedy(model, ids)]);
    }
    model.disable_adapters();
    const forward = logits(model, ids);
    const last = greedy(model, ids);
    model.enable_adapters();
    for (const [name, tokens] of pending) expect(await tokens).toEqual(of(name).greedy);
    expect(await last).toEqual(plain);
    expect(relative_error(await forward, expected[`${together[0]}.base`].data)).toBeLessThan(1e-4);
    await model.dispose();
  });

  it("end with the model that is disposed of under way", async () => {
    const model = await load(first);
    await model.load_adapter(folder(together[0]));
    const running = greedy(model, ids);
    model.disable_adapters();
    const waiting = greedy(model, ids);
    const all = Promise.allSettled([running, waiting]);
    await new Promise(setImmediate);
    await model.dispose();
    for (const result of await all)
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "disposed" });
    await expect(model.load_adapter(folder(together[0]))).rejects.toMatchObject({ code: "disposed" });
  });

  it("are refused under a name that is taken, or unknown", async () => {
    const model = await load(first);
    expect(() => model.set_adapter("a")).toThrow("No adapter loaded. Please load an adapter first.");
    expect(() => model.disable_adapters()).toThrow("No adapter loaded.");
    await model.load_adapter(folder(together[0]), { adapter_name: "a" });
    await expect(model.load_adapter(folder(together[1]), { adapter_name: "a" })).rejects.toThrow(
      "Adapter with name a already exists. Please use a different name.",
    );
    expect(() => model.set_adapter("b")).toThrow(
      "Adapter with name b not found. Please pass the correct adapter name among ['a']",
    );
    expect(() => model.set_adapter(["a", "b"])).toThrow("Following adapter(s) could not be found: b.");
    expect(() => model.delete_adapter(["a", "b"])).toThrow("are not present and cannot be deleted: b");
    await expect(model.load_adapter()).rejects.toThrow("You should either pass a `peft_model_id`");
    await expect(model.load_adapter(fixture("models", "m27-llama"))).rejects.toThrow("adapter model file not found");
    await model.dispose();
  });
});

describe("a folder with an adapter", () => {
  const copy_of = (name: string, change: (config: Record<string, unknown>) => void = () => {}) => {
    const target = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
    cpSync(folder(name), target, { recursive: true });
    const path = join(target, "adapter_config.json");
    const config = JSON.parse(readFileSync(path, "utf8"));
    config.base_model_name_or_path = fixture(...of(name).model.split("/"));
    change(config);
    writeFileSync(path, JSON.stringify(config));
    return target;
  };

  it("loads the model that it was made for, and is saved alone", async () => {
    const [source, target] = [copy_of("llama-qv"), mkdtempSync(join(tmpdir(), "ggml-transformers-"))];
    try {
      for (const type of [AutoModelForCausalLM, LlamaForCausalLM]) {
        const model = (await type.from_pretrained(source, { dtype: "float32" })) as unknown as CausalLM;
        expect(model.name_or_path).toBe(fixture("models", "m27-llama"));
        expect(await difference(model, of("llama-qv").input_ids, "llama-qv.adapted")).toBeLessThan(1e-4);
        await model.save_pretrained(target);
        await model.dispose();
      }
      expect(readdirSync(target).sort()).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
      const model = (await AutoModelForCausalLM.from_pretrained(target, { adapter_name: "mine" })) as CausalLM;
      expect(model.active_adapters()).toEqual(["mine"]);
      expect(await difference(model, of("llama-qv").input_ids, "llama-qv.adapted")).toBeLessThan(1e-4);
      await model.dispose();
    } finally {
      for (const path of [source, target]) rmSync(path, { recursive: true });
    }
  });

  it("keeps a classifier's own head, on both engines", async () => {
    for (const name of ["llama-classes", "bert"]) {
      const source = copy_of(name);
      const model = await AutoModelForSequenceClassification.from_pretrained(source);
      expect(
        relative_error((await model(of(name).input_ids)).logits.data as Float32Array, expected[`${name}.adapted`].data),
      ).toBeLessThan(1e-4);
      await model.dispose();
      rmSync(source, { recursive: true });
    }
  });

  it.each([
    ["dora", {}, "use_dora=true is not supported"],
    ["llama-qv", { peft_type: "IA3" }, 'peft_type "IA3" is not supported'],
    ["llama-qv", { bias: "all" }, 'bias="all" is not supported'],
    ["llama-qv", { r: 0 }, "expected a positive integer for r"],
    ["llama-qv", { lora_alpha: "x" }, "expected a number for lora_alpha"],
    ["llama-qv", { alpha_pattern: { "(": 3 } }, "is no regular expression"],
    ["llama-qv", { base_model_name_or_path: null }, "does not say the base_model_name_or_path"],
    ["llama-qv", { base_model_name_or_path: fixture("models", "qwen3") }, "which do not fit"],
    [
      "llama-qv",
      { base_model_name_or_path: fixture("graph", "gpt2-lm") },
      "no tensor of the adapter belongs to the model",
    ],
  ])("is refused: %s with %o", async (name, changes, message) => {
    const source = copy_of(name, (config) => Object.assign(config, changes));
    try {
      await expect(AutoModelForCausalLM.from_pretrained(source)).rejects.toThrow(message);
    } finally {
      rmSync(source, { recursive: true });
    }
  });
});

it("an adapter is given as tensors and a configuration", async () => {
  const one = of("llama-qv");
  const model = await load(one);
  const state = new (native().StateDict)([join(folder("llama-qv"), "adapter_model.safetensors")]);
  const peft_config = read_json<object>("lora", "llama-qv", "adapter_config.json");
  await model.load_adapter(undefined, { peft_config, adapter_state_dict: state });
  expect(await difference(model, one.input_ids, "llama-qv.adapted")).toBeLessThan(1e-4);
  await model.dispose();
});

it("an adapter of embeddings that the engine cannot part from the head is refused", async () => {
  const model = await load(of("gemma2"));
  const state = new (native().StateDict)();
  state.set("model.embed_tokens.lora_embedding_A", "F32", [2, 160], new Float32Array(320));
  state.set("model.embed_tokens.lora_embedding_B", "F32", [48, 2], new Float32Array(96));
  const peft_config = { peft_type: "LORA", r: 2, lora_alpha: 2 };
  await expect(model.load_adapter(undefined, { peft_config, adapter_state_dict: state })).rejects.toMatchObject({
    code: "adapter_unsupported",
    message: expect.stringContaining("an adapter of the embeddings is not supported"),
  });
  expect(await difference(model, of("gemma2").input_ids, "gemma2.base")).toBeLessThan(1e-4);
  await model.dispose();
});

it("an adapter is added to a GGUF file, and to quantised weights", async () => {
  const target = mkdtempSync(join(tmpdir(), "ggml-transformers-"));
  try {
    const one = of("llama-all");
    const model = await load(one);
    await model.save_gguf(join(target, "model.gguf"));
    await model.dispose();
    const gguf = await AutoModelForCausalLM.from_pretrained(join(target, "model.gguf"));
    await gguf.load_adapter(folder("llama-all"));
    expect(await difference(gguf as unknown as PreTrainedModel, one.input_ids, "llama-all.adapted")).toBeLessThan(1e-4);
    await expect(gguf.merge_and_unload()).rejects.toMatchObject({ code: "no_state_dict" });
    await expect(gguf.load_adapter(folder("llama-embeddings"), { adapter_name: "b" })).rejects.toMatchObject({
      code: "adapter_unsupported",
    });
    gguf.disable_adapters();
    expect(await difference(gguf as unknown as PreTrainedModel, one.input_ids, "llama-all.base")).toBeLessThan(1e-4);
    await gguf.dispose();

    const half = await load(one, { dtype: "bfloat16" });
    await half.load_adapter(folder("llama-all"));
    expect(await difference(half, one.input_ids, "llama-all.adapted")).toBeLessThan(0.05);
    half.to("float32");
    expect(await difference(half, one.input_ids, "llama-all.adapted")).toBeLessThan(1e-4);
    await half.dispose();
  } finally {
    rmSync(target, { recursive: true });
  }
});

it("an adapter of a language model's layers is one of its hidden states", async () => {
  const model = (await AutoModel.from_pretrained(fixture("models", "m27-llama"))) as unknown as PreTrainedModel;
  await expect(model.load_adapter(folder("llama-qv"))).rejects.toThrow("no tensor of the adapter belongs to the model");
  await model.dispose();
});
