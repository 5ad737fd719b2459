import { readFileSync } from "node:fs";
import { expected, from_native, out_of_range } from "../errors.js";
import { type AddedTokenSpec, type NativeTokenizer, native } from "../native.js";
import { AddedToken, type Token } from "./added_token.js";
import { type DecodeOptions, type MaskOptions, PreTrainedTokenizerBase, type Sample } from "./base.js";
import { BatchEncoding } from "./batch_encoding.js";
import { DecodeStream, type DecodeStreamOptions } from "./decode_stream.js";
import { check_id, Encoder, type EngineCall, threads_for } from "./engine_call.js";
import { build_inputs, build_mask, build_types, type Layout, type MaskKind } from "./layout.js";
import { load_pretrained, type PretrainedOptions } from "./loading.js";
import type { EncodeOptions, Strategies } from "./options.js";
import { type SaveOptions, save_pretrained } from "./saving.js";
import { tensor_type } from "./tensors.js";
import { type Component, read_header, type TokenizerHeader } from "./tokenizer_json.js";
import { type TextIterator, type TrainingOptions, train_new_from_iterator } from "./training.js";

export type ComponentKind = "normalizer" | "pre_tokenizer" | "post_processor" | "decoder";

/** Keywords of the constructor: a tokenizer.json by path or content, special tokens, and what else the class knows. */
export interface TokenizerKeywords {
  tokenizer_file?: string;
  /** The content of a tokenizer.json, or the object. */
  tokenizer_object?: string | Uint8Array | object;
  added_tokens_decoder?: Record<number, AddedToken>;
  [keyword: string]: unknown;
}

function open(json: string | Uint8Array): NativeTokenizer {
  try {
    return new (native().Tokenizer)(json);
  } catch (error) {
    throw from_native(error);
  }
}

function content_of({ tokenizer_file, tokenizer_object }: TokenizerKeywords): Uint8Array {
  if (tokenizer_object instanceof Uint8Array) return tokenizer_object;
  if (typeof tokenizer_object === "string") return Buffer.from(tokenizer_object);
  if (tokenizer_object) return Buffer.from(JSON.stringify(tokenizer_object));
  if (typeof tokenizer_file === "string") return readFileSync(tokenizer_file);
  throw expected("a tokenizer_file or a tokenizer_object", "the tokenizer", undefined);
}

/** A tokenizer on the C++ engine, made from a tokenizer.json (Python's PreTrainedTokenizerFast). */
export class PreTrainedTokenizerFast extends PreTrainedTokenizerBase {
  /** Names of the keywords that are files, and of the files. */
  static readonly vocab_files_names: Readonly<Record<string, string>> = { tokenizer_file: "tokenizer.json" };
  /** Keywords of the class with their defaults, as in the signature of Python's `__init__`. */
  static readonly keywords: Readonly<Record<string, unknown>> = {};

  /** Whether lists of words are refused without `add_prefix_space`. */
  static readonly words_need_space: boolean = false;
  /** Where special tokens stand, for the methods that take rows of ids; null: there are none. */
  static readonly layout: Layout | null = null;
  static readonly mask_of: MaskKind = null;

  readonly add_prefix_space: unknown;
  #encoder: Encoder;
  readonly #components: Record<ComponentKind, Component | null>;

  constructor(keywords: TokenizerKeywords = {}) {
    const content = content_of(keywords);
    const engine = open(content);
    const header = read_header(engine);
    const { tokenizer_file: _file, tokenizer_object: _object, added_tokens_decoder = {}, ...given } = keywords;
    const kwargs = { ...baked_in(header), ...new.target.keywords, ...given };
    super(kwargs);
    const { add_prefix_space = false } = kwargs;
    this.add_prefix_space = add_prefix_space;
    this.#encoder = new Encoder(engine);
    const { normalizer, pre_tokenizer, post_processor, decoder } = header;
    this.#components = { normalizer, pre_tokenizer, post_processor, decoder };
    this.#add_missing(added_tokens_decoder);
    this.#apply_prefix_space(kwargs["add_prefix_space"]);
  }

