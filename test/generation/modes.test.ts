// Calls of generate() that few make, against Python's: test/fixtures/modes, made by scripts/fixtures/mode_cases.py.
import { describe, expect, it } from "vitest";
import type { GenerateOutput } from "../../lib/generation/outputs.js";
import {
  AutoModelForCausalLM,
  AutoModelForSeq2SeqLM,
  AutoTokenizer,
  BartConfig,
  BartForCausalLM,
  BartForConditionalGeneration,
  BaseStreamer,
  BertConfig,
  BertLMHeadModel,
  type CausalLM,
  GPT2Config,
  GPT2LMHeadModel,
  Tensor,
} from "../../lib/index.js";
import { fixture, read_json, read_tensors, relative_error } from "../fixtures.js";
import { expect_states, type GenerateCase, loader } from "./cases.js";

const load = loader("");
const inputs = read_json<{ cases: GenerateCase[]; kept: Kept[] }>("modes", "inputs.json");
const input_tensors = read_tensors("modes", "inputs.safetensors");
const states = read_json<{ cases: (GenerateCase & { layers: Record<string, number[][]> })[] }>("modes", "states.json");
const state_tensors = read_tensors("modes", "states.safetensors");
const guidance = read_json<{ cases: GenerateCase[] }>("modes", "guidance.json");
const assisted = read_json<{ cases: AssistedCase[] }>("modes", "assisted.json");
const errors = read_json<{ cases: ErrorCase[] }>("modes", "errors.json");

interface Kept {
  key: string;
  logits_to_keep: number | number[];
  input_ids: number[][];
  attention_mask: number[][];
}
interface AssistedCase extends GenerateCase {
  settings: Record<string, unknown>;
  /** The noise of a copy, or another model; none: an early exit. */
  assistant?: number | string;
  chunks: number[][];
  num_assistant_tokens: number;
}
interface ErrorCase {
  name: string;
  model: string;
  options: Record<string, unknown>;
  assistant?: string;
  message: string;
}

/** The arguments of a case by name. */
function arguments_of(one: GenerateCase, tensors: typeof input_tensors): Record<string, unknown> {
  const embeds = one.key === undefined ? undefined : tensors[`${one.key}.inputs_embeds`];
  return {
    ...one.options,
    attention_mask: one.attention_mask,
    ...(one.input_ids ? { input_ids: one.input_ids } : {}),
    ...(embeds ? { inputs_embeds: new Tensor("float32", embeds.data, embeds.shape) } : {}),
  };
}

describe("generate() takes", () => {
  it.each(inputs.cases)("$name", async (one) => {
    const model = await load(one.model);
    const output = await model.generate(arguments_of(one, input_tensors));
    expect(output.tolist()).toEqual(one.sequences);
  });

  it("rows with types and rows without at the same time", async () => {
    const types = inputs.cases.filter(({ name }) => name.startsWith("types"));
    const model = await load(types[0].model);
    const plain = { do_sample: false, max_new_tokens: 9 };
    const alone = (await model.generate([[5, 6, 7]], plain)).tolist();
    const calls = types.flatMap((one) => [
      model.generate(arguments_of(one, input_tensors)),
      model.generate([[5, 6, 7]], plain),
    ]);
    const results = (await Promise.all(calls)).map((output) => output.tolist());
    expect(results).toEqual(types.flatMap(({ sequences }) => [sequences, alone]));
  });
});

