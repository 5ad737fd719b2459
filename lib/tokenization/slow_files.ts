// The files of Python's slow tokenizers: vocab.json with merges.txt, vocab.txt. Read where a checkpoint has no
// tokenizer.json, written beside it as Python does.
import { TransformersError } from "../errors.js";
import { by_code_point } from "../python.js";
import { AddedToken } from "./added_token.js";
import { gguf_pre_tokenizer } from "./gguf_pre_tokenizers.js";
import { ROLES } from "./special_tokens.js";
import { template } from "./template.js";
import type { Component } from "./tokenizer_json.js";

type Vocabulary = Record<string, number>;

const invalid = (what: string, cause?: unknown) => new TransformersError(what, "tokenizer_invalid", cause);
/** Python's lines of a text file: \r\n and \r end a line too. */
const lines = (text: string) => text.replace(/\r\n?/g, "\n").split("\n");
const family_of = (class_name: string) => class_name.replace(/Tokenizer(Fast)?$/, "");

function not_supported(class_name: string, files: string): TransformersError {
  return new TransformersError(
    `Making a ${class_name} from ${files} is not supported: it needs a tokenizer.json`,
    "not_supported",
  );
}

function parse_vocab(json: string): Vocabulary {
  let vocab: unknown;
  try {
    vocab = JSON.parse(json);
  } catch (cause) {
    throw invalid("vocab.json is not JSON", cause);
  }
  if (typeof vocab === "object" && vocab !== null && !Array.isArray(vocab)) return vocab as Vocabulary;
  throw invalid("vocab.json must hold an object of tokens and their ids");
}

/** Python's slow classes differ in which lines they take for merges. */
function merge_lines(text: string, family: string): string[] {
  if (family === "CLIP") return lines(text.trim()).slice(1, 49152 - 256 - 2 + 1);
  if (family === "Qwen2") {
    const list = lines(text).map((line) => line.trim());
    return list.filter((line, i) => line !== "" && !(i === 0 && line.startsWith("#version:")));
  }
  return lines(text).slice(1, -1);
}

function parse_merges(text: string, family: string): [string, string][] {
  return merge_lines(text, family).map((line, i) => {
    const pair = line.split(/\s+/).filter((token) => token !== "");
    if (pair.length !== 2) throw invalid(`merges.txt: expected two tokens in merge ${i + 1} but received "${line}"`);
    return pair as [string, string];
  });
}

function required(vocab: Vocabulary, token: unknown): number {
  const id = Object.hasOwn(vocab, String(token)) ? vocab[String(token)] : undefined;
  if (id === undefined) throw invalid(`The vocabulary has no token "${token}", which the tokenizer needs`);
  return id;
}

const byte_level = (add_prefix_space: boolean, trim_offsets = true): Component => ({
  type: "ByteLevel",
  add_prefix_space,
  trim_offsets,
  use_regex: true,
});

const empty_parts = { version: "1.0", truncation: null, padding: null, added_tokens: [] };

const ROBERTA = ["Roberta", "Bart", "LED", "Longformer", "Mvp"];
const BYTE_LEVEL = ["GPT2", "CodeGen", "Qwen2", "CLIP", "Deberta", "Blenderbot", ...ROBERTA];

const CLIP_SPLIT = String.raw`'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`;

/** What is in vocab.json and merges.txt, as the tokenizer.json that Python would make of it for `class_name`. */
export function from_vocab_json(
  class_name: string,
  vocab_json: string,
  merges_txt: string,
  keywords: Record<string, unknown>,
): object {
  const family = family_of(class_name);
  if (!BYTE_LEVEL.includes(family)) throw not_supported(class_name, "vocab.json and merges.txt");
  const vocab = parse_vocab(vocab_json);
  const add_prefix_space = Boolean(keywords["add_prefix_space"]);
  const [normalizer, pre_tokenizer] = splitting(family, add_prefix_space);
  return {
    ...empty_parts,
    normalizer,
    pre_tokenizer,
    post_processor: ends(family, vocab, keywords, add_prefix_space),
    decoder: byte_level(true),
    model: {
      type: "BPE",
      dropout: null,
      unk_token: family === "CLIP" ? String(keywords["unk_token"]) : null,
      continuing_subword_prefix: "",
      end_of_word_suffix: family === "CLIP" ? "</w>" : "",
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges: parse_merges(merges_txt, family),
    },
  };
}

