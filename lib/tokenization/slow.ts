// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/tokenization_utils.py
import { readFileSync } from "node:fs";
import { expected, TransformersError, warn_once } from "../errors.js";
import { repr } from "../python.js";
import { AddedToken, type Token } from "./added_token.js";
import {
  type CallOptions,
  type DecodeOptions,
  type MaskOptions,
  PreTrainedTokenizerBase,
  type Sample,
  type Text,
} from "./base.js";
import { BatchEncoding } from "./batch_encoding.js";
import { load_slow, type PretrainedOptions } from "./loading.js";
import type { EncodeOptions, Strategies } from "./options.js";
import { escape_pattern, lstrip, rstrip } from "./python_text.js";
import { type SaveOptions, save_pretrained } from "./saving.js";
import { read_vocab_file } from "./slow_parts.js";

/** Tokens and their ids. */
export type Vocabulary = ReadonlyMap<string, number>;

export interface SlowDecodeOptions extends DecodeOptions {
  /** Between added tokens and the text beside them. Default: true. */
  spaces_between_special_tokens?: boolean;
  /** Marian: decode with the source's model. */
  use_source_tokenizer?: boolean;
}

/** Checks a vocabulary; by ascending id. */
export function vocabulary(value: unknown, name: string): Map<string, number> {
  return new Map([...checked(Object.entries(value ?? {}), name)].sort(([, a], [, b]) => a - b));
}

