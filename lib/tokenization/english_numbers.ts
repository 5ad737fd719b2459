// English numbers in words as digits: "two hundred and one dollars" -> "$201".
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/whisper/english_normalizer.py
// (EnglishNumberNormalizer)
import { SPACE, strip } from "./python_text.js";

const ZEROS = new Set(["o", "oh", "zero"]);
const ONES = new Map(
  (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen " +
    "eighteen nineteen"
  )
    .split(" ")
    .map((name, i) => [name, i + 1] as const),
);
const TENS = new Map(
  "twenty thirty forty fifty sixty seventy eighty ninety".split(" ").map((name, i) => [name, 10 * (i + 2)] as const),
);
const MULTIPLIERS = new Map<string, bigint>([
  ["hundred", 100n],
  ..."thousand million billion trillion quadrillion quintillion sextillion septillion octillion nonillion decillion"
    .split(" ")
    .map((name, i): [string, bigint] => [name, 1000n ** BigInt(i + 1)]),
]);
type Suffixed = Map<string, readonly [value: bigint, suffix: string]>;
const ordinal = (name: string) => name + (name.endsWith("t") ? "h" : "th");
const ONES_SUFFIXED: Suffixed = new Map<string, readonly [bigint, string]>([
  ...Array.from(ONES, ([name, value]) => [name === "six" ? "sixes" : `${name}s`, [BigInt(value), "s"]] as const),
  ["zeroth", [0n, "th"]],
  ["first", [1n, "st"]],
  ["second", [2n, "nd"]],
  ["third", [3n, "rd"]],
  ["fifth", [5n, "th"]],
  ["twelfth", [12n, "th"]],
  ...[...ONES]
    .filter(([, value]) => value > 3 && value !== 5 && value !== 12)
    .map(([name, value]) => [ordinal(name), [BigInt(value), "th"]] as const),
]);
const TENS_SUFFIXED: Suffixed = new Map<string, readonly [bigint, string]>([
  ...Array.from(TENS, ([name, value]) => [name.replace("y", "ies"), [BigInt(value), "s"]] as const),
  ...Array.from(TENS, ([name, value]) => [name.replace("y", "ieth"), [BigInt(value), "th"]] as const),
]);
const MULTIPLIERS_SUFFIXED: Suffixed = new Map<string, readonly [bigint, string]>([
  ...Array.from(MULTIPLIERS, ([name, value]) => [`${name}s`, [value, "s"]] as const),
  ...Array.from(MULTIPLIERS, ([name, value]) => [`${name}th`, [value, "th"]] as const),
]);
const BEFORE = new Map([
  ["minus", "-"],
  ["negative", "-"],
  ["plus", "+"],
  ["positive", "+"],
]);
const AFTER = new Map([
  ["pound", "£"],
  ["pounds", "£"],
  ["euro", "€"],
  ["euros", "€"],
  ["dollar", "$"],
  ["dollars", "$"],
  ["cent", "¢"],
  ["cents", "¢"],
]);
const PREFIXES = new Set([...BEFORE.values(), ...AFTER.values()]);
const SPECIALS = new Set(["and", "double", "triple", "point"]);
const DECIMALS = new Set([...ONES.keys(), ...TENS.keys(), ...ZEROS]);
const WORDS = new Set([
  ...[ZEROS, SPECIALS].flatMap((set) => [...set]),
  ...[ONES, ONES_SUFFIXED, TENS, TENS_SUFFIXED, MULTIPLIERS, MULTIPLIERS_SUFFIXED, BEFORE, AFTER].flatMap(
    (map) => [...map.keys()] as string[],
  ),
  "per",
  "percent",
]);
const NUMBER = /^\p{Nd}+(\.\p{Nd}+)?$/u;

