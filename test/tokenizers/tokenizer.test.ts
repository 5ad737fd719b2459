import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture } from "../fixtures.js";
import { fields, ours, type Package, same } from "./both.js";

const GPT2 = fixture("tokenizers", "gpt2", "tokenizer.json");
const vocab = Object.fromEntries(
  ["[UNK]", "[CLS]", "[SEP]", "my", "name", "is", "john", "👍"].map((token, id) => [token, id]),
);

function bert(p: Package) {
  const tokenizer = new p.Tokenizer(p.WordPiece.init(vocab));
  tokenizer.setNormalizer(p.bertNormalizer());
  tokenizer.setPreTokenizer(p.whitespaceSplitPreTokenizer());
  tokenizer.setPostProcessor(p.bertProcessing(["[SEP]", 2], ["[CLS]", 1]));
  tokenizer.setDecoder(p.wordPieceDecoder());
  return tokenizer;
}
const gpt2 = () => ours.Tokenizer.fromFile(GPT2);

describe("beside the package's methods", () => {
  it("synchronous ones give the same", async () => {
    const tokenizer = bert(ours);
    const encoding = tokenizer.encodeSync("my name", "is john");
    expect(fields(encoding)).toEqual(fields(await tokenizer.encode("my name", "is john")));
    const texts = ["my", "name is"];
    const batch = await tokenizer.encodeBatch(texts);
    expect(tokenizer.encodeBatchSync(texts).map((row) => fields(row))).toEqual(batch.map((row) => fields(row)));
    const ids = encoding.getIds();
    expect(tokenizer.decodeSync(ids, true)).toBe(await tokenizer.decode(ids, true));
    expect(tokenizer.decodeBatchSync([ids, [3]], false)).toEqual(await tokenizer.decodeBatch([ids, [3]], false));
  });

  it("isPretokenized takes words, whose offsets count in each", async () => {
    const tokenizer = bert(ours);
    const encoding = tokenizer.encodeSync(["my", "name is"], ["john"], { isPretokenized: true });
    expect(encoding.getTokens()).toEqual(["[CLS]", "my", "name", "is", "[SEP]", "john", "[SEP]"]);
    expect(encoding.getWordIds()).toEqual([null, 0, 1, 1, null, 0, null]);
    expect(encoding.getOffsets().slice(1, 4)).toEqual([
      [0, 2],
      [0, 4],
      [5, 7],
    ]);
    const [one, two] = await tokenizer.encodeBatch(
      [
        ["my", "name"],
        [["my"], ["john", "is"]],
      ],
      { isPretokenized: true },
    );
    expect(one!.getTokens()).toEqual(["[CLS]", "my", "name", "[SEP]"]);
    expect(two!.getSequenceIds()).toEqual([null, 0, null, 1, 1, null]);
  });

  it("a batch takes pairs beside texts", async () => {
    const tokenizer = bert(ours);
    const batch = await tokenizer.encodeBatch(["my", ["my name", "john"]]);
    expect(batch.map((row) => row.getTypeIds())).toEqual([
      [0, 0, 0],
      [0, 0, 0, 0, 1, 1],
    ]);
    expect(fields(batch[1]!)).toEqual(fields(tokenizer.encodeSync("my name", "john")));
  });

  it("offsetsUnit chooses code points, as Rust, or UTF-16 units, as text.slice", () => {
    const tokenizer = bert(ours);
    const text = "👍 my 👍 john";
    const rust = tokenizer.encodeSync(text, null, { addSpecialTokens: false });
    const utf16 = tokenizer.encodeSync(text, null, { addSpecialTokens: false, offsetsUnit: "utf16" });
    expect(rust.getOffsets().map(([start, end]) => ours.slice(text, start, end))).toEqual(["👍", "my", "👍", "john"]);
    expect(utf16.getOffsets().map(([start, end]) => text.slice(start, end))).toEqual(["👍", "my", "👍", "john"]);
    expect([rust.charToToken(2), utf16.charToToken(3)]).toEqual([1, 1]);
    expect(utf16.wordToChars(3)).toEqual([9, 13]);
    expect(ours.mergeEncodings([utf16, utf16], true).getOffsets().at(-1)).toEqual([22, 26]);
  });

  it("a batch on threads gives what one thread gives", async () => {
    const tokenizer = gpt2();
    const text = readFileSync(GPT2, "utf8");
    const texts = Array.from({ length: 200 }, (_, i) => text.slice(i * 50, i * 50 + 3000));
    const [one, four] = [1, 4].map((numThreads) => tokenizer.encodeBatchSync(texts, { numThreads }));
    const later = await tokenizer.encodeBatch(texts);
    for (const rows of [four!, later]) expect(rows.map((row) => row.getIds())).toEqual(one!.map((row) => row.getIds()));
    expect(() => tokenizer.encodeBatchSync(texts, { numThreads: 0 })).toThrow("1 to 256 for numThreads");
  });

  it("a long batch leaves the event loop its turns", async () => {
    const tokenizer = gpt2();
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await tokenizer.encodeBatch(Array.from({ length: 40 }, (_, i) => `${i} word`.repeat(10_000)));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });

  it("what truncation cuts off is all there, as in the package before 0.23", async () => {
    const tokenizer = bert(ours);
    tokenizer.setTruncation(4, { stride: 1 });
    const encoding = await tokenizer.encode("my name is john my name");
    const rows = [encoding, ...encoding.getOverflowing()].map((row) => row.getTokens().slice(1, -1).join(" "));
    expect(rows).toEqual(["my name", "name is", "is john", "john my", "my name"]);
  });

  it("toString gives the tokenizer.json that save writes", () => {
    const folder = mkdtempSync(join(tmpdir(), "tokenizer-"));
    const path = join(folder, "tokenizer.json");
    const tokenizer = bert(ours);
    for (const pretty of [false, true]) {
      tokenizer.save(path, pretty);
      expect(readFileSync(path, "utf8")).toBe(tokenizer.toString(pretty));
    }
    expect(fields(ours.Tokenizer.fromFile(path).encodeSync("my john"))).toEqual(
      fields(tokenizer.encodeSync("my john")),
    );
    rmSync(folder, { recursive: true });
  });
});

