// A regular expression as a grammar: for a whole text, or for what stands inside a JSON string.
import { out_of_range } from "../../errors.js";
import { type CharSet, char_set, characters, EVERY, includes, literal, minus, set_to_gbnf, union } from "./char_set.js";
import type { Regex } from "./regex.js";

const ANY: Regex = { kind: "repeat", item: { kind: "set", set: EVERY }, min: 0, max: Number.POSITIVE_INFINITY };

/** Takes the anchor away at one end; where none stands, puts `filler` there. */
function settle(node: Regex, side: "start" | "end", filler: Regex | undefined): Regex {
  if (node.kind === "alternation") return { ...node, items: node.items.map((item) => settle(item, side, filler)) };
  const items = node.kind === "sequence" ? node.items : [node];
  const at = side === "start" ? 0 : items.length - 1;
  const outer = items[at];
  const others = items.filter((_, i) => i !== at);
  const join = (one: Regex[]): Regex => ({
    kind: "sequence",
    items: side === "start" ? [...one, ...others] : [...others, ...one],
  });
  if (outer?.kind === side) return settle_again(join([]), side);
  if (outer?.kind === "alternation") return join([settle(outer, side, filler)]);
  return join(
    filler
      ? side === "start"
        ? [filler, ...(outer ? [outer] : [])]
        : [...(outer ? [outer] : []), filler]
      : outer
        ? [outer]
        : [],
  );
}

/** Further anchors at the same end say the same. */
function settle_again(node: Regex, side: "start" | "end"): Regex {
  return settle(node, side, undefined);
}

/** A character of a JSON string that is written as it is. */
export const PLAIN: CharSet = minus(EVERY, union(characters('"\\'), char_set([[0, 0x1f]])));
const SHORT_ESCAPES: Record<string, string> = {
  '"': '"',
  "\\": "\\",
  "\b": "b",
  "\f": "f",
  "\n": "n",
  "\r": "r",
  "\t": "t",
};

/** The characters of `set` as they are written inside a JSON string. */
function json_characters(set: CharSet): string {
  const parts: string[] = [];
  const plain = minus(set, minus(EVERY, PLAIN));
  if (plain.length > 0) parts.push(set_to_gbnf(plain));
  const short = Object.keys(SHORT_ESCAPES).filter((c) => includes(set, c.charCodeAt(0)));
  if (short.length > 0) parts.push(`"\\\\" ${set_to_gbnf(characters(short.map((c) => SHORT_ESCAPES[c]).join("")))}`);
  for (let code = 0; code < 0x20; code++)
    if (includes(set, code) && !Object.hasOwn(SHORT_ESCAPES, String.fromCharCode(code)))
      parts.push(literal(`\\u${code.toString(16).padStart(4, "0")}`));
  return parts.length === 1 ? parts[0] : `(${parts.join(" | ") || "[]"})`;
}

interface RegexOptions {
  /** For the errors. */
  argument: string;
  pattern: string;
  /** Inside a JSON string: what JSON escapes is escaped. */
  json: boolean;
  /** Text may stand before and after what matches, but for anchors. */
  search: boolean;
}

/** @throws RangeError for anchors in the middle. */
export function regex_to_gbnf(regex: Regex, { argument, pattern, json, search }: RegexOptions): string {
  const filler = search ? ANY : undefined;
  const whole = settle(settle(regex, "start", filler), "end", filler);
  const write = (node: Regex): string => {
    switch (node.kind) {
      case "set":
        return json ? json_characters(node.set) : set_to_gbnf(node.set);
      case "sequence":
        return node.items.length === 0 ? '""' : node.items.map(write).join(" ");
      case "alternation":
        return `(${node.items.map(write).join(" | ")})`;
      case "repeat": {
        const { item, min, max } = node;
        const range =
          max === min
            ? `{${min}}`
            : max === Number.POSITIVE_INFINITY
              ? min === 0
                ? "*"
                : min === 1
                  ? "+"
                  : `{${min},}`
              : `{${min},${max}}`;
        return `(${write(item)})${range}`;
      }
      default:
        throw out_of_range("a regular expression with anchors at its ends alone", argument, pattern);
    }
  };
  return write(whole);
}