describe("what follows padding on the right, where a model is too large to compute padding unasked", () => {
  const size = { vocab_size: 20_000, max_position_embeddings: 32, pad_token_id: 1, bos_token_id: 0, eos_token_id: 2 };
  const bert = { ...size, hidden_size: 256, num_hidden_layers: 1, num_attention_heads: 4, intermediate_size: 256 };
  const bart = {
    ...{ ...size, d_model: 256, encoder_layers: 1, decoder_layers: 1, encoder_ffn_dim: 256, decoder_ffn_dim: 256 },
    ...{ encoder_attention_heads: 4, decoder_attention_heads: 4, decoder_start_token_id: 2, is_encoder_decoder: true },
  };
  const input_ids = [
    [10, 20, 30, 40, 50, 60],
    [70, 80, 90, 100, 1, 1],
  ];
  const attention_mask = input_ids.map((row) => row.map((id) => Number(id !== 1)));
  const last = (logits: Tensor) => logits.slice(null, [5, 6]).view(2, -1).argmax(-1).tolist();
  const options = { do_sample: false, max_new_tokens: 1, eos_token_id: null, forced_eos_token_id: null };
  const position_ids = [
    [0, 1, 2, 3, 4, 5],
    [0, 1, 2, 3, 1, 1],
  ];

  it.each([
    [
      "GPT-2",
      { position_ids },
      () => GPT2LMHeadModel.from_config(new GPT2Config({ ...size, n_embd: 256, n_layer: 1, n_head: 4 }), { seed: 1 }),
    ],
    [
      "BERT",
      { position_ids },
      () => BertLMHeadModel.from_config(new BertConfig({ ...bert, is_decoder: true }), { seed: 2 }),
    ],
    [
      "a decoder of BART",
      {},
      () =>
        BartForCausalLM.from_config(new BartConfig({ ...bart, is_encoder_decoder: false, is_decoder: true }), {
          seed: 3,
        }),
    ],
  ] as const)("%s", async (_, positions, made) => {
    const model = (await made()) as unknown as CausalLM;
    // States are asked for so that all is computed that Python computes.
    const all = { input_ids, attention_mask, output_hidden_states: true, ...positions };
    const wanted = last((await model.forward(all))["logits"] as Tensor);
    const output = await model.generate({ input_ids, attention_mask, ...options });
    expect(output.slice(null, [6, 7]).view(-1).tolist()).toEqual(wanted);
    await model.dispose();
  });

  it("embeddings", async () => {
    const config = new GPT2Config({ ...size, n_embd: 256, n_layer: 1, n_head: 4 });
    const model = await GPT2LMHeadModel.from_config(config, { seed: 4 });
    const values = Float32Array.from({ length: 2 * 6 * 256 }, (_, i) => Math.sin(i * i));
    const inputs_embeds = new Tensor("float32", values, [2, 6, 256]);
    const all = { inputs_embeds, attention_mask, output_hidden_states: true };
    const wanted = last((await model.forward({ ...all, position_ids }))["logits"] as Tensor);
    const output = await model.generate({ inputs_embeds, attention_mask, ...options });
    expect(output.view(-1).tolist()).toEqual(wanted);
    await model.dispose();
  });

  it("a prompt for the decoder of an encoder-decoder", async () => {
    const model = await BartForConditionalGeneration.from_config(new BartConfig(bart), { seed: 5 });
    const decoder = {
      decoder_input_ids: input_ids.map((row) => [2, ...row.slice(1)]),
      decoder_attention_mask: attention_mask,
    };
    const text = { input_ids: input_ids.map((row) => row.toReversed()) };
    const states = { output_hidden_states: true };
    const wanted = last((await model.forward({ ...text, ...decoder, ...states }))["logits"] as Tensor);
    const output = await model.generate({ ...text, ...decoder, ...options });
    expect(output.slice(null, [6, 7]).view(-1).tolist()).toEqual(wanted);
    await model.dispose();
  });
});

describe("logits_to_keep of GPT-2", () => {
  it.each(inputs.kept)("$logits_to_keep", async ({ key, ...call }) => {
    const model = await load("graph/gpt2-lm");
    const { data, shape } = input_tensors[`${key}.logits`];
    const logits = (await model.forward(call))["logits"] as Tensor;
    expect(logits.dims).toEqual(shape);
    expect(relative_error(logits.data as Float32Array, data)).toBeLessThan(1e-4);
  });

  it.each([
    [-2, /a count of positions for .*logits_to_keep/],
    [1.5, /a count of positions for .*logits_to_keep/],
    [[6], /positions from -6 to 5 for .*logits_to_keep/],
    [[[0], [1]], /one list of positions/],
  ])("not %s", async (logits_to_keep, message) => {
    const model = await load("graph/gpt2-lm");
    const input_ids = [[1, 2, 3, 4, 5, 6]];
    await expect(model.forward({ input_ids, logits_to_keep })).rejects.toThrow(message as RegExp);
    const causal = await load("graph/bert-causal");
    await expect(causal.forward({ input_ids, logits_to_keep: 1 })).rejects.toThrow("unexpected keyword argument");
  });
});

