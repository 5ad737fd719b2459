// A JSON schema as a grammar. The grammar may have fewer texts than the schema, never others: properties come in the
// schema's order, none that it does not name comes unless additionalProperties says so, whitespace is limited.
import { out_of_range, received, warn_once } from "../../errors.js";
import { characters, literal, minus, set_to_gbnf } from "./char_set.js";
import { Exclusion } from "./exclusive.js";
import { FORMATS, SHARED } from "./json_rules.js";
import { type Bound, integer_range, number_range } from "./number_range.js";
import { parse_regex } from "./regex.js";
import { PLAIN, regex_to_gbnf } from "./regex_to_gbnf.js";
import { canonical, is_annotation, is_object, merge, type Schema, type SchemaObject } from "./schema_merge.js";

const DEEPEST = 100;
const MOST_SCHEMAS = 20_000;
const MOST_REPETITIONS = 100_000;

/** The keywords that say something about values of one type. */
const KEYWORDS: Record<string, string[]> = {
  object: [
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "minProperties",
    "maxProperties",
  ],
  array: ["items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems"],
  string: ["minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
};
const GENERAL = new Set(["type", "enum", "const", "$ref", "allOf", "anyOf", "oneOf"]);
const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];

class Converter {
  private readonly rules = new Map<string, string>();
  private readonly known = new Map<string, string | null>();
  private schemas = 0;

  constructor(
    private readonly root: Schema,
    private readonly argument: string,
  ) {}

  /** The grammar, whose rule `name` is the schema's. */
  run(name: string): string {
    const body = this.visit(this.root, name, 0);
    if (body === null) this.fail("no value fulfils the schema");
    if (body !== name) this.rules.set(name, body!);
    return Array.from(this.rules, ([name, rule]) => `${name} ::= ${rule}\n`).join("");
  }

  private fail(what: string): never {
    throw new RangeError(`${this.argument}: ${what}`);
  }

  private shared(name: string): string {
    if (this.rules.has(name)) return name;
    const [body, needs] = SHARED[name];
    this.rules.set(name, body);
    for (const need of needs) this.shared(need);
    return name;
  }

  private free_name(path: string): string {
    const base = path.replaceAll(/[^a-zA-Z0-9-]+/g, "-").slice(0, 80);
    const taken = (name: string) => this.rules.has(name) || Object.hasOwn(SHARED, name);
    if (!taken(base)) return base;
    let number = this.rules.size;
    while (taken(`${base}-${number}`)) number++;
    return `${base}-${number}`;
  }

  /** A rule of its own, with a name like `path`. */
  private rule(path: string, body: string): string {
    const name = this.free_name(path);
    this.rules.set(name, body);
    return name;
  }

  /** The rule of a schema, which may come up inside itself; null: no value fulfils it. */
  private visit(schema: unknown, path: string, depth: number): string | null {
    if (schema === false) return null;
    if (schema === true) return this.shared("value");
    if (!is_object(schema)) this.fail(`expected a schema at ${path} but received ${received(schema)}`);
    if (depth > DEEPEST) this.fail(`expected a schema that is nested at most ${DEEPEST} levels deep`);
    const key = canonical(schema);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (++this.schemas > MOST_SCHEMAS) this.fail(`expected at most ${MOST_SCHEMAS} schemas`);
    const name = this.free_name(path);
    this.known.set(key, name);
    this.rules.set(name, "[]"); // taken; no text, should it be asked for before it is known
    const body = this.body(schema, path, depth);
    if (body !== null) this.rules.set(name, body);
    else {
      this.known.set(key, null);
      return null;
    }
    return name;
  }

  private body(schema: SchemaObject, path: string, depth: number): string | null {
    const { $ref, allOf, anyOf, oneOf, ...rest } = schema;
    const has_rest = Object.keys(rest).some((keyword) => !is_annotation(keyword));
    if ($ref !== undefined) {
      const target = this.resolve($ref);
      const others = { ...rest, ...given({ allOf, anyOf, oneOf }) };
      if (!has_rest && !allOf && !anyOf && !oneOf) return this.visit(target, ref_name($ref as string), depth + 1);
      return this.visit(merge(this.inlined(target), others, this.argument), path, depth + 1);
    }
    if (allOf !== undefined) {
      const others = { ...rest, ...given({ anyOf, oneOf }) };
      const merged = this.list(allOf, "allOf").reduce<Schema>(
        (all, one) => merge(all, this.inlined(one), this.argument),
        others,
      );
      return this.visit(merged, path, depth + 1);
    }
    if (anyOf !== undefined || oneOf !== undefined) {
      const keyword = anyOf !== undefined ? "anyOf" : "oneOf";
      const others = { ...rest, ...(anyOf !== undefined ? given({ oneOf }) : {}) };
      const plain = !has_rest && Object.keys(others).every(is_annotation);
      const choices = this.list(schema[keyword], keyword).map((one) =>
        plain ? one : merge(others, this.inlined(one), this.argument),
      );
      if (keyword === "oneOf") this.check_exclusion(choices, path);
      return union(choices.map((one, i) => this.visit(one, `${path}-${i}`, depth + 1)));
    }
    return this.plain(schema, path, depth);
  }