/** A file's vocabulary in the file's order, which an object loses for tokens such as "2". */
export function ordered_vocabulary(path: unknown, argument: string): Map<string, number> {
  const ids = read_vocab_file(path, argument);
  const text = readFileSync(path as string, "utf8");
  const tokens = Array.from(text.matchAll(/("(?:[^"\\]|\\.)*")\s*:/gs), ([, token]) => JSON.parse(token!) as string);
  return checked(
    tokens.map((token) => [token, ids[token] as number]),
    String(path),
  );
}

function checked(entries: [token: string, id: number][], name: string): Map<string, number> {
  const wrong = entries.find(([, id]) => !Number.isInteger(id) || id < 0);
  if (wrong) throw new TransformersError(`${name}: the id of "${wrong[0]}" is ${wrong[1]}`, "tokenizer_invalid");
  return new Map(entries);
}

/**
 * A tokenizer without a fast form, as Python's class of this name: a vocabulary, added tokens that are cut out of the
 * text first, and a subclass's way to split the rest. It has no offsets and no words.
 */
export abstract class PreTrainedTokenizer extends PreTrainedTokenizerBase {
  /** Keywords of the vocabulary's files, and their names. */
  static readonly vocab_files_names: Readonly<Record<string, string>> = {};
  /** Keywords of files that a checkpoint may lack. */
  static readonly optional_files: readonly string[] = [];
  /** Keywords of the class with their defaults, as in the signature of Python's `__init__`. */
  static readonly keywords: Readonly<Record<string, unknown>> = {};

  protected encoder: Vocabulary;
  protected decoder: ReadonlyMap<number, string>;
  readonly #added = new Map<number, AddedToken>();
  readonly #added_ids = new Map<string, number>();
  #splitter: RegExp | null = null;

  /** `decoded`: the vocabulary of the other direction, where it is another one or a method's. */
  constructor(kwargs: Record<string, unknown>, encoder: Vocabulary, decoded: Vocabulary = encoder) {
    const { added_tokens_decoder = {}, ...given } = kwargs;
    super(given);
    this.encoder = encoder;
    this.decoder = inverse(decoded);
    for (const [id, token] of Object.entries(added_tokens_decoder as Record<string, AddedToken>))
      this.#set_added(Number(id), token);
    const missing = this.all_special_tokens_extended.filter(
      (token) => token instanceof AddedToken || !this.#added_ids.has(token),
    );
    this.add_tokens(missing, { special_tokens: true });
  }

  /** Text without added tokens to tokens. */
  protected abstract _tokenize(text: string): string[];
  /** The files that `save_pretrained` writes for the vocabulary; the value of a copied one is `{ copy: path }`. */
  abstract vocabulary_files(): Record<string, string | { copy: string }>;
  /** Before anything else is done with a text. */
  protected prepare_for_tokenization(text: string, _is_split_into_words: boolean): string {
    return text;
  }
  protected convert_token_to_id(token: string): number | null {
    return this.encoder.get(token) ?? this.encoder.get(this.unk_token ?? "") ?? null;
  }

  protected convert_id_to_token(id: number): string | null {
    return this.decoder.get(id) ?? this.unk_token;
  }
  /** What a text is split at before anything else. */
  protected unsplit_tokens(): readonly string[] {
    return [...this.#added_ids.keys()];
  }

  get is_fast(): boolean {
    return false;
  }
  get length(): number {
    return this.encoder.size + [...this.#added_ids.keys()].filter((token) => !this.encoder.has(token)).length;
  }
  get vocab_size(): number {
    return this.encoder.size;
  }
  get added_tokens_decoder(): Record<number, AddedToken> {
    return Object.fromEntries(this.#added);
  }
  get_vocab(): Record<string, number> {
    return { ...Object.fromEntries(this.encoder), ...Object.fromEntries(this.#added_ids) };
  }
  num_special_tokens_to_add(pair = false): number {
    return this.build_inputs_with_special_tokens([], pair ? [] : undefined).length;
  }

  /** Whether texts and added tokens are put in lower case before anything else. */
  protected get lowers(): boolean {
    return Boolean(this.init_kwargs["do_lower_case"]);
  }

  #set_added(id: number, token: AddedToken): void {
    this.#added.set(id, token);
    this.#added_ids.set(token.content, id);
    this.#splitter = null;
  }

  /**
   * Adds tokens that are found in a text before the rest is split; those of the vocabulary keep their ids.
   * @returns the number of tokens that are new to the vocabulary
   */
  add_tokens(tokens: Token | readonly Token[], options: { special_tokens?: boolean } = {}): number {
    const list = (Array.isArray(tokens) ? tokens : [tokens]) as readonly Token[];
    let count = 0;
    for (const given of list) {
      if (typeof given !== "string" && !(given instanceof AddedToken))
        throw expected("a string or an AddedToken", "a token", given);
      if (String(given) === "") continue;
      const all_special = this.all_special_tokens;
      const special = options.special_tokens ?? false;
      const token = this.#as_added(given, special, all_special);
      if (!token) continue;
      if (!token.special && token.normalized && this.lowers) token.content = token.content.toLowerCase();
      const known = this.#added_ids.get(token.content) ?? this.encoder.get(token.content);
      const id = known ?? this.length;
      if (known === undefined) count++;
      if (token.special && !all_special.includes(token.content))
        this.additional_special_tokens = [...this.additional_special_tokens, token];
      this.#set_added(id, token);
    }
    return count;
  }

  #as_added(given: Token, special: boolean, all_special: readonly string[]): AddedToken | null {
    if (given instanceof AddedToken) return AddedToken.from({ ...given.to_json(), special: special || given.special });
    if (this.#added_ids.has(given)) return null;
    return new AddedToken(given, { special: special || all_special.includes(given) });
  }

  convert_tokens_to_ids(token: string): number | null;
  convert_tokens_to_ids(tokens: readonly string[]): (number | null)[];
  convert_tokens_to_ids(tokens: string | readonly string[]): number | null | (number | null)[] {
    if (Array.isArray(tokens)) return tokens.map((token) => this.convert_tokens_to_ids(token as string));
    if (typeof tokens !== "string") throw expected("a token or a list of tokens", "tokens", tokens);
    return this.#added_ids.get(tokens) ?? this.convert_token_to_id(tokens);
  }

  // Of a field of BatchEncoding, whose type is any, the first one counts.
  convert_ids_to_tokens(ids: Iterable<number | bigint>, options?: { skip_special_tokens?: boolean }): (string | null)[];
  convert_ids_to_tokens(id: number | bigint, options?: { skip_special_tokens?: boolean }): string | null;
  convert_ids_to_tokens(
    ids: number | bigint | Iterable<number | bigint>,
    options: { skip_special_tokens?: boolean } = {},
  ): string | null | (string | null)[] {
    const token_of = (id: number) => this.#added.get(id)?.content ?? this.convert_id_to_token(id);
    if (typeof ids === "number" || typeof ids === "bigint") return token_of(Number(ids));
    const skip = new Set(options.skip_special_tokens ? this.all_special_ids : []);
    return Array.from(ids, Number)
      .filter((id) => !skip.has(id))
      .map(token_of);
  }

  convert_tokens_to_string(tokens: readonly string[]): string {
    return tokens.join(" ");
  }

  /** The tokens of a text, without special ones added. A second text is not taken, as in Python. */
  override tokenize(text: Text, ...rest: unknown[]): string[] {
    const { split_special_tokens, ...others } = this.without_own(
      (rest.find((item) => is_options(item)) ?? {}) as CallOptions,
    );
    if (typeof text !== "string") throw expected("a string", "text", text);
    if (Object.keys(others).length) warn_once(`Keyword arguments ${repr(others)} not recognized.`);
    return this._tokens_of(text, split_special_tokens ?? this.split_special_tokens, false);
  }

  /** The options of `tokenize` that are not the class's own. */
  protected without_own(options: CallOptions): CallOptions {
    return options;
  }

  /** All that is done with a text before its tokens become ids. */
  protected _tokens_of(given: string, split_special_tokens: boolean, is_split_into_words: boolean): string[] {
    let text = this.prepare_for_tokenization(given, is_split_into_words);
    if (this.lowers) text = this.#lower(text);
    if (split_special_tokens) return text ? this._tokenize(text) : [];
    const whole = this.unsplit_tokens();
    this.#splitter ??= new RegExp(`(${alternatives(whole)})`, "u");
    const parts = whole.length ? text.split(this.#splitter).filter((part) => part !== "") : [text];
    this.#strip_beside(parts);
    return parts
      .filter((part) => part !== "")
      .flatMap((part) => (this.#added_ids.has(part) ? [part] : this._tokenize(part)));
  }

  #lower(text: string): string {
    const added = [...this.#added.values()].filter((token) => !token.special && token.normalized);
    const kept = alternatives([...this.all_special_tokens, ...added.map(String)]);
    return text.replace(new RegExp(`(${kept})|[^\\n]`, "gu"), (match, token) => token ?? match.toLowerCase());
  }

  /** Added tokens take the spaces beside them, or are no tokens within a word. */
  #strip_beside(parts: string[]): void {
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i]!;
      const id = this.#added_ids.get(part);
      if (id === undefined) continue;
      const token = this.#added.get(id)!;
      const [left, right] = [parts[i - 1], parts[i + 1]];
      if (token.rstrip && right) parts[i + 1] = lstrip(right);
      if (token.lstrip && left) parts[i - 1] = rstrip(left);
      if (!token.single_word) continue;
      if (left && !left.endsWith(" ")) {
        parts[i - 1] += part;
        parts[i] = "";
      } else if (right && !right.startsWith(" ")) {
        parts[i + 1] = part + parts[i + 1];
        parts[i] = "";
      }
    }
  }

  #ids(text: Text, options: EncodeOptions, split_special_tokens: boolean): number[] {
    const words = options.is_split_into_words ?? false;
    const parts = typeof text === "string" ? [text] : text;
    const in_words = typeof text !== "string" && words;
    const tokens =
      typeof text === "string" || words
        ? parts.flatMap((part) => this._tokens_of(part, split_special_tokens, in_words))
        : parts;
    return this.convert_tokens_to_ids(tokens) as number[];
  }

  protected override _encode_ids(text: string, add_special_tokens: boolean): number[] {
    const ids = this.#ids(text, {}, this.split_special_tokens);
    return add_special_tokens ? this.build_inputs_with_special_tokens(ids) : ids;
  }

  protected override _encode(
    samples: readonly Sample[],
    options: EncodeOptions,
    plan: Strategies,
    single: boolean,
  ): BatchEncoding {
    if (options.return_offsets_mapping) {
      throw new TransformersError(
        "return_offset_mapping is not available when using Python tokenizers. To use this feature, change your" +
          " tokenizer to one deriving from transformers.PreTrainedTokenizerFast.",
        "not_supported",
      );
    }
    // Python hands a batch's option only to what comes after the splitting.
    const split = (single ? options.split_special_tokens : undefined) ?? this.split_special_tokens;
    const rows = samples.map(({ text, pair }) => [
      this.#ids(text, options, split),
      pair === null ? null : this.#ids(pair, options, split),
    ]) as [number[], number[] | null][];
    const { split_special_tokens: _split, is_split_into_words: _words, offsets_unit: _unit, ...given } = options;
    const prepare = { ...given, truncation: plan.truncation, max_length: plan.max_length };
    if (single) {
      const [ids, pair] = rows[0]!;
      const encoded = this.prepare_for_model(ids, pair, {
        ...prepare,
        padding: plan.padding,
        prepend_batch_axis: true,
      });
      this.#warn(ids.length + (pair?.length ?? 0), options, plan);
      return encoded;
    }
    const alone = { ...prepare, padding: "do_not_pad", return_attention_mask: false } as const;
    const prepared = rows.map(([ids, pair]) => {
      this.#warn(ids.length + (pair?.length ?? 0), options, plan);
      return this.prepare_for_model(ids, pair, {
        ...alone,
        pad_to_multiple_of: null,
        return_tensors: null,
        return_tensor: false,
      }).data;
    });
    const padded = this.pad(prepared, {
      padding: plan.padding,
      max_length: plan.max_length,
      pad_to_multiple_of: options.pad_to_multiple_of ?? null,
      padding_side: options.padding_side ?? null,
      return_attention_mask: options.return_attention_mask ?? null,
    }).data;
    return new BatchEncoding(padded, null, { tensor_type: options.return_tensors ?? options.return_tensor });
  }

  #warn(length: number, options: EncodeOptions, plan: Strategies): void {
    this.warn_if_too_long(length, options.max_length ?? plan.max_length, options.verbose ?? true);
  }

  /** 1 for special tokens; of rows without them too, as only tokenizers of this kind can tell. */
  override get_special_tokens_mask(ids: readonly number[], options: MaskOptions = {}): number[] {
    if (options.already_has_special_tokens) return super.get_special_tokens_mask(ids, options);
    return [...ids, ...(options.token_ids_1 ?? [])].map(() => 0);
  }

  override decode(
    token_ids: Parameters<PreTrainedTokenizerBase["decode"]>[0],
    options: SlowDecodeOptions = {},
  ): string {
    return super.decode(token_ids, options);
  }

  protected override _decode(ids: number[], options: SlowDecodeOptions): string {
    const { skip_special_tokens = false, spaces_between_special_tokens = true } = options;
    const special = new Set(this.all_special_tokens);
    const apart = new Set([...this.#added_ids.keys()].filter((token) => !special.has(token)));
    for (const token of this.additional_special_tokens)
      if (this.convert_tokens_to_ids(token)! >= this.vocab_size) apart.add(token);
    const texts: string[] = [];
    let run: string[] = [];
    for (const token of this.convert_ids_to_tokens(ids, { skip_special_tokens }) as string[]) {
      if (skip_special_tokens && special.has(token)) continue;
      if (!apart.has(token)) {
        run.push(token);
        continue;
      }
      const text = run.length ? this.convert_tokens_to_string(run) : "";
      if (text) texts.push(text);
      run = [];
      texts.push(token);
    }
    if (run.length) texts.push(this.convert_tokens_to_string(run));
    return texts.join(spaces_between_special_tokens ? " " : "");
  }

  /** Writes the vocabulary's files, tokenizer_config.json and what else Python writes. Returns the paths. */
  save_pretrained(folder: string, options: SaveOptions = {}): Promise<string[]> {
    return save_pretrained(this, folder, options);
  }

  /** Loads a tokenizer from a folder or a repository's name. Keywords that are no loading options go to the constructor. */
  // biome-ignore-start lint/complexity/noThisInStatic: the class it is called on is the one that is loaded
  static from_pretrained<T extends PreTrainedTokenizer>(
    this: SlowTokenizerClass<T>,
    name_or_path: string,
    options: PretrainedOptions = {},
  ): Promise<T> {
    return load_slow(this, name_or_path, options);
  }
  // biome-ignore-end lint/complexity/noThisInStatic: see above
}

/** A class whose constructor takes the paths of its files among its keywords. */
export interface SlowTokenizerClass<T> {
  new (keywords: Record<string, unknown>): T;
  readonly name: string;
  readonly vocab_files_names: Readonly<Record<string, string>>;
  readonly optional_files: readonly string[];
  readonly keywords: Readonly<Record<string, unknown>>;
}

export function inverse(vocab: Vocabulary): Map<number, string> {
  return new Map(Array.from(vocab, ([token, id]) => [id, token]));
}

const is_options = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);

/** A pattern of these tokens, the longest first. */
function alternatives(tokens: readonly string[]): string {
  return [...tokens]
    .sort((a, b) => b.length - a.length)
    .map(escape_pattern)
    .join("|");
}
