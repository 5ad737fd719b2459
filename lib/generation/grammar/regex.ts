// The part of JavaScript's regular expressions that a grammar can say: no look-around, no back references, no boundaries.
import { out_of_range } from "../../errors.js";
import { type CharSet, char_set, characters, EVERY, negate, union } from "./char_set.js";

export type Regex =
  | { kind: "set"; set: CharSet }
  | { kind: "sequence"; items: Regex[] }
  | { kind: "alternation"; items: Regex[] }
  | { kind: "repeat"; item: Regex; min: number; max: number }
  | { kind: "start" }
  | { kind: "end" };

const DEEPEST = 100;

const DIGIT = char_set([[0x30, 0x39]]);
const WORD = union(DIGIT, characters("_"), char_set([[0x41, 0x5a], [0x61, 0x7a]])); // biome-ignore format: short
const SPACE = union(
  characters("\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"),
  char_set([[0x2000, 0x200a]]),
);
const LINE_ENDS = characters("\n\r\u2028\u2029");
const CLASSES: Record<string, CharSet> = {
  d: DIGIT,
  D: negate(DIGIT),
  w: WORD,
  W: negate(WORD),
  s: SPACE,
  S: negate(SPACE),
};
const CONTROLS: Record<string, string> = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v", a: "\x07" };

const properties = new Map<string, CharSet | null>();

/** The characters of `\p{name}`; null if there is no such property. */
function property(name: string): CharSet | null {
  const known = properties.get(name);
  if (known !== undefined) return known;
  let set: CharSet | null = null;
  try {
    const pattern = new RegExp(`\\p{${name}}`, "u");
    const ranges: [number, number][] = [];
    for (let code = 0; code <= 0x10ffff; code++) {
      if ((code >= 0xd800 && code < 0xe000) || !pattern.test(String.fromCodePoint(code))) continue;
      const last = ranges.at(-1);
      if (last?.[1] === code - 1) last[1] = code;
      else ranges.push([code, code]);
    }
    set = ranges;
  } catch {
    // no such property
  }
  properties.set(name, set);
  return set;
}

/** With the other cases of its letters. */
function with_cases(set: CharSet): CharSet {
  const ranges: [number, number][] = [];
  for (const [first, last] of set)
    for (let code = first; code <= Math.min(last, 0x1ffff); code++) {
      const c = String.fromCodePoint(code);
      for (const other of [c.toLowerCase(), c.toUpperCase()]) {
        const [only, ...more] = Array.from(other);
        if (only && more.length === 0 && other !== c) ranges.push([only.codePointAt(0)!, only.codePointAt(0)!]);
      }
    }
  return union(set, ranges);
}

class Parser {
  private readonly chars: string[];
  private at = 0;

  constructor(
    private readonly pattern: string,
    private readonly argument: string,
    private ignore_case: boolean,
    private dot_all: boolean,
  ) {
    this.chars = Array.from(pattern);
  }

  parse(): Regex {
    const flags = /^\(\?([is]+)\)/.exec(this.pattern);
    if (flags) {
      this.ignore_case ||= flags[1].includes("i");
      this.dot_all ||= flags[1].includes("s");
      this.at = flags[0].length;
    }
    const result = this.alternatives(0);
    if (this.at < this.chars.length) this.fail('a regular expression whose ")" have a "("');
    return result;
  }

  private fail(what: string): never {
    throw out_of_range(what, this.argument, this.pattern);
  }

  private unsupported(what: string): never {
    this.fail(`a regular expression without ${what}`);
  }

  private eat(text: string): boolean {
    const found = this.chars.slice(this.at, this.at + text.length).join("") === text;
    if (found) this.at += text.length;
    return found;
  }

  private alternatives(depth: number): Regex {
    if (depth > DEEPEST) this.fail(`a regular expression that is nested at most ${DEEPEST} levels deep`);
    const items = [this.sequence(depth)];
    while (this.eat("|")) items.push(this.sequence(depth));
    return items.length === 1 ? items[0] : { kind: "alternation", items };
  }

