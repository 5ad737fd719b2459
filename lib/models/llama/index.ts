// The families that the llama engine runs from safetensors, and the classes of each: one line for each file of this folder.
import type { ModelKind } from "../index.js";
import { type DecoderModel, decoder_class } from "./decoder.js";
import type { LlamaFamily } from "./family.js";
import { gemma } from "./gemma.js";
import { gemma2 } from "./gemma2.js";
import { gemma3_text } from "./gemma3.js";
import { granite } from "./granite.js";
import { HEADS } from "./heads.js";
import { llama } from "./llama.js";
import { mistral } from "./mistral.js";
import { mixtral } from "./mixtral.js";
import { olmo2 } from "./olmo2.js";
import { phi3 } from "./phi3.js";
import { qwen2 } from "./qwen2.js";
import { qwen2_moe } from "./qwen2_moe.js";
import { qwen3 } from "./qwen3.js";
import { qwen3_moe } from "./qwen3_moe.js";
import { smollm3 } from "./smollm3.js";

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

const FAMILIES = {
  gemma,
  gemma2,
  gemma3_text,
  granite,
  llama,
  mistral,
  mixtral,
  olmo2,
  phi3,
  qwen2,
  qwen2_moe,
  qwen3,
  qwen3_moe,
  smollm3,
} satisfies Record<string, LlamaFamily>;

export const LLAMA_FAMILIES: readonly LlamaFamily[] = Object.values(FAMILIES);

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
