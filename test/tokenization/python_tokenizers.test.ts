import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import {
  type BatchEncoding,
  MarianTokenizer,
  PreTrainedTokenizer,
  TapasTokenizer,
  Wav2Vec2CTCTokenizer,
} from "../../lib/tokenization/index.js";
import { to_lists } from "../../lib/tokenization/tensors.js";
import { fixture_path, plain, read_fixture, temporary } from "./fixtures.js";

const folder = fixture_path("python_tokenizers");
const names = readdirSync(folder).filter(
  (file) => file.endsWith(".json") && !["entities.json", "tables.json"].includes(file),
);
const read = (file: string) => read_fixture("python_tokenizers", file);

function checkpoint(file: string): string {
  const { files, config } = read(file);
  const path = temporary();
  for (const [target, source] of Object.entries<string>(files))
    cpSync(join(folder, "files", source), join(path, target));
  writeFileSync(join(path, "tokenizer_config.json"), JSON.stringify(config));
  return path;
}
async function load(file: string) {
  const tokenizer: unknown = await AutoTokenizer.from_pretrained(checkpoint(file));
  return tokenizer as MarianTokenizer | Wav2Vec2CTCTokenizer;
}

describe.each(names)("%s", (file) => {
  const fixture = read(file);

  test("AutoTokenizer finds the class, with Python's vocabulary and special tokens", async () => {
    const tokenizer = await load(file);
    expect(tokenizer.constructor.name).toBe(fixture.config.tokenizer_class);
    expect(tokenizer).toBeInstanceOf(PreTrainedTokenizer);
    expect(tokenizer.is_fast).toBe(false);
    expect(tokenizer.length).toBe(fixture.length);
    expect(tokenizer.vocab_size).toBe(fixture.vocab_size);
    expect(tokenizer.special_tokens_map).toEqual(fixture.special_tokens_map);
    expect(tokenizer.all_special_ids).toEqual(fixture.all_special_ids);
    expect(tokenizer.get_added_vocab()).toEqual(fixture.added_vocab);
  });

  test("tokens and ids are Python's, of texts and of targets", async () => {
    const tokenizer = await load(file);
    for (const { name, text, tokens, ids, target_ids } of fixture.texts) {
      expect.soft(tokenizer.tokenize(text), name).toEqual(tokens);
      expect.soft(tokenizer.encode(text), name).toEqual(ids);
      expect.soft(tokenizer(text).input_ids, name).toEqual(ids);
      if (target_ids) expect.soft(tokenizer(null, { text_target: text }).input_ids, name).toEqual(target_ids);
    }
  });

  test("calls with options give Python's fields", async () => {
    const tokenizer = await load(file);
    for (const { text, text_pair, options, fields, error } of fixture.calls) {
      const call = () => (text_pair === null ? tokenizer(text, options) : tokenizer(text, text_pair, options));
      if (error) expect(call).toThrow(error);
      else expect.soft(plain(call()), JSON.stringify([options, text_pair])).toEqual(fields);
    }
  });

  test("decode gives Python's texts and offsets", async () => {
    const tokenizer = await load(file);
    for (const { ids, options, result } of fixture.decodes)
      expect.soft(tokenizer.decode(ids, options), JSON.stringify([ids, options])).toEqual(result);
  });

  test("tokens are added as in Python", async () => {
    const tokenizer = await load(file);
    const { counts, text, ids, length, decoded } = fixture.added;
    const added = tokenizer.add_tokens(["newtoken", "THE"]);
    expect([added, tokenizer.add_special_tokens({ additional_special_tokens: ["<sep>"] })]).toEqual(counts);
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
    expect(tokenizer.length).toBe(length);
  });

  test("save_pretrained writes Python's files, and they load again", async () => {
    const tokenizer = await load(file);
    tokenizer.add_tokens(["newtoken", "THE"]);
    tokenizer.add_special_tokens({ additional_special_tokens: ["<sep>"] });
    const saved = temporary();
    const paths = await tokenizer.save_pretrained(saved);
    expect(paths.map((path) => path.slice(saved.length + 1)).sort()).toEqual(readdirSync(saved).sort());
    for (const [name, content] of Object.entries<string>(fixture.saved))
      expect.soft(readFileSync(join(saved, name), "utf8"), name).toBe(content);
    const again = await AutoTokenizer.from_pretrained(saved);
    expect(again.encode(fixture.added.text)).toEqual(fixture.added.ids);
  });

  test("what only fast tokenizers have is an error", async () => {
    const tokenizer = await load(file);
    expect(() => tokenizer("a", { return_offsets_mapping: true })).toThrow(
      /not available when using Python tokenizers/,
    );
    expect(() => tokenizer("a").word_ids()).toThrow(/not available/);
    await expect(tokenizer.save_pretrained(temporary(), { legacy_format: false })).rejects.toThrow(/Only fast/);
  });
});