  /** Warns where an answer may fulfil several alternatives of oneOf. */
  private check_exclusion(choices: unknown[], path: string): void {
    const overlap = new Exclusion((schema) => this.inlined(schema), this.argument).overlap(choices);
    if (!overlap) return;
    const [one, other] = overlap.toSorted((a, b) => a - b);
    warn_once(
      `${this.argument}: oneOf at ${path} is read as anyOf: an answer may fulfil the alternatives ${one} and ${other} both. A type, or a required property with a const, would tell them apart.`,
    );
  }

  /** A schema without references, allOf and the like. */
  private plain(schema: SchemaObject, path: string, depth: number): string | null {
    this.check_keywords(schema, path);
    if (Object.hasOwn(schema, "const")) return this.constants([schema["const"]], schema);
    if (schema["enum"] !== undefined) return this.constants(this.list(schema["enum"], "enum"), schema);
    const types = schema["type"] === undefined ? this.implied(schema) : [schema["type"]].flat();
    for (const type of types)
      if (!TYPES.includes(type as string))
        throw out_of_range(`a type among ${TYPES.join(", ")} at ${path}`, this.argument, type);
    if (types.length > 1)
      return union((types as string[]).map((type) => this.visit({ ...schema, type }, `${path}-${type}`, depth + 1)));
    switch (types[0]) {
      case "object":
        return this.object(schema, path, depth);
      case "array":
        return this.array(schema, path, depth);
      case "string":
        return this.string(schema, path);
      case "number":
      case "integer":
        return this.number(schema, types[0] as string, path);
      case undefined:
        return null;
      default:
        return this.shared(types[0] as string);
    }
  }

  private implied(schema: SchemaObject): string[] {
    for (const [type, keywords] of Object.entries(KEYWORDS))
      if (keywords.some((keyword) => schema[keyword] !== undefined)) return [type];
    return TYPES.filter((type) => type !== "integer");
  }

  private check_keywords(schema: SchemaObject, path: string): void {
    for (const keyword of Object.keys(schema)) {
      if (
        is_annotation(keyword) ||
        GENERAL.has(keyword) ||
        Object.values(KEYWORDS).some((own) => own.includes(keyword))
      )
        continue;
      this.fail(`the keyword "${keyword}" at ${path} is not supported`);
    }
    if (schema["uniqueItems"] === true && !((schema["maxItems"] as number) <= 1))
      this.fail(`"uniqueItems" at ${path} is not supported`);
    const { multipleOf } = schema;
    if (multipleOf !== undefined && !(multipleOf === 1 && schema["type"] === "integer"))
      this.fail(`"multipleOf" at ${path} is not supported`);
  }

  private list(value: unknown, keyword: string): unknown[] {
    if (!Array.isArray(value) || value.length === 0)
      throw out_of_range(`a list that is not empty for ${keyword}`, this.argument, value);
    return value;
  }

  private constants(values: unknown[], schema: SchemaObject): string | null {
    const types = schema["type"] === undefined ? null : [schema["type"]].flat();
    const fits = (value: unknown) => {
      const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
      return types === null || types.includes(type) || (Number.isInteger(value) && types.includes("integer"));
    };
    return union(values.filter(fits).map((value) => literal(JSON.stringify(value) ?? "null")));
  }

  /** The schema that a reference inside the document names. */
  private resolve(ref: unknown): Schema {
    if (typeof ref !== "string") throw out_of_range("a string for $ref", this.argument, ref);
    if (!ref.startsWith("#")) throw out_of_range("a $ref inside the schema (#/...)", this.argument, ref);
    const target = ref === "#" ? this.root : pointed(this.root, ref);
    if (!is_object(target) && typeof target !== "boolean")
      throw out_of_range("a $ref to a schema that is there", this.argument, ref);
    return target;
  }

