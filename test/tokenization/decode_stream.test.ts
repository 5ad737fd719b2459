import { describe, expect, test } from "vitest";
import { AutoTokenizer } from "../../lib/auto/tokenizer.js";
import { folder_of, NAMES, read_fixture } from "./fixtures.js";

/** A small generator of numbers below `limit`, the same in every run. */
function* numbers(limit: number, seed = 7): Generator<number> {
  for (let state = seed; ; ) {
    state = (state * 1103515245 + 12345) % 2147483648;
    yield Math.floor((state / 2147483648) * limit);
  }
}

describe.each(NAMES)("DecodeStream of %s", async (name) => {
  const tokenizer = await AutoTokenizer.from_pretrained(folder_of(name));

  function stream(ids: number[], options: object): string[] {
    const stream = tokenizer.decode_stream(options);
    return [...ids.map((id) => stream.push(id)), stream.end()];
  }

  test("gives, joined, what decode gives, for texts and for random ids", () => {
    const random = numbers(tokenizer.length);
    const rows: number[][] = read_fixture("tokenizers", name, "cases.json").cases.map(
      (row: { ids: number[] }) => row.ids,
    );
    for (let i = 0; i < 200; i++) rows.push(Array.from({ length: 30 }, () => random.next().value as number));
    for (const ids of rows) {
      for (const skip_special_tokens of [true, false]) {
        for (const clean_up_tokenization_spaces of [true, false]) {
          const options = { skip_special_tokens, clean_up_tokenization_spaces };
          expect(stream(ids, options).join(""), ids.join()).toBe(tokenizer.decode(ids, options));
        }
      }
    }
  });

  test("never gives a part of a character", () => {
    const text = "naïve 😀👍🏽 日本語 ½ שלום";
    const parts = stream(tokenizer.encode(text, { add_special_tokens: false }), {});
    for (const part of parts) expect(part).not.toContain("\ufffd");
    expect(parts.join("")).toBe(tokenizer.decode(tokenizer.encode(text, { add_special_tokens: false })));
  });

  test("gives text as soon as it is certain, and can be used again", () => {
    const ids = tokenizer.encode("The teacher remembers two hundred words", { add_special_tokens: false });
    const own = tokenizer.decode_stream({ clean_up_tokenization_spaces: false });
    const first = ids.map((id) => own.push(id));
    expect(first.filter((part) => part !== "").length).toBeGreaterThan(ids.length / 2);
    own.end();
    expect(own.push(ids) + own.end()).toBe(tokenizer.decode(ids, { clean_up_tokenization_spaces: false }));
  });

  test("keeps its window short on a long run of broken bytes", () => {
    const broken = tokenizer.convert_tokens_to_ids(name.startsWith("llama2") ? "<0xFF>" : "ÿ")!;
    const ids = new Array<number>(300).fill(broken);
    expect(stream(ids, {}).join("")).toBe(tokenizer.decode(ids));
  });
});
