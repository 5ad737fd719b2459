// from_pretrained of a class itself, without an Auto class: it reads the checkpoint's configuration as Python's does.
import { expect, it, vi } from "vitest";
import {
  AutoConfig,
  AutoModelForCausalLM,
  BertForSequenceClassification,
  BertModel,
  GPT2LMHeadModel,
  heads,
  LlamaForCausalLM,
  LlamaForSequenceClassification,
  MistralForCausalLM,
  nn,
  Qwen2Model,
  RobertaModel,
  type Tensor,
  TextModel,
} from "../../lib/index.js";
import { fixture, relative_error } from "../fixtures.js";

const values = (tensor: unknown) => (tensor as Tensor).data as Float32Array;

it.each([
  [BertModel, "graph", "bert-base", "last_hidden_state"],
  [GPT2LMHeadModel, "graph", "gpt2-lm", "logits"],
  [LlamaForCausalLM, "models", "m27-llama", "logits"],
  [Qwen2Model, "models", "m28-qwen2-chat", "last_hidden_state"],
] as const)("$name loads a checkpoint", async (type, theme, name, field) => {
  const model = await (type as typeof BertModel).from_pretrained(fixture(theme, name));
  expect(model.constructor).toBe(type);
  expect(model.config.model_type).toBe((await AutoConfig.from_pretrained(fixture(theme, name))).model_type);
  expect(values((await model([[5, 6, 7]]))[field]).every(Number.isFinite)).toBe(true);
  await model.dispose();
});

it("options are fields of the configuration, or refused", async () => {
  const path = fixture("graph", "bert-seqcls");
  const model = await BertForSequenceClassification.from_pretrained(path, {
    num_labels: 5,
    ignore_mismatched_sizes: true,
  });
  expect((await model([[5, 6, 7]]))["logits"]).toMatchObject({ dims: [1, 5] });
  await model.dispose();
  const decoder = await LlamaForSequenceClassification.from_pretrained(fixture("decoder_heads", "llama"), {
    id2label: { 0: "a", 1: "b", 2: "c" },
  });
  expect(decoder.config.id2label).toEqual({ 0: "a", 1: "b", 2: "c" });
  await decoder.dispose();
  for (const type of [BertModel, LlamaForCausalLM] as (typeof BertModel)[]) {
    await expect(type.from_pretrained(path, { no_such_option: 1 })).rejects.toThrow(
      `${type.name}.from_pretrained() got an unexpected keyword argument 'no_such_option'`,
    );
    await expect(type.from_pretrained("")).rejects.toThrow(TypeError);
    await expect(type.from_pretrained("/no/such/folder")).rejects.toThrow("/no/such/folder");
    await expect(type.from_pretrained(path, { attn_implementation: "fast" })).rejects.toThrow(
      "Expected one of eager, sdpa, flash_attention_2, flash_attention_3, flex_attention for attn_implementation but received 'fast'",
    );
  }
});

it("warns of a checkpoint of another model type, and loads it", async () => {
  const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  try {
    const path = fixture("models", "m27-llama");
    const other = await MistralForCausalLM.from_pretrained(path, { sliding_window: null });
    expect(warn.mock.calls.map(([text]) => text)).toContain(
      "You are using a model of type llama to instantiate a model of type mistral. This is not supported for all configurations of models and can yield errors.",
    );
    const own = await AutoModelForCausalLM.from_pretrained(path);
    const ids = [[5, 6, 7, 8]];
    expect(relative_error(values((await other.forward(ids))["logits"]), values((await own(ids)).logits))).toBeLessThan(
      1e-5,
    );
    await Promise.all([other.dispose(), own.dispose()]);
    await (
      await RobertaModel.from_pretrained(fixture("graph", "roberta-base"), { attn_implementation: "flash_attention_2" })
    ).dispose();
    expect(warn.mock.calls.map(([text]) => text)).toContain(
      'attn_implementation "flash_attention_2" has no effect: the engines have kernels of their own.',
    );
  } finally {
    warn.mockRestore();
  }
});

it("a class that no registry knows reads the checkpoint's own configuration", async () => {
  class Words extends TextModel {
    static override head = heads.base;
    static override base_model_prefix = "bert";
    embeddings = new nn.Embedding(this.config["vocab_size"] as number, this.config["hidden_size"] as number);
    compute(tokens: nn.Tokens) {
      return { last_hidden_state: this.embeddings.forward(tokens.input_ids) };
    }
  }
  const model = await Words.from_pretrained(fixture("graph", "bert-base"));
  expect(model.config.model_type).toBe("bert");
  await model.dispose();
});
