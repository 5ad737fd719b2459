// `token_healing`: the last token of a prompt may have cut a longer one short; it is chosen anew among those that go on from it.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/utils.py `heal_tokens`
import { expected } from "../errors.js";

/** What is needed of a tokenizer. */
interface Healer {
  bos_token_id: number | null | undefined;
  pad_token_id: number | null | undefined;
  batch_decode(ids: ArrayLike<number>[], options: object): string[];
  decode(ids: number[]): string;
  get_vocab(): Record<string, number>;
  convert_tokens_to_ids(token: string): number | null;
  convert_ids_to_tokens(id: number): string;
  (texts: string[], options: object): { input_ids: number[][] };
}

/** Makes one token after `ids`, where these tokens are favoured. */
export type ChooseNext = (ids: number[], sequence_bias: [number[], number][]) => Promise<number[]>;

/**
 * The prompts, tokenized anew and healed; padded on the tokenizer's side to one length.
 * @throws TypeError without a tokenizer, with Python's text.
 */
export async function heal_tokens(ids: Int32Array[], tokenizer: unknown, choose: ChooseNext): Promise<Int32Array[]> {
  if (!tokenizer)
    throw new TypeError(
      " When generating with token healing, you must pass the model's tokenizer to the `tokenizer` argument of `generate`.",
    );
  const healer = tokenizer as Healer;
  if (typeof healer.get_vocab !== "function") throw expected("the model's tokenizer", "tokenizer", tokenizer);
  const { bos_token_id: bos, pad_token_id: pad } = healer;
  const texts = healer.batch_decode(ids, { skip_special_tokens: true }).map((text) => text.trim());
  const rows = healer(texts, { padding: true }).input_ids.map((row) =>
    row.map((id) => (id === bos ? (pad ?? id) : id)),
  );
  if (rows[0].length === 0) return rows.map((row) => Int32Array.from(row));

  const vocabulary = Object.keys(healer.get_vocab());
  const space = healer.convert_tokens_to_ids(" ");
  const space_token = space === null ? undefined : [...healer.convert_ids_to_tokens(space)][0];
  for (const [i, row] of rows.entries()) {
    if (row.every((id) => id === pad)) continue;
    const tail_id = row[row.length - 1];
    const text = healer.decode([tail_id]);
    const tail = space_token === undefined ? text : text.replaceAll(" ", space_token);
    const bias = new Map<number, number>();
    for (const token of extensions(vocabulary, tail)) {
      const id = healer.convert_tokens_to_ids(token);
      if (id !== null) bias.set(id, 10);
    }
    // Nothing to heal with; a tail that is not among its own extensions ends in a KeyError in Python.
    if (bias.size <= 1 || !bias.has(tail_id)) continue;
    bias.set(tail_id, 11);
    const trimmed = row.slice(0, -1);
    if (trimmed.length === 0) continue;
    if (row.filter((id) => id !== pad).length === 1 && typeof bos === "number") trimmed[trimmed.length - 1] = bos;
    rows[i] = await choose(
      trimmed,
      Array.from(bias, ([id, value]) => [[id], value]),
    );
  }
  return rows.map((row) => Int32Array.from(row));
}

/** What a trie of the vocabulary gives below a prefix: below as much of it as there is, as Python's ExtensionsTrie. */
function extensions(vocabulary: string[], prefix: string): string[] {
  const characters = [...prefix];
  let known = "";
  for (const character of characters) {
    if (!vocabulary.some((token) => token.startsWith(known + character))) break;
    known += character;
  }
  return vocabulary.filter((token) => token.startsWith(known)).map((token) => prefix + token.slice(known.length));
}
