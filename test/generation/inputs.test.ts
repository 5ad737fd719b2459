// What else than ids generate() takes, against Python's: embeddings, positions, types, prompts to be healed.
import { describe, expect, it } from "vitest";
import { AutoTokenizer, Tensor } from "../../lib/index.js";
import { fixture, read_json, read_tensors } from "../fixtures.js";
import { type GenerateCase, loader } from "./cases.js";

const { cases } = read_json<{ cases: GenerateCase[] }>("outputs", "inputs.json");
const tensors = read_tensors("outputs", "inputs.safetensors");
const load = loader("");

/** The arguments of a case by name. */
async function arguments_of(one: GenerateCase): Promise<Record<string, unknown>> {
  const embeds = one.key === undefined ? undefined : tensors[`${one.key}.inputs_embeds`];
  const ids = one.input_ids as number[][] | undefined;
  const ones = (ids ?? []).map((row) => row.map(() => 1));
  return {
    ...one.options,
    ...(ids ? { input_ids: ids } : {}),
    ...(embeds ? { inputs_embeds: new Tensor("float32", embeds.data, embeds.shape) } : { attention_mask: ones }),
    ...(one.attention_mask ? { attention_mask: one.attention_mask } : {}),
    ...(one.uniforms ? { generator: one.uniforms } : {}),
    ...(one.options["token_healing"] ? { tokenizer: await AutoTokenizer.from_pretrained(fixture(one.model)) } : {}),
  };
}

describe("generate() takes", () => {
  it.each(cases)("$name", async (one) => {
    const model = await load(one.model);
    const output = await model.generate(await arguments_of(one));
    expect(output.tolist()).toEqual(one.sequences);
  });

  it("embeddings and gives a cache to go on from", async () => {
    const one = cases[0];
    const model = await load(one.model);
    const all = { ...(await arguments_of(one)), max_new_tokens: 3, return_dict_in_generate: true as const };
    const first = await model.generate(undefined, all);
    expect(first.sequences.tolist()[0]).toEqual(one.sequences[0].slice(0, 3));
    expect((first.past_key_values as { length: number }).length).toBe(5 + 2);
  });

  it("embeddings in several calls at a time", async () => {
    const [one, two] = cases;
    const model = await load(one.model);
    const both = await Promise.all([
      model.generate(await arguments_of(one)),
      model.generate(await arguments_of(two)),
      model.generate([[5, 6, 7]], { do_sample: false, max_new_tokens: 9 }),
    ]);
    expect(both.slice(0, 2).map((output) => output.tolist())).toEqual([one.sequences, two.sequences]);
  });

  it.each([
    ["ids twice", { inputs: [[1]], input_ids: [[1]] }, /`inputs` were passed alongside input_ids/],
    ["embeddings of another size", { inputs_embeds: [[[1, 2]]] }, /vectors of \d+ values for inputs_embeds/],
    ["positions of another shape", { input_ids: [[1, 2]], position_ids: [[0]] }, /shape of input_ids, \[1, 2\]/],
    ["positions that the model does not have", { input_ids: [[1, 2]], position_ids: [[0, 99]] }, /99/],
    ["types beyond the words that they are looked up among", { input_ids: [[1]], token_type_ids: [[900]] }, /900/],
    ["embeddings beside a cache", { inputs_embeds: [[new Array(40).fill(0)]], past_key_values: {} }, /inputs_embeds/],
  ])("no %s", async (_what, options, message) => {
    const model = await load("graph/gpt2-lm");
    await expect(model.generate({ max_new_tokens: 2, ...options })).rejects.toThrow(message as RegExp);
    expect((await model.generate([[5, 6]], { max_new_tokens: 2, do_sample: false })).dims).toEqual([1, 4]);
  });

  it("no embeddings on the llama engine", async () => {
    const model = await load("models/m27-llama");
    await expect(model.generate({ inputs_embeds: [[new Array(48).fill(0)]] })).rejects.toThrow(/inputs_embeds/);
  });
});
