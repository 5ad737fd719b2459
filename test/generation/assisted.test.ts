// Assisted generation against Python's: test/fixtures/assisted, made by scripts/fixtures; and what must hold of any.
import { describe, expect, it, test } from "vitest";
import { tokens_diagonal } from "../../lib/generation/different_tokenizers.js";
import { GENERATION_FIELDS } from "../../lib/generation/fields.js";
import type { StreamedIds } from "../../lib/generation/streamers.js";
import {
  AutoModelForCausalLM,
  AutoModelForSeq2SeqLM,
  AutoTokenizer,
  BaseStreamer,
  type CausalLM,
  type GenerateDecoderOnlyOutput,
  GenerationConfig,
  type Tensor,
} from "../../lib/index.js";
import { native } from "../../lib/native.js";
import { fixture, read_json, read_tensors, relative_error } from "../fixtures.js";
import { type GenerateCase, loader } from "./cases.js";

interface Case extends GenerateCase {
  assistant?: Record<string, unknown>;
  enlarged?: number;
  learned?: { num_assistant_tokens: number; assistant_confidence_threshold: number };
  chunks: number[][];
}

/** What an assistant learns, round by round. */
interface History {
  schedule: string;
  num_assistant_tokens: number;
  threshold: number;
  rounds: {
    probabilities: number[];
    candidates: number;
    matches: number;
    num_assistant_tokens: number;
    confidence_threshold: number;
  }[];
}

const { cases } = read_json<{ cases: Case[] }>("assisted", "cases.json");
const tensors = read_tensors("assisted", "expected.safetensors");
const load = {
  "m27-llama": loader("models"),
  "gpt2-lm": loader("graph"),
  "kjv-llama-5m": loader("../../models"),
} as Record<string, ReturnType<typeof loader>>;
const load_assistant = loader("assisted/assistants");
const [LLAMA, GPT2] = Object.keys(load);
const PROMPT = [[243, 58, 261, 111]];

/** Writes down what it is given. */
class Recorder extends BaseStreamer {
  readonly chunks: number[][] = [];
  ended = 0;
  put(value: StreamedIds): void {
    this.chunks.push((value as number[][]).flat());
  }
  end(): void {
    this.ended++;
  }
}

/** With more tokens the shipped model counts as one of another tokenizer. */
const load_enlarged = loader("../../models");

async function assistant_of(one: Case): Promise<CausalLM | undefined> {
  if (!one.assistant) return undefined;
  const assistant = await (one.enlarged ? load_enlarged : load_assistant)(one.model);
  if (one.enlarged) {
    await assistant.resize_token_embeddings((await load[one.model](one.model)).vocab_size + one.enlarged);
    assistant.generation_config = new GenerationConfig();
  }
  const settings = ["num_assistant_tokens", "num_assistant_tokens_schedule", "assistant_confidence_threshold"];
  for (const name of settings) assistant.generation_config[name] = one.assistant[name] ?? GENERATION_FIELDS[name];
  return assistant;
}

