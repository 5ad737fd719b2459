import { flag, instances, list, optional, text, token_and_id } from "./arguments.js";
import { Component, type Spec } from "./component.js";

/** What adds special tokens and joins a pair. */
export class Processor extends Component {
  /** `spec` is the component's JSON in a tokenizer.json, so any can be made. */
  constructor(spec: Spec) {
    super("post_processor", spec);
  }
}

/** BERT's: `[CLS] A [SEP]`, `[CLS] A [SEP] B [SEP]`. */
export function bertProcessing(sep: readonly [string, number], cls: readonly [string, number]): Processor {
  return new Processor({
    type: "BertProcessing",
    sep: token_and_id(sep, "sep"),
    cls: token_and_id(cls, "cls"),
  });
}

/** RoBERTa's: `<s> A </s>`, `<s> A </s></s> B </s>`; offsets without the spaces unless told otherwise. */
export function robertaProcessing(
  sep: readonly [string, number],
  cls: readonly [string, number],
  trimOffsets?: boolean | null,
  addPrefixSpace?: boolean | null,
): Processor {
  return new Processor({
    type: "RobertaProcessing",
    sep: token_and_id(sep, "sep"),
    cls: token_and_id(cls, "cls"),
    trim_offsets: optional(trimOffsets, "trimOffsets", flag, true),
    add_prefix_space: optional(addPrefixSpace, "addPrefixSpace", flag, true),
  });
}

/** Takes the spaces out of the offsets, unless told otherwise. */
export function byteLevelProcessing(trimOffsets?: boolean | null): Processor {
  return new Processor({
    type: "ByteLevel",
    add_prefix_space: true,
    trim_offsets: optional(trimOffsets, "trimOffsets", flag, true),
    use_regex: true,
  });
}

type Piece = { Sequence: { id: "A" | "B"; type_id: number } } | { SpecialToken: { id: string; type_id: number } };

/** "$A", "$B:1", "$0" (a type id for A), "[CLS]", "[SEP]:1". */
function piece_of(part: string): Piece {
  const [id = "", type, ...more] = part.split(":");
  const type_id = Number(type ?? 0);
  const [, sequence] = /^\$(A|a|B|b|\d*)$/.exec(id) ?? [];
  const is_wrong = more.length > 0 || (type !== undefined && !/^\+?\d+$/.test(type)) || !(type_id <= 0xffffffff);
  if (is_wrong || (id.startsWith("$") && sequence === undefined))
    throw new TypeError(`Cannot build Piece from string "${part}"`);
  if (sequence === undefined) return { SpecialToken: { id, type_id } };
  if (/^[ab]/i.test(sequence)) return { Sequence: { id: sequence.toUpperCase() as "A" | "B", type_id } };
  return { Sequence: { id: "A", type_id: type === undefined ? Number(sequence) : type_id } };
}

/**
 * Joins by templates: parts between spaces, `$A` and `$B` for the texts, each with `:type_id` (0 if there is none), such as
 * "[CLS] $A [SEP] $B:1 [SEP]:1". `specialTokens` gives the ids of the tokens; `pair` is "$A:0 $B:1" if there is none.
 */
export function templateProcessing(
  single: string,
  pair?: string | null,
  specialTokens?: readonly (readonly [string, number])[] | null,
): Processor {
  const pieces = (value: unknown, name: string) => text(value, name).split(" ").map(piece_of);
  const of_one = pieces(single, "single");
  const of_two = pieces(pair ?? "$A:0 $B:1", "pair");
  const known = list(specialTokens ?? [], "specialTokens").map((item) => token_and_id(item, "specialTokens"));
  const names = new Set(
    [...of_one, ...of_two].flatMap((piece) => ("SpecialToken" in piece ? [piece.SpecialToken.id] : [])),
  );
  for (const [name] of known) names.delete(name);
  if (names.size)
    throw new TypeError(`Missing SpecialToken(s) with id(s) ${[...names].map((name) => `\`${name}\``).join(", ")}`);
  const has = (id: string) => of_two.some((piece) => "Sequence" in piece && piece.Sequence.id === id);
  if (!has("A") || !has("B")) throw new TypeError("Template for `pair` must use both sequences");
  return new Processor({
    type: "TemplateProcessing",
    single: of_one,
    pair: of_two,
    special_tokens: Object.fromEntries(known.map(([name, id]) => [name, { id: name, ids: [id], tokens: [name] }])),
  });
}

/** One processor after the other. */
export function sequenceProcessing(processors: readonly Processor[]): Processor {
  return new Processor({ type: "Sequence", processors: instances(processors, Processor, "processors") });
}
