// Whatever a caller passes: an error that says what was expected, and a model that works as before.
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AutoModelForCausalLM, Tensor } from "../../lib/index.js";

const folder = fileURLToPath(new URL("../fixtures/models/m27-llama", import.meta.url));
const prompt = [[3, 4, 5]];

// biome-ignore lint/suspicious/noExplicitAny: wrong types are the point
type Any = any;
let model: Any;
let expected: number[][];

const greedy = async () => (await model.generate(prompt, { max_new_tokens: 8, do_sample: false })).tolist();

beforeAll(async () => {
  model = await AutoModelForCausalLM.from_pretrained(folder, { n_threads: 1 });
  expected = await greedy();
});
afterAll(() => model.dispose());

const generate = (inputs: unknown, options: object = {}) =>
  model.generate(inputs, { max_new_tokens: 4, do_sample: false, ...options });
const fails = () => {
  throw new Error("mine");
};

/** Rejects with one of our errors, naming what it is about; the model then gives what it gave before. */
async function refuses(call: () => PromiseLike<unknown>, message: RegExp) {
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => undefined,
      (reason) => reason,
    );
  expect(error, "no error").toBeInstanceOf(Error);
  expect(error.message).toMatch(message);
  expect(error.message).not.toMatch(/is not a function|is not iterable|Cannot read|undefined \(reading/);
  expect(await greedy()).toEqual(expected);
}

describe("generate() refuses inputs", () => {
  test.each<[string, unknown, RegExp]>([
    ["ids beyond the vocabulary", [[3, 384]], /from 0 to 383 for input_ids but received 384/],
    ["negative ids", [[-1]], /received -1/],
    ["fractions", [[1.5]], /integers.* for input_ids but received 1.5/],
    ["a float tensor", new Tensor("float32", [1.5, 2], [1, 2]), /integers.* for input_ids/],
    ["NaN", [[Number.NaN]], /for input_ids but received NaN/],
    ["ids beyond 32 bits", new Tensor("int64", [2n ** 60n], [1, 1]), /for input_ids/],
    ["text", "hello", /token ids .*received 'hello'/],
    ["a number", 5, /token ids/],
    ["no rows", [], /at least one token/],
    ["an empty row", [[]], /at least one token/],
    ["ragged rows", [[1, 2], [3]], /rows of one length/],
    ["a mask of another shape", { input_ids: prompt, attention_mask: [[1]] }, /for attention_mask/],
    ["a mask that hides all", { input_ids: prompt, attention_mask: [[0, 0, 0]] }, /at least one visible token/],
    ["text as mask", { input_ids: prompt, attention_mask: "x" }, /for attention_mask/],
  ])("%s", (_, inputs, message) => refuses(() => generate(inputs), message));
});

