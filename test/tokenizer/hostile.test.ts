import { describe, expect, it } from "vitest";
import { native } from "../../lib/native.js";
import { families, type TokenizerJson } from "./families.mjs";

const gpt2 = families()["gpt2"]!;
const load = (json: TokenizerJson | string) =>
  new (native().Tokenizer)(typeof json === "string" ? json : JSON.stringify(json));
const with_model = (changes: object) => ({ ...gpt2, model: { ...gpt2["model"], ...changes } });
const nested = (depth: number) => {
  let node = '{"type":"NFC"}';
  for (let i = 0; i < depth; i++) node = `{"type":"Sequence","normalizers":[${node}]}`;
  return JSON.stringify({ ...gpt2, normalizer: "@" }).replace('"@"', node);
};

const invalid: [string, TokenizerJson | string, RegExp][] = [
  ["an empty file", "", /expected a value at byte 0/],
  ["a truncated file", JSON.stringify(gpt2).slice(0, 5000), /not valid JSON/],
  ["a file that is no object", "[]", /expected an object/],
  ["an unknown version", { ...gpt2, version: "2.0" }, /version: expected "1.0"/],
  ["no model", { ...gpt2, model: null }, /expected an object/],
  ["an unknown model", with_model({ type: "Magic" }), /model\.type: expected a type of model but found "Magic"/],
  ["an unknown normalizer", { ...gpt2, normalizer: { type: "X" } }, /normalizer\.type/],
  ["an unknown pre-tokenizer in a sequence", { ...gpt2, pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "X" }] } }, /pre_tokenizer\.pretokenizers\[0\]\.type/],
  ["an unknown post-processor", { ...gpt2, post_processor: { type: "X" } }, /post_processor\.type/],
  ["an unknown decoder", { ...gpt2, decoder: { type: "X" } }, /decoder\.type/],
  ["an option of the wrong type", { ...gpt2, pre_tokenizer: { type: "ByteLevel", add_prefix_space: 1, trim_offsets: true } }, /pre_tokenizer\.add_prefix_space: expected a boolean but found a number/],
  ["a negative id", with_model({ vocab: { a: -1 }, merges: [] }), /the id of "a"/],
  ["an id beyond 32 bits", with_model({ vocab: { a: 2 ** 40 }, merges: [] }), /the id of "a"/],
  ["a fractional id", with_model({ vocab: { a: 1.5 }, merges: [] }), /the id of "a"/],
  ["an id that is text", with_model({ vocab: { a: "1" }, merges: [] }), /the id of "a"/],
  ["a merge of an absent token", with_model({ merges: ["zz yy"] }), /merges: merge 0: "zz" is not in the vocabulary/],
  ["a merge of one token", with_model({ merges: ["a"] }), /model\.merges\[0\]: expected two tokens/],
  ["a merge of three tokens", with_model({ merges: [["a", "b", "c"]] }), /model\.merges\[0\]: expected two tokens/],
  ["deep nesting", nested(100_000), /levels of nesting/],
  ["a regular expression that ends too early", { ...gpt2, pre_tokenizer: { type: "Split", pattern: { Regex: "(a" }, behavior: "Isolated", invert: false } }, /pattern\.Regex: the regular expression is not valid/],
  ["a huge repetition", { ...gpt2, pre_tokenizer: { type: "Split", pattern: { Regex: "((a{1000}){1000}){1000}" }, behavior: "Isolated", invert: false } }, /too large/],
  ["a template with an unknown token", { ...gpt2, post_processor: { type: "TemplateProcessing", single: [{ SpecialToken: { id: "[X]", type_id: 0 } }], pair: [], special_tokens: {} } }, /is not among the special_tokens/],
]; // biome-ignore format: a table

describe("a malformed tokenizer.json", () => {
  it.each(invalid)("%s is an error that names the place", (_, json, message) => {
    expect(() => load(json)).toThrow(message);
    expect(() => load(json)).toThrow(expect.objectContaining({ code: "tokenizer_invalid" }));
  });

  it("that is cut off anywhere is an error", () => {
    const text = JSON.stringify({
      ...gpt2,
      model: { ...gpt2["model"], vocab: { a: 0, b: 1, ab: 2 }, merges: ["a b"] },
    });
    for (let n = 0; n < text.length; n++) expect(() => load(text.slice(0, n))).toThrow();
    expect(load(text).vocab_size(false)).toBe(3);
  });
});

it("finds both tokens of an id that is there twice, as the Rust tokenizers do", () => {
  const tokenizer = load(with_model({ vocab: { a: 1, b: 1 }, merges: [] }));
  expect(["a", "b"].map((token) => tokenizer.token_to_id(token))).toEqual([1, 1]);
  expect([...tokenizer.encode_ids("ab", false)]).toEqual([1, 1]);
  expect(tokenizer.decode([1], false)).toBe("b");
  expect([tokenizer.vocab_size(false), tokenizer.get_vocab(false)]).toEqual([2, { a: 1, b: 1 }]);
});

describe("a catastrophic regular expression", () => {
  it.each(["(a+)+$", "(a|aa)+$", "(a*)*b", "(?:a?){30}a{30}b", "(.*)*\\1x"])(
    "%s ends with an error or a result",
    (regex) => {
      const pre_tokenizer = { type: "Split", pattern: { Regex: regex }, behavior: "Isolated", invert: false };
      const tokenizer = load({ ...gpt2, pre_tokenizer: { type: "Sequence", pretokenizers: [pre_tokenizer] } });
      try {
        expect(tokenizer.encode_ids("a".repeat(50) + "!", false).length).toBeGreaterThanOrEqual(0);
      } catch (error) {
        expect(error).toMatchObject({ code: "regex_limit" });
      }
    },
  );
});

describe("arguments of the wrong type", () => {
  const tokenizer = load(gpt2);
  it("are TypeErrors that name the argument", () => {
    const any = tokenizer as unknown as Record<string, (...args: unknown[]) => unknown>;
    expect(() => any["encode_ids"]!(5, true)).toThrow(TypeError);
    expect(() => any["encode_ids"]!("a")).toThrow(/add_special_tokens/);
    expect(() => any["encode"]!("a", null, null)).toThrow(/options/);
    expect(() => any["encode"]!("a", null, { add_special_tokens: true, is_pretokenized: true })).toThrow(/text/);
    expect(() => any["decode"]!(null, true)).toThrow(/ids/);
    expect(() => any["decode"]!(["x"], true)).toThrow(/ids/);
    expect(() => any["set_component"]!("model", null)).toThrow(/kind/);
    expect(() => new (native().Tokenizer)(5 as unknown as string)).toThrow(TypeError);
  });

  it("ids without a token decode to nothing", () => {
    expect(tokenizer.decode([-1, 1e9, 2 ** 40, Number.NaN], false)).toBe("");
    expect(tokenizer.id_to_token(-1)).toBeUndefined();
    expect(tokenizer.id_to_token(1e9)).toBeUndefined();
  });

  it("a stride that leaves no room is a RangeError", () => {
    const truncation = { max_length: 4, stride: 4, strategy: "longest_first", direction: "right" } as const;
    expect(() => tokenizer.encode("one two three four five", null, { add_special_tokens: false, truncation })).toThrow(
      RangeError,
    );
  });
});
