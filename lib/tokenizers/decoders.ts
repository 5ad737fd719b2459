import { flag, instances, natural, optional, text, texts } from "./arguments.js";
import { Component, guarded, type Spec } from "./component.js";
import { metaspace } from "./pre_tokenizers.js";

/** What makes a text of tokens. */
export class Decoder extends Component {
  /** `spec` is the component's JSON in a tokenizer.json, so any can be made. */
  constructor(spec: Spec) {
    super("decoder", spec);
  }

  decode(tokens: readonly string[]): string {
    return guarded(() => this.engine.decode_tokens(texts(tokens, "tokens")));
  }
}

/** A suffix, "</w>" by default, becomes a space. */
export function bpeDecoder(suffix?: string | null): Decoder {
  return new Decoder({ type: "BPEDecoder", suffix: optional(suffix, "suffix", text, "</w>") });
}

/** Tokens such as "<0x61>" become their bytes. */
export function byteFallbackDecoder(): Decoder {
  return new Decoder({ type: "ByteFallback" });
}

/** The characters of byteLevelAlphabet() become their bytes. */
export function byteLevelDecoder(): Decoder {
  return new Decoder({ type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true });
}

/** Equal neighbours become one, `padToken` ("<pad>") goes, `wordDelimiterToken` ("|") becomes a space. */
export function ctcDecoder(
  padToken?: string | null,
  wordDelimiterToken?: string | null,
  cleanup?: boolean | null,
): Decoder {
  return new Decoder({
    type: "CTC",
    pad_token: optional(padToken, "padToken", text, "<pad>"),
    word_delimiter_token: optional(wordDelimiterToken, "wordDelimiterToken", text, "|"),
    cleanup: optional(cleanup, "cleanup", flag, true),
  });
}

/** All tokens become one, for the decoders after it. */
export function fuseDecoder(): Decoder {
  return new Decoder({ type: "Fuse" });
}

/** `replacement`, "▁" by default, becomes a space, but for the one that the pre-tokenizer put in front. */
export function metaspaceDecoder(
  replacement?: string | null,
  prependScheme?: "always" | "first" | "never" | (string & {}) | null,
  split?: boolean | null,
): Decoder {
  return new Decoder(metaspace(replacement, prependScheme, split));
}

/** Replaces the string `pattern` in each token. */
export function replaceDecoder(pattern: string, content: string): Decoder {
  return new Decoder({
    type: "Replace",
    pattern: { String: text(pattern, "pattern") },
    content: text(content, "content"),
  });
}

/** Takes up to `left` and `right` of the first character of `content` off the ends of each token. */
export function stripDecoder(content: string, left: number, right: number): Decoder {
  const first = [...text(content, "content")][0];
  if (first === undefined) throw new TypeError("Expected non empty string for strip pattern");
  return new Decoder({ type: "Strip", content: first, start: natural(left, "left"), stop: natural(right, "right") });
}

/** `prefix`, "##" by default, joins a token to the one before; `cleanup` removes spaces before punctuation. */
export function wordPieceDecoder(prefix?: string | null, cleanup?: boolean | null): Decoder {
  return new Decoder({
    type: "WordPiece",
    prefix: optional(prefix, "prefix", text, "##"),
    cleanup: optional(cleanup, "cleanup", flag, true),
  });
}

/** One decoder after the other. */
export function sequenceDecoder(decoders: readonly Decoder[]): Decoder {
  return new Decoder({ type: "Sequence", decoders: instances(decoders, Decoder, "decoders") });
}
