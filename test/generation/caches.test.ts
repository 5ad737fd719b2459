// past_key_values that cannot be gone on from: an error, and the model stays usable. On both engines.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AutoModelForCausalLM, type CausalLM, type GenerateDecoderOnlyOutput, type Tensor } from "../../lib/index.js";
import { fixture } from "../fixtures.js";

const PROMPT = [[43, 58, 61, 11]];
const GREEDY = { do_sample: false, max_new_tokens: 6, eos_token_id: null, pad_token_id: 0 };

describe.each([
  ["llama", "models", "m27-llama"],
  ["graph", "graph", "gpt2-lm"],
])("on the %s engine, a cache", (_engine, folder, name) => {
  let model: CausalLM;
  let other: CausalLM;
  beforeAll(async () => {
    model = await AutoModelForCausalLM.from_pretrained(fixture(folder, name), { n_threads: 1 });
    other = await AutoModelForCausalLM.from_pretrained(fixture(folder, name), { n_threads: 1 });
  });
  afterAll(async () => {
    await model.dispose();
    await other.dispose();
  });
  const start = (from = model, rows = PROMPT) =>
    from.generate(rows, { ...GREEDY, return_dict_in_generate: true }) as PromiseLike<
      GenerateDecoderOnlyOutput & { past_key_values: { dispose(): void } }
    >;
  const works = async () => expect((await model.generate(PROMPT, GREEDY)).dims).toEqual([1, 10]);

  it("goes on where it ended", async () => {
    const { sequences, past_key_values } = await start();
    const more = await model.generate(sequences, { ...GREEDY, past_key_values });
    const whole = await model.generate(PROMPT, { ...GREEDY, max_new_tokens: 12 });
    expect(more.tolist()).toEqual(whole.tolist());
  });

  it("that was released is refused", async () => {
    const { sequences, past_key_values } = await start();
    past_key_values.dispose();
    past_key_values.dispose();
    await expect(model.generate(sequences, { ...GREEDY, past_key_values })).rejects.toThrow(
      "past_key_values that were not released",
    );
    await expect(model(sequences as Tensor, { past_key_values })).rejects.toThrow(/past_key_values/);
    await works();
  });

  it("of another model is refused", async () => {
    const { sequences, past_key_values } = await start(other);
    await expect(model.generate(sequences, { ...GREEDY, past_key_values })).rejects.toThrow(
      "a cache that this model returned",
    );
    await works();
  });

  it("of other rows, or of more tokens than there are, is refused", async () => {
    const { sequences, past_key_values } = await start();
    const two = [...sequences.tolist(), ...sequences.tolist()];
    await expect(model.generate(two, { ...GREEDY, past_key_values })).rejects.toThrow(
      "Expected past_key_values of 2 rows but received 1",
    );
    await expect(model.generate(PROMPT, { ...GREEDY, past_key_values })).rejects.toThrow(
      "Expected input_ids to go on after the 9 tokens of past_key_values but received 4 tokens",
    );
    const more = await model.generate(sequences, { ...GREEDY, past_key_values });
    expect(more.dims).toEqual([1, 16]);
  });

  it("serves one call at a time, and is what it was after one that was cancelled", async () => {
    const { sequences, past_key_values } = await start();
    const options = { ...GREEDY, max_new_tokens: 20, past_key_values };
    const ends = await Promise.allSettled([model.generate(sequences, options), model.generate(sequences, options)]);
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    expect((ends[1] as PromiseRejectedResult).reason).toMatchObject({ code: "cache_in_use" });

    const again = await start();
    const controller = new AbortController();
    const at_14 = (ids: bigint[][]) => {
      if (ids[0].length === 14) controller.abort();
      return false;
    };
    const stopping_criteria = [{ _call: at_14 }];
    const stopped = {
      ...options,
      past_key_values: again.past_key_values,
      stopping_criteria,
      signal: controller.signal,
    };
    await expect(model.generate(again.sequences, stopped)).rejects.toMatchObject({ code: "aborted" });
    const more = await model.generate(again.sequences, { ...GREEDY, past_key_values: again.past_key_values });
    expect(more.tolist()).toEqual((await model.generate(PROMPT, { ...GREEDY, max_new_tokens: 12 })).tolist());
  });

  it("may be released while a call goes on from it", async () => {
    const { sequences, past_key_values } = await start();
    const call = model.generate(sequences, { ...GREEDY, max_new_tokens: 20, past_key_values });
    await new Promise((resolve) => setImmediate(resolve));
    past_key_values.dispose();
    expect((await call).dims).toEqual([1, 30]);
    await works();
  });
});
