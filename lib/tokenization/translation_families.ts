// Tokenizers of translation models: `src_lang` and `tgt_lang` decide about the tokens around texts and targets.
import { expected, TransformersError, warn_once } from "../errors.js";
import { AddedToken } from "./added_token.js";
import type { CallOptions, Input } from "./base.js";
import type { BatchEncoding } from "./batch_encoding.js";
import { SentencePieceFamily } from "./families.js";
import type { TokenizerKeywords } from "./fast.js";
import { MBART_LANGUAGES, MBART50_LANGUAGES, NLLB_LANGUAGES } from "./languages.js";
import type { Layout } from "./layout.js";
import { listed } from "./seq2seq_families.js";
import { template } from "./template.js";

type Side = "src_lang" | "tgt_lang";
type Around = [before: string[], after: string[]];

/** Options of `_build_translation_inputs`: the languages, and those of the call. */
export type TranslationOptions = CallOptions & { src_lang?: string | null; tgt_lang?: string | null };

abstract class TranslationFamily extends SentencePieceFamily {
  static override readonly layout: Layout | null = null;
  static readonly counts_types: boolean = false;

  #tgt_lang: string | null;
  #src_lang: string;
  /** What stands around a text now. */
  #around: Around = [[], []];

  constructor(keywords: TokenizerKeywords, default_lang: string) {
    super(keywords);
    const given = (side: Side) => this.init_kwargs[side] as string | null | undefined;
    this.#src_lang = this._token_of(given("src_lang") ?? default_lang);
    const target = given("tgt_lang") ?? null;
    this.#tgt_lang = target === null ? null : this._token_of(target);
    this.surround("src_lang");
  }

  /** The tokens before and after a text in the language of the token `code`. */
  protected abstract _around(code: string, side: Side): Around;

  /** A language's token. */
  protected _token_of(code: string): string {
    return code;
  }

  /** Python only warns of a language that SeamlessM4T does not know. */
  protected _unknown_language(side: Side, code: string | null): void {
    throw expected("the code of a language that it knows", side, code);
  }

  get src_lang(): string {
    return this.#src_lang;
  }
  set src_lang(code: string) {
    const before = this.#src_lang;
    try {
      this.#src_lang = typeof code === "string" ? this._token_of(code) : code;
      this.surround("src_lang");
    } catch (error) {
      this.#src_lang = before;
      throw error;
    }
  }
  get tgt_lang(): string | null {
    return this.#tgt_lang;
  }
  set tgt_lang(code: string | null) {
    this.#tgt_lang = typeof code === "string" ? this._token_of(code) : code;
  }

  /** Python's set_src_lang_special_tokens and set_tgt_lang_special_tokens, for the language that is set. */
  protected surround(side: Side): void {
    const code = side === "src_lang" ? this.#src_lang : this.#tgt_lang;
    const id = typeof code === "string" ? this.convert_tokens_to_ids(code) : null;
    const is_known = id !== null && id !== this.unk_token_id;
    if (!is_known) this._unknown_language(side, code);
    const [before, after] = this._around(is_known ? code! : this.unk_token!, side);
    this.#around = [before, after];
    const written = (...texts: string[]) => [...before, ...texts, ...after].join(" ");
    const id_of = (token: string) => this.convert_tokens_to_ids(token)!;
    this.set_component("post_processor", template(written("$A"), written("$A", "$B"), id_of));
  }

  protected override _switch_mode(mode: "input" | "target"): void {
    this.surround(mode === "input" ? "src_lang" : "tgt_lang");
  }

  override build_inputs_with_special_tokens(ids: readonly number[], pair: readonly number[] = []): number[] {
    const [before, after] = this.#around;
    const ids_of = (tokens: string[]) => this.convert_tokens_to_ids(tokens) as number[];
    return [...ids_of(before), ...ids, ...pair, ...ids_of(after)];
  }

  /** Zeros: as Python's, more of them for two texts than such a row has ids. */
  override create_token_type_ids_from_sequences(ids: readonly number[], pair?: readonly number[]): number[] {
    if ((this.constructor as typeof TranslationFamily).counts_types)
      return super.create_token_type_ids_from_sequences(ids, pair);
    return new Array<number>(ids.length + (pair ? pair.length + 4 : 2)).fill(0);
  }

  /** What `generate` needs to translate, also `forced_bos_token_id`: for the pipeline, under Python's name. */
  _build_translation_inputs(raw_inputs: Input, options: TranslationOptions): BatchEncoding {
    const { src_lang, tgt_lang, ...call } = options;
    if (!src_lang || !tgt_lang)
      throw new TransformersError(
        "Translation requires a `src_lang` and a `tgt_lang` for this model",
        "language_missing",
      );
    this.src_lang = src_lang;
    const inputs = this._call(raw_inputs, { ...call, add_special_tokens: true });
    inputs["forced_bos_token_id"] = this.convert_tokens_to_ids(this._token_of(tgt_lang));
    return inputs;
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
  protected override _around(code: string): Around {
    return [[], [this.eos_token!, code]];
  }
}

/** mBART-50's: `code text </s>`. */
export class MBart50Family extends TranslationFamily {
  static override readonly counts_types = true;

  constructor(keywords: TokenizerKeywords = {}) {
    const tokens = with_more(listed(keywords) ?? [], MBART50_LANGUAGES);
    const mask_token = normalized_mask(keywords, new.target.keywords, false);
    super({ ...keywords, mask_token, additional_special_tokens: tokens }, "en_XX");
  }
  protected override _around(code: string): Around {
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
  protected override _around(code: string): Around {
    const eos = this.eos_token!;
    return this.init_kwargs["legacy_behaviour"] ? [[], [eos, code]] : [[code], [eos]];
  }
}

const with_marks = (code: string) => (code.includes("__") ? code : `__${code}__`);

/** SeamlessM4T's: `__code__ text </s>`, targets `</s> __code__ text </s>`. Calls pad to even lengths. */
export class SeamlessM4TFamily extends TranslationFamily {
  constructor(keywords: TokenizerKeywords = {}) {
    super(keywords, "eng");
    // Python leaves it for targets; a call for texts changes that, `encode` does not.
    this.surround("tgt_lang");
  }

  protected override _token_of(code: string): string {
    return with_marks(code);
  }
  protected override _unknown_language(side: Side, code: string | null): void {
    warn_once(
      `\`${side}=${code}\` has not be found in the vocabulary. Behaviour will probably be unexpected because the language` +
        " token id will be replaced by the unknown token id.",
    );
  }
  protected override _around(code: string, side: Side): Around {
    const eos = this.eos_token!;
    return side === "src_lang" ? [[code], [eos]] : [[eos, code], [eos]];
  }

  override _call(text: Input, ...rest: unknown[]): BatchEncoding {
    const last = rest.at(-1);
    const has_options = typeof last === "object" && last !== null && !Array.isArray(last);
    const { src_lang, tgt_lang, ...options } = (has_options ? last : {}) as TranslationOptions;
    if (src_lang) this.src_lang = src_lang;
    if (tgt_lang) this.tgt_lang = tgt_lang;
    if (text !== undefined && text !== null) this.surround("src_lang");
    return super._call(text, ...(has_options ? rest.slice(0, -1) : rest), { ...PADDED, ...options });
  }
}
const PADDED = { padding: true, pad_to_multiple_of: 2 };
