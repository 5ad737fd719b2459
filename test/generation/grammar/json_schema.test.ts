import { expect, test, vi } from "vitest";
import { json_schema_to_grammar, response_format_to_grammar } from "../../../lib/index.js";
import { native } from "../../../lib/native.js";
import { grammar_of, grammar_of_schema } from "./bytes.js";
import { type JsonSchema, valid } from "./validate.js";

const person = {
  type: "object",
  properties: {
    name: { type: "string" },
    age: { type: "integer", minimum: 0, maximum: 150 },
    email: { type: "string", format: "email" },
  },
  required: ["name", "age"],
  additionalProperties: false,
};
const tree = {
  $ref: "#/$defs/node",
  $defs: {
    node: {
      type: "object",
      properties: {
        value: { type: "integer" },
        children: { type: "array", items: { $ref: "#/$defs/node" }, maxItems: 2 },
      },
      required: ["value"],
    },
  },
};

/** What is in a schema's grammar, and what is not: each text also says whether the schema has it. */
const TABLE: [name: string, schema: object | boolean, yes: string[], no: string[]][] = [
  [
    "anything",
    true,
    ["1", '"a"', "[1, [], {}]", '{"a":{"b":null}}', "-1.5e-3", "true"],
    ["", "01", "{a:1}", "[1,]", "1 2", "NaN", "+1", "1."],
  ],
  [
    "an object of any kind",
    { type: "object" },
    ["{}", '{"a":1}', '{\n  "a": 1,\n  "b": [true]\n}'],
    ["[]", "{1:2}", '{"a":1,}'],
  ],
  [
    "strings",
    { type: "string" },
    ['""', '"é😀"', '"\\n\\u00e9\\""', '"\u007f"'],
    ['"', '"\n"', '"\\x"', "'a'", '"\\ud800"'],
  ],
  [
    "properties in their order, optional ones or not",
    person,
    ['{"name":"A","age":3}', '{ "name": "A", "age": 150, "email": "a@b.co" }'],
    [
      '{"age":3,"name":"A"}',
      '{"name":"A"}',
      '{"name":"A","age":151}',
      '{"name":"A","age":3,"x":1}',
      '{"name":"A","age":3,"email":"a"}',
    ],
  ],
  [
    "optional properties alone",
    { properties: { a: { type: "null" }, b: { type: "null" }, c: { type: "null" } } },
    ["{}", '{"a":null}', '{"b":null}', '{"a":null,"c":null}', '{"a":null, "b":null, "c":null}'],
    ['{"b":null,"a":null}', '{,"a":null}', '{"a":null,}', '{"a":1}'],
  ],
  [
    "additional properties behind the others",
    {
      properties: { id: { type: "integer" }, it: { const: 1 } },
      required: ["id"],
      additionalProperties: { type: "boolean" },
    },
    ['{"id":1}', '{"id":1,"x":true}', '{"id":1,"it":1,"i":true,"idx":false,"":true}'],
    ['{"x":true}', '{"id":1,"id":true}', '{"id":1,"x":1}', '{"id":1,"\\u0069d":true}'],
  ],
  [
    "additional properties alone, and how many",
    { additionalProperties: { type: "null" }, minProperties: 1, maxProperties: 2 },
    ['{"a":null}', '{"a":null,"b":null}'],
    ["{}", '{"a":1}', '{"a":null,"b":null,"c":null}'],
  ],
  [
    "names by a pattern",
    { patternProperties: { "^x-": { type: "integer" } }, additionalProperties: false },
    ["{}", '{"x-":1}', '{"x-a":1,"x-b":2}'],
    ['{"y":1}', '{"x-a":"1"}'],
  ],
  [
    "propertyNames",
    { type: "object", propertyNames: { enum: ["a", "b"] }, additionalProperties: { type: "integer" } },
    ["{}", '{"a":1}', '{"b":1,"a":2}'],
    ['{"c":1}'],
  ],
  ["required without a description", { type: "object", required: ["a"] }, ['{"a":1}', '{"a":[]}'], ["{}", '{"b":1}']],
  ["integers", { type: "integer" }, ["0", "-7", "1234567890123456"], ["1.0", "01", "1e3", "-"]],
  ["numbers", { type: "number" }, ["0", "-0.5", "12.25", "1e10", "1E-5"], [".5", "1.", "1e", "Infinity"]],
  [
    "lengths of strings",
    { type: "string", minLength: 2, maxLength: 3 },
    ['"ab"', '"é😀x"', '"\\n\\n"'],
    ['"a"', '"abcd"', '""'],
  ],
  [
    "patterns match anywhere but for anchors",
    { type: "string", pattern: "^a.c|[0-9]$" },
    ['"abcx"', '"x1"', '"a\\"c"'],
    ['"abx"', '"xabc"', '"1x"'],
  ],
  [
    "what JSON escapes in patterns",
    { type: "string", pattern: '^["\\\\\\n\\x01]+$' },
    ['"\\"\\\\\\n\\u0001"'],
    ['"a"', '"\\u000a"'],
  ],
  [
    "enumerations of any values",
    { enum: ["a", 1, null, { b: [true] }, "é\n"] },
    ['"a"', "1", "null", '{"b":[true]}', '"é\\n"'],
    ["a", "2", '{"b": [true]}'],
  ],
  ["enumerations of one type", { type: "string", enum: ["a", 1] }, ['"a"'], ["1"]],
  ["constants", { const: "x" }, ['"x"'], ['"y"', "x"]],
  ["several types", { type: ["string", "null"], maxLength: 1 }, ['"a"', "null"], ['"ab"', "1"]],
  [
    "arrays",
    { type: "array", items: { type: "boolean" }, minItems: 1, maxItems: 3 },
    ["[true]", "[true, false,\n true]"],
    ["[]", "[1]", "[true,true,true,true]", "[true,]"],
  ],
  ["empty arrays", { type: "array", maxItems: 0 }, ["[]", "[ ]"], ["[1]"]],
  ["arrays of anything", { type: "array" }, ["[]", '[1,"a",[]]'], ["{}"]],
  [
    "tuples",
    { type: "array", prefixItems: [{ type: "integer" }, { type: "string" }], items: false },
    ['[1,"a"]'],
    ["[1]", '["a",1]', '[1,"a",2]'],
  ],
  [
    "tuples with more behind",
    { prefixItems: [{ type: "integer" }], items: { type: "null" }, maxItems: 3 },
    ["[1]", "[1,null]", "[1,null,null]"],
    ["[]", "[1,1]", "[1,null,null,null]"],
  ],
  [
    "a choice",
    { anyOf: [{ type: "integer" }, { type: "object", properties: { a: { type: "null" } }, required: ["a"] }] },
    ["1", '{"a":null}'],
    ['"1"', "{}"],
  ],
  [
    "a choice beside properties",
    {
      type: "object",
      properties: { kind: { type: "string" } },
      required: ["kind"],
      oneOf: [
        { properties: { kind: { const: "a" }, x: { type: "integer" } }, required: ["x"] },
        { properties: { kind: { const: "b" } } },
      ],
    },
    ['{"kind":"a","x":1}', '{"kind":"b"}'],
    ['{"kind":"a"}', '{"kind":"c"}', '{"kind":"b","x":1}'],
  ],
  [
    "one of several, told apart by a constant",
    {
      oneOf: [
        { type: "object", properties: { kind: { const: "a" }, x: { type: "integer" } }, required: ["kind"] },
        { type: "object", properties: { kind: { enum: ["b", "c"] }, x: { type: "null" } }, required: ["kind", "x"] },
        { $ref: "#/$defs/list" },
      ],
      $defs: { list: { type: "array", items: { type: "null" }, maxItems: 2 } },
    },
    ['{"kind":"a"}', '{"kind":"a","x":1}', '{"kind":"b","x":null}', "[null]"],
    ['{"kind":"b"}', '{"kind":"d","x":null}', "{}", "[1]"],
  ],
  [
    "one of several, told apart by what they have",
    {
      oneOf: [
        { type: "object", properties: { a: { type: "null" } }, required: ["a"] },
        { type: "object", properties: { b: { type: "null" }, c: { type: "null" } }, required: ["b"] },
      ],
    },
    ['{"a":null}', '{"b":null}', '{"b":null,"c":null}'],
    ['{"a":null,"b":null}', "{}", '{"c":null}'],
  ],
  [
    "one of several numbers and strings",
    {
      oneOf: [
        { type: "integer", maximum: 3 },
        { type: "integer", exclusiveMinimum: 3, maximum: 9 },
        { type: "string", maxLength: 1 },
        { type: "string", minLength: 2, maxLength: 3 },
        { const: "four" },
      ],
    },
    ["-1", "3", "4", "9", '""', '"a"', '"ab"', '"four"'],
    ["10", '"abcd"'],
  ],
  [
    "all of several",
    {
      allOf: [
        { $ref: "#/$defs/a" },
        { type: "object", properties: { b: { type: "integer", maximum: 5 } }, required: ["b"] },
      ],
      $defs: { a: { type: "object", properties: { a: { type: "boolean" }, b: { minimum: 3 } }, required: ["a"] } },
    },
    ['{"a":true,"b":3}', '{"a":false,"b":5}'],
    ['{"a":true}', '{"b":4}', '{"a":true,"b":6}', '{"a":true,"b":2}'],
  ],
  [
    "keywords beside a reference",
    { $ref: "#/$defs/word", maxLength: 2, description: "short", $defs: { word: { type: "string", minLength: 1 } } },
    ['"a"', '"ab"'],
    ['""', '"abc"'],
  ],
  [
    "references to itself",
    tree,
    ['{"value":1}', '{"value":1,"children":[{"value":2},{"value":3,"children":[]}]}'],
    ["{}", '{"value":1,"children":[1]}', '{"value":1,"children":[{"value":1},{"value":1},{"value":1}]}'],
  ],
  [
    "a reference to the root",
    { type: "object", properties: { next: { anyOf: [{ $ref: "#" }, { type: "null" }] } }, required: ["next"] },
    ['{"next":null}', '{"next":{"next":null}}'],
    ["{}", '{"next":{}}'],
  ],
  ["escapes in pointers", { $ref: "#/$defs/a~1b%20c", $defs: { "a/b c": { const: 1 } } }, ["1"], ["2"]],
  ["a date", { type: "string", format: "date" }, ['"2024-02-28"'], ['"2024-13-01"', '"24-01-01"']],
  [
    "a time and date",
    { format: "date-time" },
    ['"2024-02-28T23:59:59Z"', '"2024-02-28T23:59:59.25+01:00"'],
    ['"2024-02-28"', '"2024-02-28T24:00:00Z"'],
  ],
  ["a UUID", { format: "uuid" }, ['"123e4567-e89b-12d3-a456-426614174000"'], ['"123e4567"']],
  ["an address", { format: "ipv4" }, ['"192.168.0.1"', '"255.255.255.255"'], ['"256.1.1.1"', '"1.1.1"']],
  [
    "draft 4",
    {
      type: "array",
      items: [{ type: "integer", minimum: 1, exclusiveMinimum: true, maximum: 3 }],
      additionalItems: false,
    },
    ["[2]", "[3]"],
    ["[1]", "[4]", "[2,2]"],
  ],
  [
    "names that need escapes",
    { properties: { 'a"\\\n': { type: "null" }, "é]": { type: "null" } }, required: ['a"\\\n', "é]"] },
    ['{"a\\"\\\\\\n":null,"é]":null}'],
    ['{"a":null}'],
  ],
  ["false leaves a choice", { anyOf: [false, { const: 1 }] }, ["1"], ["2"]],
];

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
