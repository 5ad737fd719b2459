// Tokenizers with a SentencePiece model and languages that Python has only in Python: M2M100, Speech2Text, PLBart.

import { expected, TransformersError } from "../errors.js";
import { dump_json } from "../python_json.js";
import { AddedToken } from "./added_token.js";
import type { Input } from "./base.js";
import type { BatchEncoding } from "./batch_encoding.js";
import { M2M100_LANGUAGES, PLBART_LANGUAGES, WMT21_LANGUAGES } from "./languages.js";
import { SENTENCE } from "./layout.js";
import { strip } from "./python_text.js";
import { SentencePieceProcessor } from "./sentencepiece_processor.js";
import { ordered_vocabulary, type Vocabulary } from "./slow.js";
import type { Ends } from "./slow_ends.js";
import { fairseq_ids, type Keywords, SentencePieceTokenizer } from "./slow_sentencepiece.js";
import type { TranslationOptions } from "./translation_families.js";

const vocabulary_json = (vocabulary: Vocabulary) =>
  `{\n${Array.from(vocabulary, ([token, id]) => `  ${dump_json(token)}: ${id}`).join(",\n")}\n}`;

function one_of<T>(table: Record<string, T>, name: unknown, argument: string): T {
  if (typeof name === "string" && Object.hasOwn(table, name)) return table[name]!;
  throw expected(`one of ${Object.keys(table).join(", ")}`, argument, name);
}

/** A model that translates: `src_lang` and `tgt_lang` decide about the tokens around texts and targets. */
abstract class LanguageTokenizer extends SentencePieceTokenizer {
  #src_lang: string | null = null;
  #tgt_lang: string | null = null;
  #current: number | null = null;

  /** The id of a language's token. Throws TypeError for one that the tokenizer does not know. */
  abstract get_lang_id(lang: string): number;
  /** A language's name as the tokenizer keeps it. */
  protected named(lang: string): string {
    return lang;
  }
  protected get language_id(): number | null {
    return this.#current;
  }

  protected start_languages(src_lang: string | null, tgt_lang: string | null): void {
    this.#src_lang = src_lang === null ? null : this.named(src_lang);
    this.#tgt_lang = tgt_lang === null ? null : this.named(tgt_lang);
    this._switch_mode("input");
  }
  get src_lang(): string | null {
    return this.#src_lang;
  }
  set src_lang(lang: string) {
    this.#current = this.get_lang_id(this.named(lang));
    this.#src_lang = this.named(lang);
  }
  get tgt_lang(): string | null {
    return this.#tgt_lang;
  }
  set tgt_lang(lang: string | null) {
    this.#tgt_lang = lang === null ? null : this.named(lang);
  }

  protected override _switch_mode(mode: "input" | "target"): void {
    const lang = mode === "input" ? this.#src_lang : this.#tgt_lang;
    this.#current = lang === null ? this.without_language(mode) : this.get_lang_id(lang);
  }
  protected without_language(mode: "input" | "target"): number | null {
    throw expected("the code of a language", mode === "input" ? "src_lang" : "tgt_lang", null);
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
    inputs["forced_bos_token_id"] = this.get_lang_id(this.named(tgt_lang));
    return inputs;
  }
}

/**
 * `__code__ text </s>`.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/m2m_100/tokenization_m2m_100.py
 */
export class M2M100Tokenizer extends LanguageTokenizer {
  static override readonly vocab_files_names = { vocab_file: "vocab.json", spm_file: "sentencepiece.bpe.model" };
  static override readonly keywords = {
    src_lang: null,
    tgt_lang: null,
    bos_token: "<s>",
    eos_token: "</s>",
    sep_token: "</s>",
    pad_token: "<pad>",
    unk_token: "<unk>",
    language_codes: "m2m100",
    num_madeup_words: 8,
  };

  readonly lang_code_to_id: Readonly<Record<string, number>>;
  readonly #tokens = new Map<string, number>();
  readonly #names = new Map<number, string>();