  /** With what a reference names in its place, for merging. */
  private inlined(schema: unknown, depth = 0): Schema {
    if (typeof schema === "boolean") return schema;
    if (!is_object(schema)) this.fail(`expected a schema but received ${received(schema)}`);
    const object = schema as SchemaObject;
    if (depth > DEEPEST) this.fail("a $ref leads back to itself");
    let result: Schema = object;
    if (object["$ref"] !== undefined) {
      const { $ref, ...rest } = object;
      result = merge(this.inlined(this.resolve($ref), depth + 1), rest, this.argument);
    }
    if (!is_object(result) || result["allOf"] === undefined) return result;
    const { allOf, ...rest } = result;
    return this.list(allOf, "allOf").reduce<Schema>(
      (all, one) => merge(all, this.inlined(one, depth + 1), this.argument),
      rest,
    );
  }

  private count(schema: SchemaObject, keyword: string, fallback: number): number {
    const value = schema[keyword] ?? fallback;
    if (value === Number.POSITIVE_INFINITY) return value;
    if (!Number.isInteger(value) || (value as number) < 0)
      throw out_of_range(`a non-negative integer for ${keyword}`, this.argument, value);
    if ((value as number) > MOST_REPETITIONS) {
      if (keyword.startsWith("max")) return Number.POSITIVE_INFINITY;
      throw out_of_range(`at most ${MOST_REPETITIONS} for ${keyword}`, this.argument, value);
    }
    return value as number;
  }

  private string(schema: SchemaObject, path: string): string | null {
    const [min, max] = [this.count(schema, "minLength", 0), this.count(schema, "maxLength", Number.POSITIVE_INFINITY)];
    if (min > max) return null;
    const { pattern, format } = schema;
    if (typeof pattern === "string") {
      if (min > 0 || max !== Number.POSITIVE_INFINITY)
        this.fail(
          `"pattern" beside "minLength" or "maxLength" at ${path} is not supported: say the length in the pattern`,
        );
      return this.pattern(pattern, true);
    }
    if (pattern !== undefined) throw out_of_range("a string for pattern", this.argument, pattern);
    if (typeof format === "string" && Object.hasOwn(FORMATS, format)) return this.pattern(FORMATS[format], false);
    if (format !== undefined) warn_once(`${this.argument}: the format ${received(format)} is not enforced`);
    if (min === 0 && max === Number.POSITIVE_INFINITY) return this.shared("string");
    return `"\\"" ${this.shared("char")}${times(min, max)} "\\""`;
  }

  private pattern(pattern: string, search: boolean): string {
    const argument = search ? `the pattern of ${this.argument}` : this.argument;
    return `"\\"" ${regex_to_gbnf(parse_regex(pattern, argument), { argument, pattern, json: true, search })} "\\""`;
  }

  private number(schema: SchemaObject, type: string, path: string): string | null {
    const bound = (inclusive: string, exclusive: string, tighter: (a: Bound, b: Bound) => Bound): Bound | undefined => {
      const bounds: Bound[] = [];
      for (const keyword of [inclusive, exclusive]) {
        const value = schema[keyword];
        if (value === undefined || typeof value === "boolean") continue;
        if (typeof value !== "number" || !Number.isFinite(value))
          throw out_of_range(`a finite number for ${keyword} at ${path}`, this.argument, value);
        // In draft 4 the exclusive bound is a flag.
        bounds.push({ value, exclusive: keyword === exclusive || schema[exclusive] === true });
      }
      return bounds.length === 2 ? tighter(bounds[0], bounds[1]) : bounds[0];
    };
    const low = bound("minimum", "exclusiveMinimum", (a, b) => (b.value >= a.value ? b : a));
    const high = bound("maximum", "exclusiveMaximum", (a, b) => (b.value <= a.value ? b : a));
    if (!low && !high) return this.shared(type);
    if (type === "number") return number_range(low, high);
    const largest = 10n ** 16n - 1n;
    const whole = (value: number) => BigInt(value);
    const from = low && whole(low.exclusive ? Math.floor(low.value) + 1 : Math.ceil(low.value));
    const to = high && whole(high.exclusive ? Math.ceil(high.value) - 1 : Math.floor(high.value));
    return integer_range(
      from ?? (to! < -largest ? to! * 10n : -largest),
      to ?? (from! > largest ? from! * 10n : largest),
    );
  }

