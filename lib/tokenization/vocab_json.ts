// vocab.json with merges.txt, the files of BPE tokenizers, as the tokenizer.json that Python makes of them:
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/convert_slow_tokenizer.py
import type { AddedToken } from "./added_token.js";
import { gguf_pre_tokenizer } from "./gguf_pre_tokenizers.js";
import { empty_parts, family_of, invalid, lines, no_token, not_supported } from "./slow_parts.js";
import { template } from "./template.js";
import type { Component } from "./tokenizer_json.js";
import { prompt_ids, type WhisperPrompt } from "./whisper_prompt.js";

type Vocabulary = Record<string, number>;
type Keywords = Record<string, unknown>;

const ROBERTA = ["Roberta", "Bart", "LED", "LayoutLMv3", "Longformer", "Mvp"];
const BYTE_LEVEL = ["GPT2", "CodeGen", "Qwen2", "CLIP", "Deberta", "Blenderbot", "Whisper", "MarkupLM", ...ROBERTA];
/** Tokens of characters, whose last one ends a word. */
const WORDS = ["OpenAIGPT", "Herbert"];

const CLIP_SPLIT = String.raw`'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`;

const byte_level = (add_prefix_space: boolean, trim_offsets = true): Component => ({
  type: "ByteLevel",
  add_prefix_space,
  trim_offsets,
  use_regex: true,
});

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
  if (family === "Herbert") {
    return lines(text)
      .slice(0, -1)
      .filter((line, i) => !(i === 0 && line.includes("#version:")));
  }
  return lines(text).slice(1, -1);
}

function parse_merges(text: string, family: string): [string, string][] {
  return merge_lines(text, family).map((line, i) => {
    const pair = line.split(/\s+/).filter((token) => token !== "");
    if (family === "Herbert") pair.length = Math.min(pair.length, 2);
    if (pair.length !== 2) throw invalid(`merges.txt: expected two tokens in merge ${i + 1} but received "${line}"`);
    return pair as [string, string];
  });
}

/** What is in vocab.json and merges.txt, as the tokenizer.json that Python would make of it for `class_name`. */
export function from_vocab_json(
  class_name: string,
  vocab_json: string,
  merges_txt: string,
  keywords: Keywords,
): object {
  const family = family_of(class_name);
  const is_words = WORDS.includes(family);
  if (!is_words && !BYTE_LEVEL.includes(family)) throw not_supported(class_name, "vocab.json and merges.txt");
  const vocab = parse_vocab(vocab_json);
  const has_suffix = is_words || family === "CLIP";
  const has_unk = has_suffix || family === "MarkupLM";
  const affix = is_words ? null : "";
  return {
    ...empty_parts,
    ...(is_words ? words(family, vocab, keywords) : bytes(family, vocab, keywords)),
    model: {
      type: "BPE",
      dropout: null,
      unk_token: has_unk ? String(keywords["unk_token"]) : null,
      continuing_subword_prefix: affix,
      end_of_word_suffix: has_suffix ? "</w>" : affix,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges: parse_merges(merges_txt, family),
    },
  };
}

/** Finds ids in the vocabulary and among the added tokens. */
function ids_of(vocab: Vocabulary, keywords: Keywords): (token: unknown) => number {
  const added = (keywords["added_tokens_decoder"] ?? {}) as Record<number, AddedToken>;
  const by_content = new Map(Object.entries(added).map(([id, token]) => [token.content, Number(id)]));
  return (token) => {
    const name = String(token);
    const id = Object.hasOwn(vocab, name) ? vocab[name] : by_content.get(name);
    if (id === undefined) throw no_token(token);
    return id;
  };
}

function words(family: string, vocab: Vocabulary, keywords: Keywords) {
  const id_of = ids_of(vocab, keywords);
  const token = (role: string): [string, number] => [String(keywords[role]), id_of(keywords[role])];
  const is_herbert = family === "Herbert";
  return {
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: is_herbert ? false : null,
      lowercase: !is_herbert,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: is_herbert ? { type: "BertProcessing", sep: token("sep_token"), cls: token("cls_token") } : null,
    decoder: { type: "BPEDecoder", suffix: "</w>" },
  };
}

function bytes(family: string, vocab: Vocabulary, keywords: Keywords) {
  const add_prefix_space = Boolean(keywords["add_prefix_space"]);
  const [normalizer, pre_tokenizer] = splitting(family, add_prefix_space);
  const post_processor = ends(family, vocab, keywords, add_prefix_space);
  return { normalizer, pre_tokenizer, post_processor, decoder: byte_level(true) };
}

function splitting(family: string, add_prefix_space: boolean): [Component | null, Component] {
  if (family === "Qwen2") {
    const { normalizer = null, pre_tokenizer } = gguf_pre_tokenizer("qwen2")!;
    return [normalizer, pre_tokenizer];
  }
  if (family !== "CLIP") return [null, byte_level(add_prefix_space)];
  const spaces: Component = { type: "Replace", pattern: { Regex: "\\s+" }, content: " " };
  const split: Component = { type: "Split", pattern: { Regex: CLIP_SPLIT }, behavior: "Removed", invert: true };
  return [
    { type: "Sequence", normalizers: [{ type: "NFC" }, spaces, { type: "Lowercase" }] },
    { type: "Sequence", pretokenizers: [split, byte_level(false)] },
  ];
}

function ends(family: string, vocab: Vocabulary, keywords: Keywords, add_prefix_space: boolean): Component {
  const id_of = ids_of(vocab, keywords);
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
  if (family === "MarkupLM") {
    const { cls_token: cls, sep_token: sep } = keywords;
    return template(`${cls}:0 $A:0 ${sep}:0`, `${cls}:0 $A:0 ${sep}:0 $B:0 ${sep}:0`, id_of);
  }
  if (family === "Blenderbot") return template(`$A:0 ${eos}:0`, "$A:0 $B:1", id_of);
  if (family === "GPT2" && keywords["add_bos_token"]) return template(`${bos}:0 $A:0`, `${bos}:0 $A:0 $B:1`, id_of);
  if (family === "Whisper") return whisper_template(vocab, keywords);
  return byte_level(true, false);
}

/** What the vocabulary lacks is its unknown token. */
function whisper_template(vocab: Vocabulary, keywords: Keywords): Component {
  const find = ids_of(vocab, keywords);
  const { added_tokens_decoder = {}, unk_token, eos_token } = keywords;
  const added = added_tokens_decoder as Record<number, AddedToken>;
  const known = new Set([...Object.keys(vocab), ...Object.values(added).map(String)]);
  const id_of = (token: string) => find(known.has(token) ? token : unk_token);
  const names = new Map(Object.entries(vocab).map(([token, id]) => [id, token]));
  const prompt = prompt_ids(keywords as unknown as WhisperPrompt, id_of);
  const prefix = prompt.map((id) => `${added[id]?.content ?? names.get(id) ?? String(unk_token)}:0`).join(" ");
  return template(`${prefix} $A:0 ${eos_token}:0`, `${prefix} $A:0 $B:1 ${eos_token}:1`, id_of);
}
