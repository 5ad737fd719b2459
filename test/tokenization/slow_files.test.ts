import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import type { PreTrainedTokenizerFast } from "../../lib/tokenization/index.js";
import { MBartTokenizer } from "../../lib/tokenization/index.js";
import { core_of, fixture_path, read_fixture, slow_checkpoint, slow_fixture, temporary } from "./fixtures.js";

type Json = Record<string, unknown>;

const folder = fixture_path("slow_tokenizers");
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".json") && file !== "precompiled.json")
  .map((file) => file.replace(".json", ""));

/** Of a tokenizer.json what the fixtures keep. */
function parts(tokenizer: PreTrainedTokenizerFast): Json {
  const content = core_of(tokenizer);
  const { vocab: _vocab, merges: _merges, ...model } = content.model;
  return { ...content, model };
}

describe.each(names)("a checkpoint without tokenizer.json: %s", async (name) => {
  const expected = read_fixture("slow_tokenizers", `${name}.json`);
  const tokenizer = await AutoTokenizer.from_pretrained(slow_fixture(name));

  test("is converted as Python converts it", () => {
    expect(tokenizer.constructor.name).toBe(expected.class);
    expect(parts(tokenizer)).toEqual(expected.tokenizer_json);
    expect([tokenizer.length, tokenizer.vocab_size]).toEqual([expected.length, expected.vocab_size]);
    expect(tokenizer.all_special_tokens).toEqual(expected.special_tokens);
  });

  test("gives Python's ids, offsets, types and texts", () => {
    for (const row of expected.cases) {
      const encoded = tokenizer(row.text, row.text_pair ?? null, {
        padding: false,
        return_offsets_mapping: true,
        offsets_unit: "code_point",
      });
      const found: Json = {
        ids: encoded.input_ids,
        offsets: encoded.offset_mapping,
        decoded: tokenizer.decode(row.ids, { clean_up_tokenization_spaces: false }),
      };
      if ("type_ids" in row) found["type_ids"] = encoded[0].type_ids;
      for (const [key, value] of Object.entries(found)) expect(value, `${key} of ${row.name}`).toEqual(row[key]);
    }
  });
});

test("a converted tokenizer is saved with its model file, and loads again", async () => {
  const tokenizer = await AutoTokenizer.from_pretrained(slow_fixture("t5"));
  const path = temporary();
  const files = await tokenizer.save_pretrained(path);
  expect(files.map((file) => file.slice(path.length + 1))).toContain("spiece.model");
  const again = await AutoTokenizer.from_pretrained(path);
  expect(again._tokenizer.to_json(false)).toBe(tokenizer._tokenizer.to_json(false));
  expect(again.all_special_tokens).toEqual(tokenizer.all_special_tokens);
});

describe("mBART's languages", async () => {
  const tokenizer = (await MBartTokenizer.from_pretrained(slow_fixture("mbart"), {
    src_lang: "fr_XX",
    tgt_lang: "de_DE",
  })) as InstanceType<typeof MBartTokenizer> & { src_lang: string; tgt_lang: string | null };
  const last = (ids: unknown) => tokenizer.convert_ids_to_tokens((ids as number[]).slice(-2));

  test("end the text and the target", () => {
    const encoding = tokenizer._call("Le chat", { text_target: "Der Fluss" });
    expect(last(encoding["input_ids"])).toEqual(["</s>", "fr_XX"]);
    expect(last(encoding["labels"])).toEqual(["</s>", "de_DE"]);
    tokenizer.src_lang = "en_XX";
    expect(last(tokenizer.encode("The cat"))).toEqual(["</s>", "en_XX"]);
    expect(last(tokenizer.build_inputs_with_special_tokens([7, 8]))).toEqual(["</s>", "en_XX"]);
  });

  test("that it does not know are TypeErrors", () => {
    expect(() => {
      tokenizer.src_lang = "xx_XX";
    }).toThrow("the code of a language");
    tokenizer.tgt_lang = null;
    expect(() => tokenizer._call(null, { text_target: "a" })).toThrow("tgt_lang");
  });
});

