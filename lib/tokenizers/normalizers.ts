import { flag, instances, list, natural, optional, options, text } from "./arguments.js";
import { Component, guarded, type Spec } from "./component.js";

/** What rewrites a text before it is split. */
export class Normalizer extends Component {
  /** `spec` is the component's JSON in a tokenizer.json, so any can be made. */
  constructor(spec: Spec) {
    super("normalizer", spec);
  }

  /** The normalised text. */
  normalizeString(sequence: string): string {
    return guarded(() => this.engine.normalize(text(sequence, "sequence")));
  }
}

export interface BertNormalizerOptions {
  cleanText?: boolean;
  handleChineseChars?: boolean;
  /** Default: as `lowercase`. */
  stripAccents?: boolean;
  lowercase?: boolean;
}

/** BERT's: control characters go, Chinese characters stand alone, accents and capitals go. All are on by default. */
export function bertNormalizer(given?: BertNormalizerOptions | null): Normalizer {
  const known = options(given, ["cleanText", "handleChineseChars", "stripAccents", "lowercase"]);
  return new Normalizer({
    type: "BertNormalizer",
    clean_text: optional(known.cleanText, "cleanText", flag, true),
    handle_chinese_chars: optional(known.handleChineseChars, "handleChineseChars", flag, true),
    strip_accents: optional(known.stripAccents, "stripAccents", flag, null),
    lowercase: optional(known.lowercase, "lowercase", flag, true),
  });
}

/** Unicode's canonical composition. */
export function nfcNormalizer(): Normalizer {
  return new Normalizer({ type: "NFC" });
}

/** Unicode's canonical decomposition. */
export function nfdNormalizer(): Normalizer {
  return new Normalizer({ type: "NFD" });
}

/** Unicode's compatibility composition. */
export function nfkcNormalizer(): Normalizer {
  return new Normalizer({ type: "NFKC" });
}

/** Unicode's compatibility decomposition. */
export function nfkdNormalizer(): Normalizer {
  return new Normalizer({ type: "NFKD" });
}

/** The rules of Google's translation models for control characters and spaces. */
export function nmt(): Normalizer {
  return new Normalizer({ type: "Nmt" });
}

export function lowercase(): Normalizer {
  return new Normalizer({ type: "Lowercase" });
}

/** Takes white space off the ends; both by default. */
export function stripNormalizer(left?: boolean | null, right?: boolean | null): Normalizer {
  return new Normalizer({
    type: "Strip",
    strip_left: optional(left, "left", flag, true),
    strip_right: optional(right, "right", flag, true),
  });
}

/** Removes combining marks: put nfdNormalizer() before it. */
export function stripAccentsNormalizer(): Normalizer {
  return new Normalizer({ type: "StripAccents" });
}

/** Puts `prepend` before every text that is not empty. */
export function prependNormalizer(prepend: string): Normalizer {
  return new Normalizer({ type: "Prepend", prepend: text(prepend, "prepend") });
}

/** Replaces the string `pattern`; for a regular expression: `new Normalizer({ type: "Replace", pattern: { Regex }, content })`. */
export function replace(pattern: string, content: string): Normalizer {
  return new Normalizer({
    type: "Replace",
    pattern: { String: text(pattern, "pattern") },
    content: text(content, "content"),
  });
}

/** SentencePiece's `precompiled_charsmap`. */
export function precompiled(bytes: readonly number[] | Uint8Array): Normalizer {
  const checked = bytes instanceof Uint8Array ? bytes : list(bytes, "bytes").map((byte) => natural(byte, "bytes", 255));
  return new Normalizer({ type: "Precompiled", precompiled_charsmap: Buffer.from(checked).toString("base64") });
}

/** One normalizer after the other. */
export function sequenceNormalizer(normalizers: readonly Normalizer[]): Normalizer {
  return new Normalizer({ type: "Sequence", normalizers: instances(normalizers, Normalizer, "normalizers") });
}