describe("as the package", () => {
  it("gives a tokenizer's parts, null where there are none", async () => {
    await same((p) => {
      const empty = new p.Tokenizer(p.BPE.empty());
      return [empty.getNormalizer(), empty.getPreTokenizer(), empty.getPostProcessor(), empty.getDecoder()];
    });
    await same((p) => {
      const tokenizer = bert(p);
      const decoded = tokenizer.getDecoder()!.decode(["my", "##name"]);
      const parts = [tokenizer.getNormalizer(), tokenizer.getPreTokenizer(), tokenizer.getPostProcessor()];
      const names = parts.map((part) => part!.constructor.name);
      return [
        names,
        decoded,
        tokenizer.getNormalizer()!.normalizeString("ÀB"),
        tokenizer.getPreTokenizer()!.preTokenizeString("a b"),
      ];
    });
  });

  it("a model that is set later leaves added tokens their ids", () =>
    same(async (p) => {
      const tokenizer = bert(p);
      tokenizer.addTokens(["new", "my"]);
      tokenizer.setModel(p.WordLevel.init({ new: 0, name: 1 }, { unkToken: "name" }));
      return [
        fields(await tokenizer.encode("new name my x")),
        tokenizer.getVocab(),
        tokenizer.idToToken(8),
        tokenizer.tokenToId("new"),
      ];
    }));

  it("added tokens decode as the normalizer wrote them", () =>
    same(async (p) => {
      const tokenizer = bert(p);
      tokenizer.addTokens(["New YORK"]);
      tokenizer.addSpecialTokens(["<É>"]);
      const ids = (await tokenizer.encode("my new york <É>")).getIds();
      const before = [
        ids,
        tokenizer.idToToken(8),
        await tokenizer.decode(ids, false),
        await tokenizer.decode(ids, true),
      ];
      tokenizer.setNormalizer(p.prependNormalizer("_"));
      return [before, tokenizer.idToToken(8), await tokenizer.decode(ids, true)];
    }));

  it("slices in code points", () =>
    same((p) => {
      const places = [undefined, null, 0, 1, 3, 4, 5, -1, -4, -5, 1.7];
      return places.flatMap((begin) =>
        places.map((end) => {
          try {
            return p.slice("a👍bc", begin, end);
          } catch {
            return "throws";
          }
        }),
      );
    }));

  it("merges encodings of different tokenizers", () =>
    same(async (p) => {
      const [one, other] = [bert(p), p.Tokenizer.fromFile(GPT2)];
      const encodings = [await one.encode("my 👍 john"), await other.encode("naïve text"), await one.encode("is")];
      return [p.mergeEncodings(encodings, true), p.mergeEncodings(encodings), p.mergeEncodings([])].map((merged) =>
        fields(merged),
      );
    }));

  it("counts the calls that run", async () => {
    const tokenizer = bert(ours);
    expect(tokenizer.runningTasks()).toBe(1);
    const call = tokenizer.encodeBatch(["my", "name"]);
    expect(tokenizer.runningTasks()).toBe(2);
    await call;
    expect(tokenizer.runningTasks()).toBe(1);
  });

  it("enums have the package's values", async () => {
    await same((p) => [
      p.TruncationStrategy.LongestFirst,
      p.TruncationStrategy.OnlyFirst,
      p.TruncationStrategy.OnlySecond,
    ]);
    await same((p) => [
      p.TruncationDirection.Left,
      p.TruncationDirection.Right,
      p.PaddingDirection.Left,
      p.PaddingDirection.Right,
    ]);
    await same((p) => p.JsSplitDelimiterBehavior.MergedWithNext);
    expect([ours.Bpe, ours.JsEncoding]).toEqual([ours.BPE, ours.Encoding]);
  });
});

