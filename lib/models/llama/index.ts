// The classes of each family of decoders.
import type { ModelKind } from "../index.js";
import { type DecoderModel, decoder_class } from "./decoder.js";
import { FAMILIES } from "./families.js";
import type { LlamaFamily } from "./family.js";
import { HEADS } from "./heads.js";

/** The kinds of heads that decoders have. */
export type DecoderKind = Extract<
  ModelKind,
  "base" | "causal_lm" | "sequence_classification" | "token_classification" | "question_answering"
>;
type DecoderClasses = Record<"base" | "causal_lm", typeof DecoderModel> &
  Partial<Record<DecoderKind, typeof DecoderModel>>;

/** The classes of a family, by their heads. */
function classes_of(family: LlamaFamily): DecoderClasses {
  const { class_prefix, text_prefix = class_prefix, kinds, question_answering_prefix } = family;
  const named = (kind: DecoderKind, prefix = text_prefix) =>
    decoder_class(
      family,
      HEADS[kind],
      prefix + HEADS[kind].suffix,
      kind === "question_answering" ? question_answering_prefix : undefined,
    );
  return {
    base: named("base"),
    causal_lm: named("causal_lm", class_prefix),
    ...Object.fromEntries(kinds.map((kind) => [kind, named(kind)])),
  };
}

/** The classes of each family, by `model_type`. */
export const DECODER_CLASSES = Object.fromEntries(
  Object.entries(FAMILIES).map(([type, family]) => [type, classes_of(family)]),
) as Record<keyof typeof FAMILIES, DecoderClasses>;

/** The classes of one kind by `model_type`. */
export function decoders_of(kind: DecoderKind): Record<string, typeof DecoderModel> {
  return Object.fromEntries(
    Object.entries(DECODER_CLASSES).flatMap(([type, classes]) => {
      const found = classes[kind];
      return found ? [[type, found]] : [];
    }),
  );
}
