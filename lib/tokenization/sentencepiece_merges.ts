import { TransformersError } from "../errors.js";

/** All splits of a piece are tried; real ones have 16 characters or a few dozen. */
const LONGEST_PIECE = 512;

/**
 * The merges that the scores of a SentencePiece BPE model stand for: every split of a piece into two that `ids` knows,
 * by the piece's score, best first (`generate_merges` of convert_slow_tokenizer.py). Lengths count code points.
 */
export function merges_of(
  ids: ReadonlyMap<string, number>,
  scores: Iterable<readonly [piece: string, score: number]>,
): [string, string][] {
  const merges: { pair: [string, string]; lengths: [number, number]; score: number }[] = [];
  const id = (token: string) => ids.get(token)!;
  for (const [piece, score] of scores) {
    if (piece.length > LONGEST_PIECE)
      throw new TransformersError(
        `A piece of the BPE model has more than ${LONGEST_PIECE} characters`,
        "tokenizer_invalid",
      );
    const characters = [...piece];
    const ways: typeof merges = [];
    let left = "";
    for (let i = 1; i < characters.length; i++) {
      left += characters[i - 1];
      const right = piece.slice(left.length);
      if (ids.has(left) && ids.has(right))
        ways.push({ pair: [left, right], lengths: [i, characters.length - i], score });
    }
    ways.sort((a, b) => id(a.pair[0]) - id(b.pair[0]) || id(a.pair[1]) - id(b.pair[1]));
    merges.push(...ways);
  }
  merges.sort((a, b) => b.score - a.score || b.lengths[0] - a.lengths[0] || b.lengths[1] - a.lengths[1]);
  return merges.map(({ pair }) => pair);
}
