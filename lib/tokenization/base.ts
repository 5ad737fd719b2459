import { inspect } from "node:util";
import { expected, warn_once } from "../errors.js";
import { repr } from "../python.js";
import type { Tensor } from "../tensor/index.js";
import type { AddedToken } from "./added_token.js";
import type { BatchEncoding } from "./batch_encoding.js";
import {
  apply_chat_template,
  type ChatOptions,
  type Conversation,
  choose_template,
  type Message,
} from "./chat_template.js";
import { clean_up_tokenization } from "./clean_up.js";
import {
  check_numbers,
  check_options,
  type EncodeOptions,
  type PadOptions,
  type Side,
  type Strategies,
  strategies,
} from "./options.js";
import { pad } from "./pad.js";
import { prepare_for_model, type TruncateOptions, truncate_sequences } from "./prepare.js";
import { SpecialTokens } from "./special_tokens.js";
import { to_lists } from "./tensors.js";

/** A text, or its words (with `is_split_into_words`). */
export type Text = string | readonly string[];
export type Input = Text | readonly Text[] | null | undefined;
export type CallOptions = EncodeOptions & {
  text_pair?: Input;
  text_target?: Input;
  text_pair_target?: Input;
  /** Tokenizers of pages: a box [left, top, right, bottom] for each word, of a batch lists of them. */
  boxes?: readonly (readonly number[])[] | readonly (readonly (readonly number[])[])[] | null;
  /** The same with a label for each word; the call returns one for each token. */
  word_labels?: readonly number[] | readonly (readonly number[])[] | null;
};
export type CallArguments = [text: Input, ...rest: [CallOptions?] | [Input, CallOptions?]];
export type EncodeArguments = [(Text | null)?, CallOptions?] | [CallOptions?];
/** Ids as lists, typed arrays, bigints or Tensors. */
export type Ids = number | bigint | ArrayLike<number | bigint> | object;

export interface DecodeOptions {
  skip_special_tokens?: boolean;
  /** Default: the tokenizer's. */
  clean_up_tokenization_spaces?: boolean | null;
}

export interface MaskOptions {
  already_has_special_tokens?: boolean;
  token_ids_1?: readonly number[] | undefined;
}

/** What `model_max_length` is when nothing states it, as in Python. */
export const VERY_LARGE_INTEGER = 1e30;

/** One text or pair, ready for the engine. */
export interface Sample {
  text: Text;
  pair: Text | null;
}

// biome-ignore lint/suspicious/noExplicitAny: items are checked where they are used
const is_list = (value: unknown): value is readonly any[] => Array.isArray(value);
const TEXT_ERROR =
  "text input must be of type `str` (single example), `list[str]` (batch or single pretokenized example)" +
  " or `list[list[str]]` (batch of pretokenized examples).";

function check_text(value: unknown): void {
  const valid =
    typeof value === "string" ||
    (is_list(value) &&
      value.every(
        (item) =>
          typeof item === "string" ||
          (is_list(item) && item.every((word) => typeof word === "string" || is_list(word))),
      ));
  if (!valid) throw new TypeError(`${TEXT_ERROR} Received ${inspect(value, { depth: 1, maxArrayLength: 3 })}`);
}

/** Options that ask for nothing beyond the ids. */
function is_simple(options: unknown): options is { add_special_tokens?: boolean; verbose?: boolean } {
  if (typeof options !== "object" || options === null || is_list(options)) return false;
  for (const key in options) if (key !== "add_special_tokens" && key !== "verbose") return false;
  return true;
}

function row_of_ids(token_ids: Ids): number[] {
  const value = Array.isArray(token_ids) && typeof token_ids[0] === "number" ? token_ids : to_lists(token_ids);
  const ids = (is_list(value) ? value : [value]) as number[];
  for (const id of ids) {
    if (typeof id === "bigint") return ids.map(Number);
    if (typeof id === "number") continue;
    throw is_list(id)
      ? new TypeError("decode takes one row of token ids and received rows; batch_decode takes those")
      : expected("a token id or a list of them", "token_ids", id);
  }
  return ids;
}

