import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { native } from "../../lib/native.js";

type Row = [text: string, ids: number[], offsets: [number, number][], word_ids: (number | null)[]];
interface Case {
  added_tokens: object[];
  normalizer: { type: string };
  pre_tokenizer: { type: string };
  texts: Row[];
}

const path = join(import.meta.dirname, "..", "fixtures", "tokenizer_truncation", "emptied.json");
const { vocab, cases } = JSON.parse(readFileSync(path, "utf8")) as { vocab: object; cases: Case[] };
const model = { type: "BPE", vocab, merges: [], unk_token: "_" };

const engine = ({ texts: _, ...parts }: Case) =>
  new (native().Tokenizer)(
    JSON.stringify({
      version: "1.0",
      truncation: null,
      padding: null,
      post_processor: null,
      decoder: null,
      model,
      ...parts,
    }),
  );

it.each(cases.map((one, i) => [i, one.normalizer.type, one.pre_tokenizer.type, one] as const))(
  "%i: what %s leaves empty is found where Rust finds it, and %s sees where pieces start",
  (_i, _n, _p, one) => {
    const tokenizer = engine(one);
    for (const [text, ids, offsets, word_ids] of one.texts) {
      const encoding = tokenizer.encode(text, null, { add_special_tokens: true });
      const flat = encoding.offsets("code_point");
      const spans = Array.from(encoding.ids, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
      expect([text, [...encoding.ids], spans]).toEqual([text, ids, offsets]);
      expect(Array.from(encoding.word_ids, (word) => (word < 0 ? null : word))).toEqual(word_ids);
    }
  },
);

it("an emptied token within characters of several bytes ends nothing but the piece", () => {
  const emptied = cases.find(
    ({ added_tokens, normalizer }) => normalizer.type === "StripAccents" && added_tokens.length,
  )!;
  const token = {
    content: "\u0301",
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: true,
    special: false,
  };
  const tokenizer = engine({ ...emptied, added_tokens: [{ id: 8, ...token }] });
  // Each character is a piece of its own: Metaspace puts its sign before each.
  const signs = tokenizer.encode("é😀ж", null, { add_special_tokens: true }).tokens.filter((text) => text === "▁");
  expect(signs).toHaveLength(3);
});
