// JSON schemas, each with texts that fulfil it and texts that do not.
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
export const TABLE: [name: string, schema: object | boolean, yes: string[], no: string[]][] = [
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