  private sequence(depth: number): Regex {
    const items: Regex[] = [];
    while (this.at < this.chars.length && this.chars[this.at] !== "|" && this.chars[this.at] !== ")") {
      const item = this.item(depth);
      const repeat = this.quantifier();
      if (!repeat) items.push(item);
      else if (item.kind === "start" || item.kind === "end") this.unsupported("repeated anchors");
      else items.push({ kind: "repeat", item, min: repeat[0], max: repeat[1] });
    }
    return items.length === 1 ? items[0] : { kind: "sequence", items };
  }

  private quantifier(): [number, number] | undefined {
    let range: [number, number] | undefined;
    if (this.eat("*")) range = [0, Number.POSITIVE_INFINITY];
    else if (this.eat("+")) range = [1, Number.POSITIVE_INFINITY];
    else if (this.eat("?")) range = [0, 1];
    else if (this.chars[this.at] === "{") {
      const found = /^\{(\d+)(,(\d*))?\}/.exec(this.chars.slice(this.at, this.at + 40).join(""));
      if (!found) return undefined; // a brace that stands for itself
      this.at += found[0].length;
      const min = Number(found[1]);
      range = [min, !found[2] ? min : found[3] === "" ? Number.POSITIVE_INFINITY : Number(found[3])];
      if (range[1] < min) this.fail("a regular expression whose repetitions end above their start");
      if (min > 1e6 || (range[1] > 1e6 && range[1] !== Number.POSITIVE_INFINITY))
        this.fail("a regular expression with at most 1000000 repetitions");
    } else return undefined;
    this.eat("?"); // lazy: the same texts
    if (this.eat("+")) this.unsupported("possessive quantifiers");
    if (/^[*?]$/.test(this.chars[this.at] ?? "")) this.fail("a regular expression with something to repeat");
    return range;
  }

  private set(set: CharSet): Regex {
    return { kind: "set", set };
  }

  private item(depth: number): Regex {
    const c = this.chars[this.at++];
    switch (c) {
      case "(":
        return this.group(depth);
      case "[":
        return this.set(this.char_class());
      case ".":
        return this.set(this.dot_all ? EVERY : negate(LINE_ENDS));
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case "\\":
        return this.escape();
      case "*":
      case "+":
      case "?":
        return this.fail("a regular expression with something to repeat");
      default:
        return this.set(this.cases(characters(c)));
    }
  }

  private cases(set: CharSet): CharSet {
    return this.ignore_case ? with_cases(set) : set;
  }

  private group(depth: number): Regex {
    if (this.eat("?")) {
      const rest = this.chars.slice(this.at, this.at + 200).join("");
      if (/^<?[=!]/.test(rest)) this.unsupported(rest.startsWith("<") ? "look-behind" : "look-ahead");
      if (rest.startsWith(">")) this.unsupported("atomic groups");
      if (rest.startsWith("P=")) this.unsupported("back references");
      if (rest.startsWith("(")) this.unsupported("conditions");
      const name = /^(:|P?<[A-Za-z_$][\w$]*>)/.exec(rest);
      if (!name) this.unsupported(`groups like (?${rest.slice(0, 5)}`);
      this.at += name![0].length;
    }
    const inner = this.alternatives(depth + 1);
    if (!this.eat(")")) this.fail('a regular expression whose "(" have a ")"');
    // What stands in a group stays together.
    return inner.kind === "sequence" ? { kind: "alternation", items: [inner] } : inner;
  }

  private hex(digits: number): number {
    const text = this.chars.slice(this.at, this.at + digits).join("");
    if (text.length !== digits || !/^[0-9a-f]+$/i.test(text))
      this.fail(`a regular expression with ${digits} hexadecimal digits in its escapes`);
    this.at += digits;
    return Number.parseInt(text, 16);
  }

