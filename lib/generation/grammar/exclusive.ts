// oneOf is right as anyOf where no text of one alternative fulfils another one. That is proved here, or not.
import { canonical, is_object, merge, type Schema, type SchemaObject } from "./schema_merge.js";

const DEEPEST = 12;
const TYPES = ["object", "array", "string", "number", "boolean", "null"];
const FIRST_ITEMS = 4;

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);
const type_of = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : (typeof value as string);
/** Integers are numbers, and a number may be one. */
const wide = (type: unknown): unknown => (type === "integer" ? "number" : type);
const bound = (value: unknown, otherwise: number): number => (typeof value === "number" ? value : otherwise);

/** The keywords that bound a size, by what has it. */
const SIZES: Record<string, [from: string, to: string]> = {
  string: ["minLength", "maxLength"],
  array: ["minItems", "maxItems"],
  object: ["minProperties", "maxProperties"],
};

export class Exclusion {
  /** `look`: a schema with what its references and allOf say in their place. `argument`: for errors. */
  constructor(
    private readonly look: (schema: unknown) => Schema,
    private readonly argument: string,
  ) {}

  /** Two alternatives that may both hold, by their number; undefined: each excludes all others. */
  overlap(alternatives: readonly unknown[]): [number, number] | undefined {
    for (const [i, a] of alternatives.entries())
      for (const [k, b] of alternatives.entries()) if (i !== k && !this.excludes(a, b)) return [i, k];
    return undefined;
  }

  /** Whether it is certain that no text which the grammar makes for `first` fulfils `second`. */
  private excludes(first: unknown, second: unknown, depth = 0): boolean {
    if (depth > DEEPEST) return false;
    const [a, b] = [this.look(first), this.look(second)];
    if (a === false || b === false) return true;
    if (b === true) return false;
    const own = a === true ? {} : a;
    for (const keyword of ["anyOf", "oneOf"] as const) {
      if (own[keyword] === undefined) continue;
      const { [keyword]: choices, ...rest } = own;
      return list(choices).every((one) => this.excludes(merge(rest, this.look(one), this.argument), b, depth + 1));
    }
    for (const keyword of ["anyOf", "oneOf"] as const) {
      if (b[keyword] === undefined) continue;
      const { [keyword]: choices, ...rest } = b;
      return list(choices).every((one) => this.excludes(a, one, depth + 1)) || this.excludes(a, rest, depth + 1);
    }
    const [mine, theirs] = [values_of(own), values_of(b)];
    if (mine) return mine.every((value) => !this.may_fulfil(value, b, depth));
    if (theirs) return theirs.every((value) => !this.may_fulfil(value, own, depth));
    return types_of(own).every((type) => !types_of(b).includes(type) || this.differ(type as string, own, b, depth));
  }

  /** Whether values of one type differ in what bounds them. */
  private differ(type: string, a: SchemaObject, b: SchemaObject, depth: number): boolean {
    if (type === "number") return are_apart(range_of(a), range_of(b));
    const sizes = SIZES[type];
    if (sizes) {
      const [from, to] = sizes;
      if (bound(a[from], 0) > bound(b[to], Number.POSITIVE_INFINITY)) return true;
      if (bound(b[from], 0) > bound(a[to], Number.POSITIVE_INFINITY)) return true;
    }
    if (type === "array") {
      const certain = Math.min(bound(a["minItems"], 0), FIRST_ITEMS);
      return Array.from({ length: certain }, (_, i) => i).some((i) =>
        this.excludes(item_of(a, i), item_of(b, i), depth + 1),
      );
    }
    if (type !== "object") return false;
    return (
      list(a["required"]).some((name) => {
        const theirs = property_of(b, name as string);
        return theirs === false || this.excludes(property_of(a, name as string), theirs, depth + 1);
      }) || list(b["required"]).some((name) => never_has(a, name as string))
    );
  }

  /** False where it is certain that the value does not fulfil the schema. */
  private may_fulfil(value: unknown, schema: unknown, depth: number): boolean {
    const b = this.look(schema);
    if (typeof b === "boolean" || depth > DEEPEST) return b !== false;
    const values = values_of(b);
    if (values && !values.some((one) => canonical(one) === canonical(value))) return false;
    const type = type_of(value);
    if (!types_of(b).includes(type)) return false;
    const is_whole = [b["type"]].flat().every((one) => one === "integer" || wide(one) !== "number");
    if (type === "number" && b["type"] !== undefined && is_whole && !Number.isInteger(value)) return false;
    if (type === "number" && are_apart({ low: value as number, high: value as number, open: [] }, range_of(b)))
      return false;
    const sizes = SIZES[type];
    if (sizes) {
      const size = type === "string" ? [...(value as string)].length : Object.keys(value as object).length;
      if (size < bound(b[sizes[0]], 0) || size > bound(b[sizes[1]], Number.POSITIVE_INFINITY)) return false;
    }
    if (type !== "object") return true;
    const members = value as SchemaObject;
    if (list(b["required"]).some((name) => !Object.hasOwn(members, name as string))) return false;
    return Object.entries(members).every(([name, one]) => this.may_fulfil(one, property_of(b, name), depth + 1));
  }
}

/** The values that `const` or `enum` name. */
function values_of(schema: SchemaObject): unknown[] | undefined {
  if (Object.hasOwn(schema, "const")) return [schema["const"]];
  return schema["enum"] === undefined ? undefined : list(schema["enum"]);
}

const types_of = ({ type }: SchemaObject): unknown[] => (type === undefined ? TYPES : list(type).map(wide));

interface Range {
  low: number;
  high: number;
  /** Bounds that do not belong to it. */
  open: number[];
}

function range_of(schema: SchemaObject): Range {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const low = Math.max(bound(minimum, Number.NEGATIVE_INFINITY), bound(exclusiveMinimum, Number.NEGATIVE_INFINITY));
  const high = Math.min(bound(maximum, Number.POSITIVE_INFINITY), bound(exclusiveMaximum, Number.POSITIVE_INFINITY));
  const open = [
    exclusiveMinimum === true ? low : exclusiveMinimum,
    exclusiveMaximum === true ? high : exclusiveMaximum,
  ];
  return { low, high, open: open.filter((one) => typeof one === "number") };
}

function are_apart(a: Range, b: Range): boolean {
  const after = (x: Range, y: Range) =>
    x.low > y.high || (x.low === y.high && (x.open.includes(x.low) || y.open.includes(y.high)));
  return after(a, b) || after(b, a);
}

function item_of(schema: SchemaObject, index: number): unknown {
  const { items, prefixItems, additionalItems } = schema;
  const tuple = Array.isArray(items) ? items : list(prefixItems);
  return tuple[index] ?? (Array.isArray(items) ? additionalItems : items) ?? true;
}

/** What a property must fulfil. */
function property_of(schema: SchemaObject, name: string): unknown {
  const { properties, patternProperties, additionalProperties } = schema;
  if (is_object(properties) && Object.hasOwn(properties, name)) return properties[name];
  return is_object(patternProperties) ? true : (additionalProperties ?? true);
}

/** Objects of the grammar have no other properties than those that the schema names, unless it says so. */
function never_has(schema: SchemaObject, name: string): boolean {
  const { properties = {}, patternProperties, additionalProperties, required } = schema;
  if (Object.hasOwn(properties as object, name) || list(required).includes(name)) return false;
  if (patternProperties !== undefined) return false;
  const is_closed = Object.keys(properties as object).length > 0 || list(required).length > 0;
  return additionalProperties === false || (additionalProperties === undefined && is_closed);
}
