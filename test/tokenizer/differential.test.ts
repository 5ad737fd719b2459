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
