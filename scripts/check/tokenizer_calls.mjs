// Random calls of the tokenizers of every family, by Python and by us: fields, encodings, texts, errors and warnings.
//   npm run build && node scripts/check/tokenizer_calls.mjs [--count 2000] [--seed 1] [--python PATH] [family …]
// `--python` has the packages of scripts/fixtures/requirements.txt. Where both raise an error their words are only listed:
// with `--errors`. Where Rust panics anything may come, as long as the process lives.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { AddedToken, AutoTokenizer } from "../../dist/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: "string", default: "2000" },
    seed: { type: "string", default: "1" },
    python: { type: "string", default: fileURLToPath(new URL("../fixtures/.venv/bin/python", import.meta.url)) },
    errors: { type: "boolean", default: false },
    show: { type: "string", default: "1" }, // differences of each kind that are printed
    read: { type: "string" }, // one family's folder
  },
});
const script = fileURLToPath(new URL("tokenizer_calls.py", import.meta.url));

function python(...args) {
  const { status, stdout, stderr, error } = spawnSync(values.python, [script, ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw error ?? new Error(stderr.slice(-2000));
  return stdout;
}

/** A process for each family: a warning comes once in the life of one. */
function all() {
  const names = positionals.length ? positionals : JSON.parse(python("list"));
  const folder = mkdtempSync(join(tmpdir(), "tokenizers-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  python(folder, values.count, values.seed, ...names);
  const total = { cases: 0, different: 0 };
  for (const name of names) {
    const args = ["--read", join(folder, name), "--show", values.show, ...(values.errors ? ["--errors"] : [])];
    const own = [fileURLToPath(import.meta.url), ...args];
    const { status, stdout } = spawnSync(process.execPath, own, {
      encoding: "utf8",
      maxBuffer: 1 << 28,
      stdio: ["ignore", "pipe", "inherit"],
    });
    process.stdout.write(stdout);
    const [, cases, different] = /: (\d+) cases, (\d+) differences\n$/.exec(stdout) ?? [];
    if (status === null || cases === undefined) {
      console.log(`${name}: the process ended with ${status}`);
      total.different++;
    } else {
      total.cases += Number(cases);
      total.different += Number(different);
    }
  }
  console.log(`${names.length} families, ${total.cases} cases, ${total.different} differences`);
  process.exitCode = total.different ? 1 : 0;
}

const is_tensor = (value) => typeof value?.tolist === "function";
/** As the script writes values. */
function plain(value) {
  if (is_tensor(value)) return { tensor: value.tolist() };
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value ?? null;
}
const fields = (encoding) => ({ keys: Object.keys(encoding), fields: plain(encoding.data) });

function attempt(run) {
  try {
    return run();
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

function encodings(result, aligned) {
  if (!result.is_fast) return null;
  return result.encodings.map((encoding, row) => {
    const found = [encoding.tokens, encoding.word_ids, encoding.sequence_ids, encoding.offsets, encoding.n_sequences];
    if (!aligned) return found;
    const each = (method) => Array.from({ length: encoding.length }, (_, i) => attempt(() => result[method](row, i)));
    const first = (method, sequence) =>
      Array.from({ length: 6 }, (_, i) => attempt(() => result[method](row, i, sequence)));
    return [
      ...found,
      ...["token_to_sequence", "token_to_chars", "token_to_word"].map(each),
      [0, 1].map((s) =>
        ["char_to_token", "char_to_word", "word_to_tokens", "word_to_chars"].flatMap((m) => first(m, s)),
      ),
    ];
  });
}

async function saved_and_loaded(tokenizer, texts) {
  const folder = mkdtempSync(join(tmpdir(), "tokenizer-"));
  try {
    await tokenizer.save_pretrained(folder);
    const again = await AutoTokenizer.from_pretrained(folder);
    const repr = Object.entries(again.added_tokens_decoder).map(([id, token]) => [id, token.repr()]);
    const rows = texts.map((text) => again(text).input_ids);
    return { repr: Object.fromEntries(repr), special: again.all_special_tokens, rows };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const code_points = { offsets_unit: "code_point" };
const KINDS = {
  call(tokenizer, { text, text_pair, options, aligned }) {
    const result = tokenizer(text, { text_pair, ...options, ...code_points });
    return { ...fields(result), encodings: encodings(result, aligned) };
  },
  encode: (tokenizer, { text, text_pair, options }) => plain(tokenizer.encode(text, text_pair, options)),
  encode_plus: (tokenizer, { text, text_pair, options }) =>
    fields(tokenizer.encode_plus(text, text_pair, { ...options, ...code_points })),
  batch_encode_plus: (tokenizer, { batch, options }) =>
    fields(tokenizer.batch_encode_plus(batch, { ...options, ...code_points })),
  tokenize: (tokenizer, { text, options }) => tokenizer.tokenize(text, options),
  decode: (tokenizer, { ids, options }) => plain(tokenizer.decode(ids, options)),
  batch_decode: (tokenizer, { rows, options }) => plain(tokenizer.batch_decode(rows, options)),
  pad: (tokenizer, { inputs, options }) => fields(tokenizer.pad(inputs, options)),
  prepare_for_model: (tokenizer, { ids, pair, options }) => fields(tokenizer.prepare_for_model(ids, pair, options)),
  rows_of_ids(tokenizer, { ids, pair, count, strategy, skip }) {
    const truncate = { num_tokens_to_remove: count, truncation_strategy: strategy, stride: 1 };
    const second = pair ?? undefined;
    const tries = {
      built: () => tokenizer.build_inputs_with_special_tokens(ids, second),
      types: () => tokenizer.create_token_type_ids_from_sequences(ids, second),
      mask: () => tokenizer.get_special_tokens_mask(ids, { already_has_special_tokens: true }),
      "mask of two": () => tokenizer.get_special_tokens_mask(ids, { token_ids_1: second }),
      truncated: () => tokenizer.truncate_sequences(ids, pair, truncate),
      tokens: () => tokenizer.convert_ids_to_tokens(ids, { skip_special_tokens: skip }),
      added: () => tokenizer.num_special_tokens_to_add(pair !== null),
    };
    return Object.fromEntries(Object.entries(tries).map(([name, run]) => [name, attempt(run)]));
  },
  tokens: (tokenizer, { tokens, known }) => ({
    ids: attempt(() => tokenizer.convert_tokens_to_ids(tokens)),
    text: attempt(() => tokenizer.convert_tokens_to_string(known)),
  }),
  async added_tokens(tokenizer, { steps, special, texts }) {
    const token = (entry) => (typeof entry === "string" ? entry : new AddedToken(entry.content, entry));
    const counts = steps.map((step) =>
      tokenizer.add_tokens(step.tokens.map(token), { special_tokens: step.special_tokens }),
    );
    counts.push(tokenizer.add_special_tokens(special));
    const rows = texts.map((text) => tokenizer(text, { return_offsets_mapping: tokenizer.is_fast, ...code_points }));
    const added = Object.entries(tokenizer.added_tokens_decoder);
    return {
      again: await saved_and_loaded(tokenizer, texts).catch(({ name, message }) => ({ error: `${name}: ${message}` })),
      counts,
      length: tokenizer.length,
      added: tokenizer.get_added_vocab(),
      special: tokenizer.all_special_tokens,
      repr: Object.fromEntries(added.map(([id, entry]) => [id, entry.repr()])),
      rows: rows.map((row) => [row.input_ids, row.offset_mapping ?? []]),
      decoded: rows.map((row) =>
        [false, true].map((skip) => tokenizer.decode(row.input_ids, { skip_special_tokens: skip })),
      ),
    };
  },
};

const sorted = (_key, value) =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;
const text_of = (value) => JSON.stringify(value, sorted);

/** What differs; undefined if nothing does. `words` collects what both say of an error. */
function difference(found, expected, words) {
  if (typeof expected === "object" && expected !== null && typeof expected.error === "string") {
    if (expected.error.startsWith("PanicException")) return undefined;
    if (typeof found?.error !== "string") return [found, expected];
    words.set(`${expected.error}\n    ${found.error}`, (words.get(`${expected.error}\n    ${found.error}`) ?? 0) + 1);
    return undefined;
  }
  if (Array.isArray(expected) && Array.isArray(found) && found.length === expected.length && !is_row(expected)) {
    for (const [i, item] of expected.entries()) {
      const inner = difference(found[i], item, words);
      if (inner) return [{ [i]: inner[0] }, { [i]: inner[1] }];
    }
    return undefined;
  }
  if (
    typeof expected === "object" &&
    expected !== null &&
    !Array.isArray(expected) &&
    typeof found === "object" &&
    found
  ) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
      const inner = difference(found[key], expected[key], words);
      if (inner) return [{ [key]: inner[0] }, { [key]: inner[1] }];
    }
    return undefined;
  }
  return text_of(found) === text_of(expected) ? undefined : [found, expected];
}
const is_row = (value) => value.every((item) => typeof item !== "object" || item === null);

async function one(folder) {
  const name = basename(folder);
  const { cases, warnings, model_max_length } = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
  const load = () => AutoTokenizer.from_pretrained(join(folder, "checkpoint"));
  const said = new Set();
  process.emitWarning = (text) => said.add(text);
  const load_called = async () => {
    const loaded = await load();
    attempt(() => loaded("a"));
    return loaded;
  };
  let tokenizer = await load_called();
  said.clear();
  tokenizer.model_max_length = model_max_length;
  const words = new Map();
  let different = 0;
  const shown = new Map();
  const report = (kind, place, ...what) => {
    different++;
    shown.set(kind + place, (shown.get(kind + place) ?? 0) + 1);
    if (shown.get(kind + place) <= Number(values.show)) console.log(`${name}: ${kind}${place}`, ...what);
  };
  for (const { kind, given, expected } of cases) {
    if (kind === "added_tokens" && !KINDS.warned) {
      KINDS.warned = true;
      compare_warnings(said, warnings, report);
    }
    const subject = kind === "added_tokens" ? await load() : tokenizer;
    if (expected?.error) {
      // As the script does.
      tokenizer = await load_called();
      tokenizer.model_max_length = model_max_length;
    }
    const found = plain(await attempt(() => KINDS[kind](subject, given)));
    const wrong = difference(found, expected, words);
    if (wrong)
      report(
        kind,
        place(wrong[1]),
        JSON.stringify(given),
        ...["\n  found", wrong[0], "\n  expected", wrong[1]].map(short),
      );
  }
  if (values.errors) for (const [text, count] of words) console.log(`  ${count} × ${text}`);
  console.log(`${name}: ${cases.length} cases, ${different} differences`);
}

/** The names on the way to what differs. */
function place(wrong) {
  const [key, ...others] = Object.keys(
    typeof wrong === "object" && wrong !== null && !Array.isArray(wrong) ? wrong : {},
  );
  return key === undefined || others.length || key === "error"
    ? ""
    : `.${/^\d+$/.test(key) ? "*" : key}${place(wrong[key])}`;
}
const short = (value) => (typeof value === "string" ? value : JSON.stringify(value)).slice(0, 800);

/** Numbers in a warning belong to the call that was the first to give it. */
function compare_warnings(said, warnings, report) {
  const kind_of = (text) => text.replace(/\d+/g, "#");
  const [found, expected] = [new Set([...said].map(kind_of)), new Set(warnings.map(kind_of))];
  for (const text of expected) if (!found.has(text)) report("no warning", "", text);
  for (const text of found) if (!expected.has(text)) report("a warning of our own", "", text);
}

if (values.read) await one(values.read);
else all();