/** `(text, pair, options)` and `(text, options)`. */
export function arguments_of(rest: unknown[]): [Input, CallOptions] {
  const [first, second] = rest;
  if (typeof first === "string" || is_list(first)) return [first as Input, (second ?? {}) as CallOptions];
  const options = (first ?? second ?? {}) as CallOptions;
  if (typeof options !== "object")
    throw expected("an object of options, or a second text", "the second argument", options);
  return [options.text_pair, options];
}

export interface PreTrainedTokenizerBase {
  /** Encodes a text, a pair or a batch: `tokenizer(text, options)`, `tokenizer(text, pair, options)`. */
  // biome-ignore lint/style/useShorthandFunctionType: merged with the class, whose instances Callable makes callable
  (...args: CallArguments): BatchEncoding;
}

/**
 * What all tokenizers share, as Python's class of this name: special tokens, the call with its options, padding, chat
 * templates. Subclasses bring the engine.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: see above
export abstract class PreTrainedTokenizerBase extends SpecialTokens<CallArguments, BatchEncoding> {
  static readonly model_input_names: readonly string[] = ["input_ids", "token_type_ids", "attention_mask"];
  static readonly padding_side: Side = "right";
  static readonly truncation_side: Side = "right";
  static readonly pad_token_type_id: number = 0;

  /** The keywords that the tokenizer was made with; `save_pretrained` writes them. */
  readonly init_kwargs: Record<string, unknown>;
  name_or_path: string;
  model_max_length: number;
  model_input_names: string[];
  padding_side: Side;
  truncation_side: Side;
  clean_up_tokenization_spaces: boolean;
  split_special_tokens: boolean;
  chat_template: string | Record<string, string> | null;
  #warned_of_length = false;

  constructor(kwargs: Record<string, unknown>) {
    super();
    this.init_kwargs = { ...kwargs };
    const defaults = new.target as typeof PreTrainedTokenizerBase;
    const side = (key: "padding_side" | "truncation_side"): Side => {
      const value = kwargs[key] ?? defaults[key];
      if (value === "left" || value === "right") return value;
      const name = key === "padding_side" ? "Padding" : "Truncation";
      throw new TypeError(`${name} side should be selected between 'right' and 'left', current value: ${value}`);
    };
    this.name_or_path = String(kwargs["name_or_path"] ?? "");
    this.model_max_length = length_limit(kwargs["model_max_length"] ?? kwargs["max_len"]);
    this.model_input_names = input_names(kwargs["model_input_names"] ?? defaults.model_input_names);
    this.padding_side = side("padding_side");
    this.truncation_side = side("truncation_side");
    this.clean_up_tokenization_spaces = Boolean(kwargs["clean_up_tokenization_spaces"] ?? false);
    this.split_special_tokens = Boolean(kwargs["split_special_tokens"] ?? false);
    this.chat_template = named_templates(kwargs["chat_template"]);
    this.pad_token_type_id = defaults.pad_token_type_id;
    this.init_special_tokens(kwargs);
  }

  /** Python's `len(tokenizer)`: the vocabulary with the added tokens. */
  abstract get length(): number;
  /** The vocabulary without the added tokens. */
  abstract get vocab_size(): number;
  abstract get is_fast(): boolean;
  abstract get added_tokens_decoder(): Record<number, AddedToken>;
  abstract get_vocab(): Record<string, number>;
  abstract num_special_tokens_to_add(pair?: boolean): number;
  abstract convert_tokens_to_string(tokens: readonly string[]): string;
  protected abstract _encode(
    samples: readonly Sample[],
    options: EncodeOptions,
    plan: Strategies,
    single: boolean,
  ): BatchEncoding;
  /** The same without anything but the ids. */
  protected abstract _encode_ids(text: string, add_special_tokens: boolean): number[];
  protected abstract _decode(ids: number[], options: DecodeOptions): string;
  /** What further fields are padded with. */
  get pad_values(): Record<string, unknown> {
    return {};
  }
  /** Called around `text_target`: tokenizers of translation models end targets differently. */
  protected _switch_mode(_mode: "input" | "target"): void {}

  override _call(text: Input, ...rest: unknown[]): BatchEncoding {
    const [pair, options] = arguments_of(rest);
    const { text_pair: _, text_target, text_pair_target, ...encode } = options;
    const has_text = text !== undefined && text !== null;
    const has_target = text_target !== undefined && text_target !== null;
    if (!has_text && !has_target) throw new TypeError("You need to specify either `text` or `text_target`.");
    const encodings = has_text ? this.#call_one(text, pair, encode) : null;
    if (!has_target) return encodings!;
    this._switch_mode("target");
    let target: BatchEncoding;
    try {
      target = this.#call_one(text_target, text_pair_target, encode);
    } finally {
      this._switch_mode("input");
    }
    if (!encodings) return target;
    encodings["labels"] = target["input_ids"];
    return encodings;
  }

  #call_one(text: NonNullable<Input>, pair: Input, options: EncodeOptions): BatchEncoding {
    check_text(text);
    if (pair !== undefined && pair !== null) check_text(pair);
    const batched = is_list(text) && (!options.is_split_into_words || is_list(text[0]));
    if (!batched) return this.encode_plus(text as Text, pair as Text | null, options);
    if (typeof pair === "string") {
      throw new TypeError(
        "when tokenizing batches of text, `text_pair` must be a list or tuple with the same length as `text`.",
      );
    }
    if (!pair) return this.batch_encode_plus(text as Text[], options);
    if (pair.length !== text.length) {
      throw new RangeError(
        `batch length of \`text\`: ${text.length} does not match batch length of \`text_pair\`: ${pair.length}.`,
      );
    }
    return this.batch_encode_plus(text.map((item, i) => [item, pair[i]]) as [Text, Text][], options);
  }

  protected _plan(options: EncodeOptions): Strategies {
    check_options(options);
    check_numbers(options);
    return strategies(options, this);
  }

  /** Encodes one text or pair: `encode_plus(text, options)`, `encode_plus(question, context, options)`. */
  encode_plus(text: Text, ...rest: EncodeArguments): BatchEncoding {
    check_text(text);
    const [pair, { text_pair: _, ...options }] = arguments_of(rest);
    // An empty second text is none for Python's fast tokenizers, and one for the others.
    const is_pair = pair !== null && pair !== undefined && (pair.length > 0 || !this.is_fast);
    return this._encode([{ text, pair: is_pair ? (pair as Text) : null }], options, this._plan(options), true);
  }

  /** Encodes a batch. Items of two texts are pairs. */
  batch_encode_plus(batch: readonly (Text | readonly [Text, Text])[], options: CallOptions = {}): BatchEncoding {
    if (!is_list(batch) || batch.length === 0)
      throw expected("a list of at least one text or pair", "the batch", batch);
    const words = options.is_split_into_words ?? false;
    const samples = batch.map((item, i): Sample => {
      const is_pair = is_list(item) && item.length === 2 && (!words || is_list(item[0]));
      if (is_pair) return { text: item[0] as Text, pair: item[1] as Text };
      if (words ? !is_list(item) : typeof item !== "string") {
        throw expected(
          words ? "a list of words, or a pair of them," : "a string, or a pair of strings,",
          `text ${i} of the batch`,
          item,
        );
      }
      return { text: item as Text, pair: null };
    });
    return this._encode(samples, options, this._plan(options), false);
  }

  /** The ids of one text or pair: a list, or a Tensor [1, n] with `return_tensors`. */
  encode(text: Text, options: CallOptions & { return_tensors: string }): Tensor;
  encode(text: Text, text_pair: Text | null, options: CallOptions & { return_tensors: string }): Tensor;
  encode(text: Text, ...rest: EncodeArguments): number[];
  encode(text: Text, ...rest: EncodeArguments): unknown {
    const options = rest[0] ?? {};
    if (typeof text !== "string" || rest.length > 1 || !is_simple(options))
      return this.encode_plus(text, ...rest)["input_ids"];
    const ids = this._encode_ids(text, options.add_special_tokens ?? true);
    this.warn_if_too_long(ids.length, null, options.verbose ?? true);
    return ids;
  }

  /** The tokens of one text or pair, without special ones unless `add_special_tokens`. */
  tokenize(
    text: Text,
    ...rest: [(Text | null)?, (CallOptions & { pair?: Text })?] | [(CallOptions & { pair?: Text })?]
  ): string[] {
    const [pair, { text_pair: _, pair: named, ...options }] = arguments_of(rest) as [
      Input,
      CallOptions & { pair?: Text },
    ];
    return this.encode_plus(text, (pair ?? named ?? null) as Text | null, {
      add_special_tokens: false,
      ...options,
    }).tokens();
  }

  /** One row of ids to text. Ids that the vocabulary lacks are left out. */
  decode(token_ids: Ids, options: DecodeOptions = {}): string {
    const ids = row_of_ids(token_ids);
    const text = this._decode(ids, options);
    const clean = options.clean_up_tokenization_spaces ?? this.clean_up_tokenization_spaces;
    return clean ? this.clean_up_tokenization(text) : text;
  }

  /** Takes out spaces before punctuation and within English short forms. */
  clean_up_tokenization(text: string): string {
    return clean_up_tokenization(text);
  }

  /** Rows of ids to texts. */
  batch_decode(sequences: readonly Ids[] | object, options: DecodeOptions = {}): string[] {
    const rows = to_lists(sequences);
    if (!is_list(rows)) throw expected("rows of token ids", "sequences", sequences);
    return rows.map((row) => this.decode(row as Ids, options));
  }

  /** Pads encoded inputs: one, a batch, or a list of them. */
  pad(inputs: Record<string, unknown> | readonly Record<string, unknown>[], options: PadOptions = {}): BatchEncoding {
    return pad(this, inputs, options);
  }

  /** Ids that were made before, one row or two, to a model's input: special tokens, truncation, padding. */
  prepare_for_model(
    ids: readonly number[],
    pair_ids: readonly number[] | null = null,
    options: EncodeOptions & { prepend_batch_axis?: boolean } = {},
  ): BatchEncoding {
    return prepare_for_model(this, ids, pair_ids, options);
  }

  /** `[ids, pair_ids, overflowing]` after taking `num_tokens_to_remove` tokens away. */
  truncate_sequences(
    ids: readonly number[],
    pair_ids: readonly number[] | null = null,
    options: TruncateOptions = {},
  ): [number[], number[] | null, number[]] {
    return truncate_sequences(ids, pair_ids, options, this.truncation_side);
  }

  /** The row of ids with special tokens around. Python's default adds none; its classes do. */
  build_inputs_with_special_tokens(ids: readonly number[], pair: readonly number[] = []): number[] {
    return [...ids, ...pair];
  }

  /** Python's default: 0 for the first row with its ends, 1 for the second. */
  create_token_type_ids_from_sequences(ids: readonly number[], pair?: readonly number[]): number[] {
    const ends = [this.cls_token_id, this.sep_token_id].map((id) => (id === null ? 0 : 1)) as [number, number];
    const first = new Array<number>(ends[0] + ids.length + ends[1]).fill(0);
    return pair ? [...first, ...new Array<number>(pair.length + ends[1]).fill(1)] : first;
  }

  /** 1 for the ids that are special tokens. Only for rows that already hold them, as in Python's fast tokenizers. */
  get_special_tokens_mask(ids: readonly number[], options: MaskOptions = {}): number[] {
    if (!options.already_has_special_tokens) {
      throw new TypeError(
        "You cannot use ``already_has_special_tokens=False`` with this tokenizer. Please use a slow (full python) tokenizer" +
          " to activate this argument. Or set `return_special_tokens_mask=True` when calling the encoding method to get the" +
          " special tokens mask in any tokenizer. ",
      );
    }
    const special = new Set(this.all_special_ids);
    return ids.map((id) => (special.has(id) ? 1 : 0));
  }

  /** Takes out the spaces that word pieces leave before punctuation. */
  static clean_up_tokenization(text: string): string {
    return clean_up_tokenization(text);
  }

  get added_tokens_encoder(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(this.added_tokens_decoder).map(([id, token]) => [token.content, Number(id)]),
    );
  }
  get_added_vocab(): Record<string, number> {
    return this.added_tokens_encoder;
  }
  get vocab(): Record<string, number> {
    return this.get_vocab();
  }
  get max_len_single_sentence(): number {
    return this.model_max_length - this.num_special_tokens_to_add(false);
  }
  get max_len_sentences_pair(): number {
    return this.model_max_length - this.num_special_tokens_to_add(true);
  }

  /** The template in use: the one named or given, else the checkpoint's ("tool_use" if there are tools). */
  get_chat_template(chat_template?: string | null, tools?: readonly object[] | null): string {
    return choose_template(this.chat_template, chat_template, tools);
  }

  /**
   * Messages `{ role, content }` to the model's prompt: ids, a string with `tokenize: false`, a BatchEncoding with
   * `return_dict: true`. Options that are not listed are variables of the template.
   */
  apply_chat_template(
    conversation: Conversation | readonly Conversation[],
    options: ChatOptions & { tokenize: false },
  ): string;
  apply_chat_template(conversation: Conversation, options: ChatOptions & { return_dict: true }): BatchEncoding;
  // biome-ignore lint/suspicious/noExplicitAny: ids or Tensors, by the options
  apply_chat_template(conversation: Conversation | readonly Conversation[], options?: ChatOptions): any;
  apply_chat_template(conversation: Conversation | readonly Conversation[], options: ChatOptions = {}): unknown {
    return apply_chat_template(this, conversation, options);
  }

  /** The ids that one more message adds to a chat; for templates that only ever append. */
  encode_message_with_chat_template(
    message: Message,
    conversation_history: readonly Message[] = [],
    options: ChatOptions = {},
  ): number[] {
    if ("add_generation_prompt" in options) {
      throw new TypeError(
        "`encode_message_with_chat_template` does not support `add_generation_prompt`. Please add the generation prompt separately.",
      );
    }
    const ids: number[] = this.apply_chat_template([...conversation_history, message], options);
    if (conversation_history.length === 0) return ids;
    const before: number[] = this.apply_chat_template(conversation_history, options);
    const shared = Math.min(before.length, ids.length);
    const differs = ids.findIndex((id, i) => i < shared && id !== before[i]);
    return ids.slice(differs < 0 ? shared : differs);
  }

  /** Python's warning of the same words, once for each tokenizer. */
  protected warn_if_too_long(length: number, max_length: number | null, verbose: boolean): void {
    if (max_length !== null || !verbose || this.model_max_length === 0 || length <= this.model_max_length) return;
    if (this.#warned_of_length) return;
    this.#warned_of_length = true;
    warn_once(
      "Token indices sequence length is longer than the specified maximum sequence length for this model" +
        ` (${length} > ${this.model_max_length}). Running this sequence through the model will result in indexing errors`,
    );
  }

  /** As Python's `repr`. */
  override toString(): string {
    const added = Object.entries(this.added_tokens_decoder).map(([id, token]) => `\t${id}: ${token.repr()},`);
    return (
      `${this.constructor.name}(name_or_path='${this.name_or_path}', vocab_size=${this.vocab_size},` +
      ` model_max_length=${repr(this.model_max_length)}, is_fast=${repr(this.is_fast)}, padding_side='${this.padding_side}',` +
      ` truncation_side='${this.truncation_side}', special_tokens=${repr(this.special_tokens_map)},` +
      ` clean_up_tokenization_spaces=${repr(this.clean_up_tokenization_spaces)}, added_tokens_decoder={\n${added.join("\n")}\n}\n)`
    );
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

/** A template, or several by name; tokenizer_config.json has those as a list of `{ name, template }`. */
function named_templates(value: unknown): string | Record<string, string> | null {
  if (value === undefined || value === null || typeof value === "string") return value ?? null;
  const named = is_list(value) ? Object.fromEntries(value.map((item) => [item?.name, item?.template])) : value;
  if (typeof named === "object" && Object.values(named).every((template) => typeof template === "string")) {
    return named as Record<string, string>;
  }
  throw expected("a template, or templates by name,", "chat_template", value);
}

function length_limit(value: unknown): number {
  if (typeof value === "number") return value;
  if (value === undefined || value === null) return VERY_LARGE_INTEGER;
  throw expected("a number", "model_max_length", value);
}

function input_names(value: unknown): string[] {
  if (is_list(value) && value.length > 0 && value.every((name) => typeof name === "string")) return [...value];
  throw expected("a list of names", "model_input_names", value);
}
