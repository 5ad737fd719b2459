// The addon's whole typed interface: a section for each file of native/bindings; the engines' are in native_engines.ts.
import type { NativeGeneration, NativeGraph, NativeLlama } from "./native_engines.js";

export type * from "./native_engines.js";

// ---- devices

/** A device of ggml's registry. Memory in bytes. */
export interface Device {
  name: string;
  description: string;
  type: "cpu" | "gpu" | "accel";
  memory_free: number;
  memory_total: number;
}

interface NativeDevices {
  load_backends(folder: string): void;
  devices(): Device[];
  system_info(): string;
}

// ---- state_dict

/** The element types of safetensors. */
export type CheckpointDtype =
  | "BOOL"
  | "F4"
  | "F6_E2M3"
  | "F6_E3M2"
  | "U8"
  | "I8"
  | "F8_E5M2"
  | "F8_E4M3"
  | "F8_E8M0"
  | "F8_E4M3FNUZ"
  | "F8_E5M2FNUZ"
  | "I16"
  | "U16"
  | "F16"
  | "BF16"
  | "I32"
  | "U32"
  | "F32"
  | "C64"
  | "F64"
  | "I64"
  | "U64";

export interface CheckpointTensorInfo {
  dtype: CheckpointDtype;
  shape: number[];
  nbytes: number;
  /** Where the bytes are, unless they are in memory. */
  file?: string;
}

/** What `NativeStateDict.save` writes. */
export interface SafetensorsOptions {
  names: string[];
  metadata?: Record<string, string>;
  /** Floating tensors are cast to it on the way. */
  dtype?: "F32" | "F16" | "BF16";
}

/**
 * Named tensors in an order. Their bytes stay in their files, which are held open, until they are read.
 * Errors have the codes "missing_tensor", "tensor_exists", "checkpoint_changed", "io_error", "disposed".
 */
export interface NativeStateDict {
  readonly size: number;
  keys(): string[];
  has(name: string): boolean;
  info(name: string): CheckpointTensorInfo;
  /** Of the files that were opened. */
  metadata(): Record<string, string>;
  /** Names that share one tensor, in groups of two and more. */
  ties(): string[][];
  /** Fills `target` with the tensor's bytes from byte `begin` (default 0) on; RangeError past the end. */
  read(name: string, target: NodeJS.TypedArray, begin?: number): void;
  /** Fills `target` with the tensor's elements from `begin` (default 0) on, converted. */
  read_f32(name: string, target: Float32Array, begin?: number): void;
  /** Adds or replaces a tensor, with a copy of `data`; RangeError unless dtype, shape and length fit. */
  set(name: string, dtype: CheckpointDtype, shape: readonly number[], data: NodeJS.TypedArray): void;
  /**
   * Makes `name` a float32 tensor of its own: what it is plus scale · b a, of the tensors `a` [rank, inputs] and `b`
   * [outputs, rank] of `adapter`. The matrix is [outputs, inputs], or [inputs, outputs] with `transposed`; RangeError
   * for others.
   */
  add_low_rank(name: string, adapter: NativeStateDict, a: string, b: string, scale: number, transposed: boolean): void;
  /** Ties: `name` becomes the very tensor that `existing` is. */
  alias(name: string, existing: string): void;
  /** False if there was none. */
  delete(name: string): boolean;
  /** Keeps the place in the order. */
  rename(from: string, to: string): void;
  /** True for tied tensors. */
  shares_storage(a: string, b: string): boolean;
  /**
   * Writes the file that Python's `safetensors.torch.save_file` writes, off the event loop; `path` is whole or as it
   * was. What is changed meanwhile does not matter.
   */
  save(path: string, options: SafetensorsOptions): Promise<void>;
  dispose(): void;
}

interface NativeStateDicts {
  /**
   * Opens safetensors files, reading their headers alone; an empty dict without. Throws Errors with the codes
   * "checkpoint_invalid" (which names the file and the fault), "file_not_found" and "io_error".
   */
  StateDict: new (
    /** Or a dict to copy: the tensors are shared, what becomes of the names is not. */
    paths?: string[] | NativeStateDict,
  ) => NativeStateDict;
}

// ---- tokenizer

/** An added token with Rust's flags. `id` is what the vocabulary gave it; it is ignored by `add_tokens`. */
export interface AddedTokenSpec {
  id?: number;
  content: string;
  single_word: boolean;
  lstrip: boolean;
  rstrip: boolean;
  normalized: boolean;
  special: boolean;
}