/** `text * factor` where that is a whole number. */
function times(text: string, factor: bigint): bigint | undefined {
  const [, whole, decimals = ""] = /^(\d+)(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const scale = 10n ** BigInt(decimals.length);
  const product = BigInt(whole + decimals) * factor;
  return product % scale === 0n ? product / scale : undefined;
}

/** Reads words one after another; a number that goes on is a bigint, or text where its digits only stand in a row. */
class Reader {
  readonly results: string[] = [];
  #prefix: string | null = null;
  #value: bigint | string | null = null;

  #put(result: bigint | string): void {
    this.results.push(`${this.#prefix ?? ""}${result}`);
    this.#value = this.#prefix = null;
  }
  #end(): void {
    if (this.#value !== null) this.#put(this.#value);
  }
  /** Python's `str(value or "")`. */
  get #digits(): string {
    return this.#value === null || this.#value === 0n ? "" : String(this.#value);
  }

  read(words: readonly string[]): void {
    for (let i = 0; i < words.length; i++) if (this.#word(words[i]!, words[i - 1], words[i + 1])) i++;
    this.#end();
  }

  /** True if the next word belongs to this one. */
  #word(current: string, prev: string | undefined, next: string | undefined): boolean {
    const next_is_number = next !== undefined && NUMBER.test(next);
    const first = [...current][0]!;
    const bare = PREFIXES.has(first) ? current.slice(first.length) : current;
    if (NUMBER.test(bare)) this.#number(current, bare, PREFIXES.has(first) ? first : null);
    else if (!WORDS.has(current)) this.#plain(current);
    else if (ZEROS.has(current)) this.#value = `${this.#digits}0`;
    else if (ONES.has(current)) this.#value = this.#with_ones(BigInt(ONES.get(current)!), prev);
    else if (ONES_SUFFIXED.has(current)) {
      const [value, suffix] = ONES_SUFFIXED.get(current)!;
      this.#put(`${this.#with_ones(value, prev)}${suffix}`);
    } else if (TENS.has(current)) this.#value = this.#with_tens(BigInt(TENS.get(current)!));
    else if (TENS_SUFFIXED.has(current)) {
      const [value, suffix] = TENS_SUFFIXED.get(current)!;
      this.#put(`${this.#with_tens(value)}${suffix}`);
    } else if (MULTIPLIERS.has(current)) this.#multiply(MULTIPLIERS.get(current)!);
    else if (MULTIPLIERS_SUFFIXED.has(current)) {
      const [value, suffix] = MULTIPLIERS_SUFFIXED.get(current)!;
      this.#multiply(value, false);
      this.#put(`${this.#value}${suffix}`);
    } else if (BEFORE.has(current)) {
      this.#end();
      if ((next !== undefined && WORDS.has(next)) || next_is_number) this.#prefix = BEFORE.get(current)!;
      else this.#put(current);
    } else if (AFTER.has(current)) {
      if (this.#value === null) this.#put(current);
      else {
        this.#prefix = AFTER.get(current)!;
        this.#put(this.#value);
      }
    } else if (current === "percent" || current === "per") return this.#percent(current, next);
    else return this.#special(current, prev, next, next_is_number);
    return false;
  }

  #plain(word: string): void {
    this.#end();
    this.#put(word);
  }

  #number(current: string, bare: string, prefix: string | null): void {
    if (this.#value !== null) {
      if (typeof this.#value === "string" && this.#value.endsWith(".")) {
        this.#value += current;
        return;
      }
      this.#put(this.#value);
    }
    this.#prefix = prefix ?? this.#prefix;
    this.#value = times(bare, 1n) ?? bare;
  }

  #with_ones(ones: bigint, prev: string | undefined): bigint | string {
    const value = this.#value;
    if (value === null) return ones;
    if (typeof value === "string" || (prev !== undefined && ONES.has(prev))) {
      const replaces_zero = prev !== undefined && TENS.has(prev) && ones < 10n;
      return replaces_zero ? `${String(value).slice(0, -1)}${ones}` : `${value}${ones}`;
    }
    return value % (ones < 10n ? 10n : 100n) === 0n ? value + ones : `${value}${ones}`;
  }

  #with_tens(tens: bigint): bigint | string {
    const value = this.#value;
    if (value === null) return tens;
    return typeof value === "bigint" && value % 100n === 0n ? value + tens : `${value}${tens}`;
  }

  #multiply(multiplier: bigint, zero_is_text = true): void {
    const value = this.#value;
    if (value === null) this.#value = multiplier;
    else if (typeof value === "string" || (zero_is_text && value === 0n)) {
      const product = times(String(value), multiplier);
      if (product === undefined) this.#put(value);
      this.#value = product ?? multiplier;
    } else {
      const residual = value % 1000n;
      this.#value = value - residual + residual * multiplier;
    }
  }

  #percent(current: string, next: string | undefined): boolean {
    if (this.#value === null) this.#put(current);
    else if (current === "percent") this.#put(`${this.#value}%`);
    else if (next === "cent") {
      this.#put(`${this.#value}%`);
      return true;
    } else this.#plain(current);
    return false;
  }

  #special(current: string, prev: string | undefined, next: string | undefined, next_is_number: boolean): boolean {
    if (!(next !== undefined && WORDS.has(next)) && !next_is_number) this.#plain(current);
    else if (current === "and") {
      if (prev === undefined || !MULTIPLIERS.has(prev)) this.#plain(current);
    } else if (current === "point") {
      if (DECIMALS.has(next!) || next_is_number) this.#value = `${this.#digits}.`;
    } else if (ONES.has(next!) || ZEROS.has(next!)) {
      this.#value = this.#digits + String(ONES.get(next!) ?? 0).repeat(current === "double" ? 2 : 3);
      return true;
    } else this.#plain(current);
    return false;
  }
}

const SPACES = new RegExp(`[${SPACE}]+`, "u");
const split = (text: string) => text.split(SPACES).filter((word) => word !== "");

function preprocess(text: string): string {
  const segments = text.split(/\band\s+a\s+half\b/);
  const parts = segments.flatMap((segment, i) => {
    if (strip(segment) === "") return [];
    if (i === segments.length - 1) return [segment];
    const last = split(segment).at(-1)!;
    return [segment, DECIMALS.has(last) || MULTIPLIERS.has(last) ? "point five" : "and a half"];
  });
  return parts
    .join(" ")
    .replace(/([a-z])([0-9])/g, "$1 $2")
    .replace(/([0-9])([a-z])/g, "$1 $2")
    .replace(/([0-9])\s+(st|nd|rd|th|s)\b/g, "$1$2");
}

/** A text in lower case with its numbers in digits. */
export function english_numbers(text: string): string {
  const reader = new Reader();
  reader.read(split(preprocess(text)));
  return reader.results
    .join(" ")
    .replace(
      /([€£$])([0-9]+) (?:and )?¢([0-9]{1,2})\b/g,
      (_, sign, whole, cents) => `${sign}${whole}.${cents.padStart(2, "0")}`,
    )
    .replace(/[€£$]0.([0-9]{1,2})\b/g, (_, cents) => `¢${Number(cents)}`)
    .replace(/\b1(s?)\b/g, "one$1");
}
