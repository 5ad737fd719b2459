import { AddedToken } from "./added_token.js";
import type { DecodeOptions } from "./base.js";
import { PreTrainedTokenizerFast, type TokenizerKeywords } from "./fast.js";
import { LAYOUTS, type Layout, SENTENCE, zeros } from "./layout.js";
import { strip } from "./python_text.js";
import { XGLM_WORDS } from "./sentencepiece_converters.js";

/** BERT's: what the configuration says about case, accents and Chinese characters overrides the tokenizer.json. */
export class BertFamily extends PreTrainedTokenizerFast {
  static override readonly layout: Layout | null = LAYOUTS.bert;
  static override readonly vocab_files_names: Readonly<Record<string, string>> = {
    vocab_file: "vocab.txt",
    tokenizer_file: "tokenizer.json",
  };
  static override readonly keywords: Readonly<Record<string, unknown>> = {
    do_lower_case: true,
    unk_token: "[UNK]",
    sep_token: "[SEP]",
    pad_token: "[PAD]",
    cls_token: "[CLS]",
    mask_token: "[MASK]",
    tokenize_chinese_chars: true,
    strip_accents: null,
  };

  constructor(keywords?: TokenizerKeywords) {
    super(keywords);
    const { do_lower_case, strip_accents, tokenize_chinese_chars } = this.init_kwargs;
    const normalizer = this.component("normalizer");
    if (normalizer?.type !== "BertNormalizer") return;
    this.set_component("normalizer", {
      ...normalizer,
      lowercase: do_lower_case,
      strip_accents,
      handle_chinese_chars: tokenize_chinese_chars,
    });
  }
}

/** Splinter's: a question ends with a token whose place is filled. */
export class SplinterFamily extends BertFamily {
  static override readonly keywords: Readonly<Record<string, unknown>> = {
    ...BertFamily.keywords,
    question_token: "[QUESTION]",
  };

  constructor(keywords: TokenizerKeywords = {}) {
    const question = keywords["question_token"] ?? new.target.keywords["question_token"];
    super({ ...keywords, additional_special_tokens: [question] });
  }

  get question_token(): string {
    return String(this.init_kwargs["question_token"]);
  }
  get question_token_id(): number {
    return this.convert_tokens_to_ids(this.question_token)!;
  }

  override build_inputs_with_special_tokens(ids: readonly number[], pair?: readonly number[]): number[] {
    if (!pair) return super.build_inputs_with_special_tokens(ids);
    const [cls, sep] = [this.cls_token_id!, this.sep_token_id!];
    const question = [this.question_token_id, this.convert_tokens_to_ids(".")!];
    return this.padding_side === "right"
      ? [cls, ...ids, ...question, sep, ...pair, sep]
      : [cls, ...ids, sep, ...pair, ...question, sep];
  }

  override create_token_type_ids_from_sequences(ids: readonly number[], pair?: readonly number[]): number[] {
    const asked = [...ids, ...(pair && this.padding_side === "right" ? [0, 0] : [])];
    const answered = pair && [...pair, ...(this.padding_side === "right" ? [] : [0, 0])];
    return super.create_token_type_ids_from_sequences(asked, answered);
  }
}

/** The byte-level tokenizers with `vocab.json` and `merges.txt`. */
export class GPT2Family extends PreTrainedTokenizerFast {
  static readonly slow_keywords = ["add_bos_token"];
  static override readonly words_need_space: boolean = true;
  static override readonly model_input_names: readonly string[] = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names: Readonly<Record<string, string>> = {
    vocab_file: "vocab.json",
    merges_file: "merges.txt",
    tokenizer_file: "tokenizer.json",
  };
}

/** CLIP's: the ends of words become spaces in decoded text. */
export class CLIPFamily extends GPT2Family {
  static override readonly words_need_space = false;
  static override readonly layout: Layout | null = LAYOUTS.roberta;

  protected override _decode(ids: number[], options: DecodeOptions): string {
    return strip(super._decode(ids, options).replaceAll("</w>", " "));
  }
}

/** RoBERTa's and BART's: the mask takes the space before it, and the configuration overrides the post-processor. */
export class RobertaFamily extends GPT2Family {
  static override readonly layout: Layout | null = LAYOUTS.roberta;
  static override readonly keywords: Readonly<Record<string, unknown>> = {
    errors: "replace",
    ...SENTENCE,
    add_prefix_space: false,
    trim_offsets: true,
  };

  constructor(keywords: TokenizerKeywords = {}) {
    super(with_wide_mask(keywords, new.target.keywords));
    set_processor(this, this.init_kwargs);
  }
}

/** The configuration overrides what the post-processor says of spaces. */
export function set_processor(tokenizer: PreTrainedTokenizerFast, kwargs: Record<string, unknown>): void {
  const processor = tokenizer.component("post_processor");
  if (!processor) return;
  const changed = { ...processor };
  for (const key of ["add_prefix_space", "trim_offsets"]) if (key in processor) changed[key] = kwargs[key];
  tokenizer.set_component("post_processor", changed);
}

/** Blenderbot's: a second text is left out. */
export class BlenderbotFamily extends RobertaFamily {
  override build_inputs_with_special_tokens(ids: readonly number[]): number[] {
    return [...ids, this.eos_token_id!];
  }
}

/** A mask token given as a string takes the space before it. */
export function with_wide_mask(
  keywords: TokenizerKeywords,
  defaults: Readonly<Record<string, unknown>>,
): TokenizerKeywords {
  const mask = keywords["mask_token"] ?? defaults["mask_token"];
  if (typeof mask !== "string") return keywords;
  return { ...keywords, mask_token: new AddedToken(mask, { lstrip: true, normalized: false }) };
}

/** SentencePiece tokenizers with sentence marks and a mask that takes the space before it. */
export class SentencePieceFamily extends PreTrainedTokenizerFast {
  static override readonly layout: Layout | null = LAYOUTS.xlm_roberta;

  constructor(keywords: TokenizerKeywords = {}) {
    super(with_wide_mask(keywords, new.target.keywords));
  }
}

/** XGLM's: seven words that only fill the vocabulary. */
export class XGLMFamily extends PreTrainedTokenizerFast {
  static override readonly layout: Layout | null = zeros(["sep A", "sep A sep sep B"]);

  constructor(keywords: TokenizerKeywords = {}) {
    const given = (keywords["additional_special_tokens"] ?? []) as unknown[];
    const known = new Set(given.map(String));
    const words = XGLM_WORDS.filter((word) => !known.has(word));
    super({ ...keywords, additional_special_tokens: [...given, ...words] });
  }
}

/** Qwen2's: special tokens given as strings are found before the text is normalised. */
export class Qwen2Family extends GPT2Family {
  static override readonly words_need_space = false;

  constructor(keywords: TokenizerKeywords = {}) {
    const own = { ...keywords };
    for (const role of ["bos_token", "eos_token", "unk_token", "pad_token"]) {
      const token = role in keywords ? keywords[role] : new.target.keywords[role];
      if (typeof token === "string") own[role] = new AddedToken(token, { special: true });
    }
    super(own);
  }
}

/** Parakeet's: of the frames of a transcript, repeated ids count once and the blank one, which is the pad, not at all. */
export class ParakeetFamily extends PreTrainedTokenizerFast {
  protected override _decode(ids: number[], options: DecodeOptions & { group_tokens?: boolean }): string {
    const grouped = (options.group_tokens ?? true) ? ids.filter((id, i) => id !== ids[i - 1]) : ids;
    const blank = this.pad_token_id;
    return super._decode(
      grouped.filter((id) => id !== blank),
      options,
    );
  }
}
