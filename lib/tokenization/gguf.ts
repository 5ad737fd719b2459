import { type GgufMetadataValue, read_gguf } from "../checkpoint/gguf.js";
import { TransformersError, warn_once } from "../errors.js";
import { AddedToken } from "./added_token.js";
import { bos_eos_processor, type Special } from "./bos_eos.js";
import { gguf_pre_tokenizer } from "./gguf_pre_tokenizers.js";
import { merges_of } from "./sentencepiece_merges.js";
import { template } from "./template.js";
import type { Component } from "./tokenizer_json.js";

// llama_token_type of llama.h.
const NORMAL = 1;
const CONTROL = 3;
const USER_DEFINED = 4;

const invalid = (what: string) =>
  new TransformersError(`The GGUF file's tokenizer is not usable: ${what}`, "gguf_invalid");

/** Metadata under `tokenizer.ggml.`, by type. */
class Fields {
  constructor(readonly metadata: ReadonlyMap<string, GgufMetadataValue>) {}

  #get<T>(name: string, is: (value: unknown) => boolean, what: string): T | undefined {
    const value = this.metadata.get(`tokenizer.ggml.${name}`);
    if (value === undefined) return undefined;
    if (!is(value)) throw invalid(`${name} is not ${what}`);
    return value as T;
  }

  number = (name: string) => this.#get<number>(name, (value) => typeof value === "number", "a number");
  string = (name: string) => this.#get<string>(name, (value) => typeof value === "string", "a string");
  boolean = (name: string) => this.#get<boolean>(name, (value) => typeof value === "boolean", "a boolean");
  numbers = (name: string) =>
    this.#get<ArrayLike<number>>(name, (value) => ArrayBuffer.isView(value), "a list of numbers");
  strings = (name: string) =>
    this.#get<string[]>(
      name,
      (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
      "a list of strings",
    );
}

interface Parts {
  model: object;
  normalizer: Component | null;
  pre_tokenizer: Component | null;
  decoder: Component;
  add_bos_token: boolean;
  add_eos_token?: boolean;
  /** Where it is not only bos and eos around the text. */
  post_processor?: Component | null;
  /** Keywords of the tokenizer's class. */
  keywords?: Record<string, unknown>;
}

type Vocabulary = Record<string, number>;

/** Byte-level BPE, which GGUF calls "gpt2". */
function byte_level_bpe(fields: Fields, vocab: Record<string, number>): Parts {
  const given = fields.string("pre") ?? "default";
  if (given === "default")
    warn_once("The GGUF file does not say how its tokenizer splits texts; as in Python, it splits as GPT-2's does.");
  const name = given === "default" ? "gpt-2" : given;
  const known = gguf_pre_tokenizer(name);
  if (!known) throw invalid(`its pre-tokenizer "${name}" is not known; use the original repository's tokenizer.json`);
  const merges = fields.strings("merges");
  if (!merges) throw invalid("it has no merges");
  const model = { type: "BPE", ignore_merges: known.ignore_merges ?? false, vocab, merges };
  const decoder: Component = { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true };
  return {
    model,
    decoder,
    normalizer: known.normalizer ?? null,
    pre_tokenizer: known.pre_tokenizer,
    add_bos_token: known.add_bos_token ?? false,
  };
}