  private array(schema: SchemaObject, path: string, depth: number): string | null {
    const tuple = Array.isArray(schema["items"]) ? schema["items"] : schema["prefixItems"];
    const first = tuple === undefined ? [] : this.list(tuple, "prefixItems");
    const rest = Array.isArray(schema["items"]) ? schema["additionalItems"] : schema["items"];
    const min = this.count(schema, "minItems", 0);
    let max = this.count(schema, "maxItems", Number.POSITIVE_INFINITY);
    const other =
      rest === undefined && first.length > 0 && min <= first.length
        ? null
        : this.visit(rest ?? true, `${path}-item`, depth + 1);
    if (other === null) max = Math.min(max, first.length);
    if (min > max) return null;
    const items = first.slice(0, max).map((item, i) => this.visit(item, `${path}-${i}`, depth + 1));
    if (items.includes(null)) return null;
    this.shared("ws");
    const more = other === null ? "" : `("," ws ${other})${times(Math.max(0, min - first.length), max - first.length)}`;
    if (items.length > 0) return `"[" ws ${items.join(' "," ws ')} ${max > first.length ? more : ""} ws "]"`;
    if (other === null || max === 0) return '"[" ws "]"';
    const all = `${other} ("," ws ${other})${times(Math.max(0, min - 1), max - 1)} ws`;
    return min > 0 ? `"[" ws ${all} "]"` : `"[" ws (${all})? "]"`;
  }

  private object(schema: SchemaObject, path: string, depth: number): string | null {
    const { properties = {}, required = [], additionalProperties, patternProperties = {}, propertyNames } = schema;
    if (!is_object(properties)) throw out_of_range("an object for properties", this.argument, properties);
    if (!is_object(patternProperties))
      throw out_of_range("an object for patternProperties", this.argument, patternProperties);
    if (!Array.isArray(required) || !required.every((name) => typeof name === "string"))
      throw out_of_range("a list of strings for required", this.argument, required);
    const closed =
      Object.keys(properties).length > 0 || Object.keys(patternProperties).length > 0 || required.length > 0;
    const additional = additionalProperties ?? !closed;
    // What is required without being described is one of the additional ones.
    const members = new Map(Object.entries(properties));
    for (const name of required) if (!members.has(name)) members.set(name, additionalProperties ?? true);

    this.shared("ws");
    const parts: { rule: string; required: boolean }[] = [];
    for (const [name, member] of members) {
      const value = this.visit(member, `${path}-${name}`, depth + 1);
      if (value === null && required.includes(name)) return null;
      if (value !== null)
        parts.push({ rule: `${literal(JSON.stringify(name))} ":" ws ${value}`, required: required.includes(name) });
    }
    const others: string[] = [];
    for (const [pattern, member] of Object.entries(patternProperties)) {
      const value = this.visit(member, `${path}-pattern`, depth + 1);
      if (value !== null) others.push(`${this.pattern(pattern, true)} ":" ws ${value}`);
    }
    const other =
      Object.keys(patternProperties).length > 0 ? null : this.visit(additional, `${path}-additional`, depth + 1);
    if (other !== null) {
      const key =
        propertyNames === undefined
          ? this.other_key([...members.keys()], path)
          : this.key(propertyNames, path, depth, members.size);
      others.push(`${key} ":" ws ${other}`);
    }
    const pair = others.length === 0 ? null : this.rule(`${path}-other`, others.join(" | "));
    const [min, max] = this.other_counts(schema, parts, path);
    return this.members(parts, pair, path, min, max);
  }

  /** How many properties may come beyond those that are named. */
  private other_counts(schema: SchemaObject, parts: { required: boolean }[], path: string): [number, number] {
    const [min, max] = [
      this.count(schema, "minProperties", 0),
      this.count(schema, "maxProperties", Number.POSITIVE_INFINITY),
    ];
    const needed = parts.filter((part) => part.required).length;
    if (parts.length === needed) return [Math.max(0, min - needed), max - needed];
    if (min > needed || max !== Number.POSITIVE_INFINITY)
      this.fail(`"minProperties" or "maxProperties" beside optional properties at ${path} is not supported`);
    return [0, Number.POSITIVE_INFINITY];
  }

