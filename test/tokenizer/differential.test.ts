import { expect, it } from "vitest";
import { native } from "../../lib/native.js";
import { both, differences } from "./differential.mjs";
import { embedded, families } from "./families.mjs";
import { random_numbers, random_text } from "./random_text.mjs";

// scripts/differential-tokenizers.mjs does the same with as many strings as one likes.
it.each(Object.entries(families()))("%s gives what the Rust tokenizers give on random strings", async (_, json) => {
  const random = random_numbers(7);
  const { ours, rust } = both(native().Tokenizer, json);
  for (let i = 0; i < 60; i++) {
    const text = random_text(random, embedded(json));
    const pair = random() < 0.2 ? random_text(random, embedded(json)) : null;
    expect(await differences(ours, rust, text, pair), JSON.stringify({ text, pair })).toEqual([]);
  }
});

it("added tokens that overlap are found where the Rust tokenizers find them", async () => {
  const random = random_numbers(3);
  const base = families()["gpt2"]!;
  for (const alphabet of ["ab", "<x>", "eé\u0301"]) {
    const word = (most: number) =>
      Array.from(
        { length: 1 + Math.floor(random() * most) },
        () => alphabet[Math.floor(random() * alphabet.length)],
      ).join("");
    for (let round = 0; round < 6; round++) {
      const contents = new Set(Array.from({ length: 8 }, () => word(6)));
      const added_tokens = [...contents].map((content, i) => ({
        id: 60_000 + i,
        content,
        ...{
          single_word: false,
          lstrip: random() < 0.2,
          rstrip: random() < 0.2,
          normalized: false,
          special: random() < 0.5,
        },
      }));
      const { ours, rust } = both(native().Tokenizer, { ...base, added_tokens });
      for (let i = 0; i < 20; i++) {
        const text = word(30);
        expect(await differences(ours, rust, text), JSON.stringify({ text, contents: [...contents] })).toEqual([]);
      }
    }
  }
});
