import { expect, test, vi } from "vitest";
import { json_schema_to_grammar, response_format_to_grammar } from "../../../lib/index.js";
import { native } from "../../../lib/native.js";
import { grammar_of, grammar_of_schema } from "./bytes.js";
import { TABLE } from "./schemas.js";
import { type JsonSchema, valid } from "./validate.js";

test.each(TABLE)("%s", (_, schema, yes, no) => {
  const grammar = grammar_of_schema(schema);
  for (const text of yes) expect(grammar.matches(text), text).toBe(true);
  for (const text of no) expect(grammar.matches(text), text).toBe(false);
  if (!("additionalItems" in Object(schema)))
    for (const text of yes) expect(valid(JSON.parse(text), schema as JsonSchema), text).toBe(true);
});

const random_from = (seed: number) => (below: number) => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return (seed >> 8) % below;
};

test.each(TABLE)("whatever the grammar lets through is JSON that fulfils the schema: %s", (_, schema) => {
  const grammar = grammar_of_schema(schema);
  const random = random_from(11);
  let complete = 0;
  for (let run = 0; run < 40; run++) {
    const ids: number[] = [];
    let at = grammar.allowed_tokens(ids);
    while (at && at.tokens.length > 0 && ids.length < 150 && !(at.complete && random(3) === 0)) {
      // Ends are likelier than beginnings, so that texts do end.
      const ends = at.tokens.filter((token) => '"]}'.includes(String.fromCharCode(token)));
      ids.push(ends.length > 0 && random(2) === 0 ? ends[random(ends.length)] : at.tokens[random(at.tokens.length)]);
      at = grammar.allowed_tokens(ids);
    }
    expect(at).not.toBeNull();
    if (!at?.complete) continue;
    complete++;
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(ids));
    const value = JSON.parse(text);
    if (!("additionalItems" in Object(schema))) expect(valid(value, schema as JsonSchema), text).toBe(true);
  }
  expect(complete).toBeGreaterThan(5);
});