describe("wrong arguments throw with both", () => {
  const wrongs: Record<string, (p: Package) => unknown> = {
    "fromString without JSON": (p) => p.Tokenizer.fromString("{"),
    "fromString without a model": (p) => p.Tokenizer.fromString("{}"),
    "fromString of a number": (p) => p.Tokenizer.fromString(5 as never),
    "fromFile without a file": (p) => p.Tokenizer.fromFile("/none/tokenizer.json"),
    "save without a folder": (p) => bert(p).save("/none/tokenizer.json"),
    "encode of nothing": (p) => bert(p).encode(undefined as never),
    "encode of words": (p) => bert(p).encode(["my", "name"]),
    "encode of a number for a pair": (p) => bert(p).encode("my", 5 as never),
    "a text for addSpecialTokens": (p) => bert(p).encode("my", null, { addSpecialTokens: "yes" as never }),
    "a text for a batch": (p) => bert(p).encodeBatch("my" as never),
    "numbers in a batch": (p) => bert(p).encodeBatch([1 as never]),
    "decode of a text": (p) => bert(p).decode("my" as never, true),
    "decode of texts": (p) => bert(p).decode(["my" as never], true),
    "decode without skipSpecialTokens": (p) => bert(p).decode([1], undefined as never),
    "a text for a length": (p) => bert(p).setTruncation("a" as never),
    "a strategy": (p) => bert(p).setTruncation(4, { strategy: "longest" as never }),
    "a direction": (p) => bert(p).setTruncation(4, { direction: "up" }),
    "a direction of padding": (p) => bert(p).setPadding({ direction: "up" }),
    "a number of a direction": (p) => bert(p).setPadding({ direction: 5 as never }),
    "a pad token": (p) => bert(p).setPadding({ padToken: 5 as never }),
    "a text for an id": (p) => bert(p).idToToken("1" as never),
    "a number for a token": (p) => bert(p).tokenToId(1 as never),
    "a text for tokens": (p) => bert(p).addTokens("a" as never),
    "texts for added tokens": (p) => bert(p).addAddedTokens(["a" as never]),
    "an added token without its flag": (p) => new p.AddedToken("a", undefined as never),
    "an added token of a number": (p) => new p.AddedToken(1 as never, true),
    "a normalizer that is none": (p) => bert(p).setNormalizer({} as never),
    "no decoder": (p) => bert(p).setDecoder(null as never),
    "a sequence of others": (p) => p.sequenceNormalizer([{} as never]),
    "a normalizer's option": (p) => p.bertNormalizer({ lowercase: 1 as never }),
    "a behavior": (p) => p.splitPreTokenizer(" ", "gone"),
    "two characters for a delimiter": (p) => p.charDelimiterSplit("ab"),
    "two characters for a replacement": (p) => p.metaspacePreTokenizer("ab"),
    "a scheme": (p) => p.metaspaceDecoder("▁", "sometimes"),
    "nothing to strip": (p) => p.stripDecoder("", 1, 1),
    "a token without its id": (p) => p.bertProcessing(["a"] as never, ["b", 1]),
    "a direction of truncate": async (p) => (await bert(p).encode("my")).truncate(1, 0, "up"),
    "postProcess of nothing": (p) => bert(p).postProcess(undefined as never),
    "a character's text": async (p) => (await bert(p).encode("my")).charToToken("a" as never),
  };
  it.each(Object.entries(wrongs))("%s", async (_, wrong) => {
    expect(await same(wrong)).toBeUndefined();
  });

  it("and where the package would end the process, or take what cannot be meant", async () => {
    const tokenizer = bert(ours);
    expect(() => tokenizer.setTruncation(4, { stride: 3 })).toThrow(/stride set to 3.*effective max length of 2/);
    expect(() => tokenizer.setTruncation(-1)).toThrow(RangeError);
    expect(() => tokenizer.encodeSync("my").truncate(1, 1)).toThrow(RangeError);
    expect(() => ours.sequenceNormalizer([ours.fuseDecoder() as never])).toThrow("instance of Normalizer");
    expect(() => ours.bertNormalizer(5 as never)).toThrow("Expected an object for options");
    expect(() => new ours.Encoding().getIds()).toThrow("Uninitialized Encoding");
    expect(() => ours.mergeEncodings([new ours.Encoding()])).toThrow("Uninitialized Encoding");
    expect(() => tokenizer.decodeSync([1.5], true)).toThrow(RangeError);
    expect(() => ours.templateProcessing("$A $B")).toThrow("no sequence B");
    tokenizer.setTruncation(4, { stride: 2 });
    await expect(tokenizer.encode("my name is john")).rejects.toThrow("Expected a stride below");
    expect(tokenizer.runningTasks()).toBe(1);
  });
});