  private escape(): Regex {
    const c = this.chars[this.at];
    if (c === "b" || c === "B") this.unsupported("word boundaries");
    if (/^[1-9k]$/.test(c ?? "")) this.unsupported("back references");
    if (c === "A") {
      this.at++;
      return { kind: "start" };
    }
    if (c === "Z" || c === "z") {
      this.at++;
      return { kind: "end" };
    }
    const set = this.escaped_set();
    return this.set(this.cases(set));
  }

  /** What stands behind a backslash, in a class too. */
  private escaped_set(): CharSet {
    const c = this.chars[this.at++];
    if (c === undefined) this.fail("a regular expression that does not end in a backslash");
    if (Object.hasOwn(CLASSES, c)) return CLASSES[c];
    if (Object.hasOwn(CONTROLS, c)) return characters(CONTROLS[c]);
    const one = (code: number): CharSet => [[code, code]];
    if (c === "0") return one(0);
    if (c === "x") return one(this.hex(2));
    if (c === "c") {
      const letter = this.chars[this.at++] ?? "";
      if (!/^[A-Za-z]$/.test(letter)) this.fail("a regular expression with a letter after \\c");
      return one(letter.charCodeAt(0) % 32);
    }
    if (c === "u") {
      const braces = /^\{([0-9a-f]{1,8})\}/i.exec(this.chars.slice(this.at, this.at + 12).join(""));
      if (braces) this.at += braces[0].length;
      let code = braces ? Number.parseInt(braces[1], 16) : this.hex(4);
      if (code > 0x10ffff) this.fail("a regular expression whose characters exist");
      if (code >= 0xd800 && code < 0xdc00 && this.eat("\\u"))
        code = 0x10000 + ((code - 0xd800) << 10) + this.hex(4) - 0xdc00;
      return one(code);
    }
    if (c === "p" || c === "P") {
      const braces = /^\{([\w=]+)\}/.exec(this.chars.slice(this.at, this.at + 80).join(""));
      const set = braces && property(braces[1]);
      if (!set) this.fail(`a regular expression whose Unicode properties exist (\\${c}${braces?.[0] ?? ""} does not)`);
      this.at += braces[0].length;
      return c === "P" ? negate(set) : set;
    }
    if (/[A-Za-z1-9]/.test(c)) this.unsupported(`\\${c}`);
    return characters(c);
  }

  private char_class(): CharSet {
    const negated = this.eat("^");
    const ranges: (readonly [number, number])[] = [];
    const item = (): CharSet => {
      const c = this.chars[this.at++];
      if (c !== "\\") return characters(c);
      if (this.eat("b")) return characters("\b");
      return this.escaped_set();
    };
    for (;;) {
      if (this.at >= this.chars.length) this.fail('a regular expression whose "[" have a "]"');
      if (this.eat("]")) break;
      const first = item();
      const is_range =
        this.chars[this.at] === "-" && this.chars[this.at + 1] !== "]" && this.at + 1 < this.chars.length;
      if (!is_range) {
        ranges.push(...first);
        continue;
      }
      this.at++;
      const last = item();
      if (first.length !== 1 || last.length !== 1 || first[0][0] !== first[0][1] || last[0][0] !== last[0][1])
        ranges.push(...first, ...characters("-"), ...last); // as JavaScript without the flag u
      else if (first[0][0] > last[0][0]) this.fail("a regular expression whose ranges are in order");
      else ranges.push([first[0][0], last[0][0]]);
    }
    const set = this.cases(char_set(ranges));
    return negated ? negate(set) : set;
  }
}

/**
 * The tree of a regular expression in JavaScript's syntax; `(?i)` and `(?s)` may stand at its start.
 * @throws RangeError that names what is wrong with it or not supported, and `argument`.
 */
export function parse_regex(
  pattern: string,
  argument: string,
  { ignore_case = false, dot_all = false }: { ignore_case?: boolean; dot_all?: boolean } = {},
): Regex {
  if (pattern.length > 100_000)
    throw out_of_range("a regular expression of at most 100000 characters", argument, pattern);
  return new Parser(pattern, argument, ignore_case, dot_all).parse();
}
