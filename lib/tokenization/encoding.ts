import { inspect } from "node:util";
import type { NativeEncoding } from "../native.js";

export type OffsetsUnit = "utf16" | "code_point";
/** Start and end (exclusive). */
export type Span = [start: number, end: number];

// Loops, because they take a tenth of the time of Array.from.

function numbers(values: Int32Array): number[] {
  const result = new Array<number>(values.length);
  for (let i = 0; i < values.length; i++) result[i] = values[i]!;
  return result;
}

function nullable(ids: Int32Array): (number | null)[] {
  const result = new Array<number | null>(ids.length);
  for (let i = 0; i < ids.length; i++) result[i] = ids[i]! < 0 ? null : ids[i]!;
  return result;
}

function spans(flat: Int32Array): Span[] {
  const result = new Array<Span>(flat.length / 2);
  for (let i = 0; i < result.length; i++) result[i] = [flat[2 * i]!, flat[2 * i + 1]!];
  return result;
}

/**
 * One encoded sequence or pair, as `tokenizers.Encoding`: everything about its tokens, computed when it is read.
 * Offsets count UTF-16 units, so that `text.slice(start, end)` is the token's text, unless the call asked for code points.
 */
export class Encoding {
  readonly #native: NativeEncoding;
  readonly #unit: OffsetsUnit;
  readonly #cache = new Map<string, unknown>();

  constructor(native: NativeEncoding, unit: OffsetsUnit = "utf16") {
    this.#native = native;
    this.#unit = unit;
  }

  #once<T>(field: string, compute: (native: NativeEncoding) => T): T {
    if (!this.#cache.has(field)) this.#cache.set(field, compute(this.#native));
    return this.#cache.get(field) as T;
  }

  get length(): number {
    return this.#native.length;
  }
  get n_sequences(): number {
    return this.#native.n_sequences;
  }
  get ids(): number[] {
    return this.#once("ids", (native) => numbers(native.ids));
  }
  get type_ids(): number[] {
    return this.#once("type_ids", (native) => numbers(native.type_ids));
  }
  get attention_mask(): number[] {
    return this.#once("attention_mask", (native) => numbers(native.attention_mask));
  }
  get special_tokens_mask(): number[] {
    return this.#once("special_tokens_mask", (native) => numbers(native.special_tokens_mask));
  }
  get tokens(): string[] {
    return this.#once("tokens", (native) => native.tokens);
  }
  /** The word of each token; null for tokens that the post-processor or the padding added. */
  get word_ids(): (number | null)[] {
    return this.#once("word_ids", (native) => nullable(native.word_ids));
  }
  /** 0 or 1 for the tokens of the first and the second text; null for added ones. */
  get sequence_ids(): (number | null)[] {
    return this.#once("sequence_ids", (native) => nullable(native.sequence_ids));
  }
  get offsets(): Span[] {
    return this.#once("offsets", (native) => spans(native.offsets(this.#unit)));
  }
  /** What truncation cut off, as further encodings. */
  get overflowing(): Encoding[] {
    return this.#once("overflowing", (native) => native.overflowing.map((part) => new Encoding(part, this.#unit)));
  }

  get #ranges(): Map<number, Span> {
    return this.#once("ranges", ({ sequence_ranges: flat }) => {
      const count = flat.length / 3;
      return new Map(Array.from({ length: count }, (_, i) => [flat[3 * i]!, [flat[3 * i + 1]!, flat[3 * i + 2]!]]));
    });
  }

  // The tokens of a sequence. As in Rust, one that there is not has all of them.
  #range(sequence: number): Span {
    return this.#ranges.get(sequence) ?? [0, this.length];
  }

  token_to_sequence(token: number): number | null {
    if (token < 0 || token >= this.length) return null;
    if (this.#ranges.size === 0) return 0;
    for (const [sequence, [start, end]] of this.#ranges) if (token >= start && token < end) return sequence;
    return null;
  }

  token_to_word(token: number): number | null {
    return this.token_to_sequence(token) === null ? null : this.word_ids[token]!;
  }

  /** The characters of a token; null where it has no sequence. */
  token_to_chars(token: number): Span | null {
    return this.token_to_sequence(token) === null ? null : this.offsets[token]!;
  }

  /** First token of the word, and the one after its last. */
  word_to_tokens(word: number, sequence = 0): Span | null {
    const [begin, end] = this.#range(sequence);
    const words = this.word_ids;
    let first = begin;
    while (first < end && (words[first] === null || words[first]! < word)) first++;
    let last = first;
    for (let i = first; i < end && (words[i] === null || words[i]! <= word); i++) if (words[i] === word) last = i + 1;
    return first < last ? [first, last] : null;
  }

  word_to_chars(word: number, sequence = 0): Span | null {
    const span = this.word_to_tokens(word, sequence);
    return span && [this.offsets[span[0]]![0], this.offsets[span[1] - 1]![1]];
  }

  /** The first token that covers the character. */
  char_to_token(char: number, sequence = 0): number | null {
    const [begin, end] = this.#range(sequence);
    const offsets = this.offsets;
    for (let i = begin; i < end; i++) if (char >= offsets[i]![0] && char < offsets[i]![1]) return i;
    return null;
  }

  char_to_word(char: number, sequence = 0): number | null {
    const token = this.char_to_token(char, sequence);
    return token === null ? null : this.token_to_word(token);
  }

  /** As Python prints it. */
  toString(): string {
    const attributes = "ids, type_ids, tokens, offsets, attention_mask, special_tokens_mask, overflowing";
    return `Encoding(num_tokens=${this.length}, attributes=[${attributes}])`;
  }

  [inspect.custom](): string {
    return this.toString();
  }
}
