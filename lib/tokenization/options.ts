import { expected, out_of_range, warn_once } from "../errors.js";
import type { OffsetsUnit } from "./encoding.js";

export type PaddingOption = boolean | "longest" | "max_length" | "do_not_pad";
export type TruncationStrategy = "longest_first" | "only_first" | "only_second" | "do_not_truncate";
export type Side = "left" | "right";

/** Options of padding, which `pad()` takes too. */
export interface PadOptions {
  /** true and "longest": to the longest row; "max_length": to `max_length`, else the model's. Default: no padding. */
  padding?: PaddingOption;
  max_length?: number | null;
  pad_to_multiple_of?: number | null;
  /** Default: the tokenizer's `padding_side`. */
  padding_side?: Side | null;
  /** "pt" or "np", both this package's Tensor. Default: nested lists of numbers. */
  return_tensors?: string | null;
  /** transformers.js's name: true is `return_tensors: "pt"`. */
  return_tensor?: boolean;
  return_attention_mask?: boolean | null;
  /** false: no warnings. */
  verbose?: boolean;
}

/** Options of a tokenizer's call, names and defaults as in Python. */
export interface EncodeOptions extends PadOptions {
  add_special_tokens?: boolean;
  /** true is "longest_first". Default: none, unless `max_length` is given without padding. */
  truncation?: boolean | TruncationStrategy | null;
  /** With `return_overflowing_tokens`: how many tokens neighbouring parts share. */
  stride?: number;
  /** The texts are lists of words. */
  is_split_into_words?: boolean;
  /** Default: where `model_input_names` has it. */
  return_token_type_ids?: boolean | null;
  return_overflowing_tokens?: boolean;
  return_special_tokens_mask?: boolean;
  return_offsets_mapping?: boolean;
  /** Of `offset_mapping` and of the alignment methods. Default "utf16", so that `text.slice(start, end)` works. */
  offsets_unit?: OffsetsUnit;
  return_length?: boolean;
  /** true: special tokens inside the text are text. Default: the tokenizer's `split_special_tokens`. */
  split_special_tokens?: boolean;
  /**
   * Threads for a batch, 1 to 256. Default: as many as its length is worth, at most 8; one if the environment's
   * `TOKENIZERS_PARALLELISM` is false. They end with the call.
   */
  num_threads?: number;
}

const ENCODE_OPTIONS: Record<keyof EncodeOptions, true> = {
  add_special_tokens: true,
  padding: true,
  truncation: true,
  max_length: true,
  stride: true,
  is_split_into_words: true,
  pad_to_multiple_of: true,
  padding_side: true,
  return_tensors: true,
  return_tensor: true,
  return_token_type_ids: true,
  return_attention_mask: true,
  return_overflowing_tokens: true,
  return_special_tokens_mask: true,
  return_offsets_mapping: true,
  offsets_unit: true,
  return_length: true,
  split_special_tokens: true,
  num_threads: true,
  verbose: true,
};

/** TypeError for an option that does not exist. */
export function check_options(options: object, extra: readonly string[] = []): void {
  for (const key of Object.keys(options)) {
    if (key in ENCODE_OPTIONS || extra.includes(key)) continue;
    throw new TypeError(
      `Unknown option '${key}' of a tokenizer; known are ${[...Object.keys(ENCODE_OPTIONS), ...extra].join(", ")}`,
    );
  }
}

/** What padding and truncation come to: lengths are set where they are needed. */
export interface Strategies {
  padding: "longest" | "max_length" | "do_not_pad";
  truncation: TruncationStrategy;
  max_length: number | null;
}

const PADDING = { false: "do_not_pad", true: "longest" } as const;
const TRUNCATION = { false: "do_not_truncate", true: "longest_first" } as const;

function one_of<T extends string>(value: unknown, values: readonly T[], argument: string): T {
  if (values.includes(value as T)) return value as T;
  throw expected(`true, false or one of ${values.map((v) => `"${v}"`).join(", ")}`, argument, value);
}

function natural(value: unknown, argument: string, least: number): void {
  if (typeof value !== "number") throw expected("a whole number", argument, value);
  if (!Number.isInteger(value) || value < least) throw out_of_range(`a whole number from ${least}`, argument, value);
}

