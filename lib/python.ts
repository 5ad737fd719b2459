// Values as Python prints and writes them.

/** A whole number in full digits, as Python's int: `1e30` is 1000000000000000019884624838656. */
function digits(value: number): string {
  return Number.isInteger(value) && Math.abs(value) >= 1e21 ? BigInt(value).toString() : String(value);
}

/** `repr()` of a float: always with a point or an exponent of at least two digits. */
export function float_repr(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Object.is(value, -0)) return "-0.0";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e16 || size < 1e-4)) {
    const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
    const power = Number(exponent);
    return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

const ESCAPES: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
// What str.isprintable() refuses, space excepted.
const UNPRINTABLE = /[\\\n\r\t]|(?! )[\p{C}\p{Z}]/gu;

/** `repr()` of a string: single quotes, unless it holds one and no double quote. */
export function string_repr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(UNPRINTABLE, (char) => {
    const code = char.codePointAt(0)!;
    if (ESCAPES[char]) return ESCAPES[char];
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
  });
  return quote + (quote === "'" ? escaped.replaceAll("'", "\\'") : escaped) + quote;
}

/** `round(value, digits)`: by all of the number's digits, and to the even neighbour from halfway. */
export function round(value: number, digits: number): number {
  const rounded = Number(value.toFixed(digits));
  const written = Math.abs(value).toFixed(100);
  const end = written.indexOf(".") + 1 + digits;
  if (!/^50*$/.test(written.slice(end))) return rounded;
  const is_even = Number(written[end - 1]) % 2 === 0;
  return is_even ? Math.sign(value) * Number(written.slice(0, end)) : rounded;
}

/** Keys of objects and lists whose numbers are whole and yet floats for Python: `{"a": 1.0}` -> `{"a"}`. */
const float_keys = new WeakMap<object, ReadonlySet<string>>();

/** The keys that hold whole floats; undefined where nothing is known of them. */
export function floats_of(container: object): ReadonlySet<string> | undefined {
  return float_keys.get(container);
}

/** Says which numbers of an object or list are floats for Python. Returns it. */
export function with_floats<T extends object>(container: T, keys: Iterable<string>): T {
  float_keys.set(container, new Set(keys));
  return container;
}

/** `repr()` of what JSON can hold; whole numbers print as int, unless `with_floats` says otherwise. */
export function repr(value: unknown, is_float = false): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "string") return string_repr(value);
  if (typeof value === "number") return Number.isInteger(value) && !is_float ? digits(value) : float_repr(value);
  if (typeof value !== "object") return String(value);
  const floats = floats_of(value);
  const items = Object.entries(value).map(([key, item]) => [key, repr(item, floats?.has(key))] as const);
  if (Array.isArray(value)) return `[${items.map(([, item]) => item).join(", ")}]`;
  return `{${items.map(([key, item]) => `${string_repr(key)}: ${item}`).join(", ")}}`;
}

/** Order of Python's `sorted()` on strings: by code point, where JavaScript compares UTF-16 units. */
export function by_code_point(a: string, b: string): number {
  const left = Array.from(a, (char) => char.codePointAt(0)!);
  const right = Array.from(b, (char) => char.codePointAt(0)!);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return left[i]! - right[i]!;
  }
  return left.length - right.length;
}