describe("hidden states and attentions", () => {
  it.each(states.cases)("$name", async (one) => {
    const model = await load(one.model);
    const given = { ...arguments_of(one, state_tensors), return_dict_in_generate: true as const };
    const output = (await model.generate(given)) as unknown as GenerateOutput;
    expect(output.sequences.tolist()).toEqual(one.sequences);
    expect_states(output, one, state_tensors);
  });
});

describe("guidance of an encoder-decoder", () => {
  const options_of = (one: GenerateCase) => ({
    ...one.options,
    attention_mask: one.input_ids.map((row) => row.map(() => 1)),
    ...(one.uniforms ? { generator: one.uniforms } : {}),
  });

  it.each(guidance.cases)("$name", async (one) => {
    const model = await load(one.model);
    expect((await model.generate(one.input_ids, options_of(one))).tolist()).toEqual(one.sequences);
  });

  it("in several calls at a time, which leave the model as it was", async () => {
    const own = guidance.cases.filter(({ model }) => model === guidance.cases[0].model);
    const model = await load(own[0].model);
    for (let round = 0; round < 3; round++) {
      const calls = own.map((one) => model.generate(one.input_ids, options_of(one)));
      const results = (await Promise.all(calls)).map((output) => output.tolist());
      expect(results).toEqual(own.map(({ sequences }) => sequences));
    }
    const call = model.generate([[5, 6]], { guidance_scale: 2, use_cache: false, max_new_tokens: 2 });
    await expect(call).rejects.toMatchObject({ code: "unsupported" });
    const ids = { negative_prompt_ids: [[1], [2]] };
    await expect(model.generate([[5, 6]], { guidance_scale: 2, max_new_tokens: 2, ...ids })).rejects.toThrow(
      /1 rows, as many as the prompt's for .*negative_prompt_ids/,
    );
  });
});

const DEFAULTS = {
  num_assistant_tokens: 20,
  num_assistant_tokens_schedule: "constant",
  assistant_confidence_threshold: 0.4,
};

/** Writes down what it is given. */
class Recorder extends BaseStreamer {
  readonly chunks: number[][] = [];
  put(value: unknown): void {
    this.chunks.push((value as number[][]).flat());
  }
  end(): void {}
}

/** A copy of a checkpoint with noise in its weights: see mode_cases.py. */
async function noisy(name: string, noise: number): Promise<CausalLM> {
  const model = await AutoModelForSeq2SeqLM.from_pretrained(fixture(name), { n_threads: 1 });
  const state = model.state_dict();
  const tied = new Set(model.tied_weights().map(([alias]) => alias));
  for (const { name } of model.parameters().filter(({ name, buffer }) => !tied.has(name) && !buffer)) {
    const { shape } = state.info(name);
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    state.read_f32(name, values);
    state.set(
      name,
      "F32",
      shape,
      values.map((value, i) => value * (1 + noise * (((7919 * i) % 1009) / 1009 - 0.5))),
    );
  }
  for (const [alias, source] of model.tied_weights()) state.alias(alias, source);
  return model as unknown as CausalLM;
}