describe("generate() refuses options", () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ["max_new_tokens below 1", { max_new_tokens: -1 }, /max_new_tokens/],
    ["max_new_tokens as text", { max_new_tokens: "5" }, /integer.* for max_new_tokens but received '5'/],
    ["max_length below the prompt's", { max_new_tokens: undefined, max_length: 2 }, /max_length/],
    ["temperature 0", { do_sample: true, temperature: 0 }, /temperature/],
    ["temperature NaN", { do_sample: true, temperature: Number.NaN }, /temperature/],
    ["top_k below 1", { do_sample: true, top_k: -1 }, /top_k/],
    ["top_p below 0", { do_sample: true, top_p: -1 }, /top_p/],
    ["min_p above 1", { do_sample: true, min_p: 5 }, /min_p/],
    ["typical_p 0", { do_sample: true, typical_p: 0 }, /typical_p/],
    ["repetition_penalty 0", { repetition_penalty: 0 }, /penalty/],
    ["num_beams 0", { num_beams: 0 }, /num_beams/],
    ["a million beams", { num_beams: 1e6 }, /at most 65536 for num_beams/],
    ["a million samples", { do_sample: true, num_return_sequences: 1e6 }, /at most 65536 for num_return_sequences/],
    ["50,000 beams", { num_beams: 5e4 }, /at most \d+ rows/],
    ["50,000 samples", { do_sample: true, num_return_sequences: 5e4 }, /at most \d+ rows/],
    ["num_return_sequences of a greedy search", { num_return_sequences: 5 }, /num_return_sequences/],
    ["stop_strings without a tokenizer", { stop_strings: ["a"] }, /tokenizer/],
    ["another tokenizer object", { stop_strings: ["a"], tokenizer: {} }, /for tokenizer/],
    ["a seed of text", { do_sample: true, seed: "x" }, /for seed/],
    ["a negative seed", { do_sample: true, seed: -1 }, /for seed/],
    ["no uniforms", { do_sample: true, generator: [] }, /at least one number/],
    ["uniforms outside [0, 1)", { do_sample: true, generator: () => 2 }, /generator/],
    ["a generator that throws", { do_sample: true, generator: fails }, /^mine$/],
    ["bad_words_ids outside the vocabulary", { bad_words_ids: [[99999]] }, /vocabulary size is 384/],
    ["flat bad_words_ids", { bad_words_ids: [1] }, /bad_words_ids/],
    ["sequence_bias that is no list", { sequence_bias: 5 }, /sequence_bias/],
    ["an unknown option", { max_new_tokenz: 5 }, /max_new_tokenz/],
    ["another generation_config", { generation_config: 5 }, /for generation_config/],
    ["another past_key_values", { past_key_values: 5 }, /for past_key_values/],
    ["another signal", { signal: 5 }, /an AbortSignal for signal/],
    ["an aborted signal", { signal: AbortSignal.abort() }, /aborted/],
    ["another streamer", { streamer: 5 }, /put and end for streamer/],
    ["a streamer that throws", { streamer: { put: fails, end() {} } }, /^mine$/],
    ["prefix_allowed_tokens_fn that is none", { prefix_allowed_tokens_fn: 5 }, /a function/],
    ["prefix_allowed_tokens_fn that gives text", { prefix_allowed_tokens_fn: () => "x" }, /a list of token ids/],
    ["prefix_allowed_tokens_fn that allows nothing", { prefix_allowed_tokens_fn: () => [] }, /empty list/],
    ["prefix_allowed_tokens_fn beyond the vocabulary", { prefix_allowed_tokens_fn: () => [99999] }, /99999/],
    ["prefix_allowed_tokens_fn that throws", { prefix_allowed_tokens_fn: fails }, /^mine$/],
    ["logits_processor that is none", { logits_processor: 5 }, /for logits_processor/],
    ["a logits processor that throws", { logits_processor: { _call: fails } }, /^mine$/],
    [
      "a logits processor that gives text",
      { logits_processor: { _call: () => "x" } },
      /float32 logits of shape \[1, 384\]/,
    ],
    [
      "a logits processor that gives another shape",
      { logits_processor: { _call: () => new Tensor("float32", [1, 2], [1, 2]) } },
      /\[1, 384\].*\[1,2\] float32/,
    ],
    [
      "scores of NaN to sample from",
      {
        do_sample: true,
        logits_processor: { _call: (_: unknown, scores: Tensor) => void scores.data.fill(NaN as never) },
      },
      /inf.*nan/,
    ],
    ["a stopping criterion that throws", { stopping_criteria: { _call: fails } }, /^mine$/],
    ["a stopping criterion that gives text", { stopping_criteria: { _call: () => "x" } }, /a boolean, or 1 of them/],
  ])("%s", (_, options, message) => refuses(() => generate(prompt, options), message));

  test("that are no object", async () => {
    await refuses(() => model.generate(prompt, null), /options/);
    await refuses(() => model.generate(prompt, 5), /options/);
  });
});

