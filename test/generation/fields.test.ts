// Every field of GenerationConfig does something, or says that it does nothing.
import { afterEach, describe, expect, it, vi } from "vitest";
import { GENERATION_FIELDS } from "../../lib/generation/fields.js";
import type { GenerateOutput } from "../../lib/generation/outputs.js";
import { AutoTokenizer, type CausalLM, LogitsProcessor, Tensor } from "../../lib/index.js";
import { fixture, read_json } from "../fixtures.js";
import { type GenerateCase, loader } from "./cases.js";

type Options = Record<string, unknown>;
const load = loader("models");
const PROMPT = [[243, 58, 261, 111]];
const GREEDY = { do_sample: false, max_new_tokens: 8, eos_token_id: null, pad_token_id: 0 };

const groups = ["options", "combinations", "sampling", "batches", "stops", "beams"];
const recorded = groups.flatMap((file) => read_json<{ cases: GenerateCase[] }>("generate", `${file}.json`).cases);

async function tokens(model: CausalLM, ids: number[][] | undefined, options: Options): Promise<number[][]> {
  const output = await model.generate(ids, options);
  return (output instanceof Tensor ? output : (output as GenerateOutput).sequences).tolist();
}

/** Whether one of Python's cases that set the field gives other tokens without it. */
async function changes_tokens(field: string): Promise<boolean> {
  for (const one of recorded.filter(({ options }) => field in options)) {
    const tokenizer = await AutoTokenizer.from_pretrained(fixture("models", one.model));
    const { allowed_tokens_table: _, ...options } = one.options;
    const { [field]: __, ...without } = options;
    const more = {
      tokenizer,
      ...(one.attention_mask ? { attention_mask: one.attention_mask } : {}),
      ...(one.uniforms ? { generator: [...one.uniforms, ...new Array(4096).fill(0.5)] } : {}),
    };
    const model = await load(one.model);
    const [given, plain] = [
      { ...options, ...more },
      { ...without, ...more },
    ];
    if (String(await tokens(model, one.input_ids, given)) !== String(await tokens(model, one.input_ids, plain)))
      return true;
  }
  return false;
}

/** Fields whose effect is in the output object. */
const OUTPUTS: Record<string, [value: unknown, shows: (output: GenerateOutput) => unknown, more?: Options]> = {
  output_scores: [true, (output) => output.scores],
  output_logits: [true, (output) => output.logits],
  output_hidden_states: [true, (output) => output.hidden_states],
  renormalize_logits: [true, (output) => String(output.scores?.[0].tolist()), { output_scores: true }],
  use_cache: [false, (output) => output.past_key_values],
};

/** Fields that warn, at the value, with the text. */
const WARNINGS: Record<string, [value: unknown, text: RegExp, more?: Options]> = {
  cache_implementation: ["static", /`cache_implementation` has no effect/],
  cache_config: [{ backend: "quanto" }, /`cache_config` has no effect/],
  return_legacy_cache: [true, /`return_legacy_cache` has no effect/],
  prefill_chunk_size: [7, /`prefill_chunk_size` has no effect/],
  compile_config: [{ mode: "max-autotune" }, /`compile_config` has no effect/],
  disable_compile: [true, /`disable_compile` has no effect/],
  low_memory: [true, /`low_memory` has no effect/],
  diversity_penalty: [1.5, /`diversity_penalty` has no effect without groups/],
  decoder_start_token_id: [5, /`decoder_start_token_id` has no effect on a model without an encoder/],
  num_assistant_tokens: [3, /`num_assistant_tokens` has no effect without an assistant/],
  num_assistant_tokens_schedule: ["heuristic", /`num_assistant_tokens_schedule` has no effect without/],
  assistant_confidence_threshold: [0.9, /`assistant_confidence_threshold` has no effect without/],
  assistant_lookbehind: [3, /`assistant_lookbehind` has no effect without/],
  target_lookbehind: [3, /`target_lookbehind` has no effect without/],
  max_matching_ngram_size: [3, /`max_matching_ngram_size` has no effect without/],
};

/** Fields that are refused, at the value. */
const ERRORS: Record<string, [value: unknown, text: RegExp, more?: Options]> = {
  output_attentions: [
    true,
    /output_attentions is not supported by the llama engine/,
    { return_dict_in_generate: true },
  ],
  penalty_alpha: [0.6, /Contrastive Search requires/, { top_k: 4 }],
  dola_layers: ["high", /Dola Generation requires/],
  num_beam_groups: [2, /Group Beam Search requires/, { num_beams: 4 }],
  constraints: [[{}], /Constrained Beam Search requires/],
  force_words_ids: [[[5]], /Constrained Beam Search requires/, { num_beams: 2 }],
};