test("alternatives of oneOf that exclude each other do so without a word, others with a warning", async () => {
  const object = (properties: object, more: object = {}) => ({
    type: "object",
    properties,
    required: Object.keys(properties),
    ...more,
  });
  const number = { type: "number" };
  const apart: [string, unknown[]][] = [
    ["types", [{ type: "string" }, number, { type: ["null", "boolean"] }, { type: "array" }, object({ a: true })]],
    ["values", [{ enum: [1, "a"] }, { const: "b" }, { enum: [2, null] }]],
    ["a value and a type", [{ const: "a" }, number, { const: null }]],
    [
      "a value and bounds",
      [{ const: 5 }, { type: "integer", maximum: 4 }, { const: "abc" }, { maxLength: 2, type: "string" }],
    ],
    ["a fraction", [{ const: 1.5 }, { type: "integer" }]],
    [
      "numbers",
      [
        { ...number, maximum: 1 },
        { ...number, exclusiveMinimum: 1, maximum: 2 },
        { ...number, minimum: 2.5 },
      ],
    ],
    [
      "lengths",
      [
        { type: "string", maxLength: 2 },
        { type: "string", minLength: 3 },
      ],
    ],
    [
      "counts",
      [
        { type: "array", maxItems: 1 },
        { type: "array", minItems: 2 },
      ],
    ],
    [
      "first items",
      [
        { type: "array", minItems: 1, items: number },
        { type: "array", minItems: 1, prefixItems: [{ const: "a" }], items: true },
      ],
    ],
    ["a discriminator", [object({ k: { const: 1 }, x: true }), object({ k: { const: 2 }, x: true })]],
    ["one deep down", [object({ k: object({ l: { const: 1 } }) }), object({ k: object({ l: { const: 2 } }) })]],
    ["what one lacks", [object({ a: number }), object({ b: number })]],
    [
      "what one forbids",
      [object({ a: number }, { additionalProperties: true }), { type: "object", additionalProperties: false }],
    ],
    ["choices inside", [{ anyOf: [{ type: "string" }, { type: "null" }] }, { oneOf: [number, { type: "boolean" }] }]],
    ["references", [{ $ref: "#/$defs/s" }, { allOf: [{ $ref: "#/$defs/n" }, { minimum: 3 }] }]],
    ["a schema of nothing", [{ type: "string" }, false]],
  ];
  const together: [string, unknown[]][] = [
    ["the same twice", [{ type: "string" }, { type: "string" }]],
    ["a value of a type", [{ const: "a" }, { type: "string" }]],
    ["a number that is whole", [number, { type: "integer" }]],
    [
      "bounds that touch",
      [
        { ...number, maximum: 1 },
        { ...number, minimum: 1 },
      ],
    ],
    [
      "properties that are left out",
      [
        { type: "object", properties: { a: number } },
        { type: "object", properties: { b: number } },
      ],
    ],
    [
      "more properties than named",
      [object({ a: number }, { additionalProperties: true }), object({ b: number }, { additionalProperties: true })],
    ],
    [
      "empty lists",
      [
        { type: "array", items: number },
        { type: "array", items: { type: "null" } },
      ],
    ],
    ["anything", [true, { type: "string" }]],
    [
      "a format and another",
      [
        { type: "string", format: "date" },
        { type: "string", format: "uuid" },
      ],
    ],
    ["choices inside", [{ anyOf: [{ type: "string" }, number] }, { oneOf: [{ type: "integer" }, { type: "null" }] }]],
  ];
  const warned: string[] = [];
  const spy = vi.spyOn(process, "emitWarning").mockImplementation((text) => void warned.push(String(text)));
  try {
    const $defs = { s: { type: "string" }, n: { type: "number" } };
    for (const [what, oneOf] of apart) json_schema_to_grammar({ oneOf, $defs }, `apart: ${what}`);
    expect(warned).toEqual([]);
    for (const [what, oneOf] of together) json_schema_to_grammar({ oneOf, $defs }, `together: ${what}`);
    expect(warned.map((text) => text.split(": oneOf at root is read as anyOf")[0])).toEqual(
      together.map(([what]) => `together: ${what}`),
    );
    expect(warned[0]).toContain("may fulfil the alternatives 0 and 1 both");
  } finally {
    spy.mockRestore();
  }
});

test("bounds of numbers, on every side of zero", () => {
  const random = random_from(3);
  const numbers = [
    0, -0.5, 0.5, 1, -1, 9, 10, 11, 99, 100, 101, -99, -100, 0.1, 0.05, 0.25, 1.5, 12.75, -12.75, 1e-7, 123456,
  ];
  const pick = () => numbers[random(numbers.length)];
  const texts = [
    ...new Set([...numbers, 2, 5, -3, 50, 0.04, 0.051, 0.2, 0.3, 1.49, 1.51, 12.7, 12.8, 999, -101, 0.75, -0.25]),
  ].map((n) => (n === 1e-7 ? "0.0000001" : String(n)));
  for (let i = 0; i < 300; i++) {
    const [low, high] = [pick(), pick()].sort((a, b) => a - b);
    const open = { low: random(2) === 0, high: random(2) === 0 };
    const bounds = {
      ...(random(5) === 0 ? {} : { [open.low ? "exclusiveMinimum" : "minimum"]: low }),
      ...(random(5) === 0 ? {} : { [open.high ? "exclusiveMaximum" : "maximum"]: high }),
    };
    for (const type of ["integer", "number"]) {
      const schema = { type, ...bounds };
      const expected = texts.filter((text) => valid(Number(text), schema));
      let grammar: ReturnType<typeof grammar_of_schema>;
      try {
        grammar = grammar_of_schema(schema);
      } catch (error) {
        expect(expected, JSON.stringify(schema)).toEqual([]);
        expect((error as Error).message).toMatch(/no value/);
        continue;
      }
      expect(
        texts.filter((text) => grammar.matches(text)),
        JSON.stringify(schema),
      ).toEqual(expected);
      if (type === "number") for (const text of ["1.", "01", "+1", "-", "."]) expect(grammar.matches(text)).toBe(false);
    }
  }
});

