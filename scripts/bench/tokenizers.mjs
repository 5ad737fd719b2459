// Tokenizers against the npm packages `tokenizers` (Rust), `@huggingface/tokenizers` and `tiktoken`: one process, the same
// strings, one thread but for the batch; the public calls of both sides; ids are compared before anything is measured.
//   node scripts/bench/tokenizers.mjs [--rounds 5] [--only Qwen2] [--rows "batch|decode"] [--json]
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Tokenizer as Rust } from "tokenizers";
import { add_row, in_blocks, in_turns, options, report } from "./harness.mjs";
import { folder, install, root } from "./peers.mjs";
import { bundled, tokenizer_json, VOCABULARIES } from "./vocabularies.mjs";

const vendor = join(root, "vendor", "llama.cpp");
const { PreTrainedTokenizerFast } = await bundled("tokenization/index");

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

const english = text_of(vendor, [".md"], 2_000_000);
const mixed = [
  text_of(join(vendor, "src"), [".cpp"], 400_000),
  text_of(join(vendor, "models"), [".inp"], 100_000).repeat(4),
  text_of(join(root, "test", "fixtures", "tokenizers"), ["cases.json"], 400_000),
].join("");
const cut = (text, size) =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));

const BARE = { add_special_tokens: false, verbose: false };
const FULL = { ...BARE, return_offsets_mapping: true, return_attention_mask: true };
const rust_ids = async (rust, text) => (await rust.encode(text, null, { addSpecialTokens: false })).getIds();

/** Microseconds per kilobyte of one pass over `texts`. */
function pass(texts, body) {
  const kilobytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e3;
  return async () => {
    const start = performance.now();
    await body(texts);
    return ((performance.now() - start) * 1e3) / kilobytes;
  };
}

/**
 * One row; both run once before, so that code is compiled and what may be kept is kept, unless they are `cold`. What takes
 * all cores runs `alone`: the peer's threads spin on for a while.
 */
async function compare(name, unit, ours, peer, { peer_name = "tokenizers", rounds, cold, alone } = {}) {
  if (!new RegExp(options.rows).test(name)) return;
  if (!cold && !alone) await in_turns({ ours, peer }, 1);
  const times = await (alone ? in_blocks : in_turns)({ ours, peer }, rounds);
  add_row(name, unit, times.ours, times.peer, peer_name);
}

function check(name, ours, theirs) {
  if (String(ours) !== String(theirs)) throw new Error(`${name}: other ids`);
}

/** Milliseconds to a tokenizer that has encoded something. */
function loading(load) {
  return async () => {
    const start = performance.now();
    await load();
    return performance.now() - start;
  };
}

const memory_script = fileURLToPath(new URL("tokenizer_memory.mjs", import.meta.url));
const megabytes = (who, path) => async () =>
  Number(execFileSync(process.execPath, ["--expose-gc", memory_script, who, path], { encoding: "utf8" }));

/** Tokens that begin alike and only end in texts that have an "x". */
function with_nested_tokens(json) {
  const tokenizer = JSON.parse(json);
  const first = 1 + Math.max(...tokenizer.added_tokens.map(({ id }) => id), 300_000);
  const nested = Array.from({ length: 64 }, (_, i) => ({
    id: first + i,
    content: `${"<".repeat(i + 1)}x`,
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
  }));
  return JSON.stringify({ ...tokenizer, added_tokens: [...tokenizer.added_tokens, ...nested] });
}