describe("a broken file", () => {
  const t5 = (bytes: Uint8Array) => {
    const path = slow_checkpoint({}, { tokenizer_class: "T5Tokenizer" });
    writeFileSync(join(path, "spiece.model"), bytes);
    return AutoTokenizer.from_pretrained(path);
  };
  const model = readFileSync(join(folder, "files", "nmt_nfkc.model"));
  const field = (number: number, wire: number, ...bytes: number[]) => [(number << 3) | wire, ...bytes];
  const size = (n: number) => (n < 128 ? [n] : [(n & 127) | 128, n >> 7]);
  const piece = (...bytes: number[]) => field(1, 2, ...size(bytes.length), ...bytes);
  const named = (text: string, ...rest: number[]) =>
    piece(...field(1, 2, ...size(text.length), ...Buffer.from(text)), ...rest);
  const unknown = named("<unk>", ...field(3, 0, 2));

  test.each<[string, number[], RegExp]>([
    ["is empty", [], /no piece for what is unknown/],
    ["ends within a number", [0x80], /ends within a number/],
    ["has a number without end", new Array(11).fill(0x80), /more than 10 bytes/],
    ["claims 2 GB", [0x0a, 0xff, 0xff, 0xff, 0xff, 0x07], /a field of 2147483647 bytes where 0 are left/],
    ["claims 2^64 bytes", [0x0a, ...new Array(9).fill(0xff), 0x01], /bytes where 0 are left/],
    ["has a group", field(1, 3), /wire type 3/],
    ["has an unknown wire type", field(1, 7), /wire type 7/],
    ["has a field without number", [0x02, 0], /a field of number 0/],
    ["has a number for a piece", field(1, 0, 5), /field 1 of the model must be data/],
    ["has a piece whose text is a number", piece(...field(1, 0, 5)), /field 1 of piece 0 must be data/],
    ["has a piece that is not UTF-8", piece(...field(1, 2, 1, 0xff)), /field 1 of piece 0 must be UTF-8/],
    ["has a score of 8 bytes", named("a", ...field(2, 1, 0, 0, 0, 0, 0, 0, 0, 0)), /a number of 4 bytes/],
    ["has a score that is no number", named("a", ...field(2, 5, 0, 0, 0xc0, 0x7f)), /a finite number/],
    ["has an empty piece", piece(), /piece 0 is empty/],
    ["has a piece twice", [...named("a"), ...named("a"), ...unknown], /"a" is there twice/],
    ["has no unknown piece", named("a"), /no piece for what is unknown/],
    ["is a word model", [...unknown, ...named("</s>"), ...field(2, 2, 2, ...field(3, 0, 3))], /Unigram or BPE/],
    ["has a BPE piece of 513 characters", [...unknown, ...named("</s>"), ...named("a".repeat(513)), ...field(2, 2, 2, ...field(3, 0, 2))], /more than 512 characters/],
    ["lacks the end of a text", unknown, /no token "<\/s>"/],
    ["has an unk_id behind the vocabulary", [...unknown, ...named("</s>"), ...field(2, 2, 4, 0xc0, 0x02, 0xff, 0x7f)], /unk_id/],
    ["has a broken character map", [...unknown, ...named("</s>"), ...field(3, 2, 4, ...field(2, 2, 2, 1, 2))], /precompiled_charsmap/],
  ])("that %s is an error", async (_, bytes, message) => {
    await expect(t5(Uint8Array.from(bytes))).rejects.toThrow(message);
  }); // biome-ignore format: a table

  test("that is cut off anywhere is an error", async () => {
    for (const end of [1, 2, 5, 100, 1001, model.length - 1])
      await expect(t5(model.subarray(0, end))).rejects.toThrow();
  });

  test.each<[string, string, Json, RegExp]>([
    ["vocab.txt without the tokens at the ends", "BertTokenizer", { "vocab.txt": "a\nb\n" }, /no token "\[CLS\]"/],
    ["vocab.json that is no JSON", "GPT2Tokenizer", { "vocab.json": "{", "merges.txt": "" }, /vocab.json is not JSON/],
    ["vocab.json that is a list", "GPT2Tokenizer", { "vocab.json": "[]", "merges.txt": "" }, /must hold an object/],
    ["merges.txt with three tokens", "GPT2Tokenizer", { "vocab.json": '{"a":0}', "merges.txt": "#version\na b c\n" }, /two tokens in merge 1/],
    ["vocab.txt of a class that needs a package of Python", "RoFormerTokenizer", { "vocab.txt": "a\n" }, /RoFormerTokenizer is not supported: .* rjieba/],
    ["vocab.json of a class with another way", "GPTNeoXTokenizer", { "vocab.json": "{}", "merges.txt": "" }, /Can't load tokenizer/],
  ])("%s is an error", async (_, tokenizer_class, files, message) => {
    const path = slow_checkpoint({}, { tokenizer_class });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), String(content));
    await expect(AutoTokenizer.from_pretrained(path)).rejects.toThrow(message);
  }); // biome-ignore format: a table
});
