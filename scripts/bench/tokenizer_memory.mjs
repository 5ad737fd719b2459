// Megabytes that a process grows by when it opens a tokenizer.json and encodes a letter, garbage not counted.
//   node --expose-gc scripts/bench/tokenizer_memory.mjs ours|tokenizers file
import { bundled } from "./vocabularies.mjs";

const [who, file] = process.argv.slice(2);
const { PreTrainedTokenizerFast } = await bundled("tokenization/index");
const { Tokenizer: Rust } = await import("tokenizers");
const openers = {
  ours: async (path) => {
    const tokenizer = new PreTrainedTokenizerFast({ tokenizer_file: path });
    tokenizer.encode("a");
    return tokenizer;
  },
  tokenizers: async (path) => {
    const tokenizer = Rust.fromFile(path);
    (await tokenizer.encode("a")).getIds();
    return tokenizer;
  },
};
const small = JSON.stringify({ version: "1.0", model: { type: "WordLevel", vocab: { a: 0 }, unk_token: "a" } });
new PreTrainedTokenizerFast({ tokenizer_object: small }).encode("a"); // loads the addon
(await Rust.fromString(small).encode("a")).getIds();
const settle = async () => {
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
await settle();
const before = process.memoryUsage().rss;
const kept = await openers[who](file);
await settle();
console.log(((process.memoryUsage().rss - before) / 1e6).toFixed(1));
if (!kept) process.exitCode = 1;