describe("assisted generation", () => {
  it.each(cases)("gives Python's tokens, round by round: $name", async (one) => {
    const model = await load[one.model](one.model);
    const assistant_model = await assistant_of(one);
    const streamer = new Recorder();
    const tokenizer = one.enlarged && (await AutoTokenizer.from_pretrained(fixture("../../models", one.model)));
    const output = (await model.generate(one.input_ids, {
      ...one.options,
      ...(one.attention_mask ? { attention_mask: one.attention_mask } : {}),
      ...(one.uniforms ? { generator: one.uniforms } : {}),
      ...(assistant_model ? { assistant_model } : {}),
      ...(tokenizer ? { tokenizer, assistant_tokenizer: tokenizer } : {}),
      streamer,
      return_dict_in_generate: true,
      output_scores: true,
      output_logits: true,
    })) as GenerateDecoderOnlyOutput;
    expect(output.sequences.tolist()).toEqual(one.sequences);
    expect(streamer.chunks).toEqual(one.chunks);
    expect(streamer.ended).toBe(1);
    expect(output.scores).toHaveLength(one.sequences[0].length - one.input_ids[0].length);
    if (one.learned) {
      const { num_assistant_tokens, assistant_confidence_threshold } = assistant_model!.generation_config;
      expect(num_assistant_tokens).toBe(one.learned.num_assistant_tokens);
      expect(assistant_confidence_threshold).toBeCloseTo(one.learned.assistant_confidence_threshold, 4);
    }
    if (!one.key) return;
    for (const kind of ["scores", "logits"] as const) {
      const ours = (output[kind] as Tensor[]).flatMap((step) => Array.from(step.data as Float32Array));
      const wanted = Array.from(tensors[`${one.key}.${kind}`].data as Float32Array);
      const finite = (values: number[]) => values.map((value) => (Number.isFinite(value) ? value : 0));
      expect(ours.map(Number.isFinite)).toEqual(wanted.map(Number.isFinite));
      expect(relative_error(finite(ours), finite(wanted))).toBeLessThan(1e-4);
    }
  });

  const { cases: histories } = read_json<{ cases: History[] }>("assisted", "strategies.json");
  it.each(histories)("learns what Python learns: $schedule, $threshold", (one) => {
    const state = { num_assistant_tokens: one.num_assistant_tokens, confidence_threshold: one.threshold };
    const learned = native().assistant_strategy(state, one.schedule === "heuristic", one.rounds);
    for (const [i, { num_assistant_tokens, confidence_threshold }] of one.rounds.entries())
      expect(learned[i]).toEqual({ num_assistant_tokens, confidence_threshold });
  });

  const { cases: diagonals } = read_json<{ cases: Record<string, number[]>[] }>("assisted", "diagonals.json");
  it.each(diagonals)("finds $prompt in $more as Python does", ({ prompt, more, ...found }) => {
    const nothing = { discrepancy_length: null, new_tokens: null, discrepancy: null };
    expect(tokens_diagonal(prompt, more) ?? nothing).toEqual(found);
  });

  const plain = { do_sample: false, max_new_tokens: 30, eos_token_id: null, pad_token_id: 0 };

  it("goes on from a cache, and leaves one to go on from", async () => {
    const model = await load[LLAMA](LLAMA);
    const assistant_model = await load_assistant(LLAMA);
    const whole = await model.generate(PROMPT, plain);
    const options = { ...plain, assistant_model, return_dict_in_generate: true as const };
    const first = await model.generate(PROMPT, { ...options, max_new_tokens: 12 });
    const { past_key_values } = first;
    const second = await model.generate(first.sequences, { ...options, max_new_tokens: 18, past_key_values });
    expect(second.sequences.tolist()).toEqual(whole.tolist());
  });

  it("gives each token of a round to a loop, one by one", async () => {
    const model = await load[LLAMA](LLAMA);
    const steps: number[][] = [];
    for await (const step of model.generate(PROMPT, { ...plain, prompt_lookup_num_tokens: 5 })) steps.push(step);
    const whole = (await model.generate(PROMPT, plain)).tolist();
    expect(steps).toEqual(whole[0].slice(PROMPT[0].length).map((token: number) => [token]));
  });

  it.each([
    ["a llama engine assists itself", LLAMA, LLAMA],
    ["a graph engine assists itself", GPT2, GPT2],
  ])("%s", async (_, name) => {
    const model = await load[name](name);
    const whole = (await model.generate([[5, 6, 7]], plain)).tolist();
    const calls = [1, 2, 3].map(() => model.generate([[5, 6, 7]], { ...plain, assistant_model: model }));
    for (const output of await Promise.all(calls)) expect(output.tolist()).toEqual(whole);
  });

  it("works between the engines, whoever assists", async () => {
    // The vocabularies differ: one of the graph engine is enlarged to that of the other.
    const graph = await AutoModelForCausalLM.from_pretrained(fixture("graph", GPT2), { n_threads: 1 });
    const llama = await load[LLAMA](LLAMA);
    await graph.resize_token_embeddings(llama.vocab_size);
    const options = { ...plain, max_new_tokens: 20 };
    for (const [model, assistant_model] of [
      [llama, graph],
      [graph, llama],
    ]) {
      const whole = (await model.generate([[5, 6, 7]], options)).tolist();
      expect((await model.generate([[5, 6, 7]], { ...options, assistant_model })).tolist()).toEqual(whole);
    }
    // Each for the other at the same time, several times over.
    const both = Array.from({ length: 6 }, (_, i) => {
      const [model, assistant_model] = i % 2 ? [llama, graph] : [graph, llama];
      return model.generate([[5, 6, 7]], { ...options, assistant_model });
    });
    const results = (await Promise.all(both)).map((output) => output.tolist());
    expect(new Set(results.map((rows) => JSON.stringify(rows))).size).toBe(2);
    await graph.dispose();
  });

  it("looks tokens up in the decoder of an encoder-decoder", async () => {
    const model = await AutoModelForSeq2SeqLM.from_pretrained(fixture("seq2seq", "t5-v1"), { n_threads: 1 });
    const options = { max_new_tokens: 25, min_new_tokens: 25 };
    const whole = (await model.generate([[5, 6, 7, 8, 9]], options)).tolist();
    const lookup = await model.generate([[5, 6, 7, 8, 9]], { ...options, prompt_lookup_num_tokens: 4 });
    expect(lookup.tolist()).toEqual(whole);
    // In Python an encoder-decoder spoils what a decoder says.
    const decoder = await load[LLAMA](LLAMA);
    await expect(decoder.generate(PROMPT, { assistant_model: model as unknown as CausalLM })).rejects.toMatchObject({
      code: "unsupported",
    });
    await model.dispose();
  });

  it("is passed over by beams, as in Python", async () => {
    const model = await load[LLAMA](LLAMA);
    const options = { ...plain, num_beams: 3, max_new_tokens: 8 };
    const whole = await model.generate(PROMPT, options);
    const assistant_model = await load_assistant(LLAMA);
    for (const more of [{ assistant_model }, { prompt_lookup_num_tokens: 4 }])
      expect((await model.generate(PROMPT, { ...options, ...more })).tolist()).toEqual(whole.tolist());
  });

  it("stops where stop strings, criteria and processors say so, as without assistance", async () => {
    const model = await load[LLAMA](LLAMA);
    const tokenizer = await AutoTokenizer.from_pretrained(fixture("models", LLAMA));
    const whole = (await model.generate(PROMPT, plain)).tolist()[0] as number[];
    const text = tokenizer.decode(whole.slice(12, 14));
    const variants: Record<string, unknown>[] = [
      { stop_strings: text.trim() || text, tokenizer },
      { stopping_criteria: [{ _call: (ids: bigint[][]) => [ids[0].length >= 17] }] },
      {
        logits_processor: [
          {
            _call(_: bigint[][], logits: Tensor) {
              (logits.data as Float32Array)[whole[8]] = -1e9;
            },
          },
        ],
      },
      { max_new_tokens: 7 },
      { guidance_scale: 1.5 },
      { min_new_tokens: 20, eos_token_id: whole[9] },
      { prefix_allowed_tokens_fn: (_: number, ids: number[]) => [ids.length % 50, (7 * ids.length) % 384, 3] },
    ];
    for (const more of variants) {
      const expected = (await model.generate(PROMPT, { ...plain, ...more })).tolist();
      const lookup = await model.generate(PROMPT, { ...plain, ...more, prompt_lookup_num_tokens: 6 });
      expect(lookup.tolist(), Object.keys(more).join()).toEqual(expected);
      const assistant_model = await load_assistant(LLAMA);
      const assisted = await model.generate(PROMPT, { ...plain, ...more, assistant_model });
      expect(assisted.tolist(), Object.keys(more).join()).toEqual(expected);
    }
  });
});

