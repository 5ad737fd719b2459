import { describe, expect, it } from "vitest";
import { AddedToken, AutoTokenizer, BertTokenizerFast, PreTrainedTokenizerFast } from "../../lib/index.js";
import { core_of, folder_of, NAMES, read_fixture, slow_fixture } from "./fixtures.js";

const { corpora, cases } = read_fixture("trainers", "cases.json");
type Case = (typeof cases)[number];

const load = async ({ source, from }: Case): Promise<PreTrainedTokenizerFast> => {
  if (source === "bert") return new BertTokenizerFast({ tokenizer_object: from });
  if (source === "words") return new PreTrainedTokenizerFast({ tokenizer_object: from, unk_token: "[UNK]" });
  const folder = NAMES.includes(source) ? folder_of(source) : slow_fixture(source);
  return (await AutoTokenizer.from_pretrained(folder)) as PreTrainedTokenizerFast;
};
const gpt2 = () => load({ source: "gpt2" });
/** Unigram's pieces and scores apart from the rest. */
function split(core: { model: { type: string; vocab: [string, number | null][] } }) {
  if (core.model.type !== "Unigram") return { rest: core, scores: new Map<string, number | null>() };
  const { vocab, ...model } = core.model;
  return { rest: { ...core, model }, scores: new Map(vocab) };
}
const json_of = (tokenizer: PreTrainedTokenizerFast) => JSON.parse(tokenizer._tokenizer.to_json(false));

describe("train_new_from_iterator", () => {
  it.each<Case>(cases)(
    "makes of $name the tokenizer.json, special tokens and ids that Python makes",
    async (expected) => {
      const old = await load(expected);
      const { vocab_size, options, corpus } = expected;
      const tokenizer = await old.train_new_from_iterator(corpora[corpus], vocab_size, options);
      expect(tokenizer).toBeInstanceOf(old.constructor);
      const [ours, theirs] = [split(core_of(tokenizer)), split(expected.tokenizer)];
      expect(ours.rest).toEqual(theirs.rest);
      expect([...ours.scores.keys()].sort()).toEqual([...theirs.scores.keys()].sort());
      const least = Math.min(...(ours.scores.values() as Iterable<number>));
      for (const [piece, score] of theirs.scores) {
        const found = ours.scores.get(piece)!;
        // Characters without a piece of their own get the least score and a little more.
        if (score === null) expect(found - least, piece).toBeLessThan(theirs.scores.size * 1e-4);
        else expect(found, piece).toBeCloseTo(score, 5);
      }
      expect(tokenizer.special_tokens_map).toEqual(expected.special_tokens);
      const is_unigram = theirs.scores.size > 0;
      for (const [text, row] of expected.encoded) {
        const ids: number[] = [...tokenizer(text).input_ids];
        expect(is_unigram ? tokenizer.convert_ids_to_tokens(ids) : ids, text).toEqual(row);
      }
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

  it("names what is wrong with an option of Unigram", async () => {
    const tokenizer = await load({ source: "xlm-roberta" });
    const train = (size: number, options?: object) => tokenizer.train_new_from_iterator(["abcde"], size, options);
    await expect(train(3)).rejects.toThrow("Expected at least 6 for vocab_size but received 3");
    await expect(train(5)).rejects.toThrow("the texts have 6 characters, and there are 5 special tokens");
    await expect(train(50, { shrinking_factor: 1 })).rejects.toThrow("for shrinking_factor");
    await expect(train(50, { n_sub_iterations: -1 })).rejects.toThrow("for n_sub_iterations");
    await expect(train(50, { unk_token: 5 })).rejects.toThrow("for unk_token");
    await expect(train(50, { min_frequency: 2 })).rejects.toThrow("for an option of a Unigram trainer");
    expect((await train(50, { n_sub_iterations: 0, seed_size: 0, max_piece_length: 0 })).length).toBeLessThan(50);
  });

  it("trains Unigram on nothing, on one long word and on words of zero bytes", async () => {
    const tokenizer = await load({ source: "xlm-roberta" });
    const length = async (texts: string[]) => (await tokenizer.train_new_from_iterator(texts, 40)).length;
    expect(await length([])).toBe(5);
    expect(await length(["ab".repeat(20_000)])).toBeGreaterThan(7);
    expect(await length(["\0a\0", "\0\0"])).toBeGreaterThan(6);
  });
});