test("model_type names both classes", async () => {
  for (const [file, model_type] of [["marian.json", "marian"], ["wav2vec2.json", "wav2vec2"]] as const) {
    const path = checkpoint(file);
    rmSync(join(path, "tokenizer_config.json"));
    writeFileSync(join(path, "config.json"), JSON.stringify({ model_type }));
    const tokenizer = await AutoTokenizer.from_pretrained(path);
    expect(tokenizer.constructor.name).toBe(read(file).config.tokenizer_class);
  }
}); // biome-ignore format: a table

test("a batch of frames decodes to lists of texts and offsets", async () => {
  for (const file of names.filter((name) => name.startsWith("wav2vec2"))) {
    const { decodes, batch_decode } = read(file);
    const tokenizer = await Wav2Vec2CTCTokenizer.from_pretrained(checkpoint(file));
    const rows = decodes.filter(({ options }: { options: object }) => Object.keys(options).length === 0);
    const ids = rows.map((row: { ids: number[] }) => row.ids);
    expect(tokenizer.batch_decode(ids)).toEqual(rows.map((row: { result: string }) => row.result));
    expect(tokenizer.batch_decode(ids, { output_word_offsets: true })).toEqual(batch_decode);
  }
});

test("another language of a nested vocabulary can be set", async () => {
  const tokenizer = await Wav2Vec2CTCTokenizer.from_pretrained(checkpoint("wav2vec2-nested.json"));
  expect(tokenizer.encode("É")).toEqual([32]);
  tokenizer.set_target_lang("eng");
  expect(tokenizer.encode("É")).toEqual([tokenizer.unk_token_id]);
  expect(() => tokenizer.set_target_lang("xyz")).toThrow("xyz does not exist. Choose one of eng, fra.");
});

test("files that are missing or wrong are errors", async () => {
  const path = checkpoint("marian.json");
  const marian = () => MarianTokenizer.from_pretrained(path);
  writeFileSync(join(path, "vocab.json"), "[]");
  await expect(marian()).rejects.toThrow(/must hold an object/);
  writeFileSync(join(path, "vocab.json"), '{"</s>": 0}');
  await expect(marian()).rejects.toThrow("<unk> token must be in the vocab");
  rmSync(join(path, "target.spm"));
  await expect(marian()).rejects.toThrow(/Can't load tokenizer/);
});

test("an empty second text is a text, as for Python's tokenizers of this kind", async () => {
  const tokenizer = await load("xlm-prophetnet.json");
  const sep = tokenizer.sep_token_id;
  expect(tokenizer.encode("a", "").slice(-2)).toEqual([sep, sep]);
  expect(tokenizer.encode("a").slice(-2)).not.toEqual([sep, sep]);
});

/** Tensors as lists. */
const lists_of = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, to_lists(value)]));