describe("what assisted generation refuses", () => {
  const refused: [string, Record<string, unknown>, string | RegExp][] = [
    ["rows", {}, "assisted generate is only supported for batch_size = 1"],
    ["use_cache", { use_cache: false }, "assisted generate requires `use_cache=True`"],
    ["sequences", { num_return_sequences: 2, do_sample: true }, "num_return_sequences has to be 1 when doing assisted"],
    ["lookups of nothing", { prompt_lookup_num_tokens: 0 }, "Invalid max_matching_ngram_size or num_output_tokens"],
    ["exits at no layer", { assistant_early_exit: 0 }, /a number of layers for .*assistant_early_exit/],
    ["tokenizers of its own", { assistant_tokenizer: {} }, "`assistant_tokenizer` is not required"],
    ["what is no model", { assistant_model: { can_generate: 3 } }, /a model that generates/],
  ];
  it.each(refused)("%s", async (what, options, message) => {
    const model = await load[LLAMA](LLAMA);
    const prompt = what === "rows" ? [PROMPT[0], PROMPT[0]] : PROMPT;
    const assistant_model = await load_assistant(LLAMA);
    await expect(model.generate(prompt, { assistant_model, max_new_tokens: 3, ...options })).rejects.toThrow(message);
  });

  it("another vocabulary without tokenizers", async () => {
    const [model, assistant_model] = [await load[LLAMA](LLAMA), await load_assistant(GPT2)];
    await expect(model.generate(PROMPT, { assistant_model, max_new_tokens: 3 })).rejects.toThrow(
      "The main and assistant models have different tokenizers",
    );
  });
});