/** Checks the numbers among the options. */
export function check_numbers(options: EncodeOptions): void {
  const { max_length, stride, pad_to_multiple_of, padding_side, num_threads } = options;
  if (max_length !== undefined && max_length !== null) natural(max_length, "max_length", 0);
  if (stride !== undefined) natural(stride, "stride", 0);
  if (pad_to_multiple_of !== undefined && pad_to_multiple_of !== null)
    natural(pad_to_multiple_of, "pad_to_multiple_of", 1);
  if (num_threads !== undefined) natural(num_threads, "num_threads", 1);
  if (padding_side !== undefined && padding_side !== null && padding_side !== "left" && padding_side !== "right") {
    throw expected('"left" or "right"', "padding_side", padding_side);
  }
}

/** Lengths above this mean "no limit" in tokenizer_config.json. */
const LARGE = 1e20;

/** Python's _get_padding_truncation_strategies, with its warnings and errors. */
export function strategies(
  options: EncodeOptions,
  tokenizer: { model_max_length: number; pad_token: string | null; pad_token_id: number | null },
): Strategies {
  const { padding: pad = false, truncation: cut = null, pad_to_multiple_of, verbose = true } = options;
  let max_length = options.max_length ?? null;
  const say = (text: string) => verbose && warn_once(text);

  let truncation: TruncationStrategy =
    cut === null || typeof cut === "boolean"
      ? TRUNCATION[`${cut ?? false}`]
      : one_of(cut, ["longest_first", "only_first", "only_second", "do_not_truncate"], "truncation");
  let padding: Strategies["padding"] =
    typeof pad === "boolean" ? PADDING[`${pad}`] : one_of(pad, ["longest", "max_length", "do_not_pad"], "padding");

  if (max_length !== null && pad === false && cut === null) {
    say(
      "Truncation was not explicitly activated but `max_length` is provided a specific value, please use" +
        " `truncation=True` to explicitly truncate examples to max length. Defaulting to 'longest_first' truncation" +
        " strategy. If you encode pairs of sequences (GLUE-style) with the tokenizer you can select this strategy more" +
        " precisely by providing a specific strategy to `truncation`.",
    );
    truncation = "longest_first";
  }
  if (pad === true && max_length !== null && truncation === "do_not_truncate") {
    say(
      "`max_length` is ignored when `padding`=`True` and there is no truncation strategy. To pad to max length, use" +
        " `padding='max_length'`.",
    );
  }
  if (max_length === null) {
    const limit = tokenizer.model_max_length;
    const unlimited = limit > LARGE;
    if (padding === "max_length") {
      if (unlimited) {
        say(
          "Asking to pad to max_length but no maximum length is provided and the model has no predefined maximum" +
            " length. Default to no padding.",
        );
        padding = "do_not_pad";
      } else max_length = limit;
    }
    if (truncation !== "do_not_truncate") {
      if (unlimited) {
        say(
          "Asking to truncate to max_length but no maximum length is provided and the model has no predefined maximum" +
            " length. Default to no truncation.",
        );
        truncation = "do_not_truncate";
      } else max_length = limit;
    }
  }
  if (padding !== "do_not_pad" && (tokenizer.pad_token === null || tokenizer.pad_token_id === null)) {
    throw new TypeError(
      "Asking to pad but the tokenizer does not have a padding token. Please select a token to use as `pad_token`" +
        " `(tokenizer.pad_token = tokenizer.eos_token e.g.)` or add a new pad token via" +
        " `tokenizer.add_special_tokens({'pad_token': '[PAD]'})`.",
    );
  }
  if (
    truncation !== "do_not_truncate" &&
    padding !== "do_not_pad" &&
    pad_to_multiple_of &&
    max_length !== null &&
    max_length % pad_to_multiple_of !== 0
  ) {
    throw new RangeError(
      `Truncation and padding are both activated but truncation length (${max_length}) is not a multiple of` +
        ` pad_to_multiple_of (${pad_to_multiple_of}).`,
    );
  }
  return { padding, truncation, max_length };
}
