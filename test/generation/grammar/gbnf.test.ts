import { expect, test } from "vitest";
import { grammar_of } from "./bytes.js";

// What llama.cpp's engine says of the same texts.
const TABLE: [name: string, grammar: string, yes: string[], no: string[]][] = [
  ["a literal", 'root ::= "abc"', ["abc"], ["", "ab", "abcd", "ABC"]],
  ["alternatives", 'root ::= "a" | "b" "c" | ""', ["a", "bc", ""], ["b", "c", "abc"]],
  ["sets", "root ::= [a-cx] [^a-c]", ["ad", "x ", "bé", "c\n", "a😀"], ["aa", "d1", "a"]],
  ["a dash and a bracket in a set", "root ::= [a\\]-]+", ["a]-"], ["b"]],
  ["any character", 'root ::= "[" . "]"', ["[x]", "[\n]", "[😀]"], ["[]", "[xy]"]],
  [
    "repetitions",
    'root ::= "a"* "b"+ "c"? [0-9]{2} "x"{1,3} "y"{2,}',
    ["b12xyy", "aabbc12xxxyyyy"],
    ["b1xyy", "b12xxxxyy", "b12xy", "a12xyy"],
  ],
  ["nothing at all", 'root ::= "a"{0} "b"', ["b"], ["ab"]],
  ["groups", 'root ::= ("a" | "b")+ ("c" ("d" | "e"))*', ["a", "abcdce"], ["", "cd", "acc"]],
  [
    "rules, comments, lines",
    '# first\nroot ::= item (\n  "," # between\n  item )*\nitem ::=\n  [a-z]+ |\n  [0-9]+\n',
    ["a,1,bc"],
    ["a,", ",a", "a1"],
  ],
  ["recursion", 'root ::= "(" root ")" | "x"', ["x", "((x))"], ["(x", "()", "x)"]],
  ["recursion in the middle", 'root ::= "a" root "b" root | ""', ["", "ab", "aabbab"], ["a", "ba", "aab"]],
  ["escapes", 'root ::= "\\x41\\u00e9\\U0001F600\\n\\t\\"\\\\"', ['Aé😀\n\t"\\'], ["Aé"]],
  ["characters of several bytes in ranges", "root ::= [à-ÿ一-龥]+", ["é", "中文ü"], ["a", "À", "あ"]],
  ["loops over what can be empty", 'root ::= ("a"? "b"?)* "c"', ["c", "abbac"], ["d", "a"]],
  ["empty rules", 'root ::= none "a" none\nnone ::= ""', ["a"], ["", "aa"]],
  ["\\r\\n", 'root ::= a\r\na ::= "x"\r\n', ["x"], ["a"]],
  [
    "the arithmetic of llama.cpp's examples",
    'root ::= (expr "=" ws term "\\n")+\nexpr ::= term ([-+*/] term)*\nterm ::= ident | num | "(" ws expr ")" ws\nident ::= [a-z] [a-z0-9_]* ws\nnum ::= [0-9]+ ws\nws ::= [ \\t\\n]*',
    ["42 = 42\n", "1*2*3*4*5=x\n", "(x+1)=2\na=b\n"],
    ["x=\n", "1*=2\n", "a=b"],
  ],
];

test.each(TABLE)("%s", (_, text, yes, no) => {
  const grammar = grammar_of(text);
  for (const one of yes) expect(grammar.matches(one), JSON.stringify(one)).toBe(true);
  for (const one of no) expect(grammar.matches(one), JSON.stringify(one)).toBe(false);
});

test("a beginning is told from what leads nowhere", () => {
  const grammar = grammar_of('root ::= "ab" ("c" | "d") never?\nnever ::= "e" never');
  for (const text of ["", "a", "ab", "abc"]) expect(grammar.matches(text, true)).toBe(true);
  for (const text of ["b", "ac", "abce"]) expect(grammar.matches(text, true)).toBe(false);
});

test("tokens are allowed by their bytes, whole characters or parts of them", () => {
  const [lead, rest] = [Uint8Array.of(0xf0, 0x9f), Uint8Array.of(0x98, 0x80)];
  const grammar = grammar_of('root ::= "😀" | "ab" "c"', [lead, rest, "ab", "abc", "abcd", "", "b"]);
  const [LEAD, REST, AB, ABC] = [256, 257, 258, 259];
  const tokens = (ids: number[]) => {
    const allowed = grammar.allowed_tokens(ids);
    return allowed && [[...allowed.tokens], allowed.complete];
  };
  expect(tokens([])).toEqual([[0x61, 0xf0, LEAD, AB, ABC], false]);
  expect(tokens([LEAD])).toEqual([[0x98, REST], false]);
  expect(tokens([0xf0, 0x9f, 0x98])).toEqual([[0x80], false]);
  expect(tokens([LEAD, REST])).toEqual([[], true]);
  expect(tokens([0x61])).toEqual([[0x62, 262], false]);
  expect(tokens([ABC])).toEqual([[], true]);
  expect(tokens([0x62])).toBeNull();
  expect(tokens([261])).toBeNull();
  expect(tokens([-1 >>> 1])).toBeNull();
});

