// Tokenizers with a SentencePiece model that Python has only in Python: SpeechT5, Siglip, BertGeneration, GPT-SW3,
// XLM-ProphetNet. Those with languages are in slow_languages.ts.
import { out_of_range, TransformersError } from "../errors.js";
import { AddedToken } from "./added_token.js";
import type { CallOptions } from "./base.js";
import { SPACE, strip } from "./python_text.js";
import { SentencePieceProcessor } from "./sentencepiece_processor.js";
import type { Vocabulary } from "./slow.js";
import { type Ends, refuse_sampling, TokenizerWithEnds, with_eos } from "./slow_ends.js";

export type Keywords = Record<string, unknown>;

/** The vocabulary of a model: its pieces by their places. */
export const piece_ids = (model: SentencePieceProcessor): Map<string, number> =>
  new Map(model.pieces.map(({ piece }, id) => [piece, id]));

/** fairseq's numbering: `first` have the first ids, and pieces from the fourth on follow at their place and `offset`. */
export function fairseq_ids(
  model: SentencePieceProcessor,
  first: readonly string[],
  offset: number,
): Map<string, number> {
  const pieces = model.pieces.slice(3).map(({ piece }, i): [string, number] => [piece, i + 3 + offset]);
  return new Map([...pieces, ...first.map((token, id): [string, number] => [token, id])]);
}

export abstract class SentencePieceTokenizer extends TokenizerWithEnds {
  static override readonly model_input_names: readonly string[] = ["input_ids", "attention_mask"];
  /** What stands before and after a special token in decoded text. */
  protected static readonly around_special: readonly [before: string, after: string] = ["", ""];

  protected readonly model: SentencePieceProcessor;
  readonly #saved_as: string;

  constructor(kwargs: Keywords, model: SentencePieceProcessor, encoder: Vocabulary, saved_as: string) {
    refuse_sampling(kwargs["sp_model_kwargs"]);
    super({ sp_model_kwargs: {}, ...kwargs }, encoder);
    this.model = model;
    this.#saved_as = saved_as;
  }

  protected override _ends(_has_pair?: boolean): Ends {
    return { first: [], between: null, last: [] };
  }
  protected override _tokenize(text: string): string[] {
    return this.model.encode(text);
  }
  protected override convert_id_to_token(id: number): string | null {
    const token = this.decoder.get(id);
    if (token !== undefined) return token;
    throw out_of_range("an id of the vocabulary", "token_ids", id);
  }

  /** Special tokens are none of the model's. */
  override convert_tokens_to_string(tokens: readonly string[]): string {
    const [before, after] = (this.constructor as typeof SentencePieceTokenizer).around_special;
    const special = new Set(this.all_special_tokens);
    let text = "";
    let run: string[] = [];
    let was_special = false;
    for (const token of tokens) {
      const is_special = special.has(token);
      if (is_special) {
        text += `${was_special ? "" : before}${this.decoded(run)}${token}${after}`;
        run = [];
      } else run.push(token);
      was_special = is_special;
    }
    return this.trimmed(text + this.decoded(run));
  }
  protected trimmed(text: string): string {
    return strip(text);
  }
  protected decoded(run: readonly string[]): string {
    return this.model.decode_pieces(run);
  }

