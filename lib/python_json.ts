// JSON as Python reads and writes it: NaN, and `1.0` that stays a float although JavaScript has one kind of number.

import { by_code_point, float_repr, floats_of, with_floats } from "./python.js";

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y;
const STRING = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"/y;
const WORD = /true|false|null|NaN|-?Infinity/y;
const WORDS = new Map<string, unknown>([
  ["true", true],
  ["false", false],
  ["null", null],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
]);
const MAX_DEPTH = 500;

/** Python's `json.loads`. Throws SyntaxError with the position. */
export function parse_json(text: string): unknown {
  let at = 0;

  function match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found) at = pattern.lastIndex;
    return found;
  }

  function fail(expected: string): never {
    const got = at < text.length ? JSON.stringify(text[at]) : "the end";
    throw new SyntaxError(`Expected ${expected} at position ${at} but found ${got}`);
  }

  /** After a value of a container: true at a comma, false at its end. */
  function more(end: string): boolean {
    match(SPACE);
    if (text[at] !== "," && text[at] !== end) fail(`"," or "${end}"`);
    return text[at++] === ",";
  }

  function string(what: string): string {
    const found = match(STRING);
    if (!found) fail(what);
    try {
      return JSON.parse(found[0]);
    } catch {
      at -= found[0].length;
      return fail("a valid string");
    }
  }

  /** Puts the value that comes next into `container[key]`. */
  function value_into(container: object, key: string, floats: Set<string>, depth: number): void {
    match(SPACE);
    let value: unknown;
    const word = match(WORD);
    if (word) value = WORDS.get(word[0]);
    else if (text[at] === '"') value = string("a string");
    else if (text[at] === "{" || text[at] === "[") value = nested(depth + 1);
    else {
      const number = match(NUMBER);
      if (!number) fail("a value");
      value = Number(number[0]);
      if ((number[1] ?? number[2]) !== undefined && Number.isInteger(value)) floats.add(key);
    }
    // Not by assignment: "__proto__" is a key like another.
    Object.defineProperty(container, key, { value, writable: true, enumerable: true, configurable: true });
  }

  function nested(depth: number): object {
    if (depth > MAX_DEPTH) fail(`at most ${MAX_DEPTH} levels`);
    const end = text[at++] === "{" ? "}" : "]";
    const container = end === "}" ? {} : [];
    const floats = new Set<string>();
    match(SPACE);
    if (text[at] === end) at++;
    else {
      let index = 0;
      do {
        match(SPACE);
        let key = String(index++);
        if (end === "}") {
          key = string("a key in double quotes");
          match(SPACE);
          if (text[at++] !== ":") fail('":"');
        }
        value_into(container, key, floats, depth);
      } while (more(end));
    }
    return with_floats(container, floats);
  }

  const holder: unknown[] = [];
  value_into(holder, "0", new Set(), 0);
  match(SPACE);
  if (at < text.length) fail("the end");
  return holder[0];
}

function number_text(value: number, is_float: boolean): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  if (is_float || !Number.isInteger(value)) return float_repr(value);
  return Number.isSafeInteger(value) ? String(value) : String(BigInt(value));
}

export interface DumpOptions {
  /** Spaces for each level; without it everything is on one line. */
  indent?: number;
  sort_keys?: boolean;
  /** Write what is not ASCII as \uXXXX. Default: true, as in Python. */
  ensure_ascii?: boolean;
  /** Names of the objects whose keys are numbers in Python: they sort as numbers. */
  numeric_keys?: ReadonlySet<string>;
}

/** Python's `json.dumps`. Values that are undefined are left out. */
export function dump_json(value: unknown, options: DumpOptions = {}): string {
  const { indent, sort_keys = false, ensure_ascii = true, numeric_keys } = options;

  const string = (text: string): string => {
    const quoted = JSON.stringify(text);
    if (!ensure_ascii) return quoted;
    return quoted.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  };

  const container = (parts: string[], open: string, close: string, depth: number): string => {
    if (parts.length === 0) return open + close;
    if (indent === undefined) return `${open}${parts.join(", ")}${close}`;
    const inner = `\n${" ".repeat(indent * (depth + 1))}`;
    return `${open}${inner}${parts.join(`,${inner}`)}\n${" ".repeat(indent * depth)}${close}`;
  };

  const write = (value: unknown, is_float: boolean, depth: number, name: string): string => {
    if (value === null || value === undefined) return "null";
    if (typeof value === "number") return number_text(value, is_float);
    if (typeof value === "string") return string(value);
    if (typeof value === "boolean" || typeof value === "bigint") return String(value);
    if (typeof value !== "object") throw new TypeError(`Object of type ${typeof value} is not JSON serializable`);
    const floats = floats_of(value);
    if (Array.isArray(value)) {
      const parts = value.map((item, i) => write(item, floats?.has(String(i)) ?? false, depth + 1, ""));
      return container(parts, "[", "]", depth);
    }
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    if (sort_keys) {
      const numeric = numeric_keys?.has(name);
      entries.sort(([a], [b]) => (numeric ? Number(a) - Number(b) : by_code_point(a, b)));
    }
    const parts = entries.map(
      ([key, item]) => `${string(key)}: ${write(item, floats?.has(key) ?? false, depth + 1, key)}`,
    );
    return container(parts, "{", "}", depth);
  };

  return write(value, false, 0, "");
}

/** A deep copy of JSON values that remembers which numbers are floats. */
export function clone_json<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  const copy = Array.isArray(value)
    ? value.map(clone_json)
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, clone_json(item)]));
  const floats = floats_of(value);
  return (floats ? with_floats(copy, floats) : copy) as T;
}