/** SentencePiece's BPE, which GGUF calls "llama"; newer files, "gemma4", bring the merges. */
function sentencepiece_bpe(fields: Fields, tokens: readonly string[], vocab: Record<string, number>): Parts {
  const given = fields.strings("merges");
  const scores = fields.numbers("scores");
  if (!given && scores?.length !== tokens.length) throw invalid("it has no scores, or not one for each token");
  const types = fields.numbers("token_type");
  const scored = tokens
    .map((token, id) => [token, scores?.[id] ?? 0] as const)
    .filter((_, id) => !types || types[id] === NORMAL || types[id] === USER_DEFINED);
  const unk = fields.number("unknown_token_id");
  const add_prefix = fields.boolean("add_space_prefix") ?? true;
  const replace: Component = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const prepend: Component = { type: "Prepend", prepend: "▁" };
  const strip: Component = { type: "Strip", content: " ", start: 1, stop: 0 };
  const decoders: Component[] = [
    { type: "Replace", pattern: { String: "▁" }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
    ...(add_prefix ? [strip] : []),
  ];
  return {
    model: {
      type: "BPE",
      unk_token: unk === undefined ? null : tokens[unk],
      fuse_unk: true,
      byte_fallback: true,
      vocab,
      merges: given ?? merges_of(new Map(tokens.map((token, id) => [token, id])), scored),
    },
    normalizer: { type: "Sequence", normalizers: add_prefix ? [prepend, replace] : [replace] },
    pre_tokenizer: null,
    decoder: { type: "Sequence", decoders },
    add_bos_token: true,
  };
}

/** WordPiece, which GGUF calls "bert": "##x" is there as "x", and "x" as "▁x". */
function word_piece(fields: Fields, tokens: readonly string[]): Parts {
  const spelled = (token: string) =>
    /^\[.*\]$/s.test(token) ? token : token.startsWith("▁") ? token.slice(1) : `##${token}`;
  const vocab = Object.fromEntries(tokens.map((token, id) => [spelled(token), id]));
  const lowercase = fields.boolean("normalizer.lowercase") ?? true;
  const strip_accents = fields.boolean("normalizer.strip_accents") ?? null;
  const named = (role: string) => tokens[fields.number(`${role}_id`) ?? -1];
  const [cls, sep] = [named("cls_token"), named("seperator_token")];
  return {
    model: {
      type: "WordPiece",
      unk_token: named("unknown_token") ?? "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents, lowercase },
    pre_tokenizer: { type: "BertPreTokenizer" },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    post_processor:
      cls === undefined || sep === undefined
        ? null
        : template(`${cls}:0 $A:0 ${sep}:0`, `${cls}:0 $A:0 ${sep}:0 $B:1 ${sep}:1`, (token) => vocab[token]!),
    add_bos_token: false,
    keywords: { do_lower_case: lowercase, strip_accents },
  };
}

/** SentencePiece's Unigram, which GGUF calls "t5": T5's and XLM-RoBERTa's. */
function unigram(fields: Fields, tokens: readonly string[], vocab: Vocabulary): Parts {
  const scores = fields.numbers("scores");
  if (scores?.length !== tokens.length) throw invalid("it has no scores, or not one for each token");
  const charsmap = fields.numbers("precompiled_charsmap");
  const precompiled_charsmap = charsmap && Buffer.from(Uint8Array.from(charsmap)).toString("base64");
  const metaspace: Component = {
    type: "Metaspace",
    replacement: "▁",
    prepend_scheme: (fields.boolean("add_space_prefix") ?? true) ? "always" : "never",
    split: true,
  };
  const extra_spaces: Component[] = [
    { type: "Strip", strip_left: false, strip_right: true },
    { type: "Replace", pattern: { Regex: " {2,}" }, content: "▁" },
  ];
  const normalizers: Component[] = [
    ...(precompiled_charsmap ? [{ type: "Precompiled", precompiled_charsmap }] : []),
    ...(fields.boolean("remove_extra_whitespaces") ? extra_spaces : []),
  ];
  const unk_id = fields.number("unknown_token_id") ?? -1;
  const named = (role: string) => tokens[fields.number(`${role}_id`) ?? -1];
  const [bos, eos] = [named("bos_token"), named("eos_token")];
  // Two texts of XLM-RoBERTa have two marks between them.
  const both =
    bos !== undefined && eos !== undefined && fields.boolean("add_bos_token") && fields.boolean("add_eos_token");
  return {
    model: {
      type: "Unigram",
      unk_id: tokens[unk_id] === undefined ? null : unk_id,
      vocab: tokens.map((token, id) => [token, scores[id]]),
      byte_fallback: false,
    },
    normalizer: { type: "Sequence", normalizers },
    pre_tokenizer: metaspace,
    decoder: metaspace,
    ...(both && {
      post_processor: template(`${bos} $A ${eos}`, `${bos} $A ${eos} ${eos} $B ${eos}`, (token) => vocab[token]!),
    }),
    add_bos_token: false,
    add_eos_token: true,
  };
}

/** Makes the parts for what GGUF calls the tokenizer's model. */
const MODELS: Record<string, (fields: Fields, tokens: readonly string[], vocab: Vocabulary) => Parts> = {
  gpt2: (fields, _tokens, vocab) => byte_level_bpe(fields, vocab),
  llama: sentencepiece_bpe,
  gemma4: sentencepiece_bpe,
  bert: word_piece,
  t5: unigram,
};

const ROLES = {
  bos_token: "bos_token_id",
  eos_token: "eos_token_id",
  unk_token: "unknown_token_id",
  sep_token: "seperator_token_id", // llama.cpp's spelling
  pad_token: "padding_token_id",
  cls_token: "cls_token_id",
  mask_token: "mask_token_id",
} as const;

/** The default template and the named ones. */
function chat_templates(metadata: ReadonlyMap<string, GgufMetadataValue>): string | Record<string, string> | undefined {
  const prefix = "tokenizer.chat_template.";
  const named = [...metadata].filter(([key, value]) => key.startsWith(prefix) && typeof value === "string");
  const single = metadata.get("tokenizer.chat_template");
  if (named.length === 0) return typeof single === "string" ? single : undefined;
  const templates = Object.fromEntries(named.map(([key, value]) => [key.slice(prefix.length), value as string]));
  return typeof single === "string" ? { default: single, ...templates } : templates;
}

export interface GgufTokenizer {
  /** What general.architecture says: "llama", "qwen2", … */
  architecture: string;
  /** The content of a tokenizer.json. */
  tokenizer: object | string;
  /** Keywords of the tokenizer's class. */
  keywords: Record<string, unknown>;
}

/** The tokenizer that a GGUF file carries, as the original tokenizer.json would have it. */
export async function tokenizer_from_gguf(path: string): Promise<GgufTokenizer> {
  const { metadata } = await read_gguf(path);
  const fields = new Fields(metadata);
  const tokens = fields.strings("tokens");
  const model = fields.string("model");
  if (!tokens || !model) throw invalid("it has no tokens");
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  if (!Object.hasOwn(MODELS, model)) {
    const known = Object.keys(MODELS).join(", ");
    throw invalid(
      `its model "${model}" is not supported (known are ${known}); use the original repository's tokenizer`,
    );
  }
  const { add_bos_token, add_eos_token, keywords: own, ...components } = MODELS[model]!(fields, tokens, vocab);

  const types = fields.numbers("token_type");
  const added = tokens.flatMap((content, id) => {
    const type = types?.[id];
    if (type !== CONTROL && type !== USER_DEFINED) return [];
    return [{ id, ...new AddedToken(content, { normalized: false, special: type === CONTROL }).to_json() }];
  });
  const keywords: Record<string, unknown> = { clean_up_tokenization_spaces: false, ...own };
  for (const [role, key] of Object.entries(ROLES)) {
    const id = fields.number(key);
    keywords[role] = id === undefined ? null : (tokens[id] ?? null);
  }
  keywords["add_bos_token"] = (fields.boolean("add_bos_token") ?? add_bos_token) && keywords["bos_token"] !== null;
  keywords["add_eos_token"] =
    (fields.boolean("add_eos_token") ?? add_eos_token ?? false) && keywords["eos_token"] !== null;
  const template = chat_templates(metadata);
  if (template !== undefined) keywords["chat_template"] = template;

  const special = (role: string): Special | null =>
    keywords[`add_${role}`] ? [keywords[role] as string, fields.number(`${role}_id`)!] : null;
  const post_processor =
    keywords["add_bos_token"] || keywords["add_eos_token"]
      ? bos_eos_processor(special("bos_token"), special("eos_token"))
      : null;
  const whole = metadata.get("tokenizer.huggingface.json");
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    post_processor,
    ...components,
  };
  const architecture = metadata.get("general.architecture");
  return {
    architecture: typeof architecture === "string" ? architecture : "",
    tokenizer: typeof whole === "string" ? whole : tokenizer,
    keywords,
  };
}
