import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fields, ours, type Package, same, same_result } from "./both.js";

const folder = mkdtempSync(join(tmpdir(), "models-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const WORDS = file("vocab.txt", "[UNK]\nmy\r\nname \njo\n##hn\n\n##y\n");
const VOCAB = file(
  "vocab.json",
  JSON.stringify({ a: 0, b: 1, ab: 2, "<unk>": 3, "b</w>": 4, "ab</w>": 5, "##b": 6, "a##b": 7 }),
);
const MERGES = file("merges.txt", "#version: 0.2\na b\n");
const JSON_VOCAB = { "<unk>": 3, a: 0, b: 1, ab: 2 };
const TEXTS = ["my name john johny", "ab a b abab x", "", "aab  bba\n"];

/** What a model makes of the texts, between white space. */
async function encoded(p: Package, model: ours.Model | Promise<ours.Model>) {
  const tokenizer = new p.Tokenizer(await model);
  tokenizer.setPreTokenizer(p.whitespaceSplitPreTokenizer());
  const rows = await tokenizer.encodeBatch(TEXTS);
  return [rows.map((row) => fields(row)), tokenizer.getVocab(), tokenizer.getVocabSize()];
}

describe("models", () => {
  const makes: Record<string, (p: Package) => ours.Model | Promise<ours.Model>> = {
    "WordPiece.fromFile": (p) => p.WordPiece.fromFile(WORDS),
    "WordPiece.fromFile with options": (p) =>
      p.WordPiece.fromFile(WORDS, { unkToken: "my", continuingSubwordPrefix: "#", maxInputCharsPerWord: 4 }),
    "WordPiece.init": (p) => p.WordPiece.init({ "[UNK]": 0, ab: 1, "##a": 2 }, null),
    "BPE.fromFile": (p) => p.BPE.fromFile(VOCAB, MERGES),
    "BPE.fromFile with an unknown token": (p) => p.BPE.fromFile(VOCAB, MERGES, { unkToken: "<unk>", fuseUnk: true }),
    "BPE.init": (p) => p.BPE.init(JSON_VOCAB, [["a", "b"]], { unkToken: "<unk>" }),
    "BPE with a suffix": (p) =>
      p.BPE.init({ a: 0, b: 1, "b</w>": 4, "ab</w>": 5, "a</w>": 6 }, [["a", "b</w>"]], { endOfWordSuffix: "</w>" }),
    "BPE with a prefix": (p) =>
      p.BPE.init({ a: 0, b: 1, "##b": 2, "##a": 3, ab: 4 }, [["a", "##b"]], { continuingSubwordPrefix: "##" }),
    "BPE with bytes": (p) => p.BPE.init({ "<0x78>": 0, a: 1, b: 2 }, [], { byteFallback: true }),
    "WordLevel.fromFile": (p) => p.WordLevel.fromFile(VOCAB, { unkToken: "a" }),
    "WordLevel.init": (p) => p.WordLevel.init(JSON_VOCAB),
    "Unigram.init": (p) =>
      p.Unigram.init(
        [
          ["<unk>", 0],
          ["ab", -1.5],
          ["a", -2],
          ["b", -2.5],
        ],
        { unkId: 0 },
      ),
    "Unigram.empty": (p) => p.Unigram.empty(),
  };
  it.each(Object.entries(makes))("%s", async (_, make) => {
    await same_result(async (p) => encoded(p, make(p)));
  });

  it.each(["BPE", "WordPiece", "WordLevel"] as const)("%s.empty has no tokens", async (type) => {
    await same((p) => new p.Tokenizer(p[type].empty()).getVocab());
    expect(ours[type].empty()).toBeInstanceOf(ours.Model);
  });

  it("keep the names of their classes", async () => {
    await same((p) =>
      [p.BPE.empty(), p.WordPiece.empty(), p.WordLevel.empty(), p.Unigram.empty()].map((m) => m.constructor.name),
    );
  });

  it("BPE with dropout 1 merges nothing, with 0 all", () => {
    const tokens = (dropout: number) => {
      const model = ours.BPE.init(JSON_VOCAB, [["a", "b"]], { dropout });
      return new ours.Tokenizer(model).encodeSync("ab").getTokens();
    };
    expect(tokens(1)).toEqual(["a", "b"]);
    expect(tokens(0)).toEqual(["ab"]);
  });

  it("are made from the JSON of a tokenizer.json, with the options that BpeOptions lacks", () => {
    const spec = { type: "BPE", vocab: { a: 0, b: 1, ab: 2 }, merges: [], ignore_merges: true };
    expect(new ours.Tokenizer(new ours.Model(spec)).encodeSync("ab").getTokens()).toEqual(["ab"]);
    expect(ours.WordLevel.init(JSON_VOCAB).toJSON()).toEqual({
      type: "WordLevel",
      vocab: JSON_VOCAB,
      unk_token: "<unk>",
    });
  });
});

describe("what is wrong with a model", () => {
  const wrongs: Record<string, (p: Package) => unknown> = {
    "a merge outside the vocabulary": (p) => p.BPE.init({ a: 0 }, [["a", "b"]]),
    "half a merge": (p) => p.BPE.init({ a: 0 }, [["a"] as never]),
    dropout: (p) => p.BPE.init({ a: 0 }, [], { dropout: 2 }),
    "a text for an id": (p) => p.BPE.init({ a: "x" as never }, []),
    "the unknown token's id": (p) => p.Unigram.init([["a", 0]], { unkId: 4 }),
    "no vocabulary": (p) => p.WordLevel.init(undefined as never),
    "no path": (p) => p.WordPiece.fromFile(undefined as never),
    "an object for a path": (p) => p.WordPiece.fromFile({} as never),
    "no merges": (p) => p.BPE.fromFile(VOCAB, undefined as never),
    "no file": (p) => p.WordPiece.fromFile(join(folder, "none.txt")),
    "no vocab.json": (p) => p.BPE.fromFile(join(folder, "none.json"), MERGES),
    "a vocab.json without an object": (p) => p.WordLevel.fromFile(MERGES),
    "three tokens in a merge": (p) => p.BPE.fromFile(VOCAB, file("three.txt", "a b c\n")),
    "a model that is none": (p) => new p.Tokenizer({} as never),
    "no model": (p) => new p.Tokenizer(undefined as never),
  };
  it.each(Object.entries(wrongs))("%s throws with both", async (_, wrong) => {
    expect(await same(wrong)).toBeUndefined();
  });

  it("is said with the argument's name", async () => {
    expect(() => ours.WordPiece.fromFile(undefined as never)).toThrow(
      "Expected a string for vocab but received undefined",
    );
    expect(() => ours.BPE.init({ a: 0 }, [["a", "b"]])).toThrow(/merges/);
    expect(() => ours.BPE.init([] as never, [])).toThrow("Expected an object of tokens and ids for vocab");
    await expect(ours.WordLevel.fromFile(MERGES)).rejects.toThrow(`a JSON object of tokens and ids in ${MERGES}`);
    await expect(ours.BPE.fromFile(VOCAB, file("three.txt", "a b c\n"))).rejects.toThrow("merge 1 of");
  });
});
