// Sets of characters, as ascending ranges of code points that lie apart.

export type CharSet = readonly (readonly [first: number, last: number])[];

const LAST = 0x10ffff;

export const EVERY: CharSet = [[0, LAST]];

/** The set of some ranges in any order. */
export function char_set(ranges: Iterable<readonly [number, number]>): CharSet {
  const result: [number, number][] = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const before = result.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else result.push([first, last]);
  }
  return result;
}

export const union = (...sets: CharSet[]): CharSet => char_set(sets.flat());
export const characters = (text: string): CharSet =>
  char_set(Array.from(text, (c) => [c.codePointAt(0)!, c.codePointAt(0)!] as const));

export function negate(set: CharSet): CharSet {
  const result: [number, number][] = [];
  let next = 0;
  for (const [first, last] of set) {
    if (first > next) result.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= LAST) result.push([next, LAST]);
  return result;
}

export const intersect = (a: CharSet, b: CharSet): CharSet => negate(union(negate(a), negate(b)));
export const minus = (a: CharSet, b: CharSet): CharSet => intersect(a, negate(b));
export const includes = (set: CharSet, code: number): boolean =>
  set.some(([first, last]) => first <= code && code <= last);

function escaped(code: number): string {
  if (code < 0x7f && /[0-9A-Za-z ]/.test(String.fromCharCode(code))) return String.fromCharCode(code);
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** The set in a grammar. */
export function set_to_gbnf(set: CharSet): string {
  const parts = set.map(([first, last]) => escaped(first) + (first === last ? "" : `-${escaped(last)}`));
  return `[${parts.join("")}]`;
}

/** A text in a grammar. */
export function literal(text: string): string {
  return `"${Array.from(text, (c) => (/[\w !#-[\]-~]/.test(c) ? c : escaped(c.codePointAt(0)!))).join("")}"`;
}
