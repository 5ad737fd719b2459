// Tokenizers against the npm package `tokenizers` (Rust): same process, same strings, one thread; ids are compared first.
//   node scripts/bench/tokenizers.mjs [--json] [--english file] [--mixed file] [--only qwen2]
// Vocabularies: those of the vendored llama.cpp. English: its documentation; mixed: its sources and vocabulary tests.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { Tokenizer as Rust } from "tokenizers";

const { values: options } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    english: { type: "string" },
    mixed: { type: "string" },
    only: { type: "string", default: "" },
  },
});
const root = fileURLToPath(new URL("../..", import.meta.url));
const vendor = join(root, "vendor", "llama.cpp");
const { Tokenizer } = createRequire(import.meta.url)("../../build/Release/ggml_transformers.node");

/** The texts of all files below `folder` with one of `endings`, joined, at most `limit` characters. */
function text_of(folder, endings, limit) {
  const names = readdirSync(folder, { recursive: true }).filter((name) => endings.some((end) => name.endsWith(end)));
  let text = "";
  for (const name of names.sort()) {
    if (text.length >= limit) break;
    text += readFileSync(join(folder, name), "utf8");
  }
  return text.slice(0, limit);
}

const mixed_text = () =>
  [
    text_of(join(vendor, "src"), [".cpp"], 400_000),
    text_of(join(vendor, "models"), [".inp"], 100_000).repeat(4),
    text_of(join(root, "test", "fixtures", "tokenizers"), ["cases.json"], 400_000),
  ].join("");
const english = options.english ? readFileSync(options.english, "utf8") : text_of(vendor, [".md"], 2_000_000);
const mixed = options.mixed ? readFileSync(options.mixed, "utf8") : mixed_text();

const cut = (text, size) =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
const bytes = (texts) => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);

/** Megabytes per second of the fastest of `rounds` passes over `texts`. */
async function speed(texts, rounds, body) {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await body(texts);
    best = Math.min(best, performance.now() - start);
  }
  return bytes(texts) / best / 1e3;
}

const rows = [];
const add = (name, unit, ours, peer) =>
  rows.push({ name, unit, ours, peer, peer_name: "tokenizers", ratio: unit === "MB/s" ? ours / peer : peer / ours });

async function compare(name, json) {
  const rss = process.memoryUsage.rss();
  const file = Buffer.from(json);
  let start = performance.now();
  const ours = new Tokenizer(file);
  ours.encode_ids("a", false);
  const load = performance.now() - start;
  const memory = (process.memoryUsage.rss() - rss) / 1e6;
  start = performance.now();
  const rust = Rust.fromString(json);
  await rust.encode("a", null, { addSpecialTokens: false });
  add(`${name} load`, "ms", load, performance.now() - start);
  add(`${name} memory`, "MB", memory, Number.NaN);

  const all_ours = (texts) => {
    for (const text of texts) ours.encode_ids(text, false);
  };
  const all_rust = async (texts) => {
    for (const text of texts) (await rust.encode(text, null, { addSpecialTokens: false })).getIds();
  };
  const documents = {
    "English 4 KB": cut(english, 4096),
    "mixed 4 KB": cut(mixed, 4096),
    "60 characters": cut(english.slice(0, 300_000), 60),
  };
  for (const [kind, texts] of Object.entries(documents)) {
    const sample = texts.slice(0, Math.ceil(texts.length / 8));
    for (const text of sample) {
      const theirs = (await rust.encode(text, null, { addSpecialTokens: false })).getIds();
      if (String(ours.encode_ids(text, false)) !== String(theirs)) throw new Error(`${name}, ${kind}: other ids`);
    }
    if (kind === "English 4 KB") {
      const cold = new Tokenizer(file);
      const first = await speed(texts, 1, (list) => void list.map((text) => cold.encode_ids(text, false)));
      add(`${name} English, first pass`, "MB/s", first, await speed(sample, 1, all_rust));
    }
    add(`${name} ${kind}`, "MB/s", await speed(texts, 5, all_ours), await speed(sample, 2, all_rust));
    if (kind !== "English 4 KB") continue;
    const full = (list) => {
      for (const text of list) {
        const encoding = ours.encode(text, null, { add_special_tokens: false });
        [encoding.ids, encoding.attention_mask, encoding.offsets("utf16")].length;
      }
    };
    const full_rust = async (list) => {
      for (const text of list) {
        const encoding = await rust.encode(text, null, { addSpecialTokens: false });
        [encoding.getIds(), encoding.getAttentionMask(), encoding.getOffsets()].length;
      }
    };
    add(`${name} English, masks and offsets`, "MB/s", await speed(texts, 3, full), await speed(sample, 1, full_rust));
    const ids = sample.map((text) => ours.encode_ids(text, false));
    const lists = ids.map((list) => [...list]);
    const decode = async (_, list, body) => {
      for (const one of list) await body(one);
    };
    const mine = await speed(sample, 5, () => void ids.map((one) => ours.decode(one, false)));
    add(
      `${name} decode`,
      "MB/s",
      mine,
      await speed(sample, 2, (texts_) => decode(texts_, lists, (one) => rust.decode(one, false))),
    );
  }
  const calls = 200_000;
  start = performance.now();
  for (let i = 0; i < calls; i++) ours.encode_ids("a", false);
  const call = ((performance.now() - start) / calls) * 1e3;
  start = performance.now();
  for (let i = 0; i < 2000; i++) await rust.encode("a", null, { addSpecialTokens: false });
  add(`${name} encode("a")`, "µs", call, ((performance.now() - start) / 2000) * 1e3);
}

// The reader of GGUF vocabularies is TypeScript: bundled for this run.
const folder = mkdtempSync(join(tmpdir(), "ggml-transformers-bench-"));
const outfile = join(folder, "gguf.mjs");
await build({
  entryPoints: [join(root, "lib/tokenization/gguf.ts")],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  logLevel: "error",
});
const { tokenizer_from_gguf } = await import(pathToFileURL(outfile).href);
const VOCABULARIES = { gpt2: "gpt-2", llama3: "llama-bpe", qwen2: "qwen2", llama2: "llama-spm" };
for (const [name, file] of Object.entries(VOCABULARIES)) {
  if (!name.includes(options.only)) continue;
  const { tokenizer } = await tokenizer_from_gguf(join(vendor, "models", `ggml-vocab-${file}.gguf`));
  await compare(name, typeof tokenizer === "string" ? tokenizer : JSON.stringify(tokenizer));
}
rmSync(folder, { recursive: true });

const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} CPUs, Node ${process.version}`;
console.log(
  `${machine}\nEnglish ${(english.length / 1e6).toFixed(1)} MB, mixed ${(mixed.length / 1e6).toFixed(1)} MB; ratio > 1: we are faster\n`,
);
const number = (value) => (Number.isNaN(value) ? "-" : value >= 100 ? value.toFixed(0) : value.toFixed(2));
for (const row of rows) {
  console.log(
    `${row.name.padEnd(36)} ${number(row.ours).padStart(8)} ${row.unit.padEnd(5)} ${number(row.peer).padStart(8)} ${number(row.ratio).padStart(8)}`,
  );
}
if (options.json) console.log(JSON.stringify({ machine, rows: rows.filter((row) => !Number.isNaN(row.ratio)) }));
