import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";

const folder = fileURLToPath(new URL("../../vendor/llama.cpp/models/", import.meta.url));

/** llama.cpp's own pairs: texts, and the ids that the original tokenizers gave. */
function pairs(name: string): [string, number[]][] {
  const texts = readFileSync(`${folder}ggml-vocab-${name}.gguf.inp`, "utf8").split("\n__ggml_vocab_test__\n");
  const ids = readFileSync(`${folder}ggml-vocab-${name}.gguf.out`, "utf8").split("\n");
  return texts.map((text, i) => [text, ids[i]!.trim().split(/\s+/).filter(Boolean).map(Number)]);
}

const NAMES = [
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
