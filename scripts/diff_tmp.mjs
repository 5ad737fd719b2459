import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { both, differences } from "../test/tokenizer/differential.mjs";
import { embedded } from "../test/tokenizer/families.mjs";
import { random_numbers, random_text } from "../test/tokenizer/random_text.mjs";

const { Tokenizer } = createRequire(import.meta.url)("../build/Release/ggml_transformers.node");
for (const f of readdirSync("/tmp/slowjson")) {
  const json = JSON.parse(readFileSync("/tmp/slowjson/" + f, "utf8"));
  const random = random_numbers(7);
  const tokens = embedded(json);
  let count = 0;
  const { ours, rust } = both(Tokenizer, json);
  for (let i = 0; i < 1500; i++) {
    const text = random_text(random, tokens);
    const pair = random() < 0.1 ? random_text(random, tokens) : null;
    const found = await differences(ours, rust, text, pair);
    if (found.length && count++ < 1)
      console.log(f, JSON.stringify({ text, pair }).slice(0, 300), JSON.stringify(found[0]).slice(0, 700));
  }
  console.log(f, count);
}
