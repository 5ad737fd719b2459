// What the methods of a Tokenizer take, checked.
import { out_of_range } from "../errors.js";
import { flag, list, natural, optional, options, text, texts } from "./arguments.js";
import { type OffsetsUnit, offsets_unit } from "./encoding.js";

/** A text, or its words with `isPretokenized`. */
export type InputSequence = string | readonly string[];
/** A text or a pair of texts; with `isPretokenized` the words of one or of two. */
export type EncodeInput =
  | string
  | readonly [string, string]
  | readonly string[]
  | readonly [readonly string[], readonly string[]];

export interface EncodeOptions {
  /** The texts are lists of words; offsets count in each word. Default: false. */
  isPretokenized?: boolean;
  /** Default: true. */
  addSpecialTokens?: boolean;
  /** What offsets count: code points, as in Rust, or UTF-16 units, as `text.slice` does. Default: "code_point". */
  offsetsUnit?: OffsetsUnit;
  /** Threads for a batch, 1 to 256. Default: what the batch is worth (the environment's TOKENIZERS_PARALLELISM=false: one). */
  numThreads?: number;
}

export interface Input {
  text: string | string[];
  pair: string | string[] | null;
}

/** What is to be done with all inputs of a call. */
export interface Plan {
  is_pretokenized: boolean;
  add_special_tokens: boolean;
  unit: OffsetsUnit;
  threads: number | undefined;
}

function threads(value: unknown, name: string): number {
  const count = natural(value, name, 256);
  if (count > 0) return count;
  throw out_of_range("an integer from 1 to 256", name, value);
}

export function plan_of(given: EncodeOptions | null | undefined): Plan {
  const known = options(given, ["isPretokenized", "addSpecialTokens", "offsetsUnit", "numThreads"]);
  return {
    is_pretokenized: optional(known.isPretokenized, "isPretokenized", flag, false),
    add_special_tokens: optional(known.addSpecialTokens, "addSpecialTokens", flag, true),
    unit: offsets_unit(known.offsetsUnit),
    threads: optional(known.numThreads, "numThreads", threads, undefined),
  };
}

function sequence(value: unknown, name: string, { is_pretokenized }: Plan): string | string[] {
  if (is_pretokenized) return texts(value, name);
  return text(value, name, Array.isArray(value) ? "a string (isPretokenized: true takes lists of words)" : "a string");
}

export function input_of(value: unknown, pair: unknown, plan: Plan): Input {
  return {
    text: sequence(value, "sentence", plan),
    pair: optional(pair, "pair", (given, name) => sequence(given, name, plan), null),
  };
}

/** One element of a batch: what it is depends on whether texts are strings or lists. */
export function batch_input(value: unknown, plan: Plan): Input {
  const is_pair = plan.is_pretokenized ? Array.isArray(value) && Array.isArray(value[0]) : Array.isArray(value);
  if (!is_pair) return input_of(value, null, plan);
  const [first, second, ...more] = value as unknown[];
  if (second === undefined || more.length > 0)
    throw new TypeError(`Expected two texts in a pair of sentences but received ${(value as unknown[]).length}`);
  return input_of(first, second, plan);
}

/** What an asynchronous batch does at once: so many characters take some milliseconds. */
const CHARACTERS_AT_ONCE = 400_000;

/** A batch in parts, between which others have their turn. */
export function* parts_of(inputs: readonly Input[]): Generator<readonly Input[]> {
  let begin = 0;
  let characters = 0;
  for (let i = 0; i < inputs.length; i++) {
    for (const input of [inputs[i]!.text, inputs[i]!.pair ?? ""])
      characters += typeof input === "string" ? input.length : input.reduce((sum, word) => sum + word.length, 0);
    if (characters < CHARACTERS_AT_ONCE && i + 1 < inputs.length) continue;
    yield inputs.slice(begin, i + 1);
    begin = i + 1;
    characters = 0;
  }
}

export const ids_of = (value: unknown, name: string) =>
  list(value, name, "a list of ids").map((id) => natural(id, name));
