// Numbers and dates in questions and tables, as TAPAS ranks and compares them.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/tapas/tokenization_tapas.py
import { SPACE, strip, words_of } from "./python_text.js";

/** What of a date a text names. */
export interface PartialDate {
  year?: number;
  month?: number;
  day?: number;
}
export type NumericValue = number | PartialDate;

const MONTHS = "january february march april may june july august september october november december".split(" ");
const WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split(" ");
/** As `datetime.strptime` reads them; the parts that count are those named in the second column. */
const PATTERNS = [
  ["%B", "month"], ["%Y", "year"], ["%Ys", "year"], ["%b %Y", "year month"], ["%B %Y", "year month"], ["%B %d", "month day"],
  ["%b %d", "month day"], ["%d %b", "month day"], ["%d %B", "month day"], ["%B %d, %Y", "year month day"], ["%d %B %Y", "year month day"],
  ["%m-%d-%Y", "year month day"], ["%Y-%m-%d", "year month day"], ["%Y-%m", "year month"], ["%d %b %Y", "year month day"],
  ["%b %d, %Y", "year month day"], ["%d.%m.%Y", "year month day"], ["%A, %b %d", "month day"], ["%A, %B %d", "month day"],
].map(([pattern, mask]) => ({ pattern: new RegExp(`^${source_of(pattern!)}$`, "u"), mask: mask!.split(" ") as (keyof PartialDate)[] })); // biome-ignore format: a table
const MOST_WORDS_OF_DATE = 5;
const [FIRST_YEAR, LAST_YEAR] = [1700, 2016];

function source_of(pattern: string): string {
  const fields: Record<string, string> = {
    "%A": `(?:${WEEKDAYS.join("|")})`,
    "%B": `(?<name>${MONTHS.join("|")})`,
    "%b": `(?<name>${MONTHS.map((month) => month.slice(0, 3)).join("|")})`,
    "%Y": "(?<year>[0-9]{4})",
    "%d": "(?<day>[0-9]{1,2})",
    "%m": "(?<month>[0-9]{1,2})",
  };
  return pattern.replace(/%[ABbYdm]|[. ]/g, (part) => fields[part] ?? (part === " " ? `[${SPACE}]+` : "\\."));
}

function parse_date(text: string): PartialDate | undefined {
  for (const { pattern, mask } of PATTERNS) {
    const found = pattern.exec(text)?.groups;
    if (!found) continue;
    const named = found["name"] === undefined ? undefined : MONTHS.findIndex((m) => m.startsWith(found["name"]!)) + 1;
    const { year, month, day } = found;
    const date = { year: Number(year ?? 1900), month: named ?? Number(month ?? 1), day: Number(day ?? 1) };
    const is_real =
      date.month >= 1 &&
      date.month <= 12 &&
      date.day >= 1 &&
      date.day <= new Date(Date.UTC(date.year, date.month, 0)).getUTCDate();
    if (!is_real || date.year < FIRST_YEAR || date.year > LAST_YEAR) continue;
    return Object.fromEntries(mask.map((field) => [field, date[field]]));
  }
  return undefined;
}

const DIGIT = /^\p{Nd}$/u;
/** Digits of all scripts as ASCII: each script has its ten in a row. */
const with_ascii_digits = (text: string) =>
  text.replace(/\p{Nd}/gu, (digit) => {
    let before = 0;
    while (DIGIT.test(String.fromCodePoint(digit.codePointAt(0)! - before - 1))) before++;
    return String(before % 10);
  });

/** Python's `float`, where it gives a finite number. */
function parse_number(given: string): number | undefined {
  const text = with_ascii_digits(strip(given.replace(/(?:st|nd|rd|th)$/, "").replaceAll(",", "")));
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  return value === Number.POSITIVE_INFINITY ? undefined : value;
}