/** Fields of whom it takes more to see. */
const OTHERS: Record<string, (model: CausalLM) => Promise<void>> = {
  return_dict_in_generate: async (model) => {
    const output = await model.generate(PROMPT, { ...GREEDY, return_dict_in_generate: true });
    expect(output).not.toBeInstanceOf(Tensor);
  },
  bos_token_id: async (model) => {
    for (const bos_token_id of [5, 9])
      expect((await tokens(model, undefined, { ...GREEDY, bos_token_id }))[0][0]).toBe(bos_token_id);
  },
  pad_token_id: async (model) => {
    const two = [PROMPT[0], [...PROMPT[0]].reverse()];
    const [first] = await tokens(model, two, GREEDY);
    const ends = { ...GREEDY, eos_token_id: first[5] };
    const padded = async (pad_token_id: number) => (await tokens(model, two, { ...ends, pad_token_id }))[0].at(-1);
    expect([await padded(0), await padded(7)]).toEqual([0, 7]);
  },
  max_time: async (model) => {
    expect((await tokens(model, PROMPT, { ...GREEDY, max_time: 1e-9 }))[0].length).toBe(5);
  },
  remove_invalid_values: async (model) => {
    class Breaks extends LogitsProcessor {
      override _call(_ids: bigint[][], scores: Tensor) {
        (scores.data as Float32Array).fill(-Infinity).fill(Number.NaN, 9, 10).fill(Infinity, 11, 12);
      }
    }
    const seen: number[][] = [];
    class Sees extends LogitsProcessor {
      override _call(_ids: bigint[][], scores: Tensor) {
        seen.push(Array.from((scores.data as Float32Array).subarray(8, 12)));
      }
    }
    // The caller's processors come after those of the options: invalid numbers must come from the one before.
    const { InfNanRemoveLogitsProcessor } = await import("../../lib/index.js");
    const options = { ...GREEDY, max_new_tokens: 1 };
    await model.generate(PROMPT, {
      ...options,
      logits_processor: [new Breaks(), new InfNanRemoveLogitsProcessor(), new Sees()],
    });
    const most = 3.4028234663852886e38;
    expect(seen[0]).toEqual([-most, 0, -most, most]);
    // As an option: a model whose logits are finite gives the same tokens.
    expect(await tokens(model, PROMPT, { ...options, remove_invalid_values: true })).toEqual(
      await tokens(model, PROMPT, options),
    );
  },
  is_assistant: async (model) => {
    const options = { ...GREEDY, is_assistant: true, assistant_confidence_threshold: 1 };
    expect((await tokens(model, PROMPT, options))[0].length).toBe(5);
    expect((await tokens(model, PROMPT, GREEDY))[0].length).toBe(12);
  },
  prompt_lookup_num_tokens: async (model) => {
    expect(await tokens(model, PROMPT, { ...GREEDY, prompt_lookup_num_tokens: 3 })).toEqual(
      await tokens(model, PROMPT, GREEDY),
    );
  },
  assistant_early_exit: async (model) => {
    await expect(
      model.generate(PROMPT, { ...GREEDY, assistant_early_exit: 1, num_return_sequences: 2, do_sample: true }),
    ).rejects.toThrow(/num_return_sequences has to be 1 when doing assisted generate/);
  },
  token_healing: async (model) => {
    await expect(model.generate(PROMPT, { ...GREEDY, token_healing: true })).rejects.toThrow(
      /When generating with token healing, you must pass the model's tokenizer/,
    );
  },
};

/** Their effect on the tokens is recorded by Python. */
const TOKENS = [
  ...["max_length", "max_new_tokens", "min_length", "min_new_tokens", "early_stopping", "stop_strings", "do_sample"],
  ...["num_beams", "temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff"],
  ...["repetition_penalty", "encoder_repetition_penalty", "length_penalty", "no_repeat_ngram_size", "bad_words_ids"],
  ...["forced_bos_token_id", "forced_eos_token_id", "exponential_decay_length_penalty", "suppress_tokens"],
  ...["begin_suppress_tokens", "sequence_bias", "guidance_scale", "watermarking_config", "num_return_sequences"],
  ...["eos_token_id", "encoder_no_repeat_ngram_size"],
];

describe("Each field of GenerationConfig", () => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  afterEach(() => warned.mockClear());

  it("has a row here", () => {
    const rows = [...TOKENS, ...Object.keys({ ...OUTPUTS, ...WARNINGS, ...ERRORS, ...OTHERS })];
    expect([...new Set(rows)].sort()).toEqual(Object.keys(GENERATION_FIELDS).sort());
    expect(new Set(rows).size).toBe(rows.length);
  });

  it.each(TOKENS)("%s changes the tokens", async (field) => {
    expect(await changes_tokens(field)).toBe(true);
  });

  it.each(Object.entries(OUTPUTS))("%s changes the output", async (field, [value, shows, more = {}]) => {
    const model = await load("m27-llama");
    const options = { ...GREEDY, return_dict_in_generate: true as const, ...more };
    const without = shows((await model.generate(PROMPT, options)) as unknown as GenerateOutput);
    const given = shows((await model.generate(PROMPT, { ...options, [field]: value })) as unknown as GenerateOutput);
    expect(given === without).toBe(false);
  });

  it.each(Object.entries(WARNINGS))("%s warns that it has no effect", async (field, [value, text, more = {}]) => {
    const model = await load("m27-llama");
    const options = { ...GREEDY, ...more };
    expect(await tokens(model, PROMPT, { ...options, [field]: value })).toEqual(await tokens(model, PROMPT, options));
    expect(warned.mock.calls.map(([message]) => String(message)).join("\n")).toMatch(text);
  });

  it.each(Object.entries(ERRORS))("%s is refused", async (field, [value, text, more = {}]) => {
    const model = await load("m27-llama");
    await expect(model.generate(PROMPT, { ...GREEDY, ...more, [field]: value })).rejects.toThrow(text);
  });

  it.each(Object.entries(OTHERS))("%s is heeded", async (_field, check) => {
    await check(await load("m27-llama"));
  });

  it("stands beside arguments of the call that speak up too", async () => {
    const model = await load("m27-llama");
    await model.generate(PROMPT, { ...GREEDY, synced_gpus: true });
    expect(warned.mock.calls.map(([message]) => String(message)).join("\n")).toMatch(/`synced_gpus` has no effect/);
    for (const option of [{ custom_generate: "someone/loop" }, { trust_remote_code: true }])
      await expect(model.generate(PROMPT, { ...GREEDY, ...option })).rejects.toMatchObject({ code: "remote_code" });
    await expect(model.generate(PROMPT, { ...GREEDY, low_memory: true, num_beams: 2 })).rejects.toThrow(
      /`low_memory=True` is not supported/,
    );
  });
});