  override vocabulary_files(): Record<string, string | { copy: string }> {
    return { [this.#saved_as]: { copy: this.model.path } };
  }
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/speecht5/tokenization_speecht5.py */
export class SpeechT5Tokenizer extends SentencePieceTokenizer {
  static override readonly vocab_files_names = { vocab_file: "spm_char.model" };
  static override readonly keywords = {
    bos_token: "<s>",
    eos_token: "</s>",
    unk_token: "<unk>",
    pad_token: "<pad>",
    normalize: false,
  };
  protected static override readonly around_special: readonly [string, string] = [" ", ""];

  constructor({ vocab_file, ...keywords }: Keywords) {
    const kwargs: Keywords = { ...SpeechT5Tokenizer.keywords, ...keywords };
    if (kwargs["normalize"])
      throw new TransformersError("normalize: writing numbers as English words is not supported", "not_supported");
    const model = new SentencePieceProcessor(vocab_file as string, "vocab_file");
    super(kwargs, model, piece_ids(model), "spm_char.model");
  }
  protected override _ends(): Ends {
    return { first: [], between: null, last: [this.eos_token_id!] };
  }
  protected override prepare_for_tokenization(text: string, is_split_into_words: boolean): string {
    return is_split_into_words ? ` ${text}` : text;
  }
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/bert_generation/tokenization_bert_generation.py */
export class BertGenerationTokenizer extends SentencePieceTokenizer {
  static override readonly vocab_files_names = { vocab_file: "spiece.model" };
  static override readonly keywords = {
    bos_token: "<s>",
    eos_token: "</s>",
    unk_token: "<unk>",
    pad_token: "<pad>",
    sep_token: "<::::>",
  };

  constructor({ vocab_file, ...keywords }: Keywords) {
    const model = new SentencePieceProcessor(vocab_file as string, "vocab_file");
    super({ ...BertGenerationTokenizer.keywords, ...keywords }, model, piece_ids(model), "spiece.model");
  }
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/siglip/tokenization_siglip.py */
export class SiglipTokenizer extends SentencePieceTokenizer {
  static override readonly vocab_files_names = { vocab_file: "spiece.model" };
  static override readonly keywords = {
    eos_token: "</s>",
    unk_token: "<unk>",
    pad_token: "</s>",
    additional_special_tokens: null,
    model_max_length: 64,
    do_lower_case: true,
  };
  protected static override readonly around_special: readonly [string, string] = [" ", ""];

  constructor({ vocab_file, ...keywords }: Keywords) {
    const kwargs: Keywords = { ...SiglipTokenizer.keywords, ...keywords };
    const flags = { lstrip: true, rstrip: true, normalized: false, special: true };
    for (const role of ["pad_token", "unk_token", "eos_token"])
      if (typeof kwargs[role] === "string") kwargs[role] = new AddedToken(kwargs[role], flags);
    kwargs["additional_special_tokens"] ??= [];
    const model = new SentencePieceProcessor(vocab_file as string, "vocab_file", { add_dummy_prefix: false });
    super(kwargs, model, piece_ids(model), "spiece.model");
  }

  protected override _ends(): Ends {
    return { first: [], between: [this.eos_token_id!], last: [this.eos_token_id!] };
  }
  override build_inputs_with_special_tokens(ids: readonly number[], pair?: readonly number[]): number[] {
    return [ids, ...(pair ? [pair] : [])].flatMap((row) => with_eos(this, row));
  }
  override create_token_type_ids_from_sequences(ids: readonly number[], pair?: readonly number[]): number[] {
    return new Array<number>(ids.length + 1 + (pair ? pair.length + 1 : 0)).fill(0);
  }
  protected override without_own({ add_special_tokens: _, ...others }: CallOptions): CallOptions {
    return others;
  }

  protected override _tokens_of(text: string, split_special_tokens: boolean, words: boolean): string[] {
    const tokens = super._tokens_of(`▁${text.replaceAll("▁", " ")}`, split_special_tokens, words);
    const starts_alone = tokens.length > 1 && tokens[0] === "▁" && this.all_special_tokens.includes(tokens[1]!);
    return starts_alone ? tokens.slice(1) : tokens;
  }
  /** Without ASCII's punctuation; an unknown token in front keeps the space at the start. */
  protected override _tokenize(given: string): string[] {
    const text = strip(given.replace(/[!-/:-@[-`{-~]/g, "").replace(new RegExp(`[${SPACE}]+`, "gu"), " "));
    const front = this.model.encode(this.unk_token!).length;
    const tokens = this.model.encode(this.unk_token! + text);
    return tokens.length >= front ? tokens.slice(front) : tokens;
  }
}

// Characters that GPT-SW3 leaves out, and those that it takes for a space.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are meant
const NOT_PRINTED = /[\0-\x08\x0b-\x1f\x7f-\x9f\xa0\xad\u200b]/g;
const SPACES = /[ \u2002\u2003\u2005\u2008-\u200a\u202f\u3000\ufffc]/g;

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/gpt_sw3/tokenization_gpt_sw3.py */
export class GPTSw3Tokenizer extends SentencePieceTokenizer {
  static override readonly vocab_files_names = { vocab_file: "spiece.model" };
  static override readonly keywords: Readonly<Record<string, unknown>> = {
    do_lower_case: false,
    remove_space: false,
    keep_accents: false,
    pad_token: null,
    unk_token: null,
    eos_token: null,
    bos_token: null,
  };
  protected static override readonly around_special: readonly [string, string] = [" ", ""];

  constructor({ vocab_file, ...keywords }: Keywords) {
    const kwargs: Keywords = { ...GPTSw3Tokenizer.keywords, ...keywords };
    kwargs["eos_token"] ??= "<|endoftext|>";
    kwargs["unk_token"] ??= "<unk>";
    const is_7b = String(kwargs["name_or_path"] ?? "").includes("gpt-sw3-7b");
    kwargs["pad_token"] ??= is_7b ? kwargs["unk_token"] : "<pad>";
    kwargs["bos_token"] ??= is_7b ? kwargs["eos_token"] : "<s>";
    const model = new SentencePieceProcessor(vocab_file as string, "vocab_file");
    super(kwargs, model, piece_ids(model), "spiece.model");
  }

  protected override trimmed(text: string): string {
    return text;
  }
  override clean_up_tokenization(text: string): string {
    return text;
  }
  protected override _tokenize(text: string): string[] {
    return this.model.encode(text.replace(NOT_PRINTED, "").replace(SPACES, " ").normalize("NFC"));
  }
}

const UNUSED = Array.from({ length: 10 }, (_, i) => `[unused${i}]`);

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/deprecated/xlm_prophetnet/tokenization_xlm_prophetnet.py */
export class XLMProphetNetTokenizer extends SentencePieceTokenizer {
  static override readonly vocab_files_names = { vocab_file: "prophetnet.tokenizer" };
  static override readonly keywords = {
    bos_token: "[SEP]",
    eos_token: "[SEP]",
    sep_token: "[SEP]",
    unk_token: "[UNK]",
    pad_token: "[PAD]",
    cls_token: "[CLS]",
    mask_token: "[MASK]",
  };

  constructor({ vocab_file, ...keywords }: Keywords) {
    const model = new SentencePieceProcessor(vocab_file as string, "vocab_file");
    const first = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]", ...UNUSED];
    const ids = fairseq_ids(model, first, 12);
    super({ ...XLMProphetNetTokenizer.keywords, ...keywords }, model, ids, "prophetnet.tokenizer");
  }
  protected override _ends(): Ends {
    return { first: [], between: [this.sep_token_id!], last: [this.sep_token_id!] };
  }
  /** Zeros, for two texts one more than the row has ids. */
  override create_token_type_ids_from_sequences(ids: readonly number[], pair?: readonly number[]): number[] {
    return new Array<number>(ids.length + 1 + (pair ? pair.length + 2 : 0)).fill(0);
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return strip(tokens.join("").replaceAll("▁", " "));
  }
}
