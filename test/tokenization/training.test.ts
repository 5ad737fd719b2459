import { describe, expect, it } from "vitest";
import { AddedToken, AutoTokenizer, BertTokenizerFast, PreTrainedTokenizerFast } from "../../lib/index.js";
import { folder_of, read_fixture } from "./fixtures.js";

const { corpora, cases } = read_fixture("trainers", "cases.json");
type Case = (typeof cases)[number];

const load = async ({ source, from }: Case): Promise<PreTrainedTokenizerFast> => {
  if (source === "bert") return new BertTokenizerFast({ tokenizer_object: from });
  if (source === "words") return new PreTrainedTokenizerFast({ tokenizer_object: from, unk_token: "[UNK]" });
  return (await AutoTokenizer.from_pretrained(folder_of(source))) as PreTrainedTokenizerFast;
};
const gpt2 = () => load({ source: "gpt2" });
const json_of = (tokenizer: PreTrainedTokenizerFast) => JSON.parse(tokenizer._tokenizer.to_json(false));

describe("train_new_from_iterator", () => {
  it.each<Case>(cases)(
    "makes of $name the tokenizer.json, special tokens and ids that Python makes",
    async (expected) => {
      const old = await load(expected);
      const { vocab_size, options, corpus } = expected;
      const tokenizer = await old.train_new_from_iterator(corpora[corpus], vocab_size, options);
      expect(tokenizer).toBeInstanceOf(old.constructor);
      expect(json_of(tokenizer)).toEqual(expected.tokenizer);
      expect(tokenizer.special_tokens_map).toEqual(expected.special_tokens);
      for (const [text, ids] of expected.encoded) expect([...tokenizer(text).input_ids]).toEqual(ids);
    },
  );

  it("takes lists of texts, also from an asynchronous generator", async () => {
    const lines: string[] = corpora.SOME;
    async function* batches() {
      for (let i = 0; i < lines.length; i += 7) yield lines.slice(i, i + 7);
    }
    const tokenizer = await gpt2();
    const one_by_one = await tokenizer.train_new_from_iterator(lines, 320);
    const in_batches = await tokenizer.train_new_from_iterator(batches(), 320);
    expect(json_of(in_batches)).toEqual(json_of(one_by_one));
    expect(in_batches.length).toBe(320);
  });

  it("leaves the old tokenizer as it was", async () => {
    const tokenizer = await gpt2();
    const before = json_of(tokenizer);
    await tokenizer.train_new_from_iterator(corpora.SOME, 300, { new_special_tokens: [new AddedToken("<x>")] });
    expect(json_of(tokenizer)).toEqual(before);
  });

  it("names what is wrong with an argument", async () => {
    const tokenizer = await gpt2();
    const train = (texts: unknown, size: unknown, options?: object) =>
      tokenizer.train_new_from_iterator(texts as string[], size as number, options);
    await expect(train(["a"], -1)).rejects.toThrow(RangeError);
    await expect(train(["a"], "many")).rejects.toThrow("Expected a number for vocab_size");
    await expect(train("a text", 300)).rejects.toThrow("for text_iterator");
    await expect(train([1], 300)).rejects.toThrow("for text_iterator");
    await expect(train([[1]], 300)).rejects.toThrow("for text_iterator");
    await expect(train(["a"], 300, { seed: 1 })).rejects.toThrow("for an option of a BPE trainer");
    await expect(train(["a"], 300, { min_frequency: 0.5 })).rejects.toThrow("for min_frequency");
    await expect(train(["a"], 300, { limit_alphabet: -2 })).rejects.toThrow("for limit_alphabet");
    await expect(train(["a"], 300, { new_special_tokens: [1] })).rejects.toThrow("for new_special_tokens");
    await expect(train(["a"], 300, { special_tokens_map: { a: 1 } })).rejects.toThrow("for special_tokens_map");
  });

  it("says that Unigram is not supported", async () => {
    const model = { type: "Unigram", unk_id: 0, vocab: [["<unk>", 0]], byte_fallback: false };
    const tokenizer = new PreTrainedTokenizerFast({ tokenizer_object: { version: "1.0", added_tokens: [], model } });
    await expect(tokenizer.train_new_from_iterator(["a"], 10)).rejects.toMatchObject({ code: "not_supported" });
  });
});