/** How a call shortens its sequences. `max_length` counts the special tokens that will be added. */
export interface NativeTruncation {
  max_length: number;
  stride: number;
  strategy: "longest_first" | "only_first" | "only_second";
  direction: "left" | "right";
}

export interface NativeEncodeOptions {
  add_special_tokens: boolean;
  /** The texts are lists of words, and offsets count within each word. */
  is_pretokenized?: boolean;
  truncation?: NativeTruncation;
}

/** One encoded sequence or pair. The fields are computed from the native object when they are read: read each once. */
export interface NativeEncoding {
  readonly length: number;
  readonly ids: Int32Array;
  readonly type_ids: Int32Array;
  readonly attention_mask: Int32Array;
  readonly special_tokens_mask: Int32Array;
  readonly tokens: string[];
  /** The word of each token, -1 for none. */
  readonly word_ids: Int32Array;
  /** 0 or 1: the sequence of each token, -1 for none. */
  readonly sequence_ids: Int32Array;
  /** `sequence, start, end` of the tokens of each sequence; empty: one sequence, all tokens. */
  readonly sequence_ranges: Int32Array;
  /** `start, end` pairs, `2 * length` numbers, in the text that the token's sequence was made from. */
  offsets(unit: "utf16" | "code_point"): Int32Array;
  readonly n_sequences: number;
  readonly overflowing: NativeEncoding[];
  /** Shortens in place; what goes is appended to `overflowing`. RangeError unless `stride < max_length`. */
  truncate(max_length: number, stride: number, direction: "left" | "right"): void;
  /** Pads in place, the overflowing ones too. */
  pad(length: number, pad_id: number, pad_type_id: number, pad_token: string, direction: "left" | "right"): void;
}

/**
 * The tokenizer of a tokenizer.json. Everything runs on the calling thread; batches on further threads too, which have
 * ended when the call returns.
 * The file's own `truncation` and `padding` are kept for `to_json` and never applied here.
 */
