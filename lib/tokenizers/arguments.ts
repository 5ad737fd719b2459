// Checks of arguments. The errors also end in the words of the npm package `tokenizers`, which programs may look for.
import { expected, out_of_range, received, warn_once } from "../errors.js";

function wrong(what: string, name: string, value: unknown, theirs: string): TypeError {
  const error = expected(what, name, value);
  error.message += ` (${theirs})`;
  return error;
}

function in_their_words(value: unknown): string {
  if (value === undefined || value === null) return value === null ? "Null" : "Undefined";
  const type = typeof value;
  return type === "object"
    ? `Object ${received(value)}`
    : `${type[0]!.toUpperCase()}${type.slice(1)} ${String(value)} `;
}

export function text(value: unknown, name: string, what = "a string"): string {
  if (typeof value === "string") return value;
  throw wrong(
    what,
    name,
    value,
    `Failed to convert JavaScript value \`${in_their_words(value)}\` into rust type \`String\``,
  );
}

/** A string of one character. */
export function character(value: unknown, name: string): string {
  if ([...text(value, name)].length === 1) return value as string;
  throw wrong("a string of one character", name, value, `${name} is supposed to be a single char`);
}

export function flag(value: unknown, name: string): boolean {
  if (typeof value === "boolean") return value;
  throw wrong("a boolean", name, value, "Failed to convert napi value into rust type `bool`");
}

/** An integer from 0 to `most`. */
export function natural(value: unknown, name: string, most = 0xffffffff): number {
  if (typeof value !== "number") {
    const theirs = in_their_words(value).split(" ")[0];
    throw wrong("a number", name, value, `Failed to convert napi value ${theirs} into rust type \`u32\``);
  }
  if (Number.isInteger(value) && value >= 0 && value <= most) return value;
  throw out_of_range(`an integer from 0 to ${most}`, name, value);
}

/** A number of tokens: anything above what the engine can count is no limit at all. */
export function length(value: unknown, name: string): number {
  return Math.min(natural(value, name, Number.MAX_SAFE_INTEGER), 0x7fffffff);
}

export function list(value: unknown, name: string, what = "a list"): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrong(what, name, value, "Failed to get Array length");
}

export function texts(value: unknown, name: string): string[] {
  return list(value, name, "a list of strings").map((item) => text(item, name, "strings"));
}

/** A token and its id. */
export function token_and_id(value: unknown, name: string): [string, number] {
  const pair = list(value, name, "a list of a token and its id");
  if (pair.length < 2) throw wrong("a list of a token and its id", name, value, "Array length < 2");
  return [text(pair[0], name), natural(pair[1], name)];
}

export function instance<T>(value: unknown, type: abstract new (...args: never[]) => T, name: string): T {
  if (value instanceof type) return value;
  throw wrong(`an instance of ${type.name}`, name, value, `Failed to recover \`${type.name}\` type from napi value`);
}

export function instances<T>(value: unknown, type: abstract new (...args: never[]) => T, name: string): T[] {
  return list(value, name, `a list of instances of ${type.name}`).map((item) => instance(item, type, name));
}

/** One of `choices`, which may also be written as in a tokenizer.json: with a capital letter. */
export function choice<T extends string>(value: unknown, name: string, choices: readonly T[], theirs: string): T {
  const given = typeof value === "string" ? `${value[0]?.toLowerCase() ?? ""}${value.slice(1)}` : value;
  if (choices.includes(given as T)) return given as T;
  throw wrong(`one of ${choices.map((known) => `"${known}"`).join(", ")}`, name, value, theirs);
}

/** An object of options, null and undefined standing for none. What it has beyond `known` is said once. */
export function options<T extends object>(
  value: T | null | undefined,
  known: readonly (keyof T & string)[],
): Partial<T> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object") throw expected("an object", "options", value);
  for (const key of Object.keys(value))
    if (!(known as readonly string[]).includes(key)) warn_once(`Unknown option ${key}: known are ${known.join(", ")}`);
  return value;
}

/** `read(value, name)`, or `otherwise` where the value is not given. */
export function optional<T, D>(value: unknown, name: string, read: (value: unknown, name: string) => T, otherwise: D) {
  return value === undefined || value === null ? otherwise : read(value, name);
}