  constructor({ vocab_file, spm_file, ...keywords }: Keywords) {
    const kwargs: Keywords = { ...M2M100Tokenizer.keywords, ...keywords };
    const tables = { m2m100: M2M100_LANGUAGES, wmt21: WMT21_LANGUAGES };
    const codes = one_of(tables, kwargs["language_codes"], "language_codes");
    const model = new SentencePieceProcessor(spm_file as string, "spm_file");
    const vocabulary = ordered_vocabulary(vocab_file, "vocab_file");
    super(kwargs, model, vocabulary, "sentencepiece.bpe.model");
    this.lang_code_to_id = Object.fromEntries(codes.map((code, i) => [code, vocabulary.size + i]));
    for (const [code, id] of Object.entries(this.lang_code_to_id)) {
      this.#tokens.set(`__${code}__`, id);
      this.#names.set(id, `__${code}__`);
    }
    this.start_languages((kwargs["src_lang"] as string | null) ?? "en", kwargs["tgt_lang"] as string | null);
  }

  get_lang_token(lang: string): string {
    this.get_lang_id(lang);
    return `__${lang}__`;
  }
  override get_lang_id(lang: string): number {
    return one_of(this.lang_code_to_id, lang, "the language");
  }
  protected override _ends(): Ends {
    return { first: this.language_id === null ? [] : [this.language_id], between: null, last: [this.eos_token_id!] };
  }
  protected override convert_token_to_id(token: string): number | null {
    return this.#tokens.get(token) ?? super.convert_token_to_id(token);
  }
  protected override convert_id_to_token(id: number): string | null {
    return this.#names.get(id) ?? this.decoder.get(id) ?? this.unk_token;
  }
  override vocabulary_files(): Record<string, string | { copy: string }> {
    return { "vocab.json": vocabulary_json(this.encoder), ...super.vocabulary_files() };
  }
}

const MUSTC = ["pt", "fr", "ru", "nl", "ro", "it", "es", "de"];

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/speech_to_text/tokenization_speech_to_text.py */
export class Speech2TextTokenizer extends SentencePieceTokenizer {
  static override readonly vocab_files_names = { vocab_file: "vocab.json", spm_file: "sentencepiece.bpe.model" };
  static override readonly keywords = {
    bos_token: "<s>",
    eos_token: "</s>",
    pad_token: "<pad>",
    unk_token: "<unk>",
    do_upper_case: false,
    do_lower_case: false,
    tgt_lang: null,
    lang_codes: null,
    additional_special_tokens: null,
  };
  protected static override readonly around_special: readonly [string, string] = ["", " "];

  readonly do_upper_case: boolean;
  readonly lang_code_to_id: Readonly<Record<string, number>>;
  #tgt_lang: string | null = null;
  #prefix: number[] = [];

  constructor({ vocab_file, spm_file, ...keywords }: Keywords) {
    const kwargs: Keywords = { ...Speech2TextTokenizer.keywords, ...keywords };
    const codes = kwargs["lang_codes"] === null ? [] : one_of({ mustc: MUSTC }, kwargs["lang_codes"], "lang_codes");
    const model = new SentencePieceProcessor(spm_file as string, "spm_file");
    const given = (kwargs["additional_special_tokens"] as unknown[] | null) ?? [];
    kwargs["additional_special_tokens"] = [...codes.map((code) => `<lang:${code}>`), ...given];
    super(kwargs, model, ordered_vocabulary(vocab_file, "vocab_file"), "sentencepiece.bpe.model");
    this.do_upper_case = Boolean(kwargs["do_upper_case"]);
    const places = new Map(model.pieces.map(({ piece }, id) => [piece, id]));
    const unknown = places.get(model.unk_piece) ?? 0;
    this.lang_code_to_id = Object.fromEntries(codes.map((code) => [code, places.get(`<lang:${code}>`) ?? unknown]));
    if (codes.length > 0) this.tgt_lang = (kwargs["tgt_lang"] as string | null) ?? codes[0]!;
  }

