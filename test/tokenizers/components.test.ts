import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { read_sentencepiece } from "../../lib/tokenization/sentencepiece.js";
import { fixture } from "../fixtures.js";
import { random_numbers, random_text } from "../tokenizer/random_text.mjs";
import { npm, ours, type Package, same } from "./both.js";

const random = random_numbers(11);
const TEXTS = [
  "",
  " ",
  "Hello there, friend!",
  "  Héllò hôw are ü?  ",
  "naïve 你好 3,14 👍🏽\n",
  ...Array.from({ length: 20 }, () => random_text(random)),
].map((text) => Buffer.from(text).toString()); // without lone surrogates, which napi-rs refuses

type Make<T> = (p: Package) => T;

describe("normalizers alone", () => {
  const makes: Record<string, Make<ours.Normalizer>> = {
    "bertNormalizer()": (p) => p.bertNormalizer(),
    "bertNormalizer with options": (p) =>
      p.bertNormalizer({ cleanText: false, handleChineseChars: false, stripAccents: true, lowercase: false }),
    "bertNormalizer, no lowercase": (p) => p.bertNormalizer({ lowercase: false }),
    nfc: (p) => p.nfcNormalizer(),
    nfd: (p) => p.nfdNormalizer(),
    nfkc: (p) => p.nfkcNormalizer(),
    nfkd: (p) => p.nfkdNormalizer(),
    nmt: (p) => p.nmt(),
    lowercase: (p) => p.lowercase(),
    strip: (p) => p.stripNormalizer(),
    "strip the right": (p) => p.stripNormalizer(false, null),
    stripAccents: (p) => p.sequenceNormalizer([p.nfdNormalizer(), p.stripAccentsNormalizer()]),
    prepend: (p) => p.prependNormalizer("▁"),
    replace: (p) => p.replace("l", "<L>"),
    "empty sequence": (p) => p.sequenceNormalizer([]),
  };
  it.each(Object.entries(makes))("%s", async (_, make) => {
    await same((p) => TEXTS.map((text) => make(p).normalizeString(text)));
  });

  it("precompiled", async () => {
    const model = read_sentencepiece(readFileSync(fixture("slow_tokenizers", "files", "nmt_nfkc.model")));
    const bytes = [...model.precompiled_charsmap];
    await same((p) => TEXTS.map((text) => p.precompiled(bytes).normalizeString(text)));
    await same((p) => p.precompiled([1, 2, 3]));
  });
});

describe("pre-tokenizers alone", () => {
  const makes: Record<string, Make<ours.PreTokenizer>> = {
    byteLevel: (p) => p.byteLevelPreTokenizer(),
    "byteLevel without its expression": (p) => p.byteLevelPreTokenizer(false, false),
    whitespace: (p) => p.whitespacePreTokenizer(),
    whitespaceSplit: (p) => p.whitespaceSplitPreTokenizer(),
    bert: (p) => p.bertPreTokenizer(),
    metaspace: (p) => p.metaspacePreTokenizer(),
    "metaspace, first": (p) => p.metaspacePreTokenizer("_", "first", false),
    "metaspace, never": (p) => p.metaspacePreTokenizer(undefined, "never"),
    punctuation: (p) => p.punctuationPreTokenizer(),
    charDelimiter: (p) => p.charDelimiterSplit("e"),
    digits: (p) => p.digitsPreTokenizer(),
    "single digits": (p) => p.digitsPreTokenizer(true),
    sequence: (p) => p.sequencePreTokenizer([p.whitespacePreTokenizer(), p.digitsPreTokenizer(true)]),
    "empty sequence": (p) => p.sequencePreTokenizer([p.sequencePreTokenizer([]), p.whitespacePreTokenizer()]),
  };
  for (const behavior of ["removed", "isolated", "mergedWithPrevious", "mergedWithNext", "contiguous"]) {
    makes[`punctuation ${behavior}`] = (p) => p.punctuationPreTokenizer(behavior);
    makes[`split ${behavior}`] = (p) => p.splitPreTokenizer("l", behavior);
    makes[`split ${behavior}, inverted`] = (p) => p.splitPreTokenizer(" ", behavior, true);
  }
  it.each(Object.entries(makes))("%s", async (_, make) => {
    await same((p) => TEXTS.map((text) => make(p).preTokenizeString(text)));
  });

  it("gives places in UTF-16 units where asked", () => {
    const text = "👍🏽 ok";
    const pieces = ours.whitespaceSplitPreTokenizer().preTokenizeString(text, "utf16");
    expect(pieces).toEqual([
      ["👍🏽", [0, 4]],
      ["ok", [5, 7]],
    ]);
    for (const [piece, [start, end]] of pieces) expect(text.slice(start, end)).toBe(piece);
    expect(() => ours.whitespaceSplitPreTokenizer().preTokenizeString(text, "bytes" as never)).toThrow("offsetsUnit");
  });

  it("byteLevelAlphabet has the package's characters", () => {
    expect(ours.byteLevelAlphabet().sort()).toEqual(npm.byteLevelAlphabet().sort());
  });
});

