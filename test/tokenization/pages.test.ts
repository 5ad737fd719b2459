// Tokenizers of pages: words with boxes, labels and questions.
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import { to_lists } from "../../lib/tokenization/tensors.js";
import { fixture_path, read_fixture, temporary } from "./fixtures.js";

// biome-ignore lint/suspicious/noExplicitAny: what the fixture has
type Any = any;
const plain = (fields: object) =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, to_lists(value)]));
const { cases } = read_fixture("family_tokenizers", "pages.json") as { cases: Any[] };

describe.each(cases)("$tokenizer", async (expected) => {
  const path = temporary();
  for (const [target, source] of Object.entries<string>(expected.files))
    cpSync(fixture_path("slow_tokenizers", "files", source), join(path, target));
  writeFileSync(join(path, "tokenizer_config.json"), JSON.stringify(expected.config));
  const tokenizer = await AutoTokenizer.from_pretrained(path);

  test("is Python's class, with its special tokens", () => {
    expect(tokenizer.constructor.name).toBe(expected.class);
    expect(tokenizer.length).toBe(expected.length);
    expect(Math.min(tokenizer.model_max_length, 1e9)).toBe(expected.model_max_length);
    expect(tokenizer.special_tokens_map).toEqual(expected.special_tokens_map);
    expect(Object.values(tokenizer.added_tokens_decoder).map((token) => token.repr())).toEqual(expected.flags);
    expect(tokenizer.tokenize("The old", { pair: "house" })).toEqual(expected.tokens);
  });

  test("calls give Python's fields, boxes and labels", () => {
    for (const { text, text_pair, fields, error, ...options } of expected.calls as Any[]) {
      const given = { ...options, offsets_unit: "code_point" };
      const what = JSON.stringify([text, text_pair, options]);
      const call = () => (text_pair ? tokenizer(text, text_pair, given) : tokenizer(text, given));
      if (error) expect(call, what).toThrow(/[Ww]ords|boxes|batch length/);
      else {
        const found = call();
        expect.soft(Object.keys(found), what).toEqual(Object.keys(fields));
        expect.soft(plain(found), what).toEqual(fields);
      }
    }
  });

  test("encode_plus, pad, decode and targets", () => {
    const { text, boxes, fields } = expected.encode_plus;
    expect(plain(tokenizer.encode_plus(text, { boxes }))).toEqual(fields);
    expect(plain(tokenizer.batch_encode_plus([text], { boxes: [boxes] }))).toEqual(
      Object.fromEntries(Object.entries(fields).map(([key, row]) => [key, [row]])),
    );
    const batch = (expected.calls as Any[]).find((call) => call.word_labels && call.text.length === 2);
    const rows = [0, 1].map((i) => {
      const [boxes, word_labels] = [batch.boxes[i], batch.word_labels[i]];
      return tokenizer(batch.text[i], { boxes, word_labels }).data;
    });
    expect(plain(tokenizer.pad(rows, { padding_side: "left" }))).toEqual(expected.padded);
    expect(tokenizer.decode(rows[0]!["input_ids"] as number[])).toBe(expected.decoded);
    if (expected.target)
      expect(plain(tokenizer(text, { boxes, text_target: "old house" }))).toEqual(expected.target.fields);
  });

  test("wrong arguments are errors", () => {
    const boxes = [[0, 0, 1, 1]];
    expect(() => tokenizer(["a"], { boxes, word_labels: [1, 2] })).toThrow("as many words as there are labels");
    expect(() => tokenizer([1] as Any, { boxes })).toThrow(/strings/);
    expect(() => tokenizer(["a"], { boxes, no_such_option: 1 } as Any)).toThrow("no_such_option");
  });
});

describe("MarkupLM", async () => {
  const [expected] = (read_fixture("family_tokenizers", "markup.json") as { cases: Any[] }).cases;
  const path = temporary();
  for (const [target, source] of Object.entries<string>(expected.files))
    cpSync(fixture_path("slow_tokenizers", "files", source), join(path, target));
  writeFileSync(join(path, "tokenizer_config.json"), JSON.stringify(expected.config));
  const tokenizer = await AutoTokenizer.from_pretrained(path);

  test("is Python's class, with its special tokens and its ends of texts", () => {
    expect(tokenizer.constructor.name).toBe(expected.class);
    expect(tokenizer.special_tokens_map).toEqual(expected.special_tokens_map);
    expect(Object.values(tokenizer.added_tokens_decoder).map((token) => token.repr())).toEqual(expected.flags);
    expect(tokenizer.component("post_processor")).toEqual(expected.post_processor);
  });

  test("calls give Python's fields, paths and labels", () => {
    for (const { text, text_pair, fields, error, ...options } of expected.calls as Any[]) {
      const given = { ...options, offsets_unit: "code_point" };
      const what = JSON.stringify([text, text_pair, options]);
      const call = () => (text_pair ? tokenizer(text, text_pair, given) : tokenizer(text, given));
      if (error) {
        expect.soft(call, what).toThrow(error.slice(0, 40));
        continue;
      }
      const found = call();
      expect.soft(Object.keys(found), what).toEqual(Object.keys(fields));
      expect.soft(plain(found), what).toEqual(fields);
    }
  });

  test("rows are padded with labels and paths, and what is saved loads again", async () => {
    const [nodes, few] = [expected.calls[2].text[0], expected.calls[2].text[1]];
    const [paths, path_of_few] = expected.calls[2].xpaths;
    const rows = [
      tokenizer(nodes, { xpaths: paths, node_labels: [0, 1, 2, 3] } as object),
      tokenizer(few, { xpaths: path_of_few, node_labels: [4] } as object),
    ];
    expect(plain(tokenizer.pad(rows.map(({ data }) => data)))).toEqual(expected.padded);
    const folder = temporary();
    await tokenizer.save_pretrained(folder);
    expect(JSON.parse(readFileSync(join(folder, "tokenizer_config.json"), "utf8"))).toEqual(expected.saved);
    const again = await AutoTokenizer.from_pretrained(folder);
    expect(plain(again(nodes, { xpaths: paths } as object))).toEqual(expected.calls[0].fields);
    expect(() => again(nodes, { xpaths: ["/a[x]", ...paths.slice(1)] } as object)).toThrow("xpath");
  });
});
