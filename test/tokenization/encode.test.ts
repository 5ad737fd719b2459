import { describe, expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import { folder_of, NAMES, plain, read_fixture } from "./fixtures.js";

describe.each(NAMES)("%s", async (name) => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder_of(name));
  const { cases, length } = read_fixture("tokenizers", name, "cases.json");

  test("has Python's class and size", () => {
    expect(tokenizer.constructor.name).toBe(read_fixture("tokenizers", name, "cases.json").class);
    expect(tokenizer.length).toBe(length);
  });

  test("encodes and decodes texts as Python does", () => {
    for (const row of cases) {
      if (row.words || row.text_pair !== undefined) continue;
      const text = row.text ?? row.repeat.repeat(row.count);
      const quiet = { verbose: false } as const;
      expect(tokenizer.encode(text, quiet), row.name).toEqual(row.ids);
      if (row.repeat) continue;
      const options = { return_offsets_mapping: true, return_special_tokens_mask: true, ...quiet };
      const encoding = tokenizer(text, { ...options, offsets_unit: "code_point" });
      expect(encoding.tokens(), row.name).toEqual(row.tokens);
      expect(encoding.offset_mapping, row.name).toEqual(row.offsets);
      expect(encoding.word_ids(), row.name).toEqual(row.word_ids);
      expect(encoding.special_tokens_mask, row.name).toEqual(row.special_tokens_mask);
      expect(tokenizer(text, options).offset_mapping, row.name).toEqual(row.offsets_utf16 ?? row.offsets);
      expect(tokenizer.encode(text, { add_special_tokens: false, ...quiet }), row.name).toEqual(
        row.ids_without_special,
      );
      expect(tokenizer.tokenize(text, quiet), row.name).toEqual(row.tokenized);
      expect(tokenizer.decode(row.ids, { clean_up_tokenization_spaces: false }), row.name).toBe(row.decoded);
      const skip = { skip_special_tokens: true };
      expect(tokenizer.decode(row.ids, { ...skip, clean_up_tokenization_spaces: false }), row.name).toBe(
        row.decoded_skip_special,
      );
      expect(tokenizer.decode(row.ids, { ...skip, clean_up_tokenization_spaces: true }), row.name).toBe(
        row.decoded_cleaned,
      );
    }
  });

  test("encodes pairs as Python does", () => {
    for (const row of cases) {
      if (row.text_pair === undefined) continue;
      const encoding = tokenizer(row.text, row.text_pair, {
        return_token_type_ids: true,
        return_special_tokens_mask: true,
      });
      expect(encoding.input_ids).toEqual(row.ids);
      expect(encoding.token_type_ids).toEqual(row.token_type_ids);
      expect(encoding.sequence_ids()).toEqual(row.sequence_ids);
      expect(encoding.special_tokens_mask).toEqual(row.special_tokens_mask);
    }
  });

  test("encodes lists of words as Python does", () => {
    for (const row of cases) {
      if (!row.words) continue;
      const encoding = tokenizer(row.words, {
        is_split_into_words: true,
        return_offsets_mapping: true,
        offsets_unit: "code_point",
      });
      expect(encoding.input_ids).toEqual(row.ids);
      expect(encoding.word_ids()).toEqual(row.word_ids);
      expect(encoding.offset_mapping).toEqual(row.offsets);
    }
  });

  test("decodes any ids as Python does", () => {
    for (const row of read_fixture("tokenizers", name, "decode.json").cases) {
      expect(tokenizer.decode(row.ids, { clean_up_tokenization_spaces: false }), row.ids).toBe(row.decoded);
      const skipped = tokenizer.decode(row.ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false });
      expect(skipped, row.ids).toBe(row.decoded_skip_special);
    }
  });

  test("pads and truncates batches as Python does, with its errors", () => {
    const { texts, cases: batches } = read_fixture("tokenizers", name, "batches.json");
    for (const { kwargs, expected, error } of batches) {
      const what = JSON.stringify(kwargs);
      const call = () => tokenizer(texts, { ...kwargs, verbose: false });
      if (error) expect(call, what).toThrow(error);
      else expect(plain(call()), what).toEqual(expected);
    }
  });
});
