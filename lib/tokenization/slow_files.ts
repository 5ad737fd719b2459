// What Python's slow classes make of special tokens, and the vocabulary files that it writes for them.
import { by_code_point } from "../python.js";
import { AddedToken } from "./added_token.js";
import { family_of } from "./slow_parts.js";
import { ROLES } from "./special_tokens.js";

type Vocabulary = Record<string, number>;

const all_of = (families: string) => new Set(families.split(" "));
const NORMALIZED = all_of("Bart BigBird Blenderbot CLIP GPT2 LED LayoutLMv3 Longformer MarkupLM Roberta");
const NORMALIZED_MASK = all_of("Bart BigBird Deberta LED LayoutLMv3 MarkupLM RemBert");

const BASIC = { do_basic_tokenize: true, never_split: null };
const CLEANED = { ...BASIC, clean_up_tokenization_spaces: true };
const same = (families: string, defaults: Record<string, unknown>) =>
  Object.fromEntries(families.split(" ").map((family) => [family, defaults]));

/** Where the defaults of Python's slow class differ from the fast one's. */
const SLOW_DEFAULTS: Record<string, Record<string, unknown>> = {
  ...same(
    "Bert ConvBert DPRContextEncoder DPRQuestionEncoder DPRReader DistilBert Electra Funnel LayoutLM Lxmert MPNet MobileBert SqueezeBert",
    CLEANED,
  ),
  ...same("Realm RetriBert Splinter", BASIC),
  LayoutLMv2: { ...BASIC, model_max_length: 512 },
  Herbert: { bos_token: "<s>", additional_special_tokens: Array.from({ length: 10 }, (_, i) => `<special${i}>`) },
  RemBert: { unk_token: "[UNK]", pad_token: "[PAD]", do_lower_case: false, keep_accents: true },
};

/** What Python's fast class says of itself, and saves, although its slow form was made with other values. */
const KEPT_DEFAULTS: Record<string, Record<string, unknown>> = {
  RemBert: { do_lower_case: true, keep_accents: false },
  SeamlessM4T: { add_prefix_space: false },
};

export const kept_defaults = (class_name: string): Record<string, unknown> =>
  KEPT_DEFAULTS[family_of(class_name)] ?? {};

export const slow_defaults = (class_name: string): Record<string, unknown> =>
  SLOW_DEFAULTS[family_of(class_name)] ?? {};

/**
 * The special tokens that `keywords` name by strings, with the flags that Python's slow class gives them, where those
 * are not the fast class's own.
 */
export function slow_special_tokens(class_name: string, keywords: Record<string, unknown>): Record<string, AddedToken> {
  const family = family_of(class_name);
  const flags_of = (role: string) => {
    if (role === "mask_token" && family === "MPNet") return { lstrip: true, normalized: false };
    if (role === "mask_token") return NORMALIZED_MASK.has(family) && { lstrip: true, normalized: true };
    const is_normalized = NORMALIZED.has(family) || (family === "DebertaV2" && role === "unk_token");
    return is_normalized && { normalized: true };
  };
  const tokens: Record<string, AddedToken> = {};
  for (const role of ROLES) {
    const [token, flags] = [keywords[role], flags_of(role)];
    if (typeof token === "string" && flags) tokens[role] = new AddedToken(token, flags);
  }
  return tokens;
}

interface Model {
  type: string;
  vocab: Vocabulary;
  merges?: ([string, string] | string)[];
}

/** The vocabulary files that Python writes for a tokenizer.json, by name. */
export function slow_files(tokenizer_json: string, vocab_file: string): Record<string, string> {
  const model = (JSON.parse(tokenizer_json) as { model: Model }).model;
  const tokens = Object.entries(model.vocab).sort(([a, i], [b, j]) => i - j || by_code_point(a, b));
  if (vocab_file === "vocab.txt" && model.type === "WordPiece")
    return { "vocab.txt": tokens.map(([token]) => `${token}\n`).join("") };
  if (vocab_file !== "vocab.json" || model.type !== "BPE") return {};
  const merges = (model.merges ?? []).map((merge) => `${Array.isArray(merge) ? merge.join(" ") : merge}\n`);
  return {
    "vocab.json": `{${tokens.map(([token, id]) => `${JSON.stringify(token)}:${id}`).join(",")}}`,
    "merges.txt": `#version: 0.2\n${merges.join("")}`,
  };
}
