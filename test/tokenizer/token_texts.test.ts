import { expect, it } from "vitest";
import { native } from "../../lib/native.js";
import { families } from "./families.mjs";

const all = families();
const PREFIX = "abcdef";
const some = [
  "gpt2",
  "llama2-legacy",
  "llama2-metaspace",
  "llama3",
  "word piece",
  "unigram true",
  "decoder metaspace",
  "decoder ctc",
  "decoder fallback",
];

it.each(some)("%s: what a token adds is what decoding it behind others shows", (name) => {
  const tokenizer = new (native().Tokenizer)(JSON.stringify(all[name]));
  tokenizer.add_tokens([
    { content: "<|new|>", single_word: false, lstrip: false, rstrip: false, normalized: true, special: false },
  ]);
  const before = tokenizer.encode(PREFIX, null, { add_special_tokens: false }).tokens;
  const texts = tokenizer.token_texts(before, PREFIX)!;
  const bytes = Buffer.from(texts.bytes);
  const added = (id: number) =>
    texts.known[id] ? bytes.subarray(id === 0 ? 0 : texts.ends[id - 1], texts.ends[id]).toString() : undefined;
  const vocabulary = Object.entries(tokenizer.get_vocab(true));
  expect(texts.known.reduce((sum, known) => sum + known, 0)).toBe(new Set(vocabulary.map(([, id]) => id)).size);
  for (const [token, id] of vocabulary) {
    const text = tokenizer.decode_tokens([...before, token]);
    expect(added(id), token).toBe(text.slice(text.indexOf(PREFIX) + PREFIX.length));
  }
});

it("there is nothing to tell where the prefix is not found", () => {
  const tokenizer = new (native().Tokenizer)(JSON.stringify(all["gpt2"]));
  expect(tokenizer.token_texts(["x"], PREFIX)).toBeNull();
});
