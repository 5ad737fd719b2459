// Loads the addon. Its whole typed interface is in this file, one section for each file of native/bindings.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { TransformersError } from "./errors.js";

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
 * The tokenizer of a tokenizer.json. Everything runs on the calling thread.
 * The file's own `truncation` and `padding` are kept for `to_json` and never applied here.
 */
export interface NativeTokenizer {
  /** The fast path: ids alone. */
  encode_ids(text: string, add_special_tokens: boolean): Int32Array;
  /** `is_pretokenized`: `text` and `pair` are lists of words, and offsets count within each word. */
  encode(
    text: string | string[],
    pair: string | string[] | null,
    options: { add_special_tokens: boolean; is_pretokenized?: boolean; truncation?: NativeTruncation },
  ): NativeEncoding;
  /** Ids without a token are skipped, as in Rust. */
  decode(ids: ArrayLike<number>, skip_special_tokens: boolean): string;
  /** The decoder alone: Python's `convert_tokens_to_string`. */
  decode_tokens(tokens: string[]): string;
  token_to_id(token: string): number | undefined;
  id_to_token(id: number): string | undefined;
  vocab_size(with_added_tokens: boolean): number;
  get_vocab(with_added_tokens: boolean): Record<string, number>;
  /** Returns the number really added, as Rust does. Special ones are those with `special: true`. */
  add_tokens(tokens: AddedTokenSpec[]): number;
  /** With their ids, ascending. */
  added_tokens(): AddedTokenSpec[];
  num_special_tokens_to_add(pair: boolean): number;
  /** Python's `backend_tokenizer.normalizer = ...`: the component's JSON, or null for none. */
  set_component(kind: "normalizer" | "pre_tokenizer" | "post_processor" | "decoder", json: string | null): void;
  /** True: special tokens in a text are split as ordinary text (Python's `split_special_tokens`). */
  set_encode_special_tokens(value: boolean): void;
  /** As Rust writes it, so that Python reads it; `pretty` as Python's `save(pretty=True)`. */
  to_json(pretty: boolean): string;
  /** What the token adds to the byte stream of a decoded text: for streaming. */
  token_bytes(id: number): Uint8Array;
}

interface NativeTokenizers {
  /** Error `tokenizer_invalid` names the place inside the JSON. */
  Tokenizer: new (json: string | Uint8Array) => NativeTokenizer;
}

// ---- llama_engine

/** Everything that the addon exports. */
export interface NativeAddon extends NativeDevices, NativeTokenizers {}

/** Where the addon may be, in the order of looking. */
function candidates(): string[] {
  const here = dirname(fileURLToPath(import.meta.url));
  const file = "ggml_transformers.node";
  const packaged = join(here, "..", "prebuilds", `${process.platform}-${process.arch}`, file);
  const built = join(here, "..", "build", "Release", file);
  const named = process.env["GGML_TRANSFORMERS_NATIVE_PATH"];
  // Electron cannot dlopen from inside an asar archive.
  const paths = [packaged, built].map((path) => path.replace(/\bapp\.asar([\\/])/, "app.asar.unpacked$1"));
  return named ? [named] : paths;
}

let addon: NativeAddon | undefined;

/** The addon, loaded on first use. */
export function native(): NativeAddon {
  if (addon) return addon;
  const tried = candidates();
  const path = tried.find((candidate) => existsSync(candidate));
  if (!path) {
    throw new TransformersError(
      `No native addon for ${process.platform}-${process.arch}: looked for ${tried.join(", ")}. ` +
        "Run 'npm run build' in the package's folder, or name a file in GGML_TRANSFORMERS_NATIVE_PATH.",
      "addon_not_found",
    );
  }
  const loaded = createRequire(import.meta.url)(path) as NativeAddon;
  loaded.load_backends(dirname(path));
  addon = loaded;
  return addon;
}