describe("assisted generation", () => {
  it.each(assisted.cases)("$name", async (one) => {
    const { assistant: who, settings } = one;
    const model = await load(one.model);
    const helper = who === undefined ? model : typeof who === "number" ? await noisy(one.model, who) : await load(who);
    const { generation_config } = helper;
    helper.generation_config = generation_config.clone();
    helper.generation_config.update({ ...DEFAULTS, ...settings });
    const tokenizers = async () => ({
      tokenizer: await AutoTokenizer.from_pretrained(fixture(one.model)),
      assistant_tokenizer: await AutoTokenizer.from_pretrained(fixture(who as string)),
    });
    const streamer = new Recorder();
    try {
      const output = await model.generate(one.input_ids, {
        ...one.options,
        attention_mask: one.input_ids.map((row) => row.map(() => 1)),
        ...(one.uniforms ? { generator: one.uniforms } : {}),
        ...(who === undefined ? {} : { assistant_model: helper }),
        ...(typeof who === "string" ? await tokenizers() : {}),
        streamer,
      });
      expect(output.tolist()).toEqual(one.sequences);
      expect(streamer.chunks).toEqual(one.chunks);
      expect(helper.generation_config.num_assistant_tokens).toBe(one.num_assistant_tokens);
    } finally {
      helper.generation_config = generation_config;
      if (typeof who === "number") await helper.dispose();
    }
  });

  it("of an encoder-decoder by itself, in several calls and from a cache", async () => {
    const model = await load("seq2seq/t5-v1");
    const plain = { max_new_tokens: 20, min_new_tokens: 20, do_sample: false };
    const whole = (await model.generate([[5, 6, 7, 8]], plain)).tolist();
    const calls = [1, 2, 3].map(() => model.generate([[5, 6, 7, 8]], { ...plain, assistant_model: model }));
    for (const output of await Promise.all(calls)) expect(output.tolist()).toEqual(whole);
    for await (const _ of model.generate([[5, 6, 7, 8]], { ...plain, assistant_model: model })) break;
    const encoder = (model as unknown as { get_encoder(): (ids: number[][]) => Promise<unknown> }).get_encoder();
    const encoder_outputs = await encoder([[5, 6, 7, 8]]);
    const both = await model.generate([[5, 6, 7, 8]], { ...plain, encoder_outputs, assistant_model: model });
    expect(both.tolist()).toEqual(whole);
    await expect(model.generate({ ...plain, encoder_outputs, assistant_model: model })).rejects.toThrow(
      /the encoder's ids, for the encoder of the assistant_model for .*input_ids/,
    );
  });

  it("by fewer layers follows the model: another dtype, and its end", async () => {
    const model = await AutoModelForCausalLM.from_pretrained(fixture("models/m27-llama"), { n_threads: 1 });
    const plain = { max_new_tokens: 12, do_sample: false, eos_token_id: null, pad_token_id: 0 };
    const whole = (await model.generate([[5, 6, 7]], plain)).tolist();
    const early = { ...plain, assistant_early_exit: 1 };
    expect((await model.generate([[5, 6, 7]], early)).tolist()).toEqual(whole);
    model.to("bfloat16");
    const coarse = (await model.generate([[5, 6, 7]], plain)).tolist();
    expect((await model.generate([[5, 6, 7]], early)).tolist()).toEqual(coarse);
    await model.dispose();
    await expect(model.generate([[5, 6, 7]], early)).rejects.toMatchObject({ code: "disposed" });
  });
});

describe("what Python does not take either", () => {
  it.each(errors.cases)("$name", async (one) => {
    const model = await load(one.model);
    const options: Record<string, unknown> = { ...one.options, max_new_tokens: 4, do_sample: false };
    if (one.assistant) {
      const helper = await AutoModelForCausalLM.from_pretrained(fixture(one.assistant), { n_threads: 1 });
      await helper.resize_token_embeddings(model.vocab_size);
      options["assistant_model"] = helper;
    }
    await expect(model.generate([[5, 6, 7, 8]], options)).rejects.toThrow(one.message);
    expect((await model.generate([[5, 6, 7, 8]], { max_new_tokens: 3, do_sample: false })).dims[0]).toBe(1);
    await (options["assistant_model"] as CausalLM | undefined)?.dispose();
  });
});