describe("an assistant that goes away", () => {
  const endless = { do_sample: false, max_new_tokens: 55, eos_token_id: null, pad_token_id: 0 };

  test.each([LLAMA, GPT2])("ends the call, not the model: %s", async (name) => {
    const folder = name === LLAMA ? "models" : "graph";
    const model = await load[name](name);
    const assistant_model = await AutoModelForCausalLM.from_pretrained(fixture(folder, name), { n_threads: 1 });
    const options = { ...endless, max_new_tokens: 30, assistant_model };
    for await (const _ of model.generate([[5, 6, 7]], options)) break; // cancelled in the middle
    const calls = Array.from({ length: 4 }, () => model.generate([[5, 6, 7]], options));
    await new Promise((resolve) => setTimeout(resolve, 2));
    const [ends] = await Promise.all([Promise.allSettled(calls), assistant_model.dispose()]);
    for (const end of ends) if (end.status === "rejected") expect(end.reason.code).toBe("disposed");
    await expect(model.generate([[5, 6, 7]], options)).rejects.toThrow("dispose");
    expect(
      (await model.generate([[5, 6, 7]], { max_new_tokens: 3, eos_token_id: null, pad_token_id: 0 })).dims,
    ).toEqual([1, 6]);
  });

  test("a signal ends a call whose processor runs in the assistant", async () => {
    const model = await load[LLAMA](LLAMA);
    const assistant_model = await load_assistant(LLAMA);
    const controller = new AbortController();
    let seen = 0;
    const call = model.generate(PROMPT, {
      ...endless,
      assistant_model,
      signal: controller.signal,
      logits_processor: [
        {
          _call() {
            if (++seen === 3) controller.abort();
          },
        },
      ],
    });
    await expect(call).rejects.toMatchObject({ code: "aborted" });
    const failing = {
      _call: () => {
        throw new Error("no more");
      },
    };
    await expect(model.generate(PROMPT, { ...endless, assistant_model, logits_processor: [failing] })).rejects.toThrow(
      "no more",
    );
    expect((await assistant_model.generate(PROMPT, { ...endless, max_new_tokens: 2 })).dims).toEqual([1, 6]);
  });
});
