// Numbers between two bounds, as grammars over their digits.

const ZEROS = '"0"{0,16}';
const ANY_DIGITS = "[0-9]{0,16}";
const ABOVE_ZERO = '"0"{0,15} [1-9] [0-9]{0,16}';
const either = (parts: (string | null)[]): string | null => {
  const found = parts.filter((part) => part !== null);
  return found.length === 0 ? null : found.length === 1 ? found[0] : `(${found.join(" | ")})`;
};
const digit = (from: number, to: number): string | null =>
  from > to ? null : from === to ? `"${from}"` : `[${from}-${to}]`;
const after = (first: string | null, rest: string | null): string | null =>
  first === null || rest === null ? null : rest === "" ? first : `${first} ${rest}`;
const many = (count: number): string => (count === 0 ? "" : `[0-9]{${count}}`);

/** Digits from `low` to `high`, which are of one length. */
function same_length(low: string, high: string): string {
  if (low === "") return "";
  if (/^0*$/.test(low) && /^9*$/.test(high)) return many(low.length);
  const [a, b] = [Number(low[0]), Number(high[0])];
  const [low_rest, high_rest] = [low.slice(1), high.slice(1)];
  if (a === b) return after(`"${a}"`, same_length(low_rest, high_rest)) as string;
  return either([
    after(`"${a}"`, same_length(low_rest, "9".repeat(low_rest.length))),
    after(digit(a + 1, b - 1), many(low_rest.length)),
    after(`"${b}"`, same_length("0".repeat(low_rest.length), high_rest)),
  ]) as string;
}

/** Natural numbers from `low` to `high`; null if there is none. */
function naturals(low: bigint, high: bigint): string | null {
  if (low > high) return null;
  const parts: string[] = [];
  for (let from = low; from <= high; ) {
    const text = String(from);
    const end = 10n ** BigInt(text.length) - 1n;
    const to = end < high ? end : high;
    parts.push(same_length(text, String(to)));
    from = to + 1n;
  }
  return either(parts);
}

/** Integers from `low` to `high`; null if there is none. */
export function integer_range(low: bigint, high: bigint): string | null {
  if (low > high) return null;
  const negative = low < 0n ? naturals(high < 0n ? -high : 1n, -low) : null;
  return either([after('"-"', negative), high < 0n ? null : naturals(low > 0n ? low : 0n, high)]);
}

/** One end of a range of numbers. */
export interface Bound {
  value: number;
  exclusive: boolean;
}

interface Decimal {
  whole: bigint;
  /** Digits behind the point, without zeros at their end. */
  fraction: string;
}

/** A number of zero or more in its digits. */
function decimal(value: number): Decimal {
  const [mantissa, exponent = "0"] = String(value).split("e");
  const [whole, fraction = ""] = mantissa.split(".");
  const shift = Number(exponent);
  const digits = whole + fraction;
  const point = whole.length + shift;
  const padded =
    point > digits.length
      ? digits.padEnd(point, "0")
      : point < 1
        ? digits.padStart(digits.length + 1 - point, "0")
        : digits;
  const cut = Math.max(point, 1);
  return { whole: BigInt(padded.slice(0, cut)), fraction: padded.slice(cut).replace(/0+$/, "") };
}

/** Digits behind the point of numbers from 0.`f` on. */
function at_least(f: string, exclusive: boolean): string | null {
  if (f === "") return exclusive ? ABOVE_ZERO : ANY_DIGITS;
  const d = Number(f[0]);
  return either([after(digit(d + 1, 9), ANY_DIGITS), after(`"${d}"`, at_least(f.slice(1), exclusive))]);
}

/** Digits behind the point of numbers up to 0.`g`. */
function at_most(g: string, exclusive: boolean): string | null {
  if (g === "") return exclusive ? null : ZEROS;
  const d = Number(g[0]);
  const rest = g.slice(1);
  const inner = at_most(rest, exclusive);
  return either([
    after(digit(0, d - 1), ANY_DIGITS),
    after(`"${d}"`, inner !== null && rest !== "" ? `(${inner})?` : inner),
  ]);
}

/** Digits behind the point of numbers from 0.`f` to 0.`g`. */
function between(f: string, g: string, low_exclusive: boolean, high_exclusive: boolean): string | null {
  if (f === "" && g === "") return low_exclusive || high_exclusive ? null : ZEROS;
  const [a, b] = [Number(f[0] ?? "0"), Number(g[0] ?? "0")];
  const [f_rest, g_rest] = [f.slice(1), g.slice(1)];
  if (a > b) return null;
  if (a === b) {
    const inner = between(f_rest, g_rest, low_exclusive, high_exclusive);
    const may_end = f_rest === "" && !low_exclusive && (g_rest !== "" || !high_exclusive);
    return after(`"${a}"`, inner === null ? null : may_end ? `(${inner})?` : inner);
  }
  const high = at_most(g_rest, high_exclusive);
  return either([
    after(`"${a}"`, at_least(f_rest, low_exclusive)),
    after(digit(a + 1, b - 1), ANY_DIGITS),
    after(`"${b}"`, high !== null && g_rest !== "" ? `(${high})?` : high),
  ]);
}

const LARGEST: Bound = { value: 9999999999999998, exclusive: false };

/** Numbers without a sign from `low` to `high`. */
function positives(low: Bound, high: Bound): string | null {
  if (low.value > high.value) return null;
  const [from, to] = [decimal(low.value), decimal(high.value)];
  if (from.whole === to.whole) {
    const fraction = between(from.fraction, to.fraction, low.exclusive, high.exclusive);
    const whole_too = from.fraction === "" && !low.exclusive && (to.fraction !== "" || !high.exclusive);
    const digits = fraction === null ? null : after('"."', some(fraction));
    const number = `"${from.whole}"`;
    return whole_too ? (digits === null ? number : `${number} (${digits})?`) : after(number, digits);
  }
  const above = at_least(from.fraction, low.exclusive) as string;
  const optional = from.fraction === "" && !low.exclusive;
  const below = at_most(to.fraction, high.exclusive);
  const inside = naturals(from.whole + 1n, to.whole - 1n);
  return either([
    optional ? `"${from.whole}" ("." ${some(above)})?` : `"${from.whole}" "." ${some(above)}`,
    inside === null ? null : `${inside} ("." [0-9]{1,16})?`,
    below === null ? null : `"${to.whole}" ("." ${some(below)})?`,
  ]);
}

/** At least one digit, as JSON asks behind a point. */
function some(digits: string): string {
  if (digits === ZEROS) return '"0"{1,16}';
  if (digits === ANY_DIGITS) return "[0-9]{1,16}";
  return digits;
}

/** Numbers, with or without a point and without an exponent, within the bounds; null if there is none. */
export function number_range(low: Bound | undefined, high: Bound | undefined): string | null {
  const flipped = ({ value, exclusive }: Bound): Bound => ({ value: -value, exclusive });
  const zero: Bound = { value: 0, exclusive: false };
  const least = low ?? { value: -Math.max(LARGEST.value, Math.abs(high?.value ?? 0) * 10), exclusive: false };
  const most = high ?? { value: Math.max(LARGEST.value, Math.abs(least.value) * 10), exclusive: false };
  const negative =
    least.value < 0
      ? positives(
          most.value < 0 ? flipped(most) : most.value === 0 ? flipped({ ...most, value: 0 }) : zero,
          flipped(least),
        )
      : null;
  const positive = most.value < 0 ? null : positives(least.value < 0 ? zero : least, most);
  return either([negative === null ? null : `"-" ${negative}`, positive]);
}
