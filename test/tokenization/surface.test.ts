import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import { AddedToken } from "../../lib/tokenization/added_token.js";
import type { PreTrainedTokenizerFast } from "../../lib/tokenization/fast.js";
import { folder_of, NAMES, plain, read_fixture, temporary } from "./fixtures.js";

function attributes(tokenizer: PreTrainedTokenizerFast) {
  return {
    class: tokenizer.constructor.name,
    length: tokenizer.length,
    vocab_size: tokenizer.vocab_size,
    padding_side: tokenizer.padding_side,
    truncation_side: tokenizer.truncation_side,
    model_input_names: tokenizer.model_input_names,
    special_tokens_map: tokenizer.special_tokens_map,
    all_special_tokens: tokenizer.all_special_tokens,
    all_special_ids: tokenizer.all_special_ids,
    pad_token_id: tokenizer.pad_token_id,
    eos_token_id: tokenizer.eos_token_id,
    added_tokens_encoder: tokenizer.added_tokens_encoder,
    special_to_add: [false, true].map((pair) => tokenizer.num_special_tokens_to_add(pair)),
    unknown_id: tokenizer.convert_tokens_to_ids("no such token"),
    unknown_token: tokenizer.convert_ids_to_tokens(tokenizer.length + 7),
  };
}

async function saved_texts(tokenizer: PreTrainedTokenizerFast, names: string[]) {
  const folder = temporary();
  await tokenizer.save_pretrained(folder);
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

/** Python says "error" as text in a result's place. */
function expect_call(call: () => object, expected: { error?: string }, what: string) {
  if (!expected.error) expect(plain(call()), what).toEqual(expected);
  else if (/is not a valid/.test(expected.error)) expect(call, what).toThrow(TypeError);
  else expect(call, what).toThrow(expected.error.replace("Truncation error: ", ""));
}

describe.each(NAMES)("%s", async (name) => {
  const load = (options = {}) => AutoTokenizer.from_pretrained(folder_of(name), options);
  const tokenizer = await load();
  const fixture = Object.fromEntries(read_fixture("tokenizer_surface", `${name}.json`).fields);
  const { text, pair } = fixture;

  test("has Python's attributes and prints as Python does", () => {
    expect(attributes(tokenizer)).toEqual(fixture.attributes);
    expect(String(tokenizer).replace(folder_of(name), "FOLDER")).toBe(fixture.repr);
  });

  test("aligns tokens, words and characters as Python does", () => {
    const encoding = tokenizer(text, pair, { offsets_unit: "code_point" });
    const { alignment } = fixture;
    const tokens = encoding.tokens().map((_: string, i: number) => i);
    const words = [...new Set(encoding.word_ids().filter((word: number | null) => word !== null))].sort(
      (a, b) => a! - b!,
    ) as number[];
    const chars = [text, pair].map((part) => Array.from(part as string, (_, i) => i));
    expect({
      tokens: encoding.tokens(),
      word_ids: encoding.word_ids(),
      sequence_ids: encoding.sequence_ids(),
      token_to_sequence: tokens.map((t: number) => encoding.token_to_sequence(0, t)),
      token_to_word: tokens.map((t: number) => encoding.token_to_word(0, t)),
      token_to_chars: tokens.map((t: number) => encoding.token_to_chars(0, t)),
      word_to_tokens: [0, 1].map((s) => words.map((w) => encoding.word_to_tokens(0, w, s))),
      word_to_chars: words.map((w) => encoding.word_to_chars(0, w, 0)).filter((span) => span !== null),
      char_to_token: chars.map((list, s) => list.map((c) => encoding.char_to_token(0, c, s))),
      char_to_word: chars.map((list, s) => list.map((c) => encoding.char_to_word(0, c, s))),
    }).toEqual(alignment);
  });

  test("gives Python's results and errors for single texts, pairs and batches", () => {
    for (const { kwargs, single, pair: of_pair, batch } of fixture.calls) {
      const options = { ...kwargs, offsets_unit: "code_point", verbose: false };
      const what = JSON.stringify(kwargs);
      expect_call(() => tokenizer(text, options), single, what);
      expect_call(() => tokenizer(text, pair, options), of_pair, `pair ${what}`);
      expect_call(() => tokenizer([text, pair], [pair, text], options), batch, `batch ${what}`);
    }
  });

  test("pads encoded inputs as Python does", () => {
    const rows = [text, pair].map((part) => tokenizer(part).input_ids);
    for (const { kwargs, expected, error } of fixture.padded) {
      const call = () => tokenizer.pad({ input_ids: rows }, kwargs);
      if (error) expect(call).toThrow(error);
      else expect(plain(call())).toEqual(expected);
    }
  });

  test("prepares ids for a model as Python does", () => {
    for (const { kwargs, ids, pair_ids, single, pair: of_pair } of fixture.prepared) {
      const options = { ...kwargs, verbose: false };
      const what = JSON.stringify(kwargs);
      expect_call(() => tokenizer.prepare_for_model(ids, null, options), single, what);
      expect_call(() => tokenizer.prepare_for_model(ids, pair_ids, options), of_pair, `pair ${what}`);
    }
  });

  test("adds tokens as Python does, and saves them as Python does", async () => {
    const { text: sample, steps, saved } = fixture.extended;
    const own = await load();
    for (const step of steps) {
      const given = Array.isArray(step.given)
        ? step.given.map((token: string | { content: string }) =>
            typeof token === "string" ? token : AddedToken.from(token),
          )
        : step.given;
      const added =
        step.method === "add_tokens" ? own.add_tokens(given, step.kwargs) : own.add_special_tokens(given, step.kwargs);
      expect(added, step.method).toBe(step.added);
      const ids = own(sample).input_ids;
      expect(ids).toEqual(step.ids);
      expect(own.length).toBe(step.length);
      expect(own.tokenize(sample)).toEqual(step.tokens);
      expect(own.decode(ids, { skip_special_tokens: true })).toBe(step.decoded);
      expect(own.additional_special_tokens).toEqual(step.additional);
    }
    expect(await saved_texts(own, Object.keys(saved.texts))).toEqual(saved.texts);
  });

  test("saves the files that Python saves, and loads them again", async () => {
    const folder = temporary();
    const paths = await tokenizer.save_pretrained(folder);
    expect((await readdir(folder)).sort()).toEqual(fixture.saved.names);
    expect(paths.map((path) => path.slice(folder.length + 1)).sort()).toEqual(fixture.saved.names);
    for (const [file, content] of Object.entries(fixture.saved.texts))
      expect(readFileSync(join(folder, file), "utf8"), file).toBe(content);
    for (const file of ["vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja"]) {
      if (fixture.saved.names.includes(file))
        expect(readFileSync(join(folder, file))).toEqual(readFileSync(join(folder_of(name), file)));
    }
    const again = await AutoTokenizer.from_pretrained(folder);
    expect(attributes(again)).toEqual(fixture.attributes);
    expect(again(text, pair).input_ids).toEqual(tokenizer(text, pair).input_ids);
  });

  test("takes keywords when loading as Python does", async () => {
    for (const row of fixture.loaded) {
      const what = JSON.stringify(row.kwargs);
      if (row.error) continue;
      const own = await load(row.kwargs);
      expect(attributes(own), what).toEqual(row.attributes);
      const encoded = own(row.text, { truncation: true, max_length: 12 });
      expect(plain(encoded), what).toEqual(row.encoded);
      expect(own.decode(encoded.input_ids), what).toBe(row.decoded);
      expect(await saved_texts(own, Object.keys(row.saved)), what).toEqual(row.saved);
    }
  });
});

// As Python does: tokenizer_config.json's added tokens are added again, and those with a role are special.
test("a special token that was added as an ordinary one is special again after loading", async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder_of("gpt2"));
  const id = tokenizer.eos_token_id!;
  tokenizer.add_tokens([new AddedToken(tokenizer.eos_token!, { normalized: false, special: false })]);
  expect(tokenizer.added_tokens_decoder[id]!.special).toBe(false);
  const folder = temporary();
  await tokenizer.save_pretrained(folder);
  const again = await AutoTokenizer.from_pretrained(folder);
  expect(again.added_tokens_decoder[id]!.special).toBe(true);
  expect(again.decode(again.encode("a<|endoftext|>"), { skip_special_tokens: true })).toBe("a");
});
