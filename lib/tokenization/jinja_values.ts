// Values of chat templates as Python has them: printing, comparing, methods of str, dates.
import { float_repr, string_repr } from "../python.js";

/** A value inside a template: `type` names its class, and mappings are Maps. */
export interface Value {
  type: string;
  value: unknown;
}
/** `str()` of a template's value: what `{{ value }}` prints. */
export function str(value: Value): string {
  if (value.type === "StringValue") return value.value as string;
  return value.type === "UndefinedValue" ? "" : repr(value);
}

function repr(value: Value): string {
  switch (value.type) {
    case "StringValue":
      return string_repr(value.value as string);
    case "NullValue":
      return "None";
    case "UndefinedValue":
      return "Undefined";
    case "BooleanValue":
      return value.value ? "True" : "False";
    case "FloatValue":
      return float_repr(value.value as number);
    case "ArrayValue":
      return `[${(value.value as Value[]).map(repr).join(", ")}]`;
    case "TupleValue": {
      const items = (value.value as Value[]).map(repr);
      return items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
    }
    case "ObjectValue":
    case "NamespaceValue":
      return `{${Array.from(value.value as Map<string, Value>, ([key, item]) => `${string_repr(key)}: ${repr(item)}`).join(", ")}}`;
    default:
      return String(value.value);
  }
}

const NUMBERS = new Set(["IntegerValue", "FloatValue", "BooleanValue"]);

/** Python's `==`: by content, and true is 1. */
export function equal(a: Value, b: Value): boolean {
  if (NUMBERS.has(a.type) && NUMBERS.has(b.type)) return Number(a.value) === Number(b.value);
  if (a.type !== b.type) return false;
  if (Array.isArray(a.value) && Array.isArray(b.value)) {
    const other: Value[] = b.value;
    return a.value.length === other.length && a.value.every((item: Value, i) => equal(item, other[i]!));
  }
  if (a.value instanceof Map && b.value instanceof Map) {
    const other: Map<string, Value> = b.value;
    return (
      a.value.size === other.size && [...a.value].every(([key, item]) => other.has(key) && equal(item, other.get(key)!))
    );
  }
  return a.value === b.value;
}

/** Python's `<` of two numbers or two strings. */
export const less = (a: Value, b: Value) => (a.value as number | string) < (b.value as number | string);

/** What Python's str.isspace() calls whitespace. */
const is_space = (char: string) =>
  (char.trim() === "" && char !== "\ufeff") || (char >= "\x1c" && char <= "\x1f") || char === "\x85";

/** Python's `str.strip(chars)`. */
function strip(text: string, chars: unknown, left: boolean, right: boolean): string {
  const drop = typeof chars === "string" ? (char: string) => chars.includes(char) : is_space;
  const units = Array.from(text);
  let start = 0;
  let end = units.length;
  while (left && start < end && drop(units[start]!)) start++;
  while (right && end > start && drop(units[end - 1]!)) end--;
  return units.slice(start, end).join("");
}

const capitalize = (text: string) => text.charAt(0).toUpperCase() + text.slice(1).toLowerCase();

/** `str.format` with numbered fields or plain ones. */
function format(text: string, values: Value[]): string {
  let next = 0;
  return text.replace(/\{\{|\}\}|\{(\d*)\}/g, (field, index?: string) => {
    if (index === undefined) return field[0]!;
    const value = values[index === "" ? next++ : Number(index)];
    if (!value) throw new Error("format() has too few arguments");
    return str(value);
  });
}

/** Python's methods of str that the library lacks or takes another way. */
export const STRING_METHODS = new Map<string, (text: string, argument: Value | undefined, all: Value[]) => unknown>([
  ["format", (text, _, all) => format(text, all)],
  ["strip", (text, chars) => strip(text, chars?.value, true, true)],
  ["lstrip", (text, chars) => strip(text, chars?.value, true, false)],
  ["rstrip", (text, chars) => strip(text, chars?.value, false, true)],
  ["capitalize", capitalize],
  ["title", (text) => text.replace(/\p{L}+/gu, capitalize)],
  ["find", (text, part) => text.indexOf(String(part?.value))],
  ["rfind", (text, part) => text.lastIndexOf(String(part?.value))],
  ["count", (text, part) => text.split(String(part?.value)).length - 1],
  ["join", (text, list) => (Array.isArray(list?.value) ? list.value.map(str).join(text) : "")],
  [
    "removeprefix",
    (text, part) => (text.startsWith(String(part?.value)) ? text.slice(String(part?.value).length) : text),
  ],
  [
    "removesuffix",
    (text, part) =>
      text.endsWith(String(part?.value)) ? text.slice(0, text.length - String(part?.value).length) : text,
  ],
  ["isdigit", (text) => /^\p{Nd}+$/u.test(text)],
  ["isalpha", (text) => /^\p{L}+$/u.test(text)],
  ["splitlines", (text) => text.replace(/(\r\n|\r|\n)$/, "").split(/\r\n|\r|\n/)],
]);

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = "January February March April May June July August September October November December".split(" ");

/** `datetime.now().strftime(format)` in the C locale. */
export function strftime_now(format: string): string {
  const now = new Date();
  const two = (value: number) => String(value).padStart(2, "0");
  const day =
    Math.round(
      (Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()) - Date.UTC(now.getFullYear(), 0, 1)) / 864e5,
    ) + 1;
  const hour = now.getHours();
  const fields: Record<string, string> = {
    Y: String(now.getFullYear()),
    y: two(now.getFullYear() % 100),
    m: two(now.getMonth() + 1),
    d: two(now.getDate()),
    e: String(now.getDate()).padStart(2),
    b: MONTHS[now.getMonth()]!.slice(0, 3),
    B: MONTHS[now.getMonth()]!,
    a: DAYS[now.getDay()]!.slice(0, 3),
    A: DAYS[now.getDay()]!,
    w: String(now.getDay()),
    j: String(day).padStart(3, "0"),
    H: two(hour),
    I: two(hour % 12 || 12),
    p: hour < 12 ? "AM" : "PM",
    M: two(now.getMinutes()),
    S: two(now.getSeconds()),
    f: `${String(now.getMilliseconds()).padStart(3, "0")}000`,
    "%": "%",
  };
  fields["F"] = `${fields["Y"]}-${fields["m"]}-${fields["d"]}`;
  fields["T"] = `${fields["H"]}:${fields["M"]}:${fields["S"]}`;
  fields["X"] = fields["T"];
  fields["x"] = fields["D"] = `${fields["m"]}/${fields["d"]}/${fields["y"]}`;
  return format.replace(/%-?([a-zA-Z%])/g, (all, key: string) => {
    const value = fields[key] ?? all;
    return all.startsWith("%-") ? value.replace(/^[0 ]+(?=\d)/, "") : value;
  });
}

/** Jinja's text filters where they differ from the methods of the same name, or from the library. */
export const TEXT_FILTERS = new Map<string, (text: string) => string>([
  ["trim", (text) => strip(text, undefined, true, true)],
  ["capitalize", capitalize],
  [
    "title",
    (text) =>
      text
        .split(/([-\s({[<]+)/)
        .map(capitalize)
        .join(""),
  ],
]);
