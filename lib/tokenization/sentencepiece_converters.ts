// SentencePiece models as the tokenizer.json that Python makes of them:
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/convert_slow_tokenizer.py (SpmConverter)
import { TransformersError } from "../errors.js";
import type { AddedToken } from "./added_token.js";
import { MBART_LANGUAGES, MBART50_LANGUAGES } from "./languages.js";
import { CONTROL, read_sentencepiece, type SentencePieceModel, USER_DEFINED } from "./sentencepiece.js";
import { merges_of } from "./sentencepiece_merges.js";
import { template } from "./template.js";
import type { Component } from "./tokenizer_json.js";

type Json = Record<string, unknown>;
type Vocabulary = [token: string, score: number][];

/** One conversion: the model, and the keywords of the tokenizer's class with those that the checkpoint gives. */
interface Source {
  model: SentencePieceModel;
  keywords: Json;
  /** Whether a text gets a space put before it. */
  prefix: boolean;
  /** Whether it goes by the rules of the first Llama and T5. */
  is_legacy: boolean;
  /** Where: "never", "always", or "first" if only the first part of a text gets it. */
  scheme: "never" | "always" | "first";
}

/** In what a family differs from SentencePiece's own rules. */
interface Family {
  vocab?: (source: Source) => Vocabulary;
  unk_id?: (source: Source) => number;
  /** Templates of one text and of two, and tokens that they name without need. */
  ends?: (source: Source) => [single: string, pair: string, ...more: string[]];
  normalizer?: (source: Source) => Component | null;
  pre_tokenizer?: (source: Source) => Component | null;
  decoder?: (source: Source) => Component;
  byte_fallback?: boolean;
  /** User-defined pieces that are special tokens. */
  special?: readonly string[];
  /** Whatever the keywords say. */
  is_legacy?: boolean;
}

const sequence = (normalizers: Component[]): Component => ({ type: "Sequence", normalizers });
const replace = (pattern: object, content: string): Component => ({ type: "Replace", pattern, content });
const spaces_to = (content: string) => replace({ Regex: " {2,}" }, content);
const metaspace = ({ scheme }: Source): Component => ({
  type: "Metaspace",
  replacement: "▁",
  prepend_scheme: scheme,
  split: true,
});
const pre_tokenizers = (...pretokenizers: Component[]): Component => ({ type: "Sequence", pretokenizers });
const decoders = (...parts: Component[]): Component => ({ type: "Sequence", decoders: parts });

function charsmap({ model }: Source): Component[] {
  const { buffer, byteOffset, length } = model.precompiled_charsmap;
  if (length === 0) return [];
  return [{ type: "Precompiled", precompiled_charsmap: Buffer.from(buffer, byteOffset, length).toString("base64") }];
}

const pieces = ({ model }: Source, from = 0): Vocabulary =>
  model.pieces.slice(from).map(({ piece, score }) => [piece, score]);
const without_score = (tokens: readonly string[]): Vocabulary => tokens.map((token) => [token, 0]);

/** fairseq's vocabularies put four tokens of their own in place of the model's first three, and some at the end. */
const fairseq =
  (...end: string[]) =>
  (source: Source): Vocabulary => [
    ...without_score(["<s>", "<pad>", "</s>", "<unk>"]),
    ...pieces(source, 3),
    ...without_score(end),
  ];

// Numbers that end with a comma are put out of reach.
const without_number_commas = (source: Source): Vocabulary =>
  pieces(source).map(([piece, score]) => [piece, /\p{Nd},$|[²³¹⁰⁴-⁹₀-₉],$/u.test(piece) ? score - 100 : score]);

const quotes = [replace({ String: "``" }, '"'), replace({ String: "''" }, '"')];
const case_and_accents = ({ keywords }: Source): Component[] => [
  ...(keywords["keep_accents"] ? [] : [{ type: "NFKD" }, { type: "StripAccents" }]),
  ...(keywords["do_lower_case"] ? [{ type: "Lowercase" }] : []),
];

const BERT = "[CLS]:0 $A:0 [SEP]:0";
const bert = (): [string, string] => [BERT, `${BERT} $B:1 [SEP]:1`];
const roberta = (): [string, string] => ["<s> $A </s>", "<s> $A </s> </s> $B </s>"];

const albert: Family = {
  vocab: without_number_commas,
  normalizer: (source) => sequence([...quotes, ...case_and_accents(source), ...charsmap(source), spaces_to(" ")]),
  ends: bert,
};
const t5: Family = {
  vocab: (source) => {
    const count = Number(source.keywords["extra_ids"]);
    return [
      ...pieces(source),
      ...without_score(Array.from({ length: count }, (_, i) => `<extra_id_${count - 1 - i}>`)),
    ];
  },
  ends: () => ["$A </s>", "$A </s> $B </s>"],
};

