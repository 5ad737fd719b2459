import { expected } from "../errors.js";
import { type NativeEncoding, native } from "../native.js";
import { Encoding as Fields, type OffsetsUnit, type Span } from "../tokenization/encoding.js";
import { flag, instances, length, natural, optional } from "./arguments.js";
import { guarded } from "./component.js";
import { type PaddingOptions, pad_to, padding_of, type TruncationDirection, truncation_direction } from "./limits.js";

export type { OffsetsUnit, Span };

/** The unit of offsets; code points, as in Rust, unless told otherwise. */
export function offsets_unit(value: unknown): OffsetsUnit {
  if (value === undefined || value === null) return "code_point";
  if (value === "code_point" || value === "utf16") return value;
  throw expected('"code_point" or "utf16"', "offsetsUnit", value);
}

/** Starts and ends in turn, in pairs. */
export function spans(flat: Int32Array): Span[] {
  return Array.from({ length: flat.length / 2 }, (_, i): Span => [flat[2 * i]!, flat[2 * i + 1]!]);
}

const nullable = (ids: Int32Array) => Array.from(ids, (id) => (id < 0 ? null : id));

/** An encoding of the engine with its methods; for this package's own files. */
export let wrap: (native: NativeEncoding, unit: OffsetsUnit) => Encoding;
/** What `wrap` was given; throws for an encoding that nothing was put into. */
export let unwrap: (encoding: Encoding) => { native: NativeEncoding; unit: OffsetsUnit };

/** Everything about the tokens of a text or pair. Made by a Tokenizer; `new Encoding()` has nothing in it. */
export class Encoding {
  #content: { native: NativeEncoding; unit: OffsetsUnit } | undefined;
  #fields: Fields | undefined;

  static {
    wrap = (native, unit) => {
      const encoding = new Encoding();
      encoding.#content = { native, unit };
      return encoding;
    };
    unwrap = (encoding) => {
      if (encoding.#content) return encoding.#content;
      throw new TypeError("Uninitialized Encoding: a Tokenizer makes encodings");
    };
  }

  get #native(): NativeEncoding {
    return unwrap(this).native;
  }

  // For the methods that ask about single tokens: remembers what it has read.
  get #read(): Fields {
    const { native, unit } = unwrap(this);
    this.#fields ??= new Fields(native, unit);
    return this.#fields;
  }

  getLength(): number {
    return this.#native.length;
  }

  /** 2 for a pair. */
  getNSequences(): number {
    return this.#native.n_sequences;
  }

  getIds(): number[] {
    return Array.from(this.#native.ids);
  }

  getTypeIds(): number[] {
    return Array.from(this.#native.type_ids);
  }

  getAttentionMask(): number[] {
    return Array.from(this.#native.attention_mask);
  }

  getSpecialTokensMask(): number[] {
    return Array.from(this.#native.special_tokens_mask);
  }

  getTokens(): string[] {
    return this.#native.tokens;
  }

  /** Start and end of each token in its text, in the unit that `encode` was given: code points by default. */
  getOffsets(): Span[] {
    const { native, unit } = unwrap(this);
    return spans(native.offsets(unit));
  }

  /** The word of each token; null for special ones. */
  getWordIds(): (number | null)[] {
    return nullable(this.#native.word_ids);
  }

  /** 0 for the tokens of the text, 1 for those of the pair, null for special ones. */
  getSequenceIds(): (number | null)[] {
    return nullable(this.#native.sequence_ids);
  }

  /** What truncation cut off. */
  getOverflowing(): Encoding[] {
    const { native, unit } = unwrap(this);
    return native.overflowing.map((part) => wrap(part, unit));
  }

  /** The token that the character is in. */
  charToToken(pos: number, seqId?: number | null): number | null {
    return this.#read.char_to_token(natural(pos, "pos"), optional(seqId, "seqId", natural, 0));
  }

  charToWord(pos: number, seqId?: number | null): number | null {
    return this.#read.char_to_word(natural(pos, "pos"), optional(seqId, "seqId", natural, 0));
  }

  /** The first token of a word, and the one after its last. */
  wordToTokens(word: number, seqId?: number | null): Span | null {
    return this.#read.word_to_tokens(natural(word, "word"), optional(seqId, "seqId", natural, 0));
  }

  wordToChars(word: number, seqId?: number | null): Span | null {
    return this.#read.word_to_chars(natural(word, "word"), optional(seqId, "seqId", natural, 0));
  }

  /** Null for special tokens. */
  tokenToChars(token: number): Span | null {
    return this.#read.token_to_chars(natural(token, "token"));
  }

  tokenToWord(token: number): number | null {
    return this.#read.token_to_word(natural(token, "token"));
  }

  tokenToSequence(token: number): number | null {
    return this.#read.token_to_sequence(natural(token, "token"));
  }

  /** Pads in place to `size` tokens, the overflowing ones too; `maxLength` and `padToMultipleOf` have no meaning here. */
  pad(size: number, given?: PaddingOptions | null): void {
    const padding = padding_of(given);
    guarded(() => pad_to(length(size, "length"), this.#native, padding));
    this.#fields = undefined;
  }

  /**
   * Shortens in place to `size` tokens; the rest is in getOverflowing(), where each part repeats `stride` tokens. `direction` is
   * the side that loses tokens: "left", the default, or "right". RangeError unless `stride` is less than `size`.
   */
  truncate(size: number, stride?: number | null, direction?: string | TruncationDirection | null): void {
    const words = `${direction} is not a valid truncation direction`;
    const side = optional(direction, "direction", (value) => truncation_direction(value, words), "left");
    guarded(() => this.#native.truncate(length(size, "length"), optional(stride, "stride", length, 0), side));
    this.#fields = undefined;
  }
}

/** One after the other; with `growingOffsets` the offsets of each go on from where those before it end. */
export function mergeEncodings(encodings: readonly Encoding[], growingOffsets?: boolean | null): Encoding {
  const parts = instances(encodings, Encoding, "encodings").map(unwrap);
  const growing = optional(growingOffsets, "growingOffsets", flag, false);
  const { Encoding: engine } = native().Tokenizer;
  return guarded(() =>
    wrap(
      engine.merge(
        parts.map((part) => part.native),
        growing,
      ),
      parts[0]?.unit ?? "code_point",
    ),
  );
}