test.each([
  [{ not: { type: "string" } }, /"not"/],
  [{ type: "array", uniqueItems: true }, /"uniqueItems"/],
  [{ type: "number", multipleOf: 0.01 }, /"multipleOf"/],
  [{ if: {}, else: {} }, /"if"/],
  [{ type: "array", contains: {} }, /"contains"/],
  [{ $ref: "#/$defs/missing" }, /\$ref/],
  [{ $ref: "https://example.com/schema" }, /\$ref inside/],
  [{ $ref: "#" }, /comes to an end|no value|leads back/],
  [{ allOf: [{ $ref: "#" }] }, /leads back/],
  [{ type: "strin" }, /type among/],
  [{ enum: [] }, /enum/],
  [{ type: "string", pattern: "(?=a)" }, /look-ahead.*pattern of response_format/],
  [{ type: "string", pattern: "a", maxLength: 3 }, /"pattern" beside/],
  [{ type: "string", minLength: -1 }, /minLength/],
  [{ type: "string", minLength: 3, maxLength: 2 }, /no value/],
  [{ type: "integer", minimum: 5, maximum: 4 }, /no value/],
  [{ type: "integer", minimum: "5" }, /minimum/],
  [{ allOf: [{ type: "string" }, { type: "null" }] }, /no value/],
  [{ properties: [] }, /properties/],
  [{ properties: { a: 5 } }, /expected a schema at root-a/],
  [{ required: "a" }, /required/],
  [false, /no value/],
  [{ type: "object", properties: { a: true }, minProperties: 1 }, /"minProperties"/],
])("a RangeError names what cannot be done: %j", (schema, message) => {
  const convert = () => response_format_to_grammar({ type: "json_schema", json_schema: { schema } });
  const build = () => grammar_of(convert() as string);
  expect(build).toThrow(RangeError);
  expect(build).toThrow(message);
  expect(build).toThrow(/response_format/);
});

test("hostile schemas end in an error or a grammar", () => {
  let deep: object = { type: "null" };
  for (let i = 0; i < 5000; i++) deep = { type: "array", items: deep };
  expect(() => json_schema_to_grammar(deep)).toThrow(/nested/);
  const circle: Record<string, unknown> = { type: "array" };
  circle["items"] = circle;
  expect(() => json_schema_to_grammar(circle)).toThrow(/circular/);
  const wide = {
    type: "object",
    properties: Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`p${i}`, { type: "string", maxLength: 5 }])),
  };
  expect(grammar_of_schema(wide).matches('{"p7":"a","p2999":"b"}')).toBe(true);
  const two = (name: string) => ({ anyOf: [{ required: [`${name}1`] }, { required: [`${name}2`] }] });
  expect(() => json_schema_to_grammar({ type: "object", allOf: Array.from("abcdefghijkl", two) })).toThrow(
    /combinations/,
  );
  expect(() => json_schema_to_grammar({ type: "string", minLength: 1e9 })).toThrow(/minLength/);
  expect(grammar_of_schema({ type: "string", maxLength: 1e9 }).matches('"a"')).toBe(true);
  const cyclic = { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } };
  expect(() => grammar_of_schema(cyclic)).toThrow(RangeError);
  const unrolled = {
    $ref: "#/$defs/n",
    $defs: { n: { type: "object", properties: { n: { $ref: "#/$defs/n", minProperties: 0 } }, required: ["n"] } },
  };
  expect(() => grammar_of_schema(unrolled)).toThrow(RangeError);
});

test("the native class refuses what is no grammar", () => {
  const { Grammar, GrammarVocabulary } = native();
  expect(() => new Grammar(5 as never, {} as never)).toThrow(TypeError);
  expect(() => new Grammar('root ::= "a"', {} as never)).toThrow(/GrammarVocabulary/);
  expect(() => new GrammarVocabulary(new Uint8Array(3), Uint32Array.of(1, 9), [])).toThrow(RangeError);
  expect(() => new GrammarVocabulary("abc" as never, Uint32Array.of(1), [])).toThrow(TypeError);
});
