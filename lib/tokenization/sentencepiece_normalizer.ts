// How SentencePiece changes a text before it looks for pieces. The engine's Precompiled, which goes by graphemes as the
// Rust tokenizers do, gives the same for nearly all texts.
// https://github.com/google/sentencepiece/blob/v0.2.0/src/normalizer.cc
import type { SentencePieceModel } from "./sentencepiece.js";

/** A map of strings to others: a double array (darts-clone) of the sources, and the targets, each ended by a zero. */
class CharacterMap {
  readonly #units: Uint32Array;
  readonly #targets: Buffer;

  constructor(charsmap: Uint8Array) {
    const bytes = Buffer.from(charsmap);
    const size = bytes.length < 4 ? 0 : Math.min(bytes.readUInt32LE(0), bytes.length - 4) & ~3;
    this.#units = Uint32Array.from({ length: size / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
    this.#targets = bytes.subarray(4 + size);
  }

  /** The target of the longest source that stands at `at`, and the source's length in bytes. */
  longest(text: Buffer, at: number): [target: string, length: number] | undefined {
    const units = this.#units;
    const offset = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);
    let node = offset(units[0] ?? 0);
    let found: [value: number, length: number] | undefined;
    for (let i = at; i < text.length; i++) {
      node ^= text[i]!;
      const unit = units[node];
      if (unit === undefined || (unit & 0x800000ff) >>> 0 !== text[i]) break;
      node ^= offset(unit);
      if (unit & 0x100) found = [(units[node] ?? 0) & 0x7fffffff, i + 1 - at];
    }
    if (!found) return undefined;
    const end = this.#targets.indexOf(0, found[0]);
    return [this.#targets.subarray(found[0], end < 0 ? undefined : end).toString(), found[1]];
  }
}

const width_of = (first: number) => (first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4);

/** Makes the function that normalizes texts; `user_defined` pieces stay as they are. */
export function sentencepiece_normalizer(
  model: SentencePieceModel,
  user_defined: readonly string[],
): (text: string) => string {
  const { add_dummy_prefix, remove_extra_whitespaces: removes } = model;
  const map = model.precompiled_charsmap.length > 0 ? new CharacterMap(model.precompiled_charsmap) : null;
  const whole = [...user_defined].map((piece) => Buffer.from(piece)).sort((a, b) => b.length - a.length);

  /** What the start of the rest becomes, and its length in bytes. */
  const prefix = (text: Buffer, at: number): [string, number] => {
    const piece = whole.find((piece) => text.subarray(at, at + piece.length).equals(piece));
    if (piece) return [piece.toString(), piece.length];
    const width = width_of(text[at]!);
    return map?.longest(text, at) ?? [text.subarray(at, at + width).toString(), width];
  };

  return (given) => {
    const text = Buffer.from(given);
    const parts: string[] = [];
    let before_is_space = removes;
    for (let at = 0; at < text.length; ) {
      const [target, length] = prefix(text, at);
      at += length;
      const part = before_is_space ? target.replace(/^ +/, "") : target;
      if (part === "") continue;
      parts.push(part);
      before_is_space = removes && part.endsWith(" ");
    }
    if (parts.length === 0) return "";
    const spaced = `${add_dummy_prefix ? " " : ""}${parts.join("")}`.replaceAll(" ", "▁");
    if (!removes) return spaced;
    let end = spaced.length;
    while (spaced[end - 1] === "▁") end--;
    return spaced.slice(0, end);
  };
}
