// Ways to stop a generation, and what is left of the model afterwards.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AutoModelForCausalLM, type CausalLM } from "../../lib/index.js";
import { fixture } from "../fixtures.js";

const PROMPT = [[243, 58, 261, 111]];
const LONG = { max_new_tokens: 4000, eos_token_id: null, do_sample: false, pad_token_id: 0 };

describe("a generation", () => {
  let model: CausalLM;
  beforeAll(async () => {
    model = await AutoModelForCausalLM.from_pretrained(fixture("models", "m27-llama"), { n_threads: 1 });
  });
  afterAll(() => model.dispose());
  /** The model still answers. */
  const works = async () => expect((await model.generate(PROMPT, { ...LONG, max_new_tokens: 3 })).dims).toEqual([1, 7]);

  it("stops at an AbortSignal and rejects with code aborted", async () => {
    const controller = new AbortController();
    const call = model.generate(PROMPT, { ...LONG, signal: controller.signal });
    setTimeout(() => controller.abort(), 5);
    await expect(call).rejects.toMatchObject({ code: "aborted" });
    await works();
  });

  it("does not begin under a signal that is aborted already", async () => {
    await expect(model.generate(PROMPT, { ...LONG, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "aborted",
    });
  });

  it("stops when its loop is left", async () => {
    const call = model.generate(PROMPT, LONG);
    const seen: number[][] = [];
    for await (const step of call) {
      seen.push(step);
      if (seen.length === 3) break;
    }
    expect(seen.length).toBe(3);
    await expect(call).rejects.toMatchObject({ code: "aborted" });
    await works();
  });

  it("takes room as it grows: a huge max_new_tokens costs nothing, and growing changes no token", async () => {
    for await (const _ of model.generate(PROMPT, { ...LONG, max_new_tokens: 1_000_000 })) break;
    const rows = [PROMPT[0], [...PROMPT[0]].reverse()];
    const alone = await model.generate(PROMPT, { ...LONG, max_new_tokens: 4200 });
    const together = await model.generate(rows, { ...LONG, max_new_tokens: 4200 });
    expect(together.tolist()[0]).toEqual(alone.tolist()[0]);
  });

  it("rejects when the model is disposed meanwhile", async () => {
    const other = await AutoModelForCausalLM.from_pretrained(fixture("models", "m27-llama"), { n_threads: 1 });
    const call = other.generate(PROMPT, LONG);
    setTimeout(() => void other.dispose(), 5);
    await expect(call).rejects.toMatchObject({ code: "disposed" });
    await expect(other.generate(PROMPT, LONG)).rejects.toMatchObject({ code: "disposed" });
    await other.dispose();
  });

  it.each([
    ["a token outside the vocabulary", [[9999]], {}, /token ids from 0 to 383/],
    ["a negative token", [[-1]], {}, /token ids from 0 to 383/],
    ["ragged rows", [[1, 2], [3]], {}, /rows of one length/],
    ["no row", [], {}, /at least one/],
    ["an empty row", [[]], {}, /at least one token/],
    ["a string", "text", {}, /token ids/],
    ["a mask of another shape", PROMPT, { attention_mask: [[1, 1]] }, /shape of input_ids/],
    ["a mask that hides a row", PROMPT, { attention_mask: [[0, 0, 0, 0]] }, /at least one visible token/],
    ["an unknown argument", PROMPT, { max_newtokens: 3 }, /not used by the model: \['max_newtokens'\]/],
    ["a negative seed", PROMPT, { do_sample: true, seed: -1 }, /seed/],
    ["a foreign cache", PROMPT, { past_key_values: {} }, /past_key_values/],
  ])("refuses %s", async (_what, ids, options, message) => {
    await expect(model.generate(ids, { max_new_tokens: 2, ...options })).rejects.toThrow(message as RegExp);
    await works();
  });
});
