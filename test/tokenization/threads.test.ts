import { expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import { native } from "../../lib/native.js";
import { folder_of, NAMES, plain, slow_fixture } from "./fixtures.js";

const texts = Array.from({ length: 200 }, (_, i) => `The old house ${i} has ${"a door ".repeat(i % 7)}— été ${i * 31}`);

test.each(NAMES)("num_threads changes nothing about the encodings of %s", async (name) => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder_of(name));
  for (const options of [{}, { truncation: true, max_length: 9 }, { return_offsets_mapping: true }]) {
    const alone = plain(tokenizer(texts, { ...options, num_threads: 1 }));
    for (const num_threads of [2, 3, 64]) expect(plain(tokenizer(texts, { ...options, num_threads }))).toEqual(alone);
  }
});

test("num_threads must be a positive integer", async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder_of("gpt2"));
  for (const num_threads of [0, -1, 1.5, Number.NaN])
    expect(() => tokenizer(texts, { num_threads })).toThrow(RangeError);
});

test("a clone is a tokenizer of its own", async () => {
  const { _tokenizer: engine } = await AutoTokenizer.from_pretrained(slow_fixture("bert-uncased"));
  const before = engine.to_json(false);
  const clone = engine.clone();
  expect(clone).toBeInstanceOf(native().Tokenizer);
  expect(clone.to_json(false)).toBe(before);
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: true, special: false };
  clone.add_tokens([{ content: "qqq", ...flags }]);
  clone.set_component("normalizer", null);
  expect(engine.to_json(false)).toBe(before);
  expect(engine.token_to_id("qqq")).toBeUndefined();
  expect(clone.token_to_id("qqq")).toBe(engine.vocab_size(true));
});

test("encodings that were made before a tokenizer changed stay as they were", async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder_of("gpt2"));
  const encoding = tokenizer("the housekeeper");
  const tokens = tokenizer.tokenize("the housekeeper");
  tokenizer.add_tokens(["housekeeper"]);
  expect(encoding.tokens()).toEqual(tokens);
  expect(tokenizer.tokenize("the housekeeper")).toContain("housekeeper");
});

test("a tokenizer knows what stands before the pieces inside a word", async () => {
  const prefix_of = async (folder: string) => (await AutoTokenizer.from_pretrained(folder)).continuing_subword_prefix;
  expect(await prefix_of(slow_fixture("bert-uncased"))).toBe("##");
  expect(await prefix_of(folder_of("llama2-legacy"))).toBeNull();
  expect(await prefix_of(slow_fixture("t5"))).toBeNull();
});
