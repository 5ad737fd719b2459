// allOf, and keywords beside $ref or anyOf: two schemas as one that says what both say.
import { out_of_range } from "../../errors.js";

export type Schema = boolean | SchemaObject;
export interface SchemaObject {
  [keyword: string]: unknown;
}

export const is_object = (value: unknown): value is SchemaObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** JSON with sorted keys: equal for equal values. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!is_object(value)) return JSON.stringify(value) ?? "null";
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

/** What says nothing about which values there are. */
const ANNOTATIONS = new Set(
  "title description default examples example $schema $id id $comment $anchor $defs definitions deprecated readOnly writeOnly discriminator xml externalDocs strict nullable".split(
    " ",
  ),
);
export const is_annotation = (keyword: string): boolean => ANNOTATIONS.has(keyword) || keyword.startsWith("x-");

const MOST_COMBINATIONS = 256;
const both = (a: unknown, b: unknown): Schema => (canonical(a) === canonical(b) ? (a as Schema) : { allOf: [a, b] });
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

function types_of_both(a: unknown, b: unknown): unknown[] {
  const wide = new Set(list(b));
  return list(a).flatMap((type) => {
    if (wide.has(type) || (type === "integer" && wide.has("number"))) return [type];
    return type === "number" && wide.has("integer") ? ["integer"] : [];
  });
}

function properties_of_both(a: SchemaObject, b: SchemaObject): SchemaObject {
  const [mine, theirs] = [(a["properties"] ?? {}) as SchemaObject, (b["properties"] ?? {}) as SchemaObject];
  const names = new Set([...Object.keys(mine), ...Object.keys(theirs)]);
  const result: [string, unknown][] = [];
  for (const name of names) {
    const parts: unknown[] = [];
    for (const [schema, own] of [[a, mine], [b, theirs]] as const) // biome-ignore format: short
      if (Object.hasOwn(own, name)) parts.push(own[name]);
      else if (schema["additionalProperties"] !== undefined) parts.push(schema["additionalProperties"]);
    if (parts.includes(false)) result.push([name, false]);
    else result.push([name, parts.length === 1 ? parts[0] : both(parts[0], parts[1])]);
  }
  return Object.fromEntries(result);
}

/** Joins two values of a keyword that both schemas have. */
function join(keyword: string, a: SchemaObject, b: SchemaObject, argument: string): unknown {
  const [mine, theirs] = [a[keyword], b[keyword]];
  if (canonical(mine) === canonical(theirs)) return mine;
  switch (keyword) {
    case "type":
      return types_of_both(mine, theirs);
    case "required":
      return [...new Set([...list(mine), ...list(theirs)])];
    case "enum": {
      const known = new Set(list(theirs).map(canonical));
      return list(mine).filter((value) => known.has(canonical(value)));
    }
    case "minimum":
    case "exclusiveMinimum":
    case "minLength":
    case "minItems":
    case "minProperties":
      return Math.max(mine as number, theirs as number);
    case "maximum":
    case "exclusiveMaximum":
    case "maxLength":
    case "maxItems":
    case "maxProperties":
      return Math.min(mine as number, theirs as number);
    case "items":
    case "additionalProperties":
    case "propertyNames":
      return both(mine, theirs);
    case "prefixItems":
      return Array.from({ length: Math.max(list(mine).length, list(theirs).length) }, (_, i) =>
        both(list(mine)[i] ?? a["items"] ?? true, list(theirs)[i] ?? b["items"] ?? true),
      );
    case "anyOf":
    case "oneOf": {
      const pairs = list(mine).flatMap((x) => list(theirs).map((y) => both(x, y)));
      if (pairs.length > MOST_COMBINATIONS)
        throw out_of_range(`at most ${MOST_COMBINATIONS} combinations of ${keyword}`, argument, pairs.length);
      return pairs;
    }
    case "allOf":
      return [...list(mine), ...list(theirs)];
    default:
      throw new RangeError(`${argument}: two different values of "${keyword}" for one value cannot be joined`);
  }
}

/** A schema of the values that both `a` and `b` have. @throws RangeError for what cannot be said in one schema. */
export function merge(a: Schema, b: Schema, argument: string): Schema {
  if (a === false || b === false) return false;
  if (a === true) return b;
  if (b === true) return a;
  const result: SchemaObject = { ...a };
  for (const keyword of Object.keys(b)) {
    if (keyword === "properties") continue;
    if (!Object.hasOwn(a, keyword) || is_annotation(keyword)) result[keyword] = b[keyword];
    else result[keyword] = join(keyword, a, b, argument);
  }
  if (a["properties"] || b["properties"]) result["properties"] = properties_of_both(a, b);
  if (Object.hasOwn(a, "const") && Object.hasOwn(b, "const") && canonical(a["const"]) !== canonical(b["const"]))
    return false;
  return result;
}