  /** Tokens of the configuration that the tokenizer.json lacks become added tokens. */
  #add_missing(added_tokens_decoder: Record<number, AddedToken>): void {
    const known = new Map(this._tokenizer.added_tokens().map((token) => [token.content, AddedToken.from(token)]));
    const wanted = Object.entries(added_tokens_decoder)
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([, token]) => token);
    const names = new Set([...known.keys(), ...wanted.map(String)]);
    for (const token of this.all_special_tokens_extended) {
      if (token instanceof AddedToken) {
        if (!wanted.some((other) => other.equals(token))) wanted.push(token);
      } else if (!names.has(token)) wanted.push(new AddedToken(token, { special: true }));
    }
    const special = new Set(this.all_special_tokens);
    const tokens = wanted
      .map((token) => token.with({ special: token.special || special.has(token.content) }))
      .filter((token) => !known.get(token.content)?.equals(token));
    if (tokens.length) this.add_tokens(tokens);
  }

  // Only a top-level component: what sits inside a Sequence stays as it is, in Python too.
  #apply_prefix_space(add_prefix_space: unknown = false): void {
    const component = this.component("pre_tokenizer");
    if (typeof add_prefix_space !== "boolean" || component?.["add_prefix_space"] === undefined) return;
    if (component["add_prefix_space"] !== add_prefix_space)
      this.set_component("pre_tokenizer", { ...component, add_prefix_space });
  }

  /** A part of the engine as the tokenizer.json has it. */
  component(kind: ComponentKind): Component | null {
    return this.#components[kind];
  }

  /** Python's `tokenizer.backend_tokenizer.normalizer = …`. */
  set_component(kind: ComponentKind, component: Component | null): void {
    try {
      this.#changing().set_component(kind, component && JSON.stringify(component));
    } catch (error) {
      throw from_native(error);
    }
    this.#components[kind] = component;
  }

  /** What stands before the pieces inside a word, such as WordPiece's "##"; null where the model marks none. */
  get continuing_subword_prefix(): string | null {
    return this._tokenizer.continuing_subword_prefix();
  }

  /** The engine, for this package's own files. */
  get _tokenizer(): NativeTokenizer {
    return this.#encoder.engine;
  }

  /** The engine, to be changed: encodings that are computed when they are read keep it as it was. */
  #changing(): NativeTokenizer {
    if (this.#encoder.lent) this.#encoder = this.#encoder.clone();
    return this.#encoder.engine;
  }

  get is_fast(): boolean {
    return true;
  }
  get length(): number {
    return this._tokenizer.vocab_size(true);
  }
  get vocab_size(): number {
    return this._tokenizer.vocab_size(false);
  }
  get added_tokens_decoder(): Record<number, AddedToken> {
    return Object.fromEntries(this._tokenizer.added_tokens().map((token) => [token.id!, AddedToken.from(token)]));
  }
  get_vocab(): Record<string, number> {
    return this._tokenizer.get_vocab(true);
  }
  num_special_tokens_to_add(pair = false): number {
    return this._tokenizer.num_special_tokens_to_add(pair);
  }

  protected _layout(): Layout | null {
    return (this.constructor as typeof PreTrainedTokenizerFast).layout;
  }

  override build_inputs_with_special_tokens(ids: readonly number[], pair?: readonly number[]): number[] {
    const layout = this._layout();
    if (!layout) return super.build_inputs_with_special_tokens(ids, pair);
    return build_inputs(layout, ids, pair, (role) => this[`${role}_token_id` as "sep_token_id"]!);
  }

  override create_token_type_ids_from_sequences(ids: readonly number[], pair?: readonly number[]): number[] {
    const layout = this._layout();
    const types = layout && build_types(layout, ids, pair);
    return types ?? super.create_token_type_ids_from_sequences(ids, pair);
  }

  /** 1 for special tokens; of rows that lack them only for the classes where Python's can tell. */
  override get_special_tokens_mask(ids: readonly number[], options: MaskOptions = {}): number[] {
    const { mask_of } = this.constructor as typeof PreTrainedTokenizerFast;
    const layout = this._layout();
    if (!mask_of || !layout) return super.get_special_tokens_mask(ids, options);
    if (!options.already_has_special_tokens) return build_mask(layout, ids, options.token_ids_1);
    if (mask_of === "all") return super.get_special_tokens_mask(ids, options);
    return ids.map((id) => (id === this.sep_token_id || id === this.cls_token_id ? 1 : 0));
  }

  convert_tokens_to_ids(token: string): number | null;
  convert_tokens_to_ids(tokens: readonly string[]): (number | null)[];
  convert_tokens_to_ids(tokens: string | readonly string[]): number | null | (number | null)[] {
    if (Array.isArray(tokens)) return tokens.map((token) => this.convert_tokens_to_ids(token as string));
    if (typeof tokens !== "string") throw expected("a token or a list of tokens", "tokens", tokens);
    const id = this._tokenizer.token_to_id(tokens);
    if (id !== undefined) return id;
    const unk = this.unk_token;
    return unk === null ? null : (this._tokenizer.token_to_id(unk) ?? null);
  }

  // Of a field of BatchEncoding, whose type is any, the first one counts.
  convert_ids_to_tokens(ids: Iterable<number | bigint>, options?: { skip_special_tokens?: boolean }): (string | null)[];
  convert_ids_to_tokens(id: number | bigint, options?: { skip_special_tokens?: boolean }): string | null;
  convert_ids_to_tokens(
    ids: number | bigint | Iterable<number | bigint>,
    options: { skip_special_tokens?: boolean } = {},
  ): string | null | (string | null)[] {
    if (typeof ids === "number" || typeof ids === "bigint")
      return this._tokenizer.id_to_token(check_id(Number(ids))) ?? null;
    const skip = new Set(options.skip_special_tokens ? this.all_special_ids : []);
    const list = Array.from(ids, Number).filter((id) => !skip.has(id));
    return list.map((id) => this._tokenizer.id_to_token(check_id(id)) ?? null);
  }

  convert_tokens_to_string(tokens: readonly string[]): string {
    return this._tokenizer.decode_tokens([...tokens]);
  }

  /**
   * Adds tokens that are found in a text before the model splits it.
   * @returns the number really added: those that are there already do not count
   */
  add_tokens(tokens: Token | readonly Token[], options: { special_tokens?: boolean } = {}): number {
    const list = (Array.isArray(tokens) ? tokens : [tokens]) as readonly Token[];
    const specs = list.map((token): AddedTokenSpec => {
      if (typeof token !== "string" && !(token instanceof AddedToken))
        throw expected("a string or an AddedToken", "a token", token);
      const given = typeof token === "string" ? new AddedToken(token) : token;
      return given.with({ special: options.special_tokens || given.special }).to_json();
    });
    return this.#changing().add_tokens(specs);
  }

  protected override _encode_ids(text: string, add_special_tokens: boolean): number[] {
    return this.#encoder.ids(text, add_special_tokens, this.split_special_tokens);
  }

  protected override _encode(
    samples: readonly Sample[],
    options: EncodeOptions,
    plan: Strategies,
    single: boolean,
  ): BatchEncoding {
    const { words_need_space, name } = this.constructor as typeof PreTrainedTokenizerFast;
    if (options.is_split_into_words && words_need_space && !this.add_prefix_space) {
      throw new TypeError(
        `You need to instantiate ${name} with add_prefix_space=True to use it with pretokenized inputs.`,
      );
    }
    const call: EngineCall = {
      samples,
      add_special_tokens: options.add_special_tokens ?? true,
      is_pretokenized: options.is_split_into_words ?? false,
      split_special_tokens: options.split_special_tokens ?? this.split_special_tokens,
      overflow: options.return_overflowing_tokens ?? false,
      unit: options.offsets_unit,
      threads: options.num_threads ?? threads_for(samples),
    };
    if (plan.truncation !== "do_not_truncate") {
      const stride = options.stride ?? 0;
      const room = plan.max_length! - this.num_special_tokens_to_add(false);
      // The Rust tokenizers say so before they know the texts; a length without any room only matters with them.
      if (room >= 0 && room < stride) throw stride_too_long(stride, room);
      call.truncation = {
        max_length: plan.max_length!,
        stride,
        strategy: plan.truncation,
        direction: this.truncation_side,
      };
    }
    if (plan.padding !== "do_not_pad") {
      call.padding = {
        length: plan.padding === "max_length" ? plan.max_length : null,
        multiple_of: options.pad_to_multiple_of ?? 1,
        id: this.pad_token_id!,
        type_id: this.pad_token_type_id,
        token: this.pad_token!,
        side: options.padding_side ?? this.padding_side,
      };
    }
    return this.#collect(call, options, plan, single);
  }

  /** The fields that were asked for, in Python's order. */
  #collect(call: EngineCall, options: EncodeOptions, plan: Strategies, single: boolean): BatchEncoding {
    const encoder = this.#encoder;
    const wants = (name: string, asked?: boolean | null) => asked ?? this.model_input_names.includes(name);
    const type_ids = wants("token_type_ids", options.return_token_type_ids);
    const attention_mask = wants("attention_mask", options.return_attention_mask);
    const special_tokens_mask = Boolean(options.return_special_tokens_mask);
    const offsets = Boolean(options.return_offsets_mapping);
    const rows = encoder.rows(call, { attention_mask, type_ids, special_tokens_mask, offsets });
    const parts = rows ? [] : encoder.encodings(call);
    const encodings = parts.flat();
    if (rows) encoder.lent = true;

    const ids = rows ? rows.ids : encodings.map((e) => e.ids);
    const data: Record<string, unknown> = { input_ids: ids };
    if (type_ids) data["token_type_ids"] = rows ? rows.type_ids : encodings.map((e) => e.type_ids);
    if (attention_mask) data["attention_mask"] = rows ? rows.attention_mask : encodings.map((e) => e.attention_mask);
    if (special_tokens_mask)
      data["special_tokens_mask"] = rows ? rows.special_tokens_mask : encodings.map((e) => e.special_tokens_mask);
    if (offsets) data["offset_mapping"] = rows ? rows.offsets : encodings.map((e) => e.offsets);
    if (options.return_length) data["length"] = ids.map((row) => row.length);
    if (call.overflow) data["overflow_to_sample_mapping"] = parts.flatMap((list, i) => list.map(() => i));
    for (const row of ids)
      this.warn_if_too_long(row.length, options.max_length ?? plan.max_length, options.verbose ?? true);

    const tensors = tensor_type(options.return_tensors ?? options.return_tensor);
    if (single && tensors === null && !call.overflow) {
      // One text has no batch axis; `length` is no list of lists, and keeps it.
      for (const key in data) if (key !== "length") data[key] = (data[key] as unknown[])[0];
    }
    return new BatchEncoding(data, rows ? () => encoder.encodings(call).flat() : encodings, { tensor_type: tensors });
  }

  protected override _decode(ids: number[], options: DecodeOptions): string {
    return this.#encoder.decode(ids, options.skip_special_tokens ?? false);
  }

  /** Decodes token by token, never giving a part of a character. */
  decode_stream(options: DecodeStreamOptions = {}): DecodeStream {
    return new DecodeStream(this, options);
  }

  /** Writes tokenizer.json, tokenizer_config.json and what else Python writes. Returns the paths. */
  save_pretrained(folder: string, options: SaveOptions = {}): Promise<string[]> {
    return save_pretrained(this, folder, options);
  }

  /**
   * Trains a tokenizer of the same kind on other texts: `text_iterator` gives texts or lists of them, also asynchronously.
   * The vocabulary has `vocab_size` tokens, the special ones included, or fewer if the texts do not give as many.
   */
  train_new_from_iterator(
    text_iterator: TextIterator,
    vocab_size: number,
    options: TrainingOptions = {},
  ): Promise<this> {
    return train_new_from_iterator(this, text_iterator, vocab_size, options);
  }

  /** Loads a tokenizer from a folder or a repository's name. Keywords that are no loading options go to the constructor. */
  // biome-ignore-start lint/complexity/noThisInStatic: the class it is called on is the one that is loaded
  static from_pretrained<T extends PreTrainedTokenizerFast>(
    this: new (
      keywords?: TokenizerKeywords,
    ) => T,
    name_or_path: string,
    options: PretrainedOptions = {},
  ): Promise<T> {
    return load_pretrained(
      this as unknown as typeof PreTrainedTokenizerFast,
      name_or_path,
      options,
    ) as Promise<unknown> as Promise<T>;
  }
  // biome-ignore-end lint/complexity/noThisInStatic: see above
}

function stride_too_long(stride: number, room: number): RangeError {
  const what = `a stride of at most ${room} (max_length without the special tokens)`;
  return out_of_range(what, "stride", stride);
}

/** Truncation and padding of a tokenizer.json do not act, but set defaults of the tokenizer. */
function baked_in({ truncation, padding }: TokenizerHeader): Record<string, unknown> {
  return {
    ...(truncation && {
      max_length: truncation.max_length,
      truncation_side: truncation.direction.toLowerCase(),
      stride: truncation.stride,
      truncation_strategy: truncation.strategy.replace(/\B[A-Z]/g, "_$&").toLowerCase(),
    }),
    ...(padding && {
      pad_token: padding.pad_token,
      pad_token_type_id: padding.pad_type_id,
      padding_side: padding.direction.toLowerCase(),
      ...(!truncation && { max_length: typeof padding.strategy === "object" ? padding.strategy.Fixed : null }),
      pad_to_multiple_of: padding.pad_to_multiple_of,
    }),
  };
}