describe("decoders alone", () => {
  const TOKENS = [
    [],
    ["Hel", "##lo", "there", "my", "fr", "##iend", "!"],
    ["▁Hello", "▁there", "▁"],
    ["Hello</w>", "the", "re</w>"],
    ["<pad>", "h", "h", "e", "<pad>", "l", "l", "<pad>", "l", "o", "|", "|", "n't"],
    ["<0xE5>", "<0x8f>", "<0xab>", "a", "<0x41>", "<0xE5>"],
    ["__a__", "_b", "c_", "___"],
  ];
  const makes: Record<string, Make<ours.Decoder>> = {
    bpe: (p) => p.bpeDecoder(),
    "bpe with a suffix": (p) => p.bpeDecoder("o"),
    byteFallback: (p) => p.byteFallbackDecoder(),
    ctc: (p) => p.ctcDecoder(),
    "ctc with options": (p) => p.ctcDecoder("h", "e", false),
    fuse: (p) => p.fuseDecoder(),
    metaspace: (p) => p.metaspaceDecoder(),
    "metaspace, never": (p) => p.metaspaceDecoder("_", "never", false),
    replace: (p) => p.replaceDecoder("_", " "),
    strip: (p) => p.stripDecoder("_", 1, 2),
    wordPiece: (p) => p.wordPieceDecoder(),
    "wordPiece without clean-up": (p) => p.wordPieceDecoder("fr", false),
    sequence: (p) => p.sequenceDecoder([p.byteFallbackDecoder(), p.fuseDecoder(), p.stripDecoder("a", 1, 0)]),
    "empty sequence": (p) => p.sequenceDecoder([]),
  };
  it.each(Object.entries(makes))("%s", async (_, make) => {
    await same((p) => TOKENS.map((tokens) => make(p).decode(tokens)));
  });

  it("byteLevelDecoder undoes the byte-level pre-tokenizer", () => {
    for (const text of TEXTS) {
      const pieces = ours.byteLevelPreTokenizer(false).preTokenizeString(text);
      expect(ours.byteLevelDecoder().decode(pieces.map(([piece]) => piece))).toBe(text);
    }
  });
});

describe("processors", () => {
  const vocab = Object.fromEntries(["a", "b", "[CLS]", "[SEP]"].map((token, id) => [token, id]));
  const specials: [string, number][] = [
    ["[CLS]", 2],
    ["[SEP]", 3],
  ];
  const makes: Record<string, Make<ours.Processor>> = {
    bert: (p) => p.bertProcessing(["[SEP]", 3], ["[CLS]", 2]),
    roberta: (p) => p.robertaProcessing(["[SEP]", 3], ["[CLS]", 2]),
    "roberta with options": (p) => p.robertaProcessing(["[SEP]", 3], ["[CLS]", 2], false, false),
    byteLevel: (p) => p.byteLevelProcessing(),
    "byteLevel, offsets with spaces": (p) => p.byteLevelProcessing(false),
    template: (p) => p.templateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", specials),
    "template without a pair": (p) => p.templateProcessing("$A:3 [SEP]:4", null, specials),
    "template with numbers": (p) => p.templateProcessing("$2 [SEP]", "$a $b:7 $", specials),
    sequence: (p) => p.sequenceProcessing([p.byteLevelProcessing(), p.bertProcessing(["[SEP]", 3], ["[CLS]", 2])]),
  };
  it.each(Object.entries(makes))("%s", async (_, make) => {
    const given = await same(async (p) => {
      const tokenizer = new p.Tokenizer(p.WordLevel.init(vocab, { unkToken: "a" }));
      tokenizer.setPreTokenizer(p.whitespacePreTokenizer());
      tokenizer.setPostProcessor(make(p));
      const rows = [await tokenizer.encode("a b"), await tokenizer.encode("a b", "b"), await tokenizer.encode("")];
      return rows.map((row) => [row.getIds(), row.getTypeIds(), row.getSpecialTokensMask(), row.getOffsets()]);
    });
    expect(given).toHaveLength(3);
  });

  it.each(["[CLS] $A", "$A:x", "$A $C", "$A:1:2", "$A:-1", ""])("the template %j throws with both", async (single) => {
    expect(await same((p) => p.templateProcessing(single))).toBeUndefined();
  });

  it("a pair's template names both texts", async () => {
    expect(await same((p) => p.templateProcessing("$A", "$A"))).toBeUndefined();
  });
});

describe("components beyond the package's functions", () => {
  it("are made from the JSON of a tokenizer.json, and give it", () => {
    const spec = { type: "Split", pattern: { Regex: "\\d+" }, behavior: "Isolated", invert: false };
    const pre_tokenizer = new ours.PreTokenizer(spec);
    expect(pre_tokenizer.preTokenizeString("a12b").map(([piece]) => piece)).toEqual(["a", "12", "b"]);
    expect(JSON.parse(JSON.stringify(pre_tokenizer))).toEqual(spec);
    const normalizer = new ours.Normalizer({ type: "Replace", pattern: { Regex: "\\s+" }, content: " " });
    expect(normalizer.normalizeString("a  \n b")).toBe("a b");
  });

  it("say what is wrong with the JSON", () => {
    expect(() => new ours.Normalizer({ type: "Other" })).toThrow(/normalizer.*type/i);
    expect(() => new ours.Decoder(undefined as never)).toThrow("spec");
    expect(() => new ours.PreTokenizer({ type: "Split", pattern: { Regex: "(" }, behavior: "Isolated" })).toThrow();
  });
});