const strip_prefix: Component = { type: "Strip", content: " ", start: 1, stop: 0 };
const bytes_and_spaces: Component[] = [replace({ String: "▁" }, " "), { type: "ByteFallback" }, { type: "Fuse" }];

const llama: Family = {
  vocab: (source) => {
    const added = (source.keywords["added_tokens_decoder"] ?? {}) as Record<number, AddedToken>;
    const first = source.model.pieces.slice(0, 3).map(({ piece }, id) => added[id]?.content ?? piece);
    return [...without_score(first), ...pieces(source, 3)];
  },
  unk_id: () => 0,
  normalizer: ({ prefix, is_legacy }) =>
    is_legacy
      ? sequence([...(prefix ? [{ type: "Prepend", prepend: "▁" }] : []), replace({ String: " " }, "▁")])
      : null,
  pre_tokenizer: (source) => (source.is_legacy ? null : { ...metaspace(source), split: false }),
  decoder: ({ prefix }) => decoders(...bytes_and_spaces, ...(prefix ? [strip_prefix] : [])),
  byte_fallback: true,
};

export const XGLM_WORDS: readonly string[] = Array.from({ length: 7 }, (_, i) => `<madeupword${i}>`);

const FAMILIES: Record<string, Family> = {
  Albert: albert,
  Barthez: { unk_id: () => 3, ends: roberta },
  BigBird: { ends: bert },
  Camembert: {
    vocab: (source) => [
      ...without_score(["<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>"]),
      ["<unk>NOTUSED", -100],
      ...pieces(source, 1),
      ["<mask>", 0],
    ],
    unk_id: () => 3,
    ends: roberta,
  },
  DebertaV2: {
    normalizer: (source) =>
      sequence([
        ...(source.keywords["do_lower_case"] ? [{ type: "Lowercase" }] : []),
        { type: "Strip", strip_left: true, strip_right: true },
        ...charsmap(source),
        spaces_to(" "),
      ]),
    pre_tokenizer: (source) =>
      pre_tokenizers(
        ...(source.keywords["split_by_punct"] ? [{ type: "Punctuation", behavior: "Isolated" }] : []),
        metaspace(source),
      ),
    ends: bert,
  },
  FNet: albert,
  Gemma: {
    vocab: (source) => {
      const { pad_token, eos_token, bos_token } = source.keywords;
      const vocab = [...without_score([pad_token, eos_token, bos_token].map(String)), ...pieces(source, 3)];
      const byte = vocab.findIndex(([token]) => token === "<0x09>");
      if (byte >= 0 && !vocab.some(([token]) => token === "\t")) vocab[byte] = ["\t", 0];
      return vocab;
    },
    unk_id: () => 3,
    normalizer: () => replace({ String: " " }, "▁"),
    pre_tokenizer: () => ({
      type: "Split",
      pattern: { String: " " },
      behavior: "MergedWithPrevious",
      invert: false,
    }),
    decoder: () => decoders(...bytes_and_spaces),
    byte_fallback: true,
    special: ["<start_of_turn>", "<end_of_turn>"],
  },
  CodeLlama: { ...llama, is_legacy: true },
  Llama: llama,
  MBart: {
    vocab: fairseq(...MBART_LANGUAGES, "<mask>"),
    unk_id: () => 3,
    ends: () => ["$A </s> en_XX", "$A $B </s> en_XX"],
  },
  MBart50: {
    vocab: fairseq(...MBART50_LANGUAGES, "<mask>"),
    unk_id: () => 3,
    ends: () => ["en_XX $A </s>", "en_XX $A $B </s>"],
  },
  MT5: t5,
  // The languages are added tokens, and the class puts one of them around the text.
  Nllb: { vocab: fairseq(), unk_id: () => 3 },
  Pegasus: {
    vocab: (source) => {
      const { pad_token, eos_token, mask_token, mask_token_sent, offset } = source.keywords;
      const first = [pad_token, eos_token, ...(mask_token_sent === null ? [] : [mask_token_sent, mask_token])];
      const unused = Array.from({ length: Math.max(Number(offset) - 2, 0) }, (_, i) => `<unk_${i + 2}>`);
      return [
        ...without_score(first.map(String)),
        ...unused.map((token): [string, number] => [token, -100]),
        ...pieces(source, 2),
      ];
    },
    unk_id: ({ model, keywords }) => model.unk_id + Number(keywords["offset"]),
    pre_tokenizer: (source) => pre_tokenizers({ type: "WhitespaceSplit" }, metaspace(source)),
    ends: ({ keywords }) => [`$A ${keywords["eos_token"]}`, `$A $B ${keywords["eos_token"]}`],
  },
  Reformer: {},
  T5: t5,
  RemBert: {
    normalizer: (source) => sequence([...quotes, spaces_to(" "), ...case_and_accents(source), ...charsmap(source)]),
    ends: bert,
  },
  SeamlessM4T: {
    vocab: (source) => [...without_score(["<pad>", "<unk>", "<s>", "</s>"]), ...pieces(source, 3)],
    unk_id: () => 1,
    is_legacy: false,
    // The class puts the tokens of languages around the text.
  },
  XGLM: {
    vocab: fairseq(...XGLM_WORDS),
    unk_id: () => 3,
    ends: () => ["</s> $A", "</s> $A </s> </s> $B", "<s>"],
  },
  LayoutXLM: { vocab: fairseq("<mask>"), unk_id: () => 3, ends: roberta },
  Udop: { ends: () => ["$A </s>", "$A </s> $B </s>"] },
  XLMRoberta: { vocab: fairseq("<mask>"), unk_id: () => 3, ends: roberta },
  XLNet: {
    ...albert,
    ends: () => ["$A:0 <sep>:0 <cls>:2", "$A:0 <sep>:0 $B:1 <sep>:1 <cls>:2"],
  },
};