const NUMBER = new RegExp(
  `(?:(?:^|[${SPACE}])[+-])?(?:\\.\\p{Nd}+|\\p{Nd}+(?:,\\p{Nd}\\p{Nd}\\p{Nd})*(?:\\.\\p{Nd}*)?)`,
  "gu",
);
const WORDS = "zero one two three four five six seven eight nine ten eleven twelve".split(" ");
const ORDINALS = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(" ");
const ALNUM = /[\p{L}\p{N}]/u;

type Span = readonly [begin: number, end: number];

/** From where a word begins to where one ends, up to `most` words. */
function* spans_of(characters: readonly string[], most: number): Generator<Span> {
  const begins: number[] = [];
  const is_word = characters.map((character) => ALNUM.test(character));
  for (let i = 0; i < characters.length; i++) {
    if (!is_word[i]) continue;
    if (!is_word[i - 1]) begins.push(i);
    if (!is_word[i + 1]) for (const begin of begins.slice(-most)) yield [begin, i + 1];
  }
}

/** The text as numbers are looked for in it. */
export const normalize_for_match = (text: string) => words_of(text.toLowerCase()).join(" ");

/** The numbers and dates of a normalized text, those of each place together; longer places beat those within them. */
export function numeric_values(text: string): NumericValue[] {
  const characters = Array.from(text);
  const found = new Map<string, { span: Span; values: NumericValue[] }>();
  const add = (span: Span, value: NumericValue | undefined) => {
    if (value === undefined) return;
    const entry = found.get(String(span)) ?? { span, values: [] };
    entry.values.push(value);
    found.set(String(span), entry);
  };
  for (const match of text.matchAll(NUMBER)) {
    const begin = Array.from(text.slice(0, match.index)).length;
    add([begin, begin + Array.from(match[0]).length], parse_number(match[0]));
  }
  const part = ([begin, end]: Span) => characters.slice(begin, end).join("");
  for (const span of spans_of(characters, 1)) {
    if (found.has(String(span))) continue;
    const word = part(span);
    add(span, parse_number(word));
    for (const names of [WORDS, ORDINALS]) if (names.includes(word)) add(span, names.indexOf(word));
  }
  for (const span of spans_of(characters, MOST_WORDS_OF_DATE)) add(span, parse_date(part(span)));

  const longest_first = [...found.values()].sort(
    ({ span: [a, a_end] }, { span: [b, b_end] }) => b_end - b - (a_end - a) || a - b,
  );
  const chosen: typeof longest_first = [];
  for (const entry of longest_first) {
    const is_within = chosen.some(({ span: [begin, end] }) => begin <= entry.span[0] && entry.span[1] <= end);
    if (!is_within) chosen.push(entry);
  }
  return chosen.sort((a, b) => a.span[0] - b.span[0]).flatMap(({ values }) => values);
}

const is_number = (value: NumericValue) => typeof value === "number";
const FIELDS = ["year", "month", "day"] as const;

/** How the values are ordered; undefined if they are of two kinds, or dates that name nothing in common. */
export function sort_key(values: readonly NumericValue[]): ((value: NumericValue) => number[]) | undefined {
  if (values.every(is_number)) return (value) => [value as number];
  if (values.some(is_number)) return undefined;
  const common = FIELDS.filter((field) => values.every((date) => (date as PartialDate)[field] !== undefined));
  return common.length ? (date) => common.map((field) => (date as PartialDate)[field]!) : undefined;
}

/** Below 0, 0 or above 0, as for `sort`. */
export function compare_keys(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((value, i) => value !== b[i]);
  return i < 0 ? 0 : a[i]! - b[i]!;
}

/** The value of each cell of a column, if most cells have one of the same kind; dates where both kinds are as frequent. */
export function column_values(cells: readonly string[]): (NumericValue | undefined)[] {
  const values = cells.map((cell) => numeric_values(normalize_for_match(cell)));
  const numbers = values.filter((row) => row.some(is_number)).length;
  const dates = values.filter((row) => !row.every(is_number)).length;
  const most = Math.max(numbers, dates);
  if (most === 0 || most < cells.length * 0.7) return cells.map(() => undefined);
  return values.map((row) => row.find((value) => is_number(value) === numbers > dates));
}
