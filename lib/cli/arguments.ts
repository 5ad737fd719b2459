// Command lines: what a command takes, the reading of it, and its help.
import { parseArgs } from "node:util";

/** A wrong command line; the program ends with code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** One option of a command. Its name has dashes; underscores are read as dashes. */
export interface Option {
  type: "flag" | "text" | "number" | "integer";
  help: string;
  /** What stands for the value in the help. */
  value?: string;
  short?: string;
  /** May be given several times. */
  repeatable?: true;
}

export type Options = Record<string, Option>;

type Value<O extends Option> = O["type"] extends "flag" ? boolean : O["type"] extends "text" ? string : number;

/** What was given; options that were not are undefined, repeatable ones an empty list. */
export type Values<O extends Options> = {
  [K in keyof O]: O[K] extends { repeatable: true } ? Value<O[K]>[] : Value<O[K]> | undefined;
};

export interface Arguments<O extends Options> {
  values: Values<O>;
  positionals: string[];
}

const COMMON = {
  help: { type: "flag", short: "h", help: "show this help" },
  debug: { type: "flag", help: "show the stack of an error" },
} satisfies Options;

/**
 * Reads a command's arguments.
 * @param operands the most positional arguments that the command takes
 * @throws UsageError
 */
export function parse_arguments<O extends Options>(
  argv: string[],
  options: O,
  operands: number,
): Arguments<O & typeof COMMON> {
  const known: Options = { ...options, ...COMMON };
  const { tokens } = parseArgs({
    args: argv.map(with_dashes),
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(known).map(([name, { type, short }]) => [
        name,
        { type: type === "flag" ? "boolean" : "string", ...(short ? { short } : {}) } as const,
      ]),
    ),
  });
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(known)) values[name] = option.repeatable ? [] : undefined;
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
    if (!option)
      throw new UsageError(`unknown option ${token.rawName}${did_you_mean(token.name, Object.keys(known), "--")}`);
    const value = read_value(token.rawName, option, token.value);
    if (option.repeatable) (values[token.name] as unknown[]).push(value);
    else values[token.name] = value;
  }
  if (positionals.length > operands)
    throw new UsageError(`unexpected argument "${positionals[operands]}": quote a text that has spaces`);
  return { values: values as Values<O & typeof COMMON>, positionals };
}

/** Python's spelling of an option: `--max_new_tokens=5` is `--max-new-tokens=5`. */
function with_dashes(argument: string, index: number, all: string[]): string {
  const end = all.indexOf("--");
  if (!argument.startsWith("--") || (end >= 0 && index >= end)) return argument;
  const [name] = argument.split("=", 1);
  return name.replaceAll("_", "-") + argument.slice(name.length);
}

function read_value(name: string, { type }: Option, value: string | undefined): string | number | boolean {
  if (type === "flag") {
    if (value === undefined) return true;
    throw new UsageError(`${name} takes no value`);
  }
  if (value === undefined) throw new UsageError(`${name} needs a value`);
  if (type === "text") return value;
  const number = value.trim() === "" ? Number.NaN : Number(value);
  if (type === "integer" && !Number.isSafeInteger(number))
    throw new UsageError(`${name} needs an integer, not "${value}"`);
  if (!Number.isFinite(number)) throw new UsageError(`${name} needs a number, not "${value}"`);
  return number;
}

/** ` (did you mean --seed?)` for the nearest of `names`; nothing when none is near. */
export function did_you_mean(given: string, names: string[], prefix = ""): string {
  const ranked = names.map((name) => [edit_distance(given, name), name] as const).sort((a, b) => a[0] - b[0]);
  const [distance, name] = ranked[0] ?? [Infinity, ""];
  const prefixed = names.find((candidate) => given.length > 2 && candidate.startsWith(given));
  const best = distance <= Math.max(1, given.length / 3) ? name : prefixed;
  return best ? ` (did you mean ${prefix}${best}?)` : "";
}

/** Signs to insert, delete, replace or swap with their neighbour. */
function edit_distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, replaced, swapped ? before[j - 2] + 1 : Infinity));
    }
    [before, row] = [row, next];
  }
  return row[b.length];
}

/** What a help text says of each option: how it is written, and what it does. */
export function options_help(options: Options): [string, string][] {
  const known: Options = { ...options, ...COMMON };
  return Object.entries(known).map(([name, { type, short, value, help, repeatable }]) => [
    `${short ? `-${short}, ` : ""}--${name}${type === "flag" ? "" : ` ${value ?? (type === "text" ? "TEXT" : "N")}`}`,
    repeatable ? `${help} (repeatable)` : help,
  ]);
}