async function measure(name, peers) {
  const json = await tokenizer_json(name);
  const file = Buffer.from(json);
  const checkpoint = join(folder, `tokenizer-${name}`);
  const path = join(checkpoint, "tokenizer.json");
  mkdirSync(checkpoint, { recursive: true });
  writeFileSync(path, json);
  const open = () => new PreTrainedTokenizerFast({ tokenizer_object: file });
  const ours = open();
  const rust = Rust.fromString(json);
  const documents = { "English 4 KB": cut(english, 4096), "mixed 4 KB": cut(mixed, 4096) };
  documents["60 characters"] = cut(english.slice(0, 120_000), 60);
  for (const texts of Object.values(documents)) {
    for (const text of texts.slice(0, 200)) check(name, ours.encode(text, BARE), await rust_ids(rust, text));
  }

  await compare(
    `${name} load`,
    "ms",
    loading(() => open().encode("a")),
    loading(() => rust_ids(Rust.fromString(json), "a")),
  );
  const compiled_cache = join(checkpoint, "compiled");
  rmSync(compiled_cache, { recursive: true, force: true });
  for (const [kind, options] of [
    ["from_pretrained", {}],
    ["from_pretrained, compiled", { compiled_cache }],
  ]) {
    await compare(
      `${name} ${kind}`,
      "ms",
      loading(async () => (await PreTrainedTokenizerFast.from_pretrained(checkpoint, options)).encode("a")),
      loading(() => rust_ids(Rust.fromFile(path), "a")),
    );
  }
  await compare(`${name} memory`, "MB", megabytes("ours", path), megabytes("tokenizers", path), {
    rounds: 1,
    cold: true,
  });
  const first = documents["English 4 KB"];
  const cold = () => {
    const fresh = open();
    return pass(first, (texts) => texts.forEach((text) => void fresh.encode(text, BARE)))();
  };
  const slowly = (texts) => async () => {
    for (const text of texts) await rust_ids(rust, text);
  };
  const part = first.slice(0, 60);
  await compare(`${name} English, first pass`, "µs/KB", cold, pass(part, slowly(part)), { cold: true });
  for (const [kind, texts] of Object.entries(documents)) {
    const encode = (list) => list.forEach((text) => void ours.encode(text, BARE));
    encode(texts);
    const some = kind === "60 characters" ? texts : texts.slice(0, 60);
    await compare(`${name} ${kind}`, "µs/KB", pass(texts, encode), pass(some, slowly(some)));
  }
  const call = pass(documents["60 characters"], (texts) => texts.forEach((text) => void ours(text, BARE)));
  await compare(
    `${name} 60 characters, tokenizer(text)`,
    "µs/KB",
    call,
    pass(documents["60 characters"], slowly(documents["60 characters"])),
  );
  await compare(
    `${name} English, masks and offsets`,
    "µs/KB",
    pass(first, (texts) => texts.forEach((text) => void ours(text, FULL))),
    pass(part, async (texts) => {
      for (const text of texts) {
        const encoding = await rust.encode(text, null, { addSpecialTokens: false });
        [encoding.getIds(), encoding.getAttentionMask(), encoding.getOffsets()].length;
      }
    }),
  );
  const batch = cut(english.slice(0, 512_000), 512);
  await compare(
    `${name} batch of 1000 x 512`,
    "µs/KB",
    pass(batch, (texts) => ours(texts, { ...BARE, num_threads: 2, return_attention_mask: false })),
    pass(batch, async (texts) => {
      for (const encoding of await rust.encodeBatch(texts, { addSpecialTokens: false })) encoding.getIds();
    }),
    { alone: true, rounds: 20 },
  );
  const rows = first.map((text) => ours.encode(text, BARE));
  await compare(
    `${name} decode`,
    "µs/KB",
    pass(first, () => rows.forEach((ids) => void ours.decode(ids))),
    pass(part, async () => {
      for (const ids of rows.slice(0, part.length)) await rust.decode(ids, false);
    }),
  );
  const calls = (count, body) => async () => {
    const start = performance.now();
    for (let i = 0; i < count; i++) await body();
    return ((performance.now() - start) * 1e3) / count;
  };
  const alone = async () => {
    const start = performance.now();
    for (let i = 0; i < 100_000; i++) ours.encode("a");
    return (performance.now() - start) / 100;
  };
  await compare(
    `${name} encode("a")`,
    "µs",
    alone,
    calls(500, () => rust_ids(rust, "a")),
  );

  const words = {
    "one word of 300 KB": "a".repeat(300_000),
    "100 K without spaces": mixed.replace(/\s+/g, "").slice(0, 100_000),
  };
  words["combining marks"] = `e${"\u0301\u0323".repeat(10_000)}`;
  for (const [kind, text] of Object.entries(words)) {
    check(`${name} ${kind}`, ours.encode(text, BARE), await rust_ids(rust, text));
    await compare(
      `${name} ${kind}`,
      "µs/KB",
      pass([text], ([one]) => void ours.encode(one, BARE)),
      pass([text], slowly([text])),
      { rounds: 2 },
    );
  }
  const nested = with_nested_tokens(json);
  const ours_nested = new PreTrainedTokenizerFast({ tokenizer_object: nested });
  const rust_nested = Rust.fromString(nested);
  const brackets = `${"<".repeat(2000)}x`.repeat(50);
  check(`${name} nested added tokens`, ours_nested.encode(brackets, BARE), await rust_ids(rust_nested, brackets));
  await compare(
    `${name} nested added tokens`,
    "µs/KB",
    pass([brackets], ([one]) => void ours_nested.encode(one, BARE)),
    pass([brackets], ([one]) => rust_ids(rust_nested, one)),
    { rounds: 2 },
  );
  for (const [peer_name, make] of Object.entries(peers)) {
    const encode = make(name, json);
    if (!encode) continue;
    check(`${name}, ${peer_name}`, ours.encode(first[0], BARE), encode(first[0]));
    const mine = pass(first, (texts) => texts.forEach((text) => void ours.encode(text, BARE)));
    await compare(
      `${name} English 4 KB`,
      "µs/KB",
      mine,
      pass(part, (texts) => texts.forEach(encode)),
      { peer_name, rounds: 3 },
    );
  }
}

/** The other peers: functions that give `text => ids`, or undefined where they have no such vocabulary. */
async function other_peers() {
  const find = install("tokenizers", ["@huggingface/tokenizers@0.2.0", "tiktoken@1.0.22"]);
  if (!find) return {};
  const { Tokenizer } = await import(find("@huggingface/tokenizers"));
  const { get_encoding } = await import(find("tiktoken"));
  return {
    "@huggingface/tokenizers": (_, json) => {
      const tokenizer = new Tokenizer(JSON.parse(json), {});
      return (text) => tokenizer.encode(text, { add_special_tokens: false }).ids;
    },
    tiktoken: (name) => {
      const encoding = name === "GPT-2" ? get_encoding("gpt2") : undefined;
      return encoding && ((text) => encoding.encode_ordinary(text));
    },
  };
}

const peers = await other_peers();
for (const name of Object.keys(VOCABULARIES)) if (name.includes(options.only)) await measure(name, peers);
report(
  `Tokenizers; English ${(english.length / 1e6).toFixed(1)} MB, mixed ${(mixed.length / 1e6).toFixed(1)} MB; batches on 2 threads`,
);
