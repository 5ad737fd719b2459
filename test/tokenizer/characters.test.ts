// Every character of Unicode through the parts that look at properties of characters, as in the Rust tokenizers.
import * as rust from "tokenizers";
import { expect, it } from "vitest";
import * as ours from "../../lib/tokenizers/index.js";

/** Planes 0 to 3 without surrogates, and the tags: no other characters are assigned. */
const RANGES = [
  [0, 0xd800],
  [0xe000, 0x32000],
  [0xe0000, 0xe0200],
] as const;

/** Strings with all characters, each between two letters. */
function* texts(): Generator<string> {
  for (const [begin, end] of RANGES) {
    for (let first = begin; first < end; first += 256)
      yield Array.from({ length: 256 }, (_, i) => `a${String.fromCodePoint(first + i)}`).join("");
  }
}

function expect_same(mine: (text: string) => unknown, theirs: (text: string) => unknown): void {
  for (const text of texts()) expect(JSON.stringify(mine(text)), text).toBe(JSON.stringify(theirs(text)));
}

it.each([
  ["nfcNormalizer", ours.nfcNormalizer(), rust.nfcNormalizer()],
  ["nfdNormalizer", ours.nfdNormalizer(), rust.nfdNormalizer()],
  ["nfkcNormalizer", ours.nfkcNormalizer(), rust.nfkcNormalizer()],
  ["nfkdNormalizer", ours.nfkdNormalizer(), rust.nfkdNormalizer()],
  ["stripAccentsNormalizer", ours.stripAccentsNormalizer(), rust.stripAccentsNormalizer()],
  ["bertNormalizer", ours.bertNormalizer(), rust.bertNormalizer()],
])("%s changes every character as Rust does", (_, mine, theirs) => {
  expect_same(
    (text) => mine.normalizeString(text),
    (text) => theirs.normalizeString(text),
  );
});

it.each([
  ["whitespacePreTokenizer", ours.whitespacePreTokenizer(), rust.whitespacePreTokenizer()],
  ["whitespaceSplitPreTokenizer", ours.whitespaceSplitPreTokenizer(), rust.whitespaceSplitPreTokenizer()],
  ["punctuationPreTokenizer", ours.punctuationPreTokenizer(), rust.punctuationPreTokenizer()],
  ["digitsPreTokenizer", ours.digitsPreTokenizer(true), rust.digitsPreTokenizer(true)],
  ["bertPreTokenizer", ours.bertPreTokenizer(), rust.bertPreTokenizer()],
])("%s splits at every character as Rust does", (_, mine, theirs) => {
  expect_same(
    (text) => mine.preTokenizeString(text),
    (text) => theirs.preTokenizeString(text),
  );
});
