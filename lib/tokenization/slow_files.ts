// The files of Python's slow tokenizers: vocab.json with merges.txt, vocab.txt. Read where a checkpoint has no
// tokenizer.json, written beside it as Python does.
import { TransformersError } from "../errors.js";
import { by_code_point } from "../python.js";
import { gguf_pre_tokenizer } from "./gguf_pre_tokenizers.js";
import type { Component } from "./tokenizer_json.js";

type Vocabulary = Record<string, number>;

const invalid = (what: string, cause?: unknown) => new TransformersError(what, "tokenizer_invalid", cause);
const lines = (text: string) => text.split(/\r?\n/);

function parse_vocab(json: string): Vocabulary {
  try {
    return JSON.parse(json) as Vocabulary;
  } catch (cause) {
    throw invalid("vocab.json is not JSON", cause);
  }
}

/** One pair a line, after an optional "#version" line. */
function parse_merges(text: string): [string, string][] {
  const list = lines(text).filter((line, i) => line !== "" && !(i === 0 && line.startsWith("#version")));
  return list.map((line, i) => {
    const pair = line.split(" ");
    if (pair.length !== 2) throw invalid(`merges.txt: expected two tokens in merge ${i + 1} but received "${line}"`);
    return pair as [string, string];
  });
}

function required(vocab: Vocabulary, token: unknown): number {
  const id = vocab[String(token)];
  if (id === undefined) throw invalid(`The vocabulary has no token "${token}", which the tokenizer needs`);
  return id;
}

const byte_level = (add_prefix_space: boolean): Component => ({
  type: "ByteLevel",
  add_prefix_space,
  trim_offsets: true,
  use_regex: true,
});

/** What is in vocab.json and merges.txt, as the tokenizer.json that Python would make of it for `class_name`. */
export function from_vocab_json(
  class_name: string,
  vocab_json: string,
  merges_txt: string,
  keywords: Record<string, unknown>,
): object {
  const vocab = parse_vocab(vocab_json);
  const add_prefix_space = Boolean(keywords["add_prefix_space"]);
  const family = class_name.replace(/Tokenizer(Fast)?$/, "");
  const qwen2 = gguf_pre_tokenizer("qwen2")!;
  const roberta = ["Roberta", "Bart", "Blenderbot", "LED", "Longformer", "Mvp"].includes(family);
  if (!roberta && !["GPT2", "Qwen2", "CodeGen"].includes(family)) {
    throw new TransformersError(
      `Making a ${class_name} from vocab.json and merges.txt is not supported: it needs a tokenizer.json`,
      "not_supported",
    );
  }
  const post_processor: Component = roberta
    ? {
        type: "RobertaProcessing",
        sep: [String(keywords["sep_token"]), required(vocab, keywords["sep_token"])],
        cls: [String(keywords["cls_token"]), required(vocab, keywords["cls_token"])],
        trim_offsets: true,
        add_prefix_space,
      }
    : { type: "ByteLevel", add_prefix_space: true, trim_offsets: false, use_regex: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: family === "Qwen2" ? qwen2.normalizer : null,
    pre_tokenizer: family === "Qwen2" ? qwen2.pre_tokenizer : byte_level(add_prefix_space),
    post_processor,
    decoder: byte_level(true),
    model: {
      type: "BPE",
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      vocab,
      merges: parse_merges(merges_txt),
    },
  };
}

/** What is in vocab.txt, one token a line, as BertConverter makes it. */
export function from_vocab_txt(vocab_txt: string, keywords: Record<string, unknown>): object {
  const tokens = lines(vocab_txt);
  if (tokens.at(-1) === "") tokens.pop();
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const [cls, sep] = [String(keywords["cls_token"]), String(keywords["sep_token"])];
  const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  const text = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const single = [special(cls, 0), text("A", 0), special(sep, 0)];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: keywords["tokenize_chinese_chars"] ?? true,
      strip_accents: keywords["strip_accents"] ?? null,
      lowercase: keywords["do_lower_case"] ?? true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single,
      pair: [...single, text("B", 1), special(sep, 1)],
      special_tokens: Object.fromEntries(
        [cls, sep].map((id) => [id, { id, ids: [required(vocab, id)], tokens: [id] }]),
      ),
    },
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
