import type { OffsetsUnit, Span } from "../tokenization/encoding.js";
import { byte_level_alphabet } from "../tokenization/trained_model.js";
import { character, choice, flag, instances, optional, text } from "./arguments.js";
import { Component, guarded, type Spec } from "./component.js";
import { offsets_unit, spans } from "./encoding.js";

/** What cuts a text into the pieces that the model sees. */
export class PreTokenizer extends Component {
  /** `spec` is the component's JSON in a tokenizer.json, so any can be made. */
  constructor(spec: Spec) {
    super("pre_tokenizer", spec);
  }

  /** The pieces with their places in `sequence`, counted in code points unless told otherwise. */
  preTokenizeString(sequence: string, offsetsUnit?: OffsetsUnit | null): [string, Span][] {
    const unit = offsets_unit(offsetsUnit);
    return guarded(() => {
      const pieces = this.engine.pre_tokenize(text(sequence, "sequence"));
      const offsets = spans(pieces.offsets(unit));
      return pieces.tokens.map((piece, i): [string, Span] => [piece, offsets[i]!]);
    });
  }
}

/** What a splitting pre-tokenizer does with the delimiters. */
export enum JsSplitDelimiterBehavior {
  Removed = "Removed",
  Isolated = "Isolated",
  MergedWithPrevious = "MergedWithPrevious",
  MergedWithNext = "MergedWithNext",
  Contiguous = "Contiguous",
}

const BEHAVIORS = ["removed", "isolated", "mergedWithPrevious", "mergedWithNext", "contiguous"] as const;

function behavior_of(value: unknown, name: string): string {
  const theirs = `Wrong value for SplitDelimiterBehavior, expected one of: \`${BEHAVIORS.join(", ")}\``;
  const behavior = choice(value, name, BEHAVIORS, theirs);
  return `${behavior[0]!.toUpperCase()}${behavior.slice(1)}`;
}

/** A Metaspace's members, which its decoder has too. */
export function metaspace(replacement: unknown, prepend_scheme: unknown, split: unknown): Spec {
  const schemes = ["always", "first", "never"] as const;
  const theirs = "prepend_scheme is supposed to be either 'always', 'first' or 'never'";
  return {
    type: "Metaspace",
    replacement: optional(replacement, "replacement", character, "▁"),
    prepend_scheme: optional(
      prepend_scheme,
      "prependScheme",
      (value, name) => choice(value, name, schemes, theirs),
      "always",
    ),
    split: optional(split, "split", flag, true),
  };
}

/** GPT-2's: words by its regular expression, bytes as printable characters. Both are on by default. */
export function byteLevelPreTokenizer(addPrefixSpace?: boolean | null, useRegex?: boolean | null): PreTokenizer {
  return new PreTokenizer({
    type: "ByteLevel",
    add_prefix_space: optional(addPrefixSpace, "addPrefixSpace", flag, true),
    trim_offsets: true,
    use_regex: optional(useRegex, "useRegex", flag, true),
  });
}

/** The 256 characters that stand for bytes. */
export function byteLevelAlphabet(): string[] {
  return [...byte_level_alphabet()];
}

/** Words and runs of other characters: `\w+|[^\w\s]+`. */
export function whitespacePreTokenizer(): PreTokenizer {
  return new PreTokenizer({ type: "Whitespace" });
}

/** What stands between white space. */
export function whitespaceSplitPreTokenizer(): PreTokenizer {
  return new PreTokenizer({ type: "WhitespaceSplit" });
}

/** What stands between white space, punctuation alone. */
export function bertPreTokenizer(): PreTokenizer {
  return new PreTokenizer({ type: "BertPreTokenizer" });
}

/** SentencePiece's: spaces become `replacement`, "▁" by default, and start a piece. */
export function metaspacePreTokenizer(
  replacement?: string | null,
  prependScheme?: "always" | "first" | "never" | (string & {}) | null,
  split?: boolean | null,
): PreTokenizer {
  return new PreTokenizer(metaspace(replacement, prependScheme, split));
}

/** Cuts at the string `pattern`; for a regular expression: `new PreTokenizer({ type: "Split", pattern: { Regex }, … })`. */
export function splitPreTokenizer(pattern: string, behavior: string, invert?: boolean | null): PreTokenizer {
  return new PreTokenizer({
    type: "Split",
    pattern: { String: text(pattern, "pattern") },
    behavior: behavior_of(behavior, "behavior"),
    invert: optional(invert, "invert", flag, false),
  });
}

/** Cuts at punctuation, which is "isolated" by default. */
export function punctuationPreTokenizer(behavior?: string | null): PreTokenizer {
  return new PreTokenizer({ type: "Punctuation", behavior: optional(behavior, "behavior", behavior_of, "Isolated") });
}

/** Cuts at a character, which goes. */
export function charDelimiterSplit(delimiter: string): PreTokenizer {
  return new PreTokenizer({ type: "CharDelimiterSplit", delimiter: character(delimiter, "delimiter") });
}

/** Cuts numbers out; with `individualDigits`, each digit. */
export function digitsPreTokenizer(individualDigits?: boolean | null): PreTokenizer {
  return new PreTokenizer({
    type: "Digits",
    individual_digits: optional(individualDigits, "individualDigits", flag, false),
  });
}

/** One pre-tokenizer after the other, each on the pieces of the one before. */
export function sequencePreTokenizer(preTokenizers: readonly PreTokenizer[]): PreTokenizer {
  return new PreTokenizer({ type: "Sequence", pretokenizers: instances(preTokenizers, PreTokenizer, "preTokenizers") });
}
