import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import { BertTokenizerFast } from "../../lib/tokenization/index.js";
import { read_sentencepiece } from "../../lib/tokenization/sentencepiece.js";
import { fixture_path, read_fixture, temporary } from "./fixtures.js";

const folder = fileURLToPath(new URL("../../vendor/llama.cpp/models/", import.meta.url));

/** llama.cpp's own pairs: texts, and the ids that the original tokenizers gave. */
function pairs(name: string): [string, number[]][] {
  const texts = readFileSync(`${folder}ggml-vocab-${name}.gguf.inp`, "utf8").split("\n__ggml_vocab_test__\n");
  const ids = readFileSync(`${folder}ggml-vocab-${name}.gguf.out`, "utf8").split("\n");
  return texts.map((text, i) => [text, ids[i]!.trim().split(/\s+/).filter(Boolean).map(Number)]);
}

const NAMES = [
  "bert-bge",
  "command-r",
  "deepseek-coder",
  "deepseek-llm",
  "falcon",
  "gemma-4",
  "gpt-2",
  "llama-bpe",
  "llama-spm",
  "mpt",
  "phi-3",
  "qwen2",
  "qwen35",
  "refact",
  "starcoder",
];

describe("tokenizers of llama.cpp's GGUF vocabularies", () => {
  test.each(NAMES)("%s gives the ids of the original", { timeout: 60_000 }, async (name) => {
    const tokenizer = await AutoTokenizer.from_pretrained(folder, { gguf_file: `ggml-vocab-${name}.gguf` });
    for (const [text, ids] of pairs(name))
      expect(tokenizer.encode(text, { add_special_tokens: false }), text).toEqual(ids);
  });
});

/** A GGUF file of metadata alone: numbers are u32, lists of numbers f32, lists of booleans u8. */
function gguf_file(metadata: Record<string, number | boolean | string | string[] | number[] | Uint8Array>): string {
  const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
  const u64 = (value: number) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
  const text = (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);
  const list = (type: number, items: Buffer[]) => [u32(9), u32(type), u64(items.length), ...items];
  const value = (item: (typeof metadata)[string]): Buffer[] => {
    if (typeof item === "number") return [u32(4), u32(item)];
    if (typeof item === "boolean") return [u32(7), Buffer.from([Number(item)])];
    if (typeof item === "string") return [u32(8), text(item)];
    if (item instanceof Uint8Array) return [u32(9), u32(0), u64(item.length), Buffer.from(item)];
    if (typeof item[0] === "string") return list(8, (item as string[]).map(text));
    return list(
      6,
      (item as number[]).map((number) => Buffer.from(Float32Array.of(number).buffer)),
    );
  };
  const entries = Object.entries(metadata);
  const folder = temporary();
  const parts = entries.flatMap(([key, item]) => [text(key), ...value(item)]);
  writeFileSync(
    join(folder, "model.gguf"),
    Buffer.concat([Buffer.from("GGUF"), u32(3), u64(0), u64(entries.length), ...parts]),
  );
  return folder;
}

test("a Unigram vocabulary gives the ids of Python's tokenizer for the SentencePiece model that it was made from", async () => {
  const expected = read_fixture("slow_tokenizers", "t5.json");
  const model = read_sentencepiece(readFileSync(fixture_path("slow_tokenizers", "files", "nmt_nfkc.model")));
  const extra = Array.from({ length: 10 }, (_, i) => `<extra_id_${9 - i}>`);
  const folder = gguf_file({
    "general.architecture": "t5",
    "tokenizer.ggml.model": "t5",
    "tokenizer.ggml.tokens": [...model.pieces.map(({ piece }) => piece), ...extra],
    "tokenizer.ggml.scores": [...model.pieces.map(({ score }) => score), ...extra.map(() => 0)],
    "tokenizer.ggml.token_type": [...model.pieces.map(({ type }) => type), ...extra.map(() => 4)],
    "tokenizer.ggml.precompiled_charsmap": model.precompiled_charsmap,
    "tokenizer.ggml.remove_extra_whitespaces": true,
    "tokenizer.ggml.add_bos_token": false,
    "tokenizer.ggml.add_eos_token": true,
    "tokenizer.ggml.eos_token_id": 1,
    "tokenizer.ggml.unknown_token_id": 2,
    "tokenizer.ggml.padding_token_id": 0,
  });
  const tokenizer = await AutoTokenizer.from_pretrained(folder, { gguf_file: "model.gguf", extra_ids: 10 });
  expect(tokenizer.constructor.name).toBe("T5TokenizerFast");
  for (const { name, text, text_pair, ids } of expected.cases)
    expect.soft(tokenizer.encode(text, text_pair ?? null), name).toEqual(ids);
});

test("two texts of XLM-RoBERTa's kind have two marks between them", async () => {
  const tokens = ["<s>", "<pad>", "</s>", "<unk>", "▁a", "▁b"];
  const folder = gguf_file({
    "general.architecture": "bert",
    "tokenizer.ggml.model": "t5",
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.scores": tokens.map((_, i) => -i),
    "tokenizer.ggml.add_bos_token": true,
    "tokenizer.ggml.add_eos_token": true,
    "tokenizer.ggml.bos_token_id": 0,
    "tokenizer.ggml.eos_token_id": 2,
    "tokenizer.ggml.unknown_token_id": 3,
  });
  const tokenizer = await AutoTokenizer.from_pretrained(folder, { gguf_file: "model.gguf" });
  expect(tokenizer.encode("a")).toEqual([0, 4, 2]);
  expect(tokenizer.encode("a", "b")).toEqual([0, 4, 2, 2, 5, 2]);
});

test("a file that names no pre-tokenizer splits as GPT-2's does, as in Python", async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder, { gguf_file: "ggml-vocab-gpt-neox.gguf" });
  expect(tokenizer.tokenize("It's 2024 already")).toEqual(["It", "'s", "Ġ20", "24", "Ġalready"]);
});

test("a WordPiece vocabulary is BERT's tokenizer", async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder, { gguf_file: "ggml-vocab-bert-bge.gguf" });
  expect(tokenizer).toBeInstanceOf(BertTokenizerFast);
  expect(tokenizer("Tokenization", "Ça").input_ids).toEqual([101, 19204, 3989, 102, 6187, 102]);
  expect(tokenizer("Tokenization", "Ça").token_type_ids).toEqual([0, 0, 0, 0, 1, 1]);
  expect(tokenizer.decode([101, 19204, 3989, 102])).toBe("[CLS] tokenization [SEP]");
});
