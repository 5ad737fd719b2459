import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { AutoTokenizer, type PreTrainedTokenizerFast } from "../../lib/index.js";
import { read_json } from "../fixtures.js";
import { slow_fixture } from "../tokenization/fixtures.js";
import { ours, type Package, same } from "./both.js";

const { AddedToken, BPE, bpeTrainer, Tokenizer, Trainer, Unigram, unigramTrainer, WordLevel, wordLevelTrainer } = ours;
const { WordPiece, wordPieceTrainer, byteLevelAlphabet } = ours;

// biome-ignore lint/suspicious/noExplicitAny: made by Python
type Fixture = Record<string, any>;
const { corpora, cases } = read_json<{ corpora: Record<string, string[]>; cases: Fixture[] }>("trainers", "cases.json");
const lines = corpora["LINES"]!;

const folder = mkdtempSync(join(tmpdir(), "trainers-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const normalizer_of = async (source: string) => {
  const tokenizer = (await AutoTokenizer.from_pretrained(slow_fixture(source))) as PreTrainedTokenizerFast;
  return { normalizer: tokenizer.component("normalizer") };
};
const json_of = (tokenizer: ours.Tokenizer) => JSON.parse(tokenizer.toString());
const camelCase = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

describe("trainers with options", () => {
  it.each(cases.map((it) => [it["name"], it] as const))("%s: the model that Python trains", async (_, expected) => {
    const { tokenizer: theirs, vocab_size, corpus } = expected;
    const { model, added_tokens, pre_tokenizer } = theirs;
    const { special_tokens_map: _map, new_special_tokens: _new, ...options } = expected["options"];
    const is_unigram = model.type === "Unigram";
    const trainer = new Trainer(model.type, {
      vocabSize: vocab_size,
      specialTokens: added_tokens.map((token: { content: string }) => token.content),
      ...(JSON.stringify(pre_tokenizer).includes("ByteLevel") && { initialAlphabet: byteLevelAlphabet() }),
      ...(is_unigram && { unkToken: added_tokens[model.unk_id].content }),
      ...Object.fromEntries(Object.entries(options).map(([name, value]) => [camelCase(name), value])),
    });
    const blank = is_unigram ? Unigram.empty().toJSON() : { ...model, vocab: {}, ...(model.merges && { merges: [] }) };
    // Python's charsmap is not in the fixture.
    const base = is_unigram ? await normalizer_of(expected["source"]) : {};
    const json = { ...theirs, ...base, added_tokens: [], post_processor: null, model: blank };
    const tokenizer = Tokenizer.fromString(JSON.stringify(json));
    await tokenizer.trainFromIterator(corpora[corpus]!, trainer);
    const trained = json_of(tokenizer);
    const names = (tokens: Fixture[]) => tokens.map(({ id, content }) => [id, content]);
    expect(names(trained.added_tokens)).toEqual(names(added_tokens));
    if (!is_unigram) return expect(trained.model).toEqual(model);
    const pieces = (vocab: [string, number][]) => vocab.map(([piece]) => piece).sort();
    expect(pieces(trained.model.vocab)).toEqual(pieces(model.vocab));
    expect(trained.model.unk_id).toBe(model.unk_id);
  });

  it("the functions make the trainers of their models", async () => {
    const trained = async (model: ours.Model, trainer: ours.Trainer) => {
      const tokenizer = new Tokenizer(model);
      tokenizer.setPreTokenizer(ours.whitespacePreTokenizer());
      await tokenizer.trainFromIterator(["abab ab", "ab cab"], trainer);
      return Object.keys(tokenizer.getVocab());
    };
    const specialTokens = ["[UNK]"];
    const bpe = await trained(BPE.empty(), bpeTrainer({ vocabSize: 5, specialTokens }));
    expect(bpe).toEqual(["[UNK]", "a", "b", "c", "ab"]);
    expect(await trained(WordPiece.empty(), wordPieceTrainer({ specialTokens }))).toContain("##ab");
    expect(await trained(WordLevel.empty(), wordLevelTrainer({ specialTokens, vocabSize: 2 }))).toEqual([
      "[UNK]",
      "ab",
    ]);
    const unigram = await trained(Unigram.empty(), unigramTrainer({ specialTokens, unkToken: "[UNK]" }));
    expect(unigram[0]).toBe("[UNK]");
  });

  it("adds the special tokens with their flags, and takes lists of texts from an asynchronous generator", async () => {
    const tokenizer = new Tokenizer(BPE.empty());
    async function* texts() {
      yield ["aa ab", "aa"];
      yield "ab";
    }
    const mask = new AddedToken("<mask>", true, { leftStrip: true });
    const pad = new AddedToken("<pad>", false); // special all the same, as in Python
    await tokenizer.trainFromIterator(texts(), bpeTrainer({ vocabSize: 10, specialTokens: [mask, pad] }));
    const added = json_of(tokenizer).added_tokens;
    expect(added).toMatchObject([
      { id: 0, content: "<mask>", lstrip: true, special: true },
      { id: 1, content: "<pad>", lstrip: false, special: true },
    ]);
    expect(tokenizer.encodeSync("aa <mask>").getTokens()).toEqual(["aa", " <mask>"]);
  });
});

describe("train(files), with the model's own trainer", () => {
  const setup = (p: Package, type: string) => {
    const model = type === "BPE" ? p.BPE.empty() : type === "WordPiece" ? p.WordPiece.empty() : p.WordLevel.empty();
    const tokenizer = new p.Tokenizer(model);
    tokenizer.setPreTokenizer(p.whitespacePreTokenizer());
    tokenizer.setNormalizer(p.lowercase());
    return tokenizer;
  };
  const one = file("one.txt", lines.slice(0, 20).join("\n"));
  const two = file("two.txt", `${lines.slice(20, 40).join("\r\n")}\n\n`);

  it.each(["BPE", "WordLevel"])("%s gives the vocabulary that the package gives", async (type) => {
    const vocab = await same((p) => {
      const tokenizer = setup(p, type);
      tokenizer.train([one, two]);
      return tokenizer.getVocab();
    });
    expect(Object.keys(vocab as object).length).toBeGreaterThan(50);
  });

  // Rust numbers characters behind a prefix in the order of a hash table, and pairs of one frequency by these numbers.
  it("WordPiece gives the words that the package gives", () =>
    same(async (p) => {
      const tokenizer = setup(p, "WordPiece");
      tokenizer.train([one, two]);
      const rows = await tokenizer.encodeBatch(lines.slice(0, 40));
      return rows.map((row) => row.getTokens());
    }).then((rows) => expect(rows).toHaveLength(40)));

  it("reads long files in parts without breaking characters or lines", async () => {
    const long = file("long.txt", `${"naïve 你好 👍🏽 ".repeat(90_000)}\nlast line`);
    await same((p) => {
      const tokenizer = setup(p, "WordLevel");
      tokenizer.train([long]);
      return tokenizer.getVocab();
    });
  });

  it("leaves the tokenizer as it was where it throws", () => {
    const tokenizer = setup(ours, "BPE");
    tokenizer.train([one]);
    const before = tokenizer.toString();
    expect(() => tokenizer.train([one, join(folder, "none.txt")])).toThrow(/Cannot read .*none.txt/);
    expect(tokenizer.toString()).toBe(before);
  });
});

it("says what is wrong with a trainer", async () => {
  const tokenizer = new Tokenizer(BPE.empty());
  expect(() => tokenizer.train([], wordLevelTrainer())).toThrow(
    "A trainer of WordLevel cannot train a model of the type BPE",
  );
  expect(() => tokenizer.train("file" as never)).toThrow("files");
  expect(() => bpeTrainer({ vocabSize: -1 })).toThrow(RangeError);
  expect(() => bpeTrainer({ specialTokens: [1 as never] })).toThrow("specialTokens");
  expect(() => bpeTrainer({ initialAlphabet: "ab" as never })).toThrow("initialAlphabet");
  expect(() => unigramTrainer({ shrinkingFactor: 1 })).toThrow("a number between 0 and 1 for shrinkingFactor");
  expect(() => new Trainer("Other" as never)).toThrow("for type");
  await expect(tokenizer.trainFromIterator(5 as never)).rejects.toThrow("iterator");
  await expect(tokenizer.trainFromIterator([5 as never])).rejects.toThrow("strings or lists of strings");
});
