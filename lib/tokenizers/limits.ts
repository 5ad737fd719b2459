import { expected } from "../errors.js";
import type { NativeEncoding, NativeTruncation } from "../native.js";
import type { TokenizerHeader } from "../tokenization/tokenizer_json.js";
import { choice, length, natural, optional, options, text } from "./arguments.js";

/** Which sequence of a pair is shortened. */
export enum TruncationStrategy {
  LongestFirst = "LongestFirst",
  OnlyFirst = "OnlyFirst",
  OnlySecond = "OnlySecond",
}

/** The side that loses tokens. */
export enum TruncationDirection {
  Left = "Left",
  Right = "Right",
}

/** The side that gets padding. */
export enum PaddingDirection {
  Left = 0,
  Right = 1,
}

export interface TruncationOptions {
  /** Has no meaning beside setTruncation's own argument. */
  maxLength?: number;
  /** Default: the longest sequence first. */
  strategy?: TruncationStrategy | `${TruncationStrategy}`;
  /** "left", or "right", the default. */
  direction?: string | TruncationDirection;
  /** How many tokens a part repeats of the one before. */
  stride?: number;
}

export interface PaddingOptions {
  /** Default: as long as the longest of the batch. */
  maxLength?: number;
  /** "left", or "right", the default; or a PaddingDirection, this package's or another's. */
  direction?: string | number;
  padToMultipleOf?: number;
  padId?: number;
  padTypeId?: number;
  /** Default: "[PAD]". */
  padToken?: string;
}

export type Truncation = NonNullable<TokenizerHeader["truncation"]>;
export type Padding = NonNullable<TokenizerHeader["padding"]>;

type Direction = "left" | "right";

/** `words` is the package's error of the argument: it has two of them. */
export function truncation_direction(value: unknown, words = `"${value}" is not a valid direction`): Direction {
  return choice(value, "direction", ["left", "right"], words);
}

function padding_direction(value: unknown): Direction {
  if (value === PaddingDirection.Left || value === PaddingDirection.Right) return value ? "right" : "left";
  return truncation_direction(value);
}

const strategy_of = (value: unknown, name: string): TruncationStrategy => {
  if (Object.values(TruncationStrategy).includes(value as TruncationStrategy)) return value as TruncationStrategy;
  throw expected(`one of ${Object.values(TruncationStrategy).join(", ")}`, name, value);
};

const capital = <T extends string>(word: T) => `${word[0]!.toUpperCase()}${word.slice(1)}` as Capitalize<T>;

/** `truncation` of a tokenizer.json. */
export function truncation_of(max_length: unknown, given?: TruncationOptions | null): Truncation {
  const known = options(given, ["maxLength", "strategy", "direction", "stride"]);
  return {
    direction: capital(optional(known.direction, "direction", truncation_direction, "right")),
    max_length: length(max_length, "maxLength"),
    strategy: optional(known.strategy, "strategy", strategy_of, TruncationStrategy.LongestFirst),
    stride: optional(known.stride, "stride", length, 0),
  };
}

/** `padding` of a tokenizer.json. */
export function padding_of(given?: PaddingOptions | null): Padding {
  const names = ["maxLength", "direction", "padToMultipleOf", "padId", "padTypeId", "padToken"] as const;
  const known = options(given, names);
  const id = (value: unknown, name: string) => natural(value, name, 0x7fffffff);
  return {
    strategy: optional(known.maxLength, "maxLength", (value, name) => ({ Fixed: length(value, name) }), "BatchLongest"),
    direction: capital(optional(known.direction, "direction", padding_direction, "right")),
    pad_to_multiple_of: optional(known.padToMultipleOf, "padToMultipleOf", length, null),
    pad_id: optional(known.padId, "padId", id, 0),
    pad_type_id: optional(known.padTypeId, "padTypeId", id, 0),
    pad_token: optional(known.padToken, "padToken", text, "[PAD]"),
  };
}

/** As the engine wants it. */
export function native_truncation({ max_length, stride, strategy, direction }: Truncation): NativeTruncation {
  const strategies = { LongestFirst: "longest_first", OnlyFirst: "only_first", OnlySecond: "only_second" } as const;
  return {
    max_length,
    stride,
    strategy: strategies[strategy as keyof typeof strategies],
    direction: direction === "Left" ? "left" : "right",
  };
}

/** Pads one encoding to `size` tokens. */
export function pad_to(size: number, encoding: NativeEncoding, padding: Padding): void {
  const direction = padding.direction === "Left" ? "left" : "right";
  encoding.pad(size, padding.pad_id, padding.pad_type_id, padding.pad_token, direction);
}

/** Pads a batch, as Rust's `pad_encodings`. */
export function pad(batch: readonly NativeEncoding[], padding: Padding): void {
  const { strategy, pad_to_multiple_of: multiple } = padding;
  const longest = () => batch.reduce((most, { length }) => Math.max(most, length), 0);
  const size = strategy === "BatchLongest" ? longest() : strategy.Fixed;
  const rounded = multiple ? Math.ceil(size / multiple) * multiple : size;
  for (const encoding of batch) pad_to(rounded, encoding, padding);
}
