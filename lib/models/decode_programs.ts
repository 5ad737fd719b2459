// Which programs generate() runs: each computes a fixed number of tokens, and the native loop cuts its batches to fit.

/** Tokens that a program computes, and of how many it gives logits. */
export interface DecodeSize {
  tokens: number;
  outputs: number;
  /** Optional inputs that it reads. */
  given?: readonly string[];
}

const LONGEST = 512;
/** Up to here the logits of all tokens are computed; in longer pieces of prompts those of this many. */
const FEW = 16;
/** Rows for which a program of just their number is made: as rows end, each number below comes up too. */
const EXACT = 32;
const MOST_ROWS = 128;

/** The sizes for `rows` rows at a time, after prompts of `tokens` tokens altogether. */
export function decode_sizes(rows: number, tokens: number): DecodeSize[] {
  const whole = new Set<number>();
  for (let count = 1; count <= Math.min(rows, EXACT); count++) whole.add(count);
  for (let count = 1; count <= FEW || count < rows; count *= 2) if (count <= MOST_ROWS) whole.add(count);
  whole.add(Math.min(rows, MOST_ROWS));
  const sizes = Array.from(whole, (count) => ({ tokens: count, outputs: count }));
  for (let count = 2 * FEW; count <= LONGEST; count *= 2) {
    sizes.push({ tokens: count, outputs: FEW });
    if (count >= tokens) break;
  }
  return sizes;
}
