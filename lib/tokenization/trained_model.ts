// What training makes of a model in a tokenizer.json.
import type { TrainerSpec, UnigramTrainerSpec } from "../native.js";
import type { Component } from "./tokenizer_json.js";

export type Model = Component & { vocab: unknown; unk_token?: string | null; unk_id?: number | null };

const printable = (byte: number) => (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad && byte < 0x100);

/** The character that byte-level BPE writes for each byte (GPT-2's `bytes_to_unicode`). */
export function byte_level_characters(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}

/** The byte-level alphabet: those characters, the printable bytes first. */
export function byte_level_alphabet(): string {
  const characters = byte_level_characters();
  const order = characters.map((_, byte) => byte).sort((a, b) => Number(printable(b)) - Number(printable(a)));
  return order.map((byte) => characters[byte]).join("");
}

/** The model without its vocabulary. */
export function blank_model(model: Model, rename = (token: string) => token): Model {
  if (model.type === "Unigram") return { ...model, unk_id: 0, vocab: [["<unk>", 0]] };
  const { unk_token } = model;
  return {
    ...model,
    vocab: {},
    ...(model.type === "BPE" && { merges: [] }),
    ...(typeof unk_token === "string" && { unk_token: rename(unk_token) }),
  };
}

/** The model with what the engine's `train` gave. */
export function trained_model(
  blank: Model,
  trained: Record<string, unknown>,
  spec: TrainerSpec | UnigramTrainerSpec,
): Model {
  if (blank.type === "Unigram") return { ...blank, ...trained, vocab: trained["vocab"], byte_fallback: false };
  const { continuing_subword_prefix = null, end_of_word_suffix = null } = spec as TrainerSpec;
  return {
    ...blank,
    vocab: trained["vocab"],
    ...(blank.type !== "WordLevel" && { continuing_subword_prefix }),
    ...(blank.type === "BPE" && { merges: trained["merges"], end_of_word_suffix }),
  };
}
