// Random corpora and trainers, by the Rust tokenizers from Python and by us: vocabularies, merges, scores, special tokens,
// what the trained tokenizers make of texts. Seven in ten train a tokenizer from nothing, the others are
// `train_new_from_iterator` of some family's.
//   npm run build && node scripts/check/training.mjs [--count 500] [--seed 1] [--python PATH]
// `--python` has the packages of scripts/fixtures/requirements.txt.
//
// Rust leaves choices to the order of hash tables: which of equally frequent characters `limit_alphabet` keeps, how
// characters with a prefix or suffix are numbered (and so which of equally frequent pairs comes first), in which order
// Unigram adds up expectations, and numbers the characters that no piece is left for (their scores are not compared).
// Python trains each case several times: what the runs agree in must be ours too; where their vocabularies differ only the
// sizes are compared. Scores may differ by 1e-6: sums in another order, and pruning multiplies what they are off by.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { AutoTokenizer } from "../../dist/index.js";
import { AddedToken, Tokenizer, Trainer } from "../../dist/tokenizers.js";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "500" },
    seed: { type: "string", default: "1" },
    python: { type: "string", default: fileURLToPath(new URL("../fixtures/.venv/bin/python", import.meta.url)) },
  },
});
const TOLERANCE = 1e-6;
const folder = mkdtempSync(join(tmpdir(), "training-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
process.emitWarning = () => {};

const script = fileURLToPath(new URL("training.py", import.meta.url));
const { status, stderr, error } = spawnSync(values.python, [script, folder, values.count, values.seed], {
  encoding: "utf8",
  maxBuffer: 1 << 28,
});
if (status !== 0) throw error ?? new Error(stderr.slice(-2000));

async function attempt(run) {
  try {
    return await run();
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

const camelCase = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

function special_token(token) {
  if (typeof token === "string") return token;
  const { content, single_word, lstrip, rstrip, normalized = false } = token;
  return new AddedToken(content, false, { singleWord: single_word, leftStrip: lstrip, rightStrip: rstrip, normalized });
}

async function train({ blank, type, options, special_tokens, lines, texts }) {
  const tokenizer = Tokenizer.fromString(blank);
  const named = Object.entries(options).map(([name, value]) => [camelCase(name), value]);
  const trainer = new Trainer(type, { ...Object.fromEntries(named), specialTokens: special_tokens.map(special_token) });
  await tokenizer.trainFromIterator(lines, trainer);
  const { model, added_tokens } = JSON.parse(tokenizer.toString());
  const rows = await Promise.all(texts.map((text) => attempt(() => tokenizer.encodeSync(text).getTokens())));
  return { model, added_tokens, rows };
}

async function renew({ family, vocab_size, options, lines, texts }) {
  const old = await AutoTokenizer.from_pretrained(join(folder, "checkpoints", family));
  const tokenizer = await old.train_new_from_iterator(lines, vocab_size, options);
  const core = JSON.parse(tokenizer._tokenizer.to_json(false));
  const rows = await Promise.all(
    texts.map((text) => attempt(() => tokenizer.convert_ids_to_tokens(tokenizer(text).input_ids))),
  );
  return { class: tokenizer.constructor.name, core, special_tokens: tokenizer.special_tokens_map, rows };
}

/** Pieces and their ids or scores, and all else there is to compare. */
function parts({ model, core, encodings, rows = encodings, ...others }) {
  const { vocab, ...rest } = model ?? core.model;
  const entries = Array.isArray(vocab) ? vocab : Object.entries(vocab);
  const whole = core ? { ...core, model: rest } : rest;
  return { pieces: new Map(entries), rest: whole, rows, ...others };
}

/**
 * What is Unigram's in any order of summing: without the id of a special token that is a character too (its place among
 * those of the same score), and without the order of "?" and "??" in "???" (the last digits of sums decide).
 */
const without_order = (key, value) =>
  key === "rows"
    ? value.map((row) => [...row].sort())
    : JSON.parse(JSON.stringify(value ?? null, (name, item) => (name === "id" && typeof item === "number" ? 0 : item)));

/** What differs, or nothing. `runs` are Python's. */
function difference(found, runs, type) {
  const expected = runs.map(parts);
  const [first, ...others] = expected;
  const ours = parts(found);
  const unigram = type === "Unigram";
  const close = (a, b) => (unigram ? Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(a)) : a === b);
  const is_common = ([piece]) => others.every((run) => run.pieces.has(piece));
  const least = Math.min(...first.pieces.values());
  const is_unseen = (piece, score) => {
    const steps = (score - least) / 1e-4;
    return (
      unigram && [...piece].length === 1 && steps < first.pieces.size && Math.abs(steps - Math.round(steps)) < 1e-4
    );
  };
  const stable = others.every((run) => run.pieces.size === first.pieces.size) && [...first.pieces].every(is_common);
  if (ours.pieces.size !== first.pieces.size && others.every((run) => run.pieces.size === first.pieces.size))
    return `${ours.pieces.size} pieces instead of ${first.pieces.size}`;
  if (!stable) return undefined;
  for (const [piece, value] of first.pieces) {
    if (!ours.pieces.has(piece)) return `no ${JSON.stringify(piece)}`;
    const agreed = others.every((run) => close(run.pieces.get(piece), value));
    if (agreed && !is_unseen(piece, value) && !close(ours.pieces.get(piece), value))
      return `${JSON.stringify(piece)} is ${ours.pieces.get(piece)} instead of ${value}`;
  }
  for (const key of Object.keys(first)) {
    if (key === "pieces" || !others.every((run) => isDeepStrictEqual(run[key], first[key]))) continue;
    const has_error = key === "rows" && first.rows.some((row) => row.error);
    const [mine, theirs] = [ours[key], first[key]].map((value) =>
      unigram && !has_error ? without_order(key, value) : value,
    );
    if (!has_error && !isDeepStrictEqual(mine, theirs)) return `${key}: ${at(mine, theirs)}`;
  }
  return undefined;
}

/** Where two values differ. */
function at(found, expected, path = "") {
  if (typeof found !== "object" || typeof expected !== "object" || !found || !expected)
    return `${path} ${JSON.stringify(found)?.slice(0, 200)} instead of ${JSON.stringify(expected)?.slice(0, 200)}`;
  const key = Object.keys({ ...found, ...expected }).find((name) => !isDeepStrictEqual(found[name], expected[name]));
  return at(found[key], expected[key], `${path}/${key}`);
}

const cases = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
const counts = { compared: 0, "with choices of a hash table": 0, "errors in both": 0, panics: 0, different: 0 };
for (const [number, one] of cases.entries()) {
  const failed = one.runs.find((run) => run.error);
  const { blank: _b, lines: _l, texts: _t, runs: _r, special_tokens, ...said } = one;
  if (failed?.error.startsWith("PanicException")) {
    counts.panics++;
    await attempt(() => (one.family ? renew(one) : train(one)));
    continue;
  }
  const found = await attempt(() => (one.family ? renew(one) : train(one)));
  if (failed && found.error) {
    counts["errors in both"]++;
    continue;
  }
  counts.compared++;
  if (!isDeepStrictEqual(new Set(parts_of(one.runs[0])), new Set(parts_of(one.runs.at(-1)))))
    counts["with choices of a hash table"]++;
  const wrong = failed
    ? `no error; Python: ${failed.error}`
    : found.error
      ? `${found.error}; Python trains`
      : difference(found, one.runs, one.type);
  if (!wrong) continue;
  counts.different++;
  console.log(
    `${number}: ${wrong}`,
    JSON.stringify({ ...said, special_tokens: special_tokens?.slice(0, 6) }).slice(0, 500),
  );
}
function parts_of(run) {
  return run.error ? [] : parts(run).pieces.keys();
}
console.log(
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", "),
);
process.exitCode = counts.different ? 1 : 0;
