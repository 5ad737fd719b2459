// Compares the native tokenizers with the npm package `tokenizers` on random strings, family by family.
//   node scripts/differential-tokenizers.mjs [--count 100000] [--seed 1] [--only name] [--show 3] [--compiled]
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { both, differences } from "../test/tokenizer/differential.mjs";
import { embedded, families } from "../test/tokenizer/families.mjs";
import { random_numbers, random_text } from "../test/tokenizer/random_text.mjs";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    only: { type: "string", default: "" },
    show: { type: "string", default: "2" },
    compiled: { type: "boolean", default: false },
  },
});
const { Tokenizer } = createRequire(import.meta.url)("../build/Release/ggml_transformers.node");

let strings = 0;
let different = 0;
for (const [name, json] of Object.entries(families())) {
  if (!name.includes(values.only)) continue;
  const random = random_numbers(Number(values.seed));
  const tokens = embedded(json);
  let count = 0;
  try {
    const { ours, rust } = both(Tokenizer, json, values.compiled);
    for (let i = 0; i < Number(values.count); i++) {
      const text = random_text(random, tokens);
      const pair = random() < 0.1 ? random_text(random, tokens) : null;
      const found = await differences(ours, rust, text, pair);
      if (found.length === 0) continue;
      if (count++ < Number(values.show))
        console.log(name, JSON.stringify({ text, pair }), JSON.stringify(found[0]).slice(0, 1200));
    }
  } catch (error) {
    console.log(name, error.message);
    count = Number(values.count);
  }
  strings += Number(values.count);
  different += count;
  console.log(`${name}: ${values.count} strings, ${count} differences`);
}
console.log(`${strings} strings, ${different} differences`);
process.exitCode = different === 0 ? 0 : 1;
