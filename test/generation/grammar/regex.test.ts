import { expect, test } from "vitest";
import { response_format_to_grammar } from "../../../lib/index.js";
import { grammar_of_format, grammar_of_schema } from "./bytes.js";

const PATTERNS: [pattern: string, texts: string[]][] = [
  ["abc", ["abc", "ab", "abcd"]],
  ["^abc$", ["abc", "xabc"]],
  ["a|b|", ["a", "b", "", "ab"]],
  ["(yes|no)( please)?", ["yes", "no please", "maybe", "yes please please"]],
  ["[a-z]+@[a-z]+\\.com", ["me@home.com", "me@home.org", "@home.com"]],
  ["\\d{3}-\\d{4}", ["555-0199", "555-019", "55-01999"]],
  ["\\d{2,}", ["1", "12", "123456"]],
  ["a{,3}", ["a{,3}", "aaa"]],
  ["x*?y+?", ["y", "xxy", "xyy", "x"]],
  ["\\w+\\s\\W", ["ab !", "ab\t.", "ab_c", "é !"]],
  ["[^\\d\\s]+", ["abc", "a1", "é😀"]],
  [".{3}", ["abc", "a\nb", "😀😀😀", "a\u2028b"]],
  ["[\\s\\S]", ["\n", "a", "ab"]],
  ["(?:a(?<name>b|c))+", ["ab", "abac", "a"]],
  ["\\u00e9\\x41\\u{1F600}\\t\\cA\\0", ["éA😀\t\x01\0", "é"]],
  ["[\\]\\-a\\b]", ["]", "-", "a", "\b", "b"]],
  ["[a-]", ["a", "-", "b"]],
  ["a|[]", ["", "a"]],
  ["[^]", ["a", "\n", ""]],
  ["\\p{Lu}\\p{Script=Greek}+\\P{L}", ["Aαβ1", "aαβ1", "Éω!", "Aab1"]],
  ["(a|b(c|d(e|f)?)*)+x", ["bdex", "abcdfx", "x"]],
  ["\\/\\.\\*\\+\\?\\^\\$\\|\\(\\)\\[\\]\\{\\}", ["/.*+?^$|()[]{}"]],
  ["(^a|b)$", ["a", "b", "ab"]],
  ["(?:a?){20}b", ["b", "aaab", `${"a".repeat(21)}b`]],
];

test.each(PATTERNS)("%s means what JavaScript means by it", (pattern, texts) => {
  const grammar = grammar_of_format({ type: "regex", regex: pattern });
  const unicode = /\\p|\\u\{/.test(pattern) || texts.some((text) => /[\ud800-\udfff]/.test(text));
  let regex: RegExp;
  try {
    regex = new RegExp(`^(?:${pattern})$`, unicode ? "u" : "");
  } catch {
    regex = new RegExp(`^(?:${pattern})$`);
  }
  for (const text of [...texts, "", "a", "0", " "])
    expect(grammar.matches(text), JSON.stringify(text)).toBe(regex.test(text));
});

test("random patterns on random texts", () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff;
    return (seed >> 8) % below;
  };
  const pick = <T>(list: T[]): T => list[random(list.length)];
  const pattern = (depth: number): string => {
    const kind = random(depth > 3 ? 3 : 7);
    if (kind < 2) return pick(["a", "b", "c", "é", "\\d", "\\n", '"', "\\\\"]);
    if (kind === 2) return pick(["[ab]", "[^ab]", "[a-c1]", ".", "\\w", "[^\\w]"]);
    if (kind === 3) return pattern(depth + 1) + pattern(depth + 1);
    if (kind === 4) return `(?:${pattern(depth + 1)}|${pattern(depth + 1)})`;
    return `(?:${pattern(depth + 1)})${pick(["*", "+", "?", "{2}", "{1,3}", "{2,}"])}`;
  };
  let matched = 0;
  for (let i = 0; i < 300; i++) {
    const source = pattern(0);
    const whole = new RegExp(`^(?:${source})$`);
    const grammar = grammar_of_format({ type: "regex", regex: source });
    const inside = new RegExp(source);
    const json = grammar_of_schema({ type: "string", pattern: source });
    for (let j = 0; j < 30; j++) {
      const text = Array.from({ length: random(6) }, () => pick(["a", "b", "c", "1", "é", "\n", '"', "\\"])).join("");
      expect(grammar.matches(text), `${source} on ${JSON.stringify(text)}`).toBe(whole.test(text));
      expect(json.matches(JSON.stringify(text)), `${source} in ${JSON.stringify(text)}`).toBe(inside.test(text));
      matched += Number(whole.test(text));
    }
  }
  expect(matched).toBeGreaterThan(300);
});

test("a RegExp brings its flags", () => {
  const grammar = grammar_of_format({ type: "regex", regex: /straße|[k-m]|[^q]z./is });
  for (const text of ["STRAßE", "Straße", "M", "l", "Kz\n"]) expect(grammar.matches(text), text).toBe(true);
  for (const text of ["n", "Qz1", "qz1"]) expect(grammar.matches(text), text).toBe(false);
  expect(grammar_of_format({ type: "regex", pattern: "(?i)yes" }).matches("YES")).toBe(true);
});

test.each([
  ["(?=a)", "look-ahead"],
  ["(?!a)b", "look-ahead"],
  ["(?<=a)b", "look-behind"],
  ["(?<!a)b", "look-behind"],
  ["(a)\\1", "back references"],
  ["(?<x>a)\\k<x>", "back references"],
  ["(?P=x)", "back references"],
  ["\\bword\\b", "word boundaries"],
  ["(?>a)", "atomic groups"],
  ["a++", "possessive"],
  ["(?(1)a)", "conditions"],
  ["a^b", "anchors"],
  ["(a$)+", "anchors"],
  ["(a", '"\\("'],
  ["a)", '"\\)"'],
  ["[a", '"\\["'],
  ["*a", "repeat"],
  ["a**", "repeat"],
  ["a{3,2}", "repetitions"],
  ["a{9999999}", "repetitions"],
  ["[b-a]", "in order"],
  ["\\p{Nope}", "properties"],
  ["\\xZZ", "hexadecimal"],
  ["\\", "backslash"],
  ["(".repeat(1000) + ")".repeat(1000), "nested"],
])("%s is refused by name", (pattern, what) => {
  const convert = () => response_format_to_grammar({ type: "regex", regex: pattern });
  expect(convert).toThrow(RangeError);
  expect(convert).toThrow(new RegExp(`${what}.*response_format\\.regex`));
});
