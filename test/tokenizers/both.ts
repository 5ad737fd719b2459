// Runs a program with the npm package `tokenizers` and with ours, which must give the same.
import { createRequire } from "node:module";
import { expect } from "vitest";
import * as ours from "../../lib/tokenizers/index.js";

export type Package = typeof ours;
type Encoding = ours.Encoding;

/** The package that ours stands in for, under our types: it takes and gives the same. */
export const npm = createRequire(import.meta.url)("tokenizers") as Package;
export { ours };

/** All that is to know of an encoding, and of the first `parts` that truncation cut off. */
export function fields(encoding: Encoding, parts = 0): Record<string, unknown> {
  const tokens = Array.from({ length: encoding.getLength() + 2 }, (_, i) => i);
  const characters = Array.from({ length: 12 }, (_, i) => i);
  const sequences = [0, 1, 7];
  return {
    length: encoding.getLength(),
    n_sequences: encoding.getNSequences(),
    ids: encoding.getIds(),
    type_ids: encoding.getTypeIds(),
    attention_mask: encoding.getAttentionMask(),
    special_tokens_mask: encoding.getSpecialTokensMask(),
    tokens: encoding.getTokens(),
    offsets: encoding.getOffsets(),
    word_ids: encoding.getWordIds(),
    sequence_ids: encoding.getSequenceIds(),
    token_to_word: tokens.map((token) => encoding.tokenToWord(token)),
    token_to_chars: tokens.map((token) => encoding.tokenToChars(token)),
    token_to_sequence: tokens.slice(0, -2).map((token) => encoding.tokenToSequence(token)),
    char_to_token: sequences.map((sequence) => characters.map((pos) => encoding.charToToken(pos, sequence))),
    char_to_word: sequences.map((sequence) => characters.map((pos) => encoding.charToWord(pos, sequence))),
    word_to_tokens: sequences.map((sequence) => characters.map((word) => encoding.wordToTokens(word, sequence))),
    word_to_chars: sequences.map((sequence) => characters.map((word) => encoding.wordToChars(word, sequence))),
    ...(parts && {
      overflowing: encoding.getOverflowing().map((part, i) => (i < parts ? fields(part) : part.getIds())),
    }),
  };
}

async function run(program: (tokenizers: Package) => unknown, tokenizers: Package): Promise<unknown> {
  try {
    return { gives: await program(tokenizers) };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { throws: true };
  }
}

/** Where two values differ, and in what: short where vitest's own report would have thousands of lines. */
function difference(ours: unknown, theirs: unknown, path = ""): string | null {
  if (ours === theirs || (ours === null && theirs === undefined)) return null;
  // The package reads JSON's numbers with an error in the last digit.
  if (typeof ours === "number" && typeof theirs === "number" && Math.abs(ours - theirs) < 1e-12) return null;
  if (typeof ours !== "object" || typeof theirs !== "object" || ours === null || theirs === null)
    return `${path}: ${JSON.stringify(ours)} instead of ${JSON.stringify(theirs)}`;
  for (const key of Object.keys({ ...ours, ...theirs })) {
    const found = difference(ours[key as keyof object], theirs[key as keyof object], `${path}/${key}`);
    if (found) return found;
  }
  return null;
}

/** The program gives with ours what it gives with the package, or throws with both. Returns what it gave. */
export async function same(program: (tokenizers: Package) => unknown, message?: string): Promise<unknown> {
  const theirs = await run(program, npm);
  const found = difference(await run(program, ours), theirs);
  if (found) expect.fail(`${message ?? "ours and the package"} differ at ${found}`);
  return (theirs as { gives?: unknown }).gives;
}

/** Both packages give the same, and neither throws. */
export async function same_result(program: (tokenizers: Package) => unknown, message?: string): Promise<void> {
  const given = await same(program, message);
  if (given === undefined) expect.fail(`${message ?? "the program"}: both give nothing, or throw`);
}
