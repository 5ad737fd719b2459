import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { native } from "../../lib/native.js";
import { read_sentencepiece } from "../../lib/tokenization/sentencepiece.js";

const folder = join(import.meta.dirname, "..", "fixtures", "slow_tokenizers");
const { cases } = JSON.parse(readFileSync(join(folder, "precompiled.json"), "utf8")) as {
  cases: { file: string; text: string; characters: string; offsets: [number, number][] }[];
};

/** A tokenizer that makes a token of every character that the map gives. */
const of_map = (precompiled_charsmap: unknown) =>
  new (native().Tokenizer)(
    JSON.stringify({
      version: "1.0",
      added_tokens: [],
      normalizer: { type: "Precompiled", precompiled_charsmap },
      pre_tokenizer: { type: "Split", pattern: { Regex: "(?m:.)" }, behavior: "Isolated", invert: false },
      post_processor: null,
      decoder: null,
      model: { type: "Unigram", unk_id: 0, vocab: [["<unk>", 0]], byte_fallback: false },
    }),
  );
const of_file = (file: string) =>
  of_map(
    Buffer.from(read_sentencepiece(readFileSync(join(folder, "files", file))).precompiled_charsmap).toString("base64"),
  );

describe("the normalizer Precompiled", () => {
  it.each(["nmt_nfkc.model", "rules.model"])("changes texts and aligns them as Python does: %s", (file) => {
    const tokenizer = of_file(file);
    for (const row of cases.filter((row) => row.file === file)) {
      const encoding = tokenizer.encode(row.text, null, { add_special_tokens: false });
      const flat = [...encoding.offsets("code_point")];
      const found = {
        characters: encoding.tokens.join(""),
        offsets: row.offsets.map((_, i) => flat.slice(2 * i, 2 * i + 2)),
      };
      expect(found, JSON.stringify(row.text)).toEqual({ characters: row.characters, offsets: row.offsets });
      expect(flat).toHaveLength(2 * row.offsets.length);
    }
  });

  it("takes a long grapheme in linear time", () => {
    const text = `a${"\u0301".repeat(200_000)}`;
    expect(of_file("nmt_nfkc.model").encode_ids(text, false).length).toBeGreaterThan(0);
  });

  const units = (...values: number[]) => Buffer.from(Uint32Array.from(values).buffer);
  it.each<[string, unknown, RegExp]>([
    ["is a number", 5, /precompiled_charsmap: expected a string/],
    ["is not base64", "****", /expected base64/],
    ["has bits beyond its bytes", "AB==", /expected base64/],
    ["has no room for a size", units(1).toString("base64").slice(0, 4), /expected the size of a trie/],
    ["is shorter than its trie", units(400, 1).toString("base64"), /a trie of 100 units does not fit/],
    ["has no trie", units(0).toString("base64"), /a trie of 0 units does not fit/],
    ["has replacements that are not UTF-8", Buffer.concat([units(4, 0), Buffer.of(0xff)]).toString("base64"), /UTF-8/],
  ])("refuses a map that %s", (_, map, message) => {
    expect(() => of_map(map)).toThrow(message);
    expect(() => of_map(map)).toThrow(expect.objectContaining({ code: "tokenizer_invalid" }));
  }); // biome-ignore format: a table

  it("says when the trie leads outside of itself or of the replacements", () => {
    const outside = /leads outside of it/;
    expect(() => of_map(units(4, 0xfffffc00).toString("base64"))).toThrow(outside);
    // The byte 2 is a key; its value, in unit 1, lies far behind the replacements.
    const trie = new Array(128).fill(0);
    trie[1] = 0x7fffffff;
    trie[2] = 0x102 | (3 << 10);
    const far = units(512, ...trie).toString("base64");
    expect(() => of_map(far).encode_ids("\u0002", false)).toThrow(outside);
  });
});
