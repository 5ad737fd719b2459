// Field-by-field comparison with the npm package `tokenizers`, the Rust original.
import { Tokenizer as Rust } from "tokenizers";

const pairs = (flat) => Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i], flat[2 * i + 1]]);
const or_null = (ids) => Array.from(ids, (id) => (id < 0 ? null : id));

const fields = (encoding) => ({
  ids: [...encoding.ids],
  tokens: encoding.tokens,
  offsets: pairs(encoding.offsets("code_point")),
  word_ids: or_null(encoding.word_ids),
  sequence_ids: or_null(encoding.sequence_ids),
  type_ids: [...encoding.type_ids],
  special_tokens_mask: [...encoding.special_tokens_mask],
  attention_mask: [...encoding.attention_mask],
  overflowing: encoding.overflowing.map(fields),
});

const rust_fields = (encoding) => ({
  ids: encoding.getIds(),
  tokens: encoding.getTokens(),
  offsets: encoding.getOffsets(),
  word_ids: encoding.getWordIds().map((id) => id ?? null),
  sequence_ids: encoding.getSequenceIds().map((id) => id ?? null),
  type_ids: encoding.getTypeIds(),
  special_tokens_mask: encoding.getSpecialTokensMask(),
  attention_mask: encoding.getAttentionMask(),
  overflowing: encoding.getOverflowing().map(rust_fields),
});

const frame_mask = ([before, behind], length) =>
  Array.from({ length }, (_, i) => (i < before || i >= length - behind ? 1 : 0));

/**
 * Compares what both make of `text` (and `pair`). Returns the fields that differ with both values; none if all agree.
 * Where Rust throws, ours must throw too.
 */
export async function differences(ours, rust, text, pair = null) {
  const found = [];
  const compare = (name, mine, theirs) => {
    if (JSON.stringify(mine) !== JSON.stringify(theirs)) found.push({ name, ours: mine, rust: theirs });
  };
  let theirs;
  try {
    theirs = rust_fields(await rust.encode(text, pair, { addSpecialTokens: true }));
  } catch (error) {
    theirs = { error: error.message };
  }
  let mine;
  try {
    mine = fields(ours.encode(text, pair, { add_special_tokens: true }));
  } catch (error) {
    mine = { error: error.message };
  }
  if (mine.error !== undefined && theirs.error !== undefined) return [];
  for (const name of Object.keys({ ...mine, ...theirs })) compare(name, mine[name], theirs[name]);
  if (found.length > 0 || theirs.error !== undefined) return found;
  if (pair === null) {
    compare("encode_ids", [...ours.encode_ids(text, true)], theirs.ids);
    if (ours.frame) {
      const options = { add_special_tokens: true, threads: 1, offsets: "code_point" };
      const { ids, offsets } = ours.encode_rows([text], options);
      compare("the ids of a row", [...ids], theirs.ids);
      compare("the offsets of a row", pairs(offsets), theirs.offsets);
      compare("the special tokens of a row", frame_mask(ours.frame, ids.length), theirs.special_tokens_mask);
    }
  }
  for (const skip of [false, true]) compare(`decode skip=${skip}`, ours.decode(mine.ids, skip), await rust.decode(theirs.ids, skip));
  return found;
}

/**
 * Both tokenizers of a tokenizer.json, ours from its compiled form with `compiled`. Truncation and padding are taken out:
 * ours does not apply them.
 */
export function both(Tokenizer, json, compiled = false) {
  const plain = JSON.stringify({ ...json, truncation: null, padding: null });
  const ours = new Tokenizer(plain);
  const bytes = compiled ? ours.compile() : [];
  return { ours: bytes.length > 0 ? new Tokenizer(bytes) : ours, rust: Rust.fromString(plain) };
}
