// What Python's own tests ask of generate() and no other file here does: README.md says where the others are.
import { afterEach, describe, expect, it } from "vitest";
import {
  AutoTokenizer,
  EosTokenCriteria,
  type GenerateDecoderOnlyOutput,
  GenerationConfig,
  LogitsProcessor,
  LogitsProcessorList,
  MaxLengthCriteria,
  StoppingCriteriaList,
  StopStringCriteria,
  type Tensor,
} from "../../lib/index.js";
import { fixture } from "../fixtures.js";
import { loader } from "./cases.js";

const tokenizer = await AutoTokenizer.from_pretrained(fixture("models", "m28-qwen2-chat"));
const ids_of = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false });

describe("StopStringCriteria", () => {
  it("takes ids that the vocabulary does not have for no text", () => {
    const criterion = new StopStringCriteria(tokenizer, ["house"]);
    const end = ids_of("house");
    expect(criterion([[tokenizer.length + 7], [tokenizer.length - 1]])).toEqual([false, false]);
    expect(criterion([[tokenizer.length + 7, ...end]])).toEqual([true]);
    expect(criterion([[...end, tokenizer.length + 7]])).toEqual([false]);
  });

  it("finds strings of one letter, in each row for itself", () => {
    const criterion = new StopStringCriteria(tokenizer, ["e", "."]);
    const rows = ["an old house", "a sad run", "The end."].map(ids_of);
    const length = Math.max(...rows.map((row) => row.length));
    const padded = rows.map((row) => [...new Array(length - row.length).fill(ids_of("a")[0]), ...row]);
    expect(criterion(padded)).toEqual([true, false, true]);
    expect(rows.map((row) => (criterion([row]) as boolean[])[0])).toEqual([true, false, true]);
  });
});

describe("Criteria of several rows", () => {
  it("end each row by whichever it meets", () => {
    const [end] = ids_of("!");
    const list = new StoppingCriteriaList([
      new MaxLengthCriteria(20),
      new EosTokenCriteria([end, 3]),
      new StopStringCriteria(tokenizer, "house"),
    ]);
    const row = ids_of("an old house").slice(-4);
    const other = [...new Array(3).fill(ids_of("a")[0]), 3];
    const none = new Array(4).fill(ids_of("a")[0]);
    expect(list([row, other, none])).toEqual([true, true, false]);
    expect(list([none, row])).toEqual([false, true]);
    expect(list(new Array(3).fill(new Array(20).fill(ids_of("a")[0])))).toEqual([true, true, true]);
  });
});

describe.each(["models/m27-llama", "graph/gpt2-lm"])("generate() of %s", (path) => {
  const [theme, name] = path.split("/");
  const load = loader(theme);
  const prompt = [[5, 9, 12, 7]];
  const greedy = { do_sample: false, max_new_tokens: 10, no_repeat_ngram_size: 1, eos_token_id: null, pad_token_id: 0 };
  let restore = () => {};
  afterEach(() => restore());

  it("ends at an end token, alone or among others", async () => {
    const model = await load(name);
    const whole = (await model.generate(prompt, greedy)).tolist()[0];
    const end = whole[8];
    const run = async (eos_token_id: unknown) => (await model.generate(prompt, { ...greedy, eos_token_id })).tolist();
    expect(await run(end)).toEqual([whole.slice(0, 9)]);
    expect(await run([end])).toEqual(await run(end));
    expect(await run([end, whole[9]])).toEqual(await run(end));
  });

  it("takes the end from the model's configuration where the call's has none", async () => {
    const model = await load(name);
    const before = model.generation_config;
    restore = () => {
      model.generation_config = before;
    };
    const whole = (await model.generate(prompt, greedy)).tolist()[0];
    model.generation_config = new GenerationConfig({ eos_token_id: whole[7], pad_token_id: 0 });
    const generation_config = new GenerationConfig({ do_sample: false, max_new_tokens: 10, no_repeat_ngram_size: 1 });
    expect((await model.generate(prompt, { generation_config })).tolist()).toEqual([whole.slice(0, 8)]);
  });

  it("gives logits that a processor which writes into its scores has not touched", async () => {
    class Forbid extends LogitsProcessor {
      override _call(_ids: bigint[][], scores: Tensor) {
        (scores.data as Float32Array).fill(-5, 0, 50);
        return scores;
      }
    }
    const model = await load(name);
    const run = (options: object) =>
      model.generate(prompt, {
        ...greedy,
        ...options,
        max_new_tokens: 1,
        return_dict_in_generate: true,
        output_logits: true,
        output_scores: true,
      }) as PromiseLike<unknown> as Promise<GenerateDecoderOnlyOutput>;
    const plain = await run({});
    const changed = await run({ logits_processor: new LogitsProcessorList([new Forbid()]) });
    expect(changed.logits?.[0].tolist()).toEqual(plain.logits?.[0].tolist());
    const [scores] = changed.scores as Tensor[];
    expect((scores.data as Float32Array).subarray(0, 50).every((score) => score === -5)).toBe(true);
  });

  it("keeps to its lengths when tokens are looked up in the prompt", async () => {
    const model = await load(name);
    const text = [[5, 9, 12, 7, 5, 9, 12, 7, 5, 9]];
    const rule = { do_sample: false, eos_token_id: null, pad_token_id: 0, prompt_lookup_num_tokens: 4 };
    for (const lengths of [{ max_length: 17 }, { max_new_tokens: 7 }, { max_new_tokens: 7, min_length: 12 }])
      expect((await model.generate(text, { ...rule, ...lengths })).dims).toEqual([1, 17]);
  });
});