test("no text is ill-formed UTF-8, and a control token comes where the grammar names it", () => {
  const grammar = grammar_of("root ::= <|call|> .+ <[257]>", ["<|call|>", "<|end|>"], [256, 257]);
  expect([...grammar.allowed_tokens([])!.tokens]).toEqual([256]);
  const inside = grammar.allowed_tokens([256, 0x61])!;
  expect(inside.tokens).toContain(257);
  expect(inside.tokens).not.toContain(256);
  for (const byte of [0x80, 0xbf, 0xc0, 0xc1, 0xf5, 0xff]) expect(inside.tokens).not.toContain(byte);
  expect([...grammar.allowed_tokens([256, 0xed])!.tokens].at(-1)).toBe(0x9f); // no surrogates
  expect(grammar.allowed_tokens([256, 0x61, 257])).toMatchObject({ complete: true });
});

test.each([
  ["", /"root"/],
  ['start ::= "a"', /"root"/],
  ["root ::= missing", /line 1 .*"missing" is not defined/],
  ['root ::= "a"\nroot ::= "b"', /line 2 .*defined twice/],
  ['root ::= "a', /line 1 .*it ends/],
  ["root ::= [a-", /it ends/],
  ['root ::= ("a"', /expected "\)" but it ends/],
  ['root ::= "a" )', /expected the end of the line but found "\)"/],
  ["root ::= * ", /nothing stands before "\*"/],
  ['root ::= "a"{3,1}', /ends below its start/],
  ['root ::= "a"{99999999999}', /repetitions are too many/],
  ['root ::= "\\q"', /escape/],
  ['root ::= "\\U00110000"', /no character/],
  ["root = a", /"::="/],
  ["root ::= !<x>", /not supported/],
  ["root ::= <missing>", /no token <missing>/],
  ['root ::= root "a" | "b"', /left recursion.*"root"/],
  ['root ::= a\na ::= b "x"\nb ::= ("y"? a) | "z"', /left recursion/],
  ['root ::= "a" root', /never comes to an end/],
  ["root ::= []", /never comes to an end/],
  [`root ::= ${"(".repeat(100_000)}"a"${")".repeat(100_000)}`, /nested deeper/],
  [`root ::= "a"${"*".repeat(100_000)}`, /nested deeper/],
  ['root ::= (("abcdef"{1000}){1000} | "b"{1000000})', /smaller grammar/],
])("an error says what is wrong with %j", (text, message) => {
  expect(() => grammar_of(text)).toThrow(RangeError);
  expect(() => grammar_of(text)).toThrow(message);
});

test("grammars of a megabyte, deep and wide, take their time but no more", () => {
  const started = performance.now();
  const words = Array.from({ length: 30_000 }, (_, i) => `"word${i}"`).join(" | ");
  expect(grammar_of(`root ::= ${words}`).matches("word29999")).toBe(true);
  const chain = Array.from({ length: 40_000 }, (_, i) => `r${i} ::= r${i + 1}?`).join("\n");
  expect(grammar_of(`root ::= r0\n${chain}\nr40000 ::= "a"`).matches("a")).toBe(true);
  expect(grammar_of(`root ::= ${"a ".repeat(300_000)}\na ::= "x"?`).matches("x".repeat(10))).toBe(true);
  const long = "#".repeat(1_000_000);
  expect(grammar_of(`${long}\nroot ::= "a"`).matches("a")).toBe(true);
  expect(performance.now() - started).toBeLessThan(20_000);
});

test("ambiguous grammars stay small", () => {
  // As many ways to read a text as there are bracketings of it, and two callers at every depth.
  const grammar = grammar_of('root ::= "a" root x | "a" root y | "a"\nx ::= "b" | "c"\ny ::= "b" | "d"');
  expect(grammar.matches("a".repeat(300) + "b".repeat(299))).toBe(true);
  expect(grammar.matches("a".repeat(300) + "e")).toBe(false);
  expect(grammar.allowed_tokens(new Array(200).fill(0x61))!.tokens).toEqual(Int32Array.of(0x61, 0x62, 0x63, 0x64));
  const optional = grammar_of(`root ::= ${'("a"? "b"?)'.repeat(2000)}`);
  expect(optional.matches("ab".repeat(2000))).toBe(true);
  expect(optional.matches("ab".repeat(2001))).toBe(false);
});

test("recursion at the end of a rule takes no memory", () => {
  const grammar = grammar_of('root ::= "a" root | "b"');
  expect(grammar.matches(`${"a".repeat(200_000)}b`)).toBe(true);
});
