// Tokenizers of encoder-decoder models, whose special tokens come in lists.
import { expected } from "../errors.js";
import { AddedToken } from "./added_token.js";
import { SentencePieceFamily } from "./families.js";
import { PreTrainedTokenizerFast, type TokenizerKeywords } from "./fast.js";
import { MBART_LANGUAGES, MBART50_LANGUAGES, NLLB_LANGUAGES } from "./languages.js";
import { template } from "./template.js";

const NO_TYPES = ["input_ids", "attention_mask"];

/** `count` names that `name` makes of the numbers from `first` on. */
const numbered = (name: string, first: number, count: number) =>
  Array.from({ length: Math.max(count, 0) }, (_, i) => `<${name}_${first + i}>`);

function listed(keywords: TokenizerKeywords): unknown[] | undefined {
  const tokens = keywords["additional_special_tokens"] ?? undefined;
  if (tokens === undefined || Array.isArray(tokens)) return tokens;
  throw expected("a list of tokens", "additional_special_tokens", tokens);
}

function count_of(name: string, keywords: TokenizerKeywords, defaults: Readonly<Record<string, unknown>>): number {
  const count = keywords[name] ?? defaults[name];
  if (typeof count === "number" && Number.isInteger(count) && count >= 0 && count < 1e6) return count;
  throw expected("a natural number below a million", name, count);
}

/** T5's and mT5's: `extra_ids` sentinels are special tokens. */
export class T5Family extends PreTrainedTokenizerFast {
  static override readonly model_input_names: readonly string[] = NO_TYPES;
  static override readonly keywords: Readonly<Record<string, unknown>> = {
    eos_token: "</s>",
    unk_token: "<unk>",
    pad_token: "<pad>",
    extra_ids: 100,
    add_prefix_space: null,
    legacy: null,
  };

  constructor(keywords: TokenizerKeywords = {}) {
    const count = count_of("extra_ids", keywords, new.target.keywords);
    const given = listed(keywords);
    const found = (given ?? []).filter((token) => String(token).includes("<extra_id_")).length;
    if (found > 0 && count > 0 && found !== count) {
      throw new RangeError(
        `Both extra_ids (${count}) and additional_special_tokens (${given}) are provided to T5Tokenizer. In this case` +
          " the additional_special_tokens must include the extra_ids tokens",
      );
    }
    const extra = found > 0 ? [] : numbered("extra_id", 0, count);
    super({ ...keywords, additional_special_tokens: [...(given ?? []), ...extra] });
    const { add_prefix_space, legacy } = this.init_kwargs;
    if (typeof add_prefix_space !== "boolean") return;
    const prepend_scheme = !add_prefix_space ? "never" : legacy === false ? "first" : "always";
    for (const kind of ["pre_tokenizer", "decoder"] as const) {
      const component = this.component(kind);
      if (component?.type === "Metaspace") this.set_component(kind, { ...component, prepend_scheme });
    }
  }

  override build_inputs_with_special_tokens(ids: readonly number[], pair?: readonly number[]): number[] {
    const eos = this.eos_token_id!;
    return [...ids, eos, ...(pair ? [...pair, eos] : [])];
  }
}

/** Pegasus's: the first `offset` ids are special tokens that only its training used. */
export class PegasusFamily extends PreTrainedTokenizerFast {
  static override readonly model_input_names: readonly string[] = NO_TYPES;
  static override readonly keywords: Readonly<Record<string, unknown>> = {
    pad_token: "<pad>",
    eos_token: "</s>",
    unk_token: "<unk>",
    mask_token: "<mask_2>",
    mask_token_sent: "<mask_1>",
    offset: 103,
  };

  constructor(keywords: TokenizerKeywords = {}) {
    const offset = count_of("offset", keywords, new.target.keywords);
    const sentence =
      "mask_token_sent" in keywords ? keywords["mask_token_sent"] : new.target.keywords["mask_token_sent"];
    const mask = sentence === null ? [] : [String(sentence)];
    const given = listed(keywords)?.map(String);
    let tokens = [...mask, ...numbered("unk", 2, offset - 2)];
    if (given) {
      tokens = [...mask.filter((token) => !given.includes(token)), ...given];
      tokens.push(...numbered("unk", tokens.length, offset - 1 - tokens.length));
      if (new Set(tokens).size !== tokens.length) {
        throw new RangeError(
          "Please make sure that the provided additional_special_tokens do not contain an incorrectly shifted list of" +
            ` <unk_x> tokens. Found ${tokens.join(", ")}.`,
        );
      }
    }
    const { added_tokens_decoder: _, ...others } = keywords;
    super({ ...others, additional_special_tokens: tokens });
  }

