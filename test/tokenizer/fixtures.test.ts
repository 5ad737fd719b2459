import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { native } from "../../lib/native.js";

const folder = join(import.meta.dirname, "..", "fixtures", "tokenizers");
const read = (...path: string[]) => readFileSync(join(folder, ...path), "utf8");

interface Case {
  name: string;
  text?: string;
  repeat?: string;
  count?: number;
  text_pair?: string;
  ids: number[];
  tokens?: string[];
  offsets?: [number, number][];
  offsets_utf16?: [number, number][];
  word_ids?: (number | null)[];
  token_type_ids?: number[];
  sequence_ids?: (number | null)[];
  special_tokens_mask?: number[];
  ids_without_special?: number[];
  decoded?: string;
  decoded_skip_special?: string;
}

const pairs = (flat: Int32Array) => Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
const orNone = (ids: Int32Array) => Array.from(ids, (id) => (id < 0 ? null : id));

for (const name of ["gpt2", "llama2-legacy", "llama2-metaspace", "llama3", "qwen2"]) {
  describe(`the tokenizer ${name}, as Python encodes and decodes`, () => {
    const tokenizer = new (native().Tokenizer)(read(name, "tokenizer.json"));
    const { cases } = JSON.parse(read(name, "cases.json")) as { cases: Case[] };
    const { cases: decoded } = JSON.parse(read(name, "decode.json")) as { cases: Case[] };

    it.each(cases.map((one) => [one.name, one] as const))("%s", (_, one) => {
      const text = one.text ?? one.repeat!.repeat(one.count!);
      const encoding = tokenizer.encode(text, one.text_pair || null, { add_special_tokens: true });
      const found: Record<string, () => unknown> = {
        ids: () => [...encoding.ids],
        tokens: () => encoding.tokens,
        offsets: () => pairs(encoding.offsets("code_point")),
        offsets_utf16: () => pairs(encoding.offsets("utf16")),
        word_ids: () => orNone(encoding.word_ids),
        sequence_ids: () => orNone(encoding.sequence_ids),
        token_type_ids: () => [...encoding.type_ids],
        special_tokens_mask: () => [...encoding.special_tokens_mask],
        ids_without_special: () => [...tokenizer.encode_ids(text, false)],
        decoded: () => tokenizer.decode(one.ids, false),
        decoded_skip_special: () => tokenizer.decode(one.ids, true),
      };
      for (const [key, value] of Object.entries(found)) {
        if (key in one) expect(value(), key).toEqual(one[key as keyof Case]);
      }
      if (one.text_pair === undefined) expect([...tokenizer.encode_ids(text, true)]).toEqual(one.ids);
    });

    it("decodes ids", () => {
      for (const one of decoded) {
        expect(tokenizer.decode(one.ids, false)).toBe(one.decoded);
        expect(tokenizer.decode(one.ids, true)).toBe(one.decoded_skip_special);
      }
    });

    it("writes the file that it read", () => {
      expect(JSON.parse(tokenizer.to_json(true))).toEqual(JSON.parse(read(name, "tokenizer.json")));
    });
  });
}
