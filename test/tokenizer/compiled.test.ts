import { describe, expect, it } from "vitest";
import { native } from "../../lib/native.js";
import { both, differences } from "./differential.mjs";
import { embedded, families, type TokenizerJson } from "./families.mjs";
import { random_numbers, random_text } from "./random_text.mjs";

const all = families();
const open = (content: string | Uint8Array) => new (native().Tokenizer)(content);
const compile = (json: TokenizerJson) => open(JSON.stringify(json)).compile();

const wordpiece = {
  version: "1.0",
  added_tokens: [],
  pre_tokenizer: { type: "BertPreTokenizer" },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: { "[UNK]": 0, a: 1, "##b": 2, ab: 3, "##bc": 4 },
  },
};
const unigram = {
  version: "1.0",
  added_tokens: [],
  model: {
    type: "Unigram",
    unk_id: 0,
    vocab: [["<unk>", 0], ["a", -1.5], ["b", -2], ["ab", -2.25], ["abcdefghijkl", -3], ["é", -4]],
  },
}; // biome-ignore format: a table
const gap = {
  version: "1.0",
  added_tokens: [],
  model: { type: "BPE", vocab: { a: 1, b: 1, c: 5, ac: 6 }, merges: ["a c"] },
};

describe("the compiled form of a tokenizer", () => {
  it.each(Object.entries(all))("%s gives what the Rust tokenizers give", async (_, json) => {
    const random = random_numbers(11);
    const { ours, rust } = both(native().Tokenizer, json, true);
    for (let i = 0; i < 15; i++) {
      const text = random_text(random, embedded(json));
      expect(await differences(ours, rust, text), JSON.stringify(text)).toEqual([]);
    }
  });

  it("is the same tokenizer.json again", () => {
    for (const json of [all["gpt2"]!, all["llama2-legacy"]!, all["qwen2"]!, wordpiece, unigram, gap]) {
      const original = open(JSON.stringify(json));
      const bytes = original.compile();
      expect(bytes.length).toBeGreaterThan(0);
      const compiled = open(bytes);
      expect(compiled.to_json(false)).toBe(original.to_json(false));
      expect(compiled.get_vocab(true)).toEqual(original.get_vocab(true));
      expect(JSON.parse(compiled.to_json(false, false)).model.vocab).toEqual(json === unigram ? [] : {});
      expect(open(compiled.compile()).to_json(false)).toBe(original.to_json(false));
    }
  });

  it("is none for a model that has no tables", () => {
    expect(compile({ version: "1.0", model: { type: "WordLevel", vocab: { a: 0 }, unk_token: "a" } })).toHaveLength(0);
  });
});

/** The checksum of native/tokenizer/tables.cpp, so that what changes is looked at behind it. */
function sign(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const factor = 0x9e3779b97f4a7c15n;
  const cut = (value: bigint) => BigInt.asUintN(64, value);
  const sums = [1n, 2n, 3n, 4n];
  for (let at = 16, i = 0; at < bytes.length; at += 8, i = (i + 1) % 4) {
    const sum = cut((sums[i]! ^ view.getBigUint64(at, true)) * factor);
    sums[i] = sum ^ (sum >> 29n);
  }
  let sum = sums[0]!;
  for (const other of sums.slice(1)) sum = cut((sum ^ other) * factor);
  view.setBigUint64(8, sum ^ (sum >> 32n), true);
  return bytes;
}

describe("a hostile compiled tokenizer", () => {
  const invalid = expect.objectContaining({ code: "tokenizer_invalid" });
  const samples = { wordpiece, unigram, gap };
  const texts = ["", "abc ab b é", "abcdefghijkl".repeat(30), "aé\u{1f600} <unk> ab"];

  it("is an error where it is cut off, has another version or a wrong byte", () => {
    const bytes = compile(wordpiece);
    for (let n = 8; n < bytes.length; n += 7) expect(() => open(bytes.slice(0, n))).toThrow(invalid);
    for (let at = 6; at < bytes.length; at += 13) {
      const changed = bytes.slice();
      changed[at]! ^= 1;
      expect(() => open(changed), `byte ${at}`).toThrow(invalid);
    }
  });

  it.each(Object.entries(samples))("of %s is an error or a tokenizer, whatever is changed in it", (_, json) => {
    const bytes = compile(json);
    expect(sign(bytes.slice())).toEqual(bytes);
    const random = random_numbers(3);
    let opened = 0;
    for (let round = 0; round < 1500; round++) {
      const changed = bytes.slice();
      const places = 1 + Math.floor(random() * 3);
      for (let i = 0; i < places; i++) {
        const at = 16 + Math.floor(random() * (bytes.length - 16));
        changed[at] = random() < 0.5 ? Math.floor(random() * 256) : random() < 0.5 ? 0 : 255;
      }
      let tokenizer: ReturnType<typeof open>;
      try {
        tokenizer = open(sign(changed));
      } catch (error) {
        expect(error).toEqual(invalid);
        continue;
      }
      opened++;
      for (const text of texts) {
        try {
          const { ids } = tokenizer.encode_rows([text], { add_special_tokens: true, threads: 1, offsets: "utf16" });
          tokenizer.decode(ids, false);
          tokenizer.encode(text, null, { add_special_tokens: true });
        } catch (error) {
          expect(error).toEqual(invalid);
        }
      }
      tokenizer.to_json(false);
    }
    expect(opened).toBeGreaterThan(100);
    expect(opened).toBeLessThan(1500);
  });
});