  override build_inputs_with_special_tokens(ids: readonly number[], pair: readonly number[] = []): number[] {
    return [...ids, ...pair, this.eos_token_id!];
  }
}

/** Tokenizers of translation models: `src_lang` and `tgt_lang` decide about the tokens around texts and targets. */
abstract class TranslationFamily extends SentencePieceFamily {
  tgt_lang: string | null;
  #src_lang: string;

  constructor(keywords: TokenizerKeywords, default_lang: string) {
    super(keywords);
    this.#src_lang = (this.init_kwargs["src_lang"] as string | null | undefined) ?? default_lang;
    this.tgt_lang = (this.init_kwargs["tgt_lang"] as string | null | undefined) ?? null;
    this.#surround(this.#src_lang, "src_lang");
  }

  /** The tokens before and after a text in the language `code`. */
  protected abstract _around(code: string): [before: string[], after: string[]];

  get src_lang(): string {
    return this.#src_lang;
  }
  set src_lang(code: string) {
    this.#surround(code, "src_lang");
    this.#src_lang = code;
  }

  /** Python's set_src_lang_special_tokens and set_tgt_lang_special_tokens. */
  #surround(code: string | null, argument: string): void {
    const id = typeof code === "string" ? this.convert_tokens_to_ids(code) : null;
    if (id === null || id === this.unk_token_id) throw expected("the code of a language that it knows", argument, code);
    const [before, after] = this._around(code!);
    const written = (...texts: string[]) => [...before, ...texts, ...after].join(" ");
    const id_of = (token: string) => this.convert_tokens_to_ids(token)!;
    this.set_component("post_processor", template(written("$A"), written("$A", "$B"), id_of));
  }

  protected override _switch_mode(mode: "input" | "target"): void {
    if (mode === "input") this.#surround(this.#src_lang, "src_lang");
    else this.#surround(this.tgt_lang, "tgt_lang");
  }

  override build_inputs_with_special_tokens(ids: readonly number[], pair: readonly number[] = []): number[] {
    const [before, after] = this._around(this.#src_lang);
    const ids_of = (tokens: string[]) => this.convert_tokens_to_ids(tokens) as number[];
    return [...ids_of(before), ...ids, ...pair, ...ids_of(after)];
  }
}

/** The tokens of `more` that `tokens` lack, behind them. */
function with_more(tokens: readonly unknown[], more: readonly unknown[]): unknown[] {
  const known = new Set(tokens.map(String));
  return [...tokens, ...more.filter((token) => !known.has(String(token)))];
}

/** A mask given as a string is looked for in normalised text here, and takes the space before it. */
function normalized_mask(keywords: TokenizerKeywords, defaults: Readonly<Record<string, unknown>>, special: boolean) {
  const mask = keywords["mask_token"] ?? defaults["mask_token"];
  return typeof mask === "string" ? new AddedToken(mask, { lstrip: true, normalized: true, special }) : mask;
}

/** mBART's: `text </s> code`. */
export class MBartFamily extends TranslationFamily {
  constructor(keywords: TokenizerKeywords = {}) {
    const tokens = with_more(MBART_LANGUAGES, listed(keywords) ?? []);
    super({ ...keywords, additional_special_tokens: tokens }, "en_XX");
  }
  protected override _around(code: string): [string[], string[]] {
    return [[], [this.eos_token!, code]];
  }
}

/** mBART-50's: `code text </s>`. */
export class MBart50Family extends TranslationFamily {
  constructor(keywords: TokenizerKeywords = {}) {
    const tokens = with_more(listed(keywords) ?? [], MBART50_LANGUAGES);
    const mask_token = normalized_mask(keywords, new.target.keywords, false);
    super({ ...keywords, mask_token, additional_special_tokens: tokens }, "en_XX");
  }
  protected override _around(code: string): [string[], string[]] {
    return [[code], [this.eos_token!]];
  }
}

/** NLLB's: `code text </s>`, or as mBART's with `legacy_behaviour`. */
export class NllbFamily extends TranslationFamily {
  constructor(keywords: TokenizerKeywords = {}) {
    const tokens = listed(keywords) ?? NLLB_LANGUAGES;
    const mask_token = normalized_mask(keywords, new.target.keywords, true);
    super({ ...keywords, mask_token, additional_special_tokens: tokens }, "eng_Latn");
  }
  protected override _around(code: string): [string[], string[]] {
    const eos = this.eos_token!;
    return this.init_kwargs["legacy_behaviour"] ? [[], [eos, code]] : [[code], [eos]];
  }
}
