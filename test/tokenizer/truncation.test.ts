import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type NativeEncoding, type NativeTruncation, native } from "../../lib/native.js";

const folder = join(import.meta.dirname, "..", "fixtures");
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));

interface Case {
  text: string;
  pair: string | null;
  truncation: NativeTruncation;
  expected?: object;
  overflowing?: object[];
  error?: string;
}

const or_null = (ids: Int32Array) => Array.from(ids, (id) => (id < 0 ? null : id));
const fields = (encoding: NativeEncoding) => {
  const flat = encoding.offsets("code_point");
  return {
    ids: [...encoding.ids],
    tokens: encoding.tokens,
    offsets: Array.from(encoding.ids, (_, i) => [flat[2 * i], flat[2 * i + 1]]),
    word_ids: or_null(encoding.word_ids),
    sequence_ids: or_null(encoding.sequence_ids),
    type_ids: [...encoding.type_ids],
    special_tokens_mask: [...encoding.special_tokens_mask],
    attention_mask: [...encoding.attention_mask],
  };
};

for (const { post_processor_name, post_processor, cases } of read("tokenizer_truncation/cases.json")) {
  describe(`truncation, overflow and padding with the post-processor ${post_processor_name}, as in Python`, () => {
    const tokenizer = new (native().Tokenizer)(
      JSON.stringify({ ...read("tokenizers/gpt2/tokenizer.json"), post_processor }),
    );
    it.each(
      (cases as Case[]).map(
        (one) => [JSON.stringify({ ...one, expected: undefined, overflowing: undefined }), one] as const,
      ),
    )("%s", (_, { text, pair, truncation, expected, overflowing, error }) => {
      const encode = () => tokenizer.encode(text, pair, { add_special_tokens: true, truncation });
      if (error !== undefined) return expect(encode).toThrow();
      const encoding = encode();
      encoding.pad(14, 3, 1, "[PAD]", truncation.direction);
      expect(fields(encoding)).toEqual(expected);
      expect(encoding.overflowing.map(fields)).toEqual(overflowing);
    });
  });
}