describe("A model refuses", () => {
  test.each<[string, () => PromiseLike<unknown>, RegExp]>([
    ["a call without ids", () => model(), /input_ids/],
    ["ids beyond the vocabulary", () => model([[999]]), /999/],
    ["labels of another shape", () => model({ input_ids: prompt, labels: [[1]] }), /labels/],
    ["labels beyond the vocabulary", () => model({ input_ids: prompt, labels: [[1, 2, 99999]] }), /99999/],
    ["another cache", () => model({ input_ids: prompt, past_key_values: {} }), /past_key_values/],
    ["a negative logits_to_keep", () => model({ input_ids: prompt, logits_to_keep: -5 }), /logits_to_keep/],
    ["positions that jump", () => model({ input_ids: prompt, position_ids: [[9, 8, 7]] }), /position_ids/],
    ["an unknown input", () => model({ input_ids: prompt, foo: 1 }), /foo/],
    ["a folder as GGUF file", () => model.save_gguf(folder), /directory/i],
    ["a GGUF file in a folder that is not", () => model.save_gguf("/nowhere/x.gguf"), /x\.gguf/],
    ["an unknown quantisation", () => model.save_gguf("/nowhere/x.gguf", { quantization: "q99" }), /quantization/],
  ])("%s", (_, call, message) => refuses(call, message));
});

describe("Loading refuses", () => {
  const load = (options: object, name: unknown = folder) =>
    AutoModelForCausalLM.from_pretrained(name as string, options as never);
  test.each<[string, () => PromiseLike<unknown>, RegExp]>([
    ["no name", () => load({}, null), /pretrained_model_name_or_path/],
    ["a folder that is not", () => load({}, "/nowhere/at/all"), /nowhere/],
    ["no threads", () => load({ n_threads: 0 }), /n_threads/],
    ["a billion threads", () => load({ n_threads: 1e9 }), /n_threads/],
    ["an unknown dtype", () => load({ dtype: "float31" }), /dtype/],
    ["an unknown device", () => load({ device: "tpu" }), /device/],
    ["negative layers", () => load({ n_gpu_layers: -4 }), /n_gpu_layers/],
    ["an unknown option", () => load({ foo: 1 }), /foo/],
    ["an aborted signal", () => load({ signal: AbortSignal.abort() }), /abort/],
  ])("%s", (_, call, message) => refuses(call, message));
});

describe("A model that is disposed of", () => {
  const fresh = async (): Promise<Any> => AutoModelForCausalLM.from_pretrained(folder, { n_threads: 1 });
  const long = { max_new_tokens: 60, min_new_tokens: 60, do_sample: false };

  test("rejects what was under way, and later calls; a second dispose() is nothing", async () => {
    const one = await fresh();
    await one.generate(prompt, { max_new_tokens: 1 });
    const calls = Array.from({ length: 8 }, () => Promise.resolve(one.generate(prompt, long)));
    const settled = Promise.allSettled(calls);
    await Promise.all([one.dispose(), one.dispose()]);
    for (const result of await settled) {
      if (result.status === "rejected") expect(result.reason.code).toMatch(/disposed|aborted/);
    }
    await expect(Promise.resolve(one.generate(prompt, long))).rejects.toThrow(/disposed/);
    await expect(Promise.resolve(one(prompt))).rejects.toThrow(/disposed/);
    await one.dispose();
  });

  test("while it loads its engine, ends too", async () => {
    const one = await fresh();
    const call = Promise.resolve(one.generate(prompt, long)).catch((error) => error);
    await one.dispose();
    expect((await call).code).toMatch(/disposed|aborted/);
  });

  test("while a loop reads its tokens, ends the loop with an error", async () => {
    const one = await fresh();
    const read = async () => {
      for (;;) for await (const _ of one.generate(prompt, long)) void one.dispose();
    };
    await expect(read()).rejects.toThrow(/disposed|aborted/);
  });
});

test("Hundreds of calls that are cancelled at any time leave a model that works", async () => {
  const controllers = Array.from({ length: 200 }, () => new AbortController());
  const calls = controllers.map(({ signal }, i) =>
    Promise.resolve(generate(prompt, { max_new_tokens: 1 + (i % 50), signal })).catch((error) => error.code),
  );
  for (const [i, controller] of controllers.entries()) {
    if (i % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
    if (i % 2 === 0) controller.abort();
  }
  for (const result of await Promise.all(calls)) if (typeof result === "string") expect(result).toBe("aborted");
  expect(await greedy()).toEqual(expected);
});