  get tgt_lang(): string | null {
    return this.#tgt_lang;
  }
  set tgt_lang(lang: string) {
    this.#prefix = [one_of(this.lang_code_to_id, lang, "tgt_lang")];
    this.#tgt_lang = lang;
  }
  protected override _ends(): Ends {
    return { first: this.#prefix, between: null, last: [this.eos_token_id!] };
  }
  protected override convert_id_to_token(id: number): string | null {
    return this.decoder.get(id) ?? this.unk_token;
  }
  protected override decoded(run: readonly string[]): string {
    const text = super.decoded(run);
    return this.do_upper_case ? text.toUpperCase() : text;
  }
  override vocabulary_files(): Record<string, string | { copy: string }> {
    return { "vocab.json": vocabulary_json(this.encoder), ...super.vocabulary_files() };
  }
}

/**
 * `text </s> __code__`.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/plbart/tokenization_plbart.py
 */
export class PLBartTokenizer extends LanguageTokenizer {
  static override readonly types_are_zero = true;
  static override readonly vocab_files_names = { vocab_file: "sentencepiece.bpe.model" };
  static override readonly keywords = {
    ...SENTENCE,
    language_codes: "base",
    tokenizer_file: null,
    src_lang: null,
    tgt_lang: null,
    additional_special_tokens: null,
    clean_up_tokenization_spaces: true,
  };

  readonly lang_code_to_id: Readonly<Record<string, number>>;
  readonly #is_base: boolean;

  constructor({ vocab_file, ...keywords }: Keywords) {
    const kwargs: Keywords = { ...PLBartTokenizer.keywords, ...keywords };
    const codes = one_of(PLBART_LANGUAGES, kwargs["language_codes"], "language_codes");
    const model = new SentencePieceProcessor(vocab_file as string, "vocab_file");
    const ids = fairseq_ids(model, ["<s>", "<pad>", "</s>", "<unk>"], 1);
    const lang_code_to_id = Object.fromEntries(codes.map((code, i) => [code, model.pieces.length + 1 + i]));
    for (const [code, id] of Object.entries(lang_code_to_id)) ids.set(code, id);
    const is_base = kwargs["language_codes"] === "base";
    if (is_base) ids.set("<mask>", model.pieces.length + 1 + codes.length);
    const given = (kwargs["additional_special_tokens"] as unknown[] | null) ?? [];
    kwargs["additional_special_tokens"] = [...codes, ...given.filter((token) => !codes.includes(String(token)))];
    const mask = kwargs["mask_token"];
    if (typeof mask === "string") kwargs["mask_token"] = new AddedToken(mask, { lstrip: true });
    for (const side of ["src_lang", "tgt_lang"])
      if (typeof kwargs[side] === "string") kwargs[side] = with_marks(kwargs[side]);
    super(kwargs, model, ids, "sentencepiece.bpe.model");
    this.lang_code_to_id = lang_code_to_id;
    this.#is_base = is_base;
    const src_lang = kwargs["src_lang"] as string | null;
    this.start_languages(is_base ? src_lang : (src_lang ?? "__en_XX__"), kwargs["tgt_lang"] as string | null);
  }

  override get vocab_size(): number {
    return this.model.pieces.length + Object.keys(this.lang_code_to_id).length + (this.#is_base ? 2 : 1);
  }
  override get_lang_id(lang: string): number {
    return one_of(this.lang_code_to_id, lang, "the language");
  }
  protected override named(lang: string): string {
    return with_marks(lang);
  }
  protected override without_language(): null {
    return null;
  }
  protected override _ends(): Ends {
    const language = this.language_id === null ? [] : [this.language_id];
    return { first: [], between: null, last: [this.eos_token_id!, ...language] };
  }
  override create_token_type_ids_from_sequences(ids: readonly number[], pair?: readonly number[]): number[] {
    return new Array<number>(ids.length + 2 + (pair ? pair.length + 2 : 0)).fill(0);
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return strip(tokens.join("").replaceAll("▁", " "));
  }
}

const with_marks = (lang: string) => (PLBART_LANGUAGES.multi.includes(`__${lang}__`) ? `__${lang}__` : lang);