function bpe(source: Source, vocab: Vocabulary, byte_fallback: boolean): Component {
  const known = new Map(source.model.pieces.map(({ piece }, id) => [piece, id]));
  // Gemma's vocabulary names the byte 9 by the character that it is.
  const tab = known.get("<0x09>");
  if (vocab.some(([token]) => token === "\t") && !known.has("\t") && tab !== undefined) known.set("\t", tab);
  return {
    type: "BPE",
    dropout: null,
    unk_token: source.model.unk_piece,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: true,
    byte_fallback,
    ignore_merges: false,
    vocab: Object.fromEntries(vocab.map(([token], id) => [token, id])),
    merges: merges_of(known, new Map(vocab)),
  };
}

/**
 * The tokenizer.json for a .model file and a tokenizer class. `keywords` are those of the class with `given`, those of
 * the checkpoint and the caller, put over them. Throws TransformersError{not_supported | tokenizer_invalid}.
 */
export function from_sentencepiece(class_name: string, file: Uint8Array, keywords: Json, given: Json): object {
  const name = class_name.replace(/Tokenizer(Fast)?$/, "");
  const family = Object.hasOwn(FAMILIES, name) ? FAMILIES[name]! : undefined;
  if (!family) {
    throw new TransformersError(
      `Making a ${class_name} from a SentencePiece model is not supported: it needs a tokenizer.json`,
      "not_supported",
    );
  }
  const model = read_sentencepiece(file);
  const knows_prefix = ["Llama", "T5"].includes(name) && "add_prefix_space" in given;
  const prefix = knows_prefix ? Boolean(given["add_prefix_space"]) : true;
  const is_legacy = family.is_legacy ?? keywords["legacy"] !== false;
  const scheme = !prefix ? "never" : is_legacy ? "always" : "first";
  const source: Source = { model, keywords, prefix, is_legacy, scheme };
  const vocab = (family.vocab ?? pieces)(source);
  const ids = new Map(vocab.map(([token], id) => [token, id]));
  const id_of = (token: string) => {
    const id = ids.get(token);
    if (id !== undefined) return id;
    throw new TransformersError(
      `The vocabulary has no token "${token}", which the tokenizer needs`,
      "tokenizer_invalid",
    );
  };
  const { byte_fallback = false, special = [] } = family;
  const normalizer = family.normalizer ?? base_normalizer;
  const pre_tokenizer = family.pre_tokenizer ?? metaspace;
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added_tokens(model, ids, special),
    normalizer: normalizer(source),
    pre_tokenizer: pre_tokenizer(source),
    post_processor: family.ends ? ends_of(family.ends(source), id_of) : null,
    decoder: (family.decoder ?? metaspace)(source),
    model: model_of(source, vocab, byte_fallback, family.unk_id?.(source) ?? model.unk_id),
  };
}

function ends_of([single, pair, ...more]: [string, string, ...string[]], id_of: (token: string) => number): Component {
  return template(single, pair, id_of, more);
}

const base_normalizer = (source: Source) =>
  sequence([...charsmap(source), { type: "Strip", strip_left: false, strip_right: true }, spaces_to("▁")]);

function model_of(source: Source, vocab: Vocabulary, byte_fallback: boolean, unk_id: number): Component {
  if (source.model.model_type === 1) return { type: "Unigram", unk_id, vocab, byte_fallback };
  if (source.model.model_type === 2) return bpe(source, vocab, byte_fallback);
  throw new TransformersError("The SentencePiece model must be a Unigram or BPE model", "not_supported");
}

/** Control and user-defined pieces; what the vocabulary lacks is put behind it. */
function added_tokens(model: SentencePieceModel, ids: ReadonlyMap<string, number>, special: readonly string[]) {
  let next = ids.size;
  return model.pieces
    .filter(({ type }) => type === CONTROL || type === USER_DEFINED)
    .map(({ piece, type }) => ({
      id: ids.get(piece) ?? next++,
      content: piece,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: type === CONTROL || special.includes(piece),
    }))
    .sort((a, b) => a.id - b.id);
}