function splitting(family: string, add_prefix_space: boolean): [Component | null, Component] {
  if (family === "Qwen2") {
    const { normalizer = null, pre_tokenizer } = gguf_pre_tokenizer("qwen2")!;
    return [normalizer, pre_tokenizer];
  }
  if (family !== "CLIP") return [null, byte_level(add_prefix_space)];
  const spaces: Component = { type: "Replace", pattern: { Regex: "\\s+" }, content: " " };
  const words: Component = { type: "Split", pattern: { Regex: CLIP_SPLIT }, behavior: "Removed", invert: true };
  return [
    { type: "Sequence", normalizers: [{ type: "NFC" }, spaces, { type: "Lowercase" }] },
    { type: "Sequence", pretokenizers: [words, byte_level(false)] },
  ];
}

function ends(
  family: string,
  vocab: Vocabulary,
  keywords: Record<string, unknown>,
  add_prefix_space: boolean,
): Component {
  const id_of = (token: unknown) => required(vocab, token);
  const token = (role: string): [string, number] => [String(keywords[role]), id_of(keywords[role])];
  const { bos_token: bos, eos_token: eos } = keywords;
  if (ROBERTA.includes(family))
    return {
      type: "RobertaProcessing",
      sep: token("sep_token"),
      cls: token("cls_token"),
      trim_offsets: true,
      add_prefix_space,
    };
  if (family === "CLIP")
    return {
      type: "RobertaProcessing",
      sep: token("eos_token"),
      cls: token("bos_token"),
      trim_offsets: false,
      add_prefix_space,
    };
  if (family === "Deberta") return template("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", id_of);
  if (family === "Blenderbot") return template(`$A:0 ${eos}:0`, "$A:0 $B:1", id_of);
  if (family === "GPT2" && keywords["add_bos_token"]) return template(`${bos}:0 $A:0`, `${bos}:0 $A:0 $B:1`, id_of);
  return byte_level(true, false);
}

/** Families whose BertConverter is the plain one. */
const BERT = (
  "Bert ConvBert DPRContextEncoder DPRQuestionEncoder DPRReader DistilBert Electra LayoutLM Lxmert MobileBert RetriBert" +
  " SqueezeBert"
).split(" ");
/** Their ways to put a text or two between the tokens cls and sep. */
const BERT_ENDS: Record<string, (cls: string, sep: string) => [single: string, pair: string]> = {
  ...Object.fromEntries(
    BERT.map((family) => [
      family,
      (cls: string, sep: string) => [`${cls}:0 $A:0 ${sep}:0`, `${cls}:0 $A:0 ${sep}:0 $B:1 ${sep}:1`],
    ]),
  ),
  Funnel: (cls, sep) => [`${cls}:2 $A:0 ${sep}:0`, `${cls}:2 $A:0 ${sep}:0 $B:1 ${sep}:1`],
  MPNet: (cls, sep) => [`${cls}:0 $A:0 ${sep}:0`, `${cls}:0 $A:0 ${sep}:0 ${sep}:0 $B:1 ${sep}:1`],
};

/** What is in vocab.txt, one token a line, as Python's converter for `class_name` makes it. */
export function from_vocab_txt(class_name: string, vocab_txt: string, keywords: Record<string, unknown>): object {
  const family = family_of(class_name);
  if (!Object.hasOwn(BERT_ENDS, family)) throw not_supported(class_name, "vocab.txt");
  const tokens = lines(vocab_txt);
  if (tokens.at(-1) === "") tokens.pop();
  // The last one counts if a token is there twice; the ids of the others stay as they are.
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const [single, pair] = BERT_ENDS[family]!(String(keywords["cls_token"]), String(keywords["sep_token"]));
  return {
    ...empty_parts,
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: keywords["tokenize_chinese_chars"] ?? true,
      strip_accents: keywords["strip_accents"] ?? null,
      lowercase: keywords["do_lower_case"] ?? true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: template(single, pair, (token) => required(vocab, token)),
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: String(keywords["unk_token"]),
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

const all_of = (families: string) => new Set(families.split(" "));
const NORMALIZED = all_of("Bart BigBird Blenderbot CLIP GPT2 LED Longformer Roberta");
const NORMALIZED_MASK = all_of("Bart BigBird Deberta LED");

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
