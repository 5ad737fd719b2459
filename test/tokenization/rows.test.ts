// How the classes differ: rows of ids, lists of words, defaults of their slow forms, added tokens of all kinds.
import { describe, expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import type { AddedTokenFlags } from "../../lib/tokenization/added_token.js";
import { AddedToken } from "../../lib/tokenization/index.js";
import { read_fixture, slow_fixture } from "./fixtures.js";

type Ids = number[];
interface Case {
  tokenizer: string;
  /** null where Python has an error. */
  built: (Ids | null)[];
  types: (Ids | null)[];
  masks: (Ids | null)[];
  mask: Ids | null;
  words: Ids[] | null;
  prefixed_words: Ids[] | null;
  clean_up: boolean;
  pad_token_type_id: number;
  added: [counts: number[], flags: Record<string, string>, ids: Ids][] | null;
}
type Given = string | ({ content: string } & Partial<AddedTokenFlags>);
const { rows, added, text, cases } = read_fixture("family_tokenizers", "rows.json") as {
  rows: [Ids, Ids | null][];
  added: Given[];
  text: string;
  cases: Case[];
};

const attempt = <T>(run: () => T): T | null => {
  try {
    return run();
  } catch {
    return null;
  }
};

describe.each(cases)("$tokenizer", async (expected) => {
  const path = slow_fixture(expected.tokenizer);
  const tokenizer = await AutoTokenizer.from_pretrained(path);

  test("puts its own special tokens around rows of ids, with their types and masks", () => {
    for (const [i, [ids, pair]] of rows.entries()) {
      const second = pair ?? undefined;
      const built = tokenizer.build_inputs_with_special_tokens(ids, second);
      const types = tokenizer.create_token_type_ids_from_sequences(ids, second);
      // Python has no more than slips for CodeLlama and Splinter.
      if (expected.built[i]) expect(built, `built ${i}`).toEqual(expected.built[i]);
      if (expected.types[i]) expect(types, `types ${i}`).toEqual(expected.types[i]);
      const mask = attempt(() => tokenizer.get_special_tokens_mask(ids, { token_ids_1: second }));
      expect(mask, `mask ${i}`).toEqual(expected.masks[i]);
    }
    const twelve = Array.from({ length: 12 }, (_, id) => id);
    if (expected.mask)
      expect(tokenizer.get_special_tokens_mask(twelve, { already_has_special_tokens: true })).toEqual(expected.mask);
  });

  test("takes lists of words, or refuses them", async () => {
    const words = { is_split_into_words: true, padding: false };
    const ids_of = (own: typeof tokenizer) => attempt(() => own([["old", "house"]], words).input_ids);
    expect(ids_of(tokenizer)).toEqual(expected.words);
    if (!expected.words) expect(() => tokenizer([["old"]], words)).toThrow(/add_prefix_space=True/);
    if (!expected.prefixed_words) return;
    expect(ids_of(await AutoTokenizer.from_pretrained(path, { add_prefix_space: true }))).toEqual(
      expected.prefixed_words,
    );
  });

  test("has the defaults of Python's class", () => {
    expect(tokenizer.clean_up_tokenization_spaces).toBe(expected.clean_up);
    expect(tokenizer.pad_token_type_id).toBe(expected.pad_token_type_id);
  });

  // Recorded for a class of each kind of model.
  const { added: cases } = expected;
  if (!cases) return;
  test("adds tokens with the flags that they come with", async () => {
    for (const [i, [counts, flags, ids]] of cases.entries()) {
      const own = await AutoTokenizer.from_pretrained(path);
      const tokens = added.map((token) =>
        typeof token === "string" ? token : new AddedToken(token.content, { ...token }),
      );
      expect(tokens.map((token) => own.add_tokens([token], { special_tokens: i === 1 }))).toEqual(counts);
      const found = Object.values(own.added_tokens_decoder).filter((token) => token.content in flags);
      expect(Object.fromEntries(found.map((token) => [token.content, token.repr()]))).toEqual(flags);
      expect(own.encode(text, { add_special_tokens: false })).toEqual(ids);
    }
  });
});