const { cases: with_entities } = read("entities.json");
test.each<[string, { given: Record<string, unknown>; task: string | null; expected: Record<string, unknown> }[]]>(
  with_entities.map(({ name, calls }: { name: string; calls: [] }) => [name, calls]),
)("%s: texts with entities give Python's fields", async (name, calls) => {
  const path = checkpoint(`${name}.json`);
  for (const { task, given, expected } of calls) {
    const tokenizer = await AutoTokenizer.from_pretrained(path, { task, max_mention_length: 6 });
    const { text, ...options } = given;
    const call = () => tokenizer(text as string, options);
    if (expected["error"]) expect.soft(call, JSON.stringify([task, given])).toThrow();
    else expect.soft(plain(lists_of(call().data)), JSON.stringify([task, given])).toEqual(expected);
  }
  // Characters are counted as JavaScript does, unless asked otherwise.
  const tokenizer = await AutoTokenizer.from_pretrained(path);
  const entity_spans = [[3, 8]];
  const found = tokenizer("😀 Grace", { entity_spans } as object);
  expect(found).toEqual(tokenizer("😀 Grace", { entity_spans: [[2, 7]], offsets_unit: "code_point" } as object));
  expect(() => tokenizer("a", { entity_spans: [[0]] } as object)).toThrow("entity_spans");
  const split = tokenizer("a<s>b", { split_special_tokens: true });
  expect(split.input_ids.slice(1, -1)).not.toContain(tokenizer.bos_token_id);
  expect(tokenizer("a<s>b").input_ids.slice(1, -1)).toContain(tokenizer.bos_token_id);
});

describe("TAPAS: questions about tables", () => {
  const { cases, logits, aggregations, predictions } = read("tables.json");
  const path = temporary();
  cpSync(join(folder, "files", "word_pieces.txt"), join(path, "vocab.txt"));
  const load = (config: object) => TapasTokenizer.from_pretrained(path, { ...config });
  type Call = (table: object, queries: string | string[], options?: object) => BatchEncoding;

  test("calls give Python's fields: rows, columns, ranks, relations and answers", async () => {
    for (const { config, table, queries, options, fields, error } of cases) {
      const tokenizer = (await load(config)) as unknown as Call;
      const what = JSON.stringify([config, queries, options]);
      const call = () => tokenizer(table, queries, options);
      if (error) expect.soft(call, what).toThrow(error.slice(0, 30));
      else expect.soft(plain(lists_of(call().data)), what).toEqual(fields);
    }
  });

  test("rows are as good as columns, and cells that are no texts are named", async () => {
    const tokenizer = (await load({})) as unknown as Call;
    const [{ table, queries, fields }] = cases;
    const names = Object.keys(table);
    const rows = table[names[0]!].map((_: unknown, i: number) =>
      Object.fromEntries(names.map((name) => [name, table[name][i]])),
    );
    expect(plain(lists_of(tokenizer(rows, queries).data))).toEqual(fields);
    expect(() => tokenizer({ a: ["1"], b: [2] }, "?")).toThrow('the cell of row 0 in column "b"');
    expect(() => tokenizer({ a: ["1"] }, "?", { is_split_into_words: true })).toThrow("only supports questions");
    expect(() => tokenizer({ a: ["1"] }, "?", { stride: 2 })).toThrow("an option of TapasTokenizer");
  });

  test("logits become cells", async () => {
    const tokenizer = await load({});
    const data = (tokenizer as unknown as Call)(cases[2].table, ["How many?", "What"], { padding: true }).data;
    expect(tokenizer.convert_logits_to_predictions(data, logits, aggregations, 0.6)).toEqual(predictions);
    expect(tokenizer.convert_logits_to_predictions(data, logits, null, 0.6)).toEqual([predictions[0]]);
  });

  test("save_pretrained writes what loads again", async () => {
    const saved = temporary();
    await (await load({ strip_column_names: true })).save_pretrained(saved);
    const again = (await AutoTokenizer.from_pretrained(saved)) as unknown as Call;
    expect(again({ a: ["1"] }, "?").data).toEqual(
      ((await load({ strip_column_names: true })) as unknown as Call)({ a: ["1"] }, "?").data,
    );
  });
});