export interface NativeTokenizer {
  /** The fast path: ids alone. */
  encode_ids(text: string, add_special_tokens: boolean): Int32Array;
  /** The arrays that `encode_ids_into` fills from now on, `offsets` twice as long; their memory must stay. */
  set_out(ids: Int32Array, offsets: Int32Array): void;
  /**
   * The same into the arrays of `set_out`. Returns the number of ids; if they are more than fit, nothing is written.
   * Of the text's own ids `limit` stay; those at the end `direction` go. `offsets`: as for `encode_rows`.
   */
  encode_ids_into(
    text: string,
    add_special_tokens: boolean,
    limit?: number,
    direction?: "left" | "right",
    offsets?: "utf16" | "code_point",
  ): number;
  /**
   * `encode_ids` of many texts on up to `threads` threads (1 to 256): all ids in a row, and where those of each text end.
   * With `offsets`, in this unit, also start and end for each id: those that `encode` gives if there is a `frame`.
   */
  encode_rows(
    texts: readonly string[],
    options: {
      add_special_tokens: boolean;
      threads: number;
      limit?: number | undefined;
      direction?: "left" | "right" | undefined;
      offsets?: "utf16" | "code_point" | undefined;
    },
  ): { ids: Int32Array; ends: Int32Array; offsets?: Int32Array };
  /**
   * How many special tokens stand before and behind the tokens of a single text; null where there are others, or where
   * the post-processor changes offsets.
   */
  readonly frame: readonly [before: number, behind: number] | null;
  /** True if the tokens of a single text can have other type ids than 0. */
  readonly has_type_ids: boolean;
  /** A tokenizer of its own, which shares what does not change, above all the vocabulary. */
  clone(): NativeTokenizer;
  encode(text: string | string[], pair: string | string[] | null, options: NativeEncodeOptions): NativeEncoding;
  /** `encode` of many texts on up to `threads` threads (1 to 256). A pair may be null; null for `pairs`: there are none. */
  encode_batch(
    texts: readonly (string | string[])[],
    pairs: readonly (string | string[] | null)[] | null,
    options: NativeEncodeOptions,
    threads: number,
  ): NativeEncoding[];
  /** Shortens and joins encodings of any tokenizers: what Rust calls `post_process`. */
  post_process(
    encoding: NativeEncoding,
    pair: NativeEncoding | null,
    options: { add_special_tokens: boolean; truncation?: NativeTruncation },
  ): NativeEncoding;
  /** The normalizer alone. */
  normalize(text: string): string;
  /** The pre-tokenizer alone: an encoding of which only `tokens` and `offsets` mean something. */
  pre_tokenize(text: string): NativeEncoding;
  /** Ids without a token are skipped, as in Rust. Of an Int32Array the first `count`, by default all. */
  decode(ids: ArrayLike<number>, skip_special_tokens: boolean, count?: number): string;
  /** The decoder alone: Python's `convert_tokens_to_string`. */
  decode_tokens(tokens: string[]): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  vocab_size(with_added_tokens: boolean): number;
  /** What stands before the pieces inside a word; null where the model marks none. */
  continuing_subword_prefix(): string | null;
  get_vocab(with_added_tokens: boolean): Record<string, number>;
  /** Returns the number really added, as Rust does. Special ones are those with `special: true`. */
  add_tokens(tokens: AddedTokenSpec[]): number;
  /** With their ids, ascending. */
  added_tokens(): AddedTokenSpec[];
  num_special_tokens_to_add(pair: boolean): number;
  /** Python's `backend_tokenizer.normalizer = ...`: the component's JSON, or null for none (but for the model). */
  set_component(
    kind: "normalizer" | "pre_tokenizer" | "post_processor" | "decoder" | "truncation" | "padding" | "model",
    json: string | null,
  ): void;
  /**
   * True: normalised added tokens are what the normalizer of now makes of them, in texts and when they are decoded: so in Rust
   * since 0.23. False, the default: the normalizer of their adding counts, and in texts alone (0.22, which Python has).
   */
  set_normalized_added_tokens(value: boolean): void;
  /** True: special tokens in a text are split as ordinary text (Python's `split_special_tokens`). */
  set_encode_special_tokens(value: boolean): void;
  /**
   * As Rust writes it, so that Python reads it; `pretty` as Python's `save(pretty=True)`. Without the vocabulary the
   * model's lists are empty.
   */
  to_json(pretty: boolean, with_vocabulary?: boolean): string;
  /** The tokenizer with its tables, for the constructor; empty for one that is as quickly read from JSON. */
  compile(): Uint8Array;
  /**
   * What each token adds to the bytes of a decoded text: those of all ids one after another, of id i up to `ends[i]`;
   * nothing for ids without a token. Those in `verbatim` give what they are called.
   */
  token_bytes(verbatim: number[]): { bytes: Uint8Array; ends: Uint32Array };
  /**
   * The text that each token adds behind the tokens `before`, in whose text `prefix` stands, in UTF-8; `known`: 1 for ids that
   * a token has. null where `prefix` does not stand in it.
   */
  token_texts(before: string[], prefix: string): { bytes: Uint8Array; ends: Uint32Array; known: Uint8Array } | null;
  /** Counts the words of a text, as the model would get them, for `train`. */
  count_words(text: string): void;
  /**
   * Trains a vocabulary on the words counted so far and forgets them. Returns JSON: `{ vocab, merges }`, of Unigram
   * `{ unk_id, vocab }` with scores.
   */
  train(type: "BPE" | "WordPiece" | "WordLevel" | "Unigram", options: TrainerSpec | UnigramTrainerSpec): string;
}

/** Options of Rust's trainers; without a prefix or suffix there is none. */
export interface TrainerSpec {
  vocab_size: number;
  special_tokens: string[];
  min_frequency?: number;
  limit_alphabet?: number;
  /** Its characters, one after the other. */
  initial_alphabet?: string;
  continuing_subword_prefix?: string;
  end_of_word_suffix?: string;
  max_token_length?: number;
}

/** Options of Rust's UnigramTrainer, with its defaults. */
export interface UnigramTrainerSpec {
  vocab_size: number;
  special_tokens: string[];
  initial_alphabet?: string;
  unk_token?: string;
  shrinking_factor?: number;
  n_sub_iterations?: number;
  max_piece_length?: number;
  seed_size?: number;
}

interface NativeTokenizers {
  Tokenizer: {
    /** From a tokenizer.json, or the bytes of `compile`. Error `tokenizer_invalid` names the place inside the JSON. */
    new (content: string | Uint8Array): NativeTokenizer;
    readonly Encoding: {
      /** One after the other; with `growing_offsets` the offsets of each go on from where those before it end. */
      merge(encodings: readonly NativeEncoding[], growing_offsets: boolean): NativeEncoding;
    };
  };
}

/** Everything that the addon exports. */
export interface NativeAddon
  extends NativeDevices,
    NativeStateDicts,
    NativeTokenizers,
    NativeGeneration,
    NativeLlama,
    NativeGraph {}
