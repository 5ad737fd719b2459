// Grammars over real vocabularies: byte-level BPE, SentencePiece with byte tokens, up to 262 K tokens.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { response_grammar } from "../../../lib/generation/response_format.js";
import { AutoTokenizer, type ResponseFormat } from "../../../lib/index.js";

const folder = fileURLToPath(new URL("../../../vendor/llama.cpp/models/", import.meta.url));
const schema = {
  type: "object",
  properties: {
    name: { type: "string" },
    tags: { type: "array", items: { type: "string", maxLength: 40 } },
    n: { type: "number" },
  },
  required: ["name", "tags", "n"],
};
const format: ResponseFormat = { type: "json_schema", json_schema: { schema } };
const TEXT = '{"name": "Zoë Müller, 中文 😀 \\n …", "tags": ["one two three", "日本"], "n": -12.5}';

describe.skipIf(!existsSync(folder)).each(["qwen2", "llama-spm", "gemma-4"])("%s", (name) => {
  test("a text's own tokens are all allowed, and the steps are quick", { timeout: 120_000 }, async () => {
    const tokenizer = await AutoTokenizer.from_pretrained(folder, { gguf_file: `ggml-vocab-${name}.gguf` });
    const grammar = response_grammar(format, tokenizer)!;
    const all = tokenizer.encode(TEXT, { add_special_tokens: false });
    // SentencePiece puts a space before a text, which the grammar has not.
    const ids =
      tokenizer.decode(all.slice(0, 1)) === "{" && !tokenizer.convert_ids_to_tokens(all[0])?.includes("▁")
        ? all
        : [
            tokenizer.convert_tokens_to_ids("{") as number,
            ...tokenizer.encode(`a${TEXT.slice(1)}`, { add_special_tokens: false }).slice(1),
          ];
    const times: number[] = [];
    for (let i = 0; i <= ids.length; i++) {
      const started = performance.now();
      const allowed = grammar.allowed_tokens(ids.slice(0, i));
      times.push(performance.now() - started);
      expect(allowed, tokenizer.decode(ids.slice(0, i))).not.toBeNull();
      if (i < ids.length) expect(allowed!.tokens, tokenizer.decode(ids.slice(0, i + 1))).toContain(ids[i]);
      else expect(allowed!.complete).toBe(true);
      for (const id of tokenizer.all_special_ids) expect(allowed!.tokens).not.toContain(id);
    }
    times.sort((a, b) => a - b);
    if (process.env["GT_TIMES"])
      console.log(name, tokenizer.length, "median", times[times.length >> 1], "most", times.at(-1));
    expect(times[times.length >> 1]).toBeLessThan(100);
  });
});

test.skipIf(!existsSync(folder))("bytes of a character, each a token", async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder, { gguf_file: "ggml-vocab-llama-spm.gguf" });
  const grammar = response_grammar({ type: "regex", regex: "[😀-😂]" }, tokenizer)!;
  const bytes = (hex: string) => hex.split(" ").map((one) => tokenizer.convert_tokens_to_ids(`<0x${one}>`) as number);
  expect([...grammar.allowed_tokens([])!.tokens]).toContain(bytes("F0")[0]);
  expect([...grammar.allowed_tokens(bytes("F0 9F 98"))!.tokens]).toEqual(bytes("80 81 82"));
  expect(grammar.allowed_tokens(bytes("F0 9F 98 81"))).toMatchObject({ complete: true });
});