  /** The braces, the members in their order, those that are optional or not, and `other` pairs behind them. */
  private members(
    parts: { rule: string; required: boolean }[],
    other: string | null,
    path: string,
    min: number,
    max: number,
  ): string | null {
    if (max < 0 || (other === null && min > 0)) return null;
    const others = other === null || max === 0 ? '""' : `("," ws ${other})${times(min, max)}`;
    const first_others =
      other === null || max === 0
        ? '""'
        : `${min === 0 ? "(" : ""}${other} ("," ws ${other})${times(Math.max(0, min - 1), max - 1)} ws${min === 0 ? ")?" : ""}`;
    // From the last member to the first: what comes behind one, and what comes if nothing came before.
    let behind = others;
    let first = first_others;
    for (const { rule, required } of [...parts].reverse()) {
      const next = behind === '""' ? "" : this.rule(`${path}-rest`, behind);
      const begun = `${rule} ${next} ws`;
      first = required ? begun : `${begun} | ${first === '""' ? first : this.rule(`${path}-first`, first)}`;
      behind = required ? `"," ws ${rule} ${next}` : `("," ws ${rule})? ${next}`;
    }
    return `"{" ws (${first}) "}"`;
  }

  /** A string that fulfils `propertyNames`. */
  private key(names: unknown, path: string, depth: number, members: number): string {
    if (members > 0) this.fail(`"propertyNames" beside "properties" at ${path} is not supported`);
    const key = this.visit(is_object(names) ? { type: "string", ...names } : names, `${path}-key`, depth + 1);
    return key ?? "[]";
  }

  /** Any string but `names`. */
  private other_key(names: string[], path: string): string {
    if (names.length === 0) return this.shared("string");
    const char = this.shared("char");
    const spelled = names.map((name) => Array.from(JSON.stringify(name).slice(1, -1)));
    const node = (words: string[][], at: number): string => {
      const children = new Map<string, string[][]>();
      for (const word of words) if (at < word.length) children.set(word[at], [...(children.get(word[at]) ?? []), word]);
      const parts = [`${set_to_gbnf(minus(PLAIN, characters([...children.keys()].join(""))))} ${char}*`];
      for (const [c, below] of children) parts.push(`${literal(c)} ${this.rule(`${path}-key`, node(below, at + 1))}`);
      if (!words.some((word) => word.length === at)) parts.push('""');
      return parts.join(" | ");
    };
    return `"\\"" (${node(spelled, 0)}) "\\""`;
  }
}

const given = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
const union = (parts: (string | null)[]): string | null => {
  const found = [...new Set(parts.filter((part) => part !== null))];
  return found.length === 0 ? null : found.join(" | ");
};
const times = (min: number, max: number): string =>
  max === Number.POSITIVE_INFINITY ? (min === 0 ? "*" : `{${min},}`) : `{${min},${max}}`;
const ref_name = (ref: string): string => ref.split("/").at(-1) || "root";

/** What a JSON pointer, or the name of an anchor, names in a document. */
function pointed(root: Schema, ref: string): unknown {
  if (!ref.startsWith("#/")) return anchored(root, ref.slice(1));
  let value: unknown = root;
  for (const part of ref.slice(2).split("/")) {
    const key = decode(part).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as SchemaObject)[key];
  }
  return value;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function anchored(value: unknown, name: string, depth = 0): unknown {
  if (typeof value !== "object" || value === null || depth > DEEPEST) return undefined;
  if ((value as SchemaObject)["$anchor"] === name || (value as SchemaObject)["$id"] === `#${name}`) return value;
  for (const child of Object.values(value)) {
    const found = anchored(child, name, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * The grammar (GBNF) of the JSON texts that fulfil a schema; they are the texts of its rule `rule`.
 * @throws RangeError that names `argument` for what is wrong in the schema or cannot be enforced.
 */
export function json_schema_to_grammar(schema: object | boolean, argument = "schema", rule = "root"): string {
  if (typeof schema !== "boolean" && !is_object(schema)) throw out_of_range("a JSON schema", argument, schema);
  try {
    return new Converter(JSON.parse(JSON.stringify(schema)) as Schema, argument).run(rule);
  } catch (error) {
    if (error instanceof RangeError && !error.message.startsWith("Maximum call stack")) throw error;
    if (error instanceof RangeError || error instanceof TypeError)
      throw new RangeError(`${argument}: the schema is circular or nested too deep`);
    throw error;
  }
}

/** The grammar of any JSON object. */
export const json_object_grammar = (): string => json_schema_to_grammar({ type: "object" });
