import { describe, expect, it } from "vitest";
import { floats_of, repr, with_floats } from "../lib/python.js";
import { clone_json, dump_json, parse_json } from "../lib/python_json.js";

describe("JSON as Python writes it", () => {
  it.each([
    "[1e-05, 0.0001, 1e+16, 1000000000000000.0, 1e+22, 0.1, 5e-324, 1.7976931348623157e+308, 1.2345678901234568e+17, -0.0, 1.23e-10, 1e+100, 3.0]",
    "[10000000000000000000000, 9007199254740992, -5, true, null]",
    "[NaN, Infinity, -Infinity]",
    '{"b": [1.0, 1], "a": {"c": [], "d": {}}}',
    '"\\u00e9\\u20ac\\ud83d\\ude00\\u007f\\"\\\\\\n\\u2028"',
  ])("%s is read and written again as it was", (text) => {
    expect(dump_json(parse_json(text))).toBe(text);
    expect(dump_json(clone_json(parse_json(text)))).toBe(text);
  });

  it("is indented and sorted, with numeric keys as numbers", () => {
    const value = { b: { 10: 1, 9: 2 }, "😀": 0, "\uffff": 0, a: { 10: 1, 9: 2 } };
    expect(dump_json(value, { indent: 1, sort_keys: true, ensure_ascii: false, numeric_keys: new Set(["a"]) })).toBe(
      '{\n "a": {\n  "9": 2,\n  "10": 1\n },\n "b": {\n  "10": 1,\n  "9": 2\n },\n "\uffff": 0,\n "😀": 0\n}',
    );
  });

  it("keeps a key named __proto__ a key", () => {
    const value = parse_json('{"__proto__": {"x": 1}}') as object;
    expect(Object.keys(value)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it.each([
    ["", "Expected a value at position 0 but found the end"],
    ["[1,]", 'Expected a value at position 3 but found "]"'],
    ["{'a': 1}", "Expected a key in double quotes at position 1"],
    ['{"a" 1}', "at position 6"],
    ["[1 2]", 'Expected "," or "]" at position 3'],
    ["01", "Expected the end at position 1"],
    ['"a\nb"', "Expected a valid string at position 0"],
    ['["\\x"]', "Expected a valid string at position 1"],
    ["[".repeat(100_000), "Expected at most 500 levels"],
  ])("refuses %j with the position", (text, message) => {
    expect(() => parse_json(text)).toThrow(message);
  });

  it("shows floats in repr", () => {
    const value = parse_json('{"a": 1.0, "b": [2.0, 2]}') as { b: object };
    expect([...floats_of(value)!]).toEqual(["a"]);
    expect(repr(value)).toBe("{'a': 1.0, 'b': [2.0, 2]}");
    expect(repr(with_floats([1], ["0"]))).toBe("[1.0]");
  });
});
