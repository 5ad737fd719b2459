// A validator of JSON schemas, for the keywords that the tests use.
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonSchema = boolean | { [keyword: string]: unknown };

const FORMATS: Record<string, (text: string) => boolean> = {
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)),
  "date-time": (text) =>
    /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text.replace(/(\.\d{3})\d*/, "$1"))),
  uuid: (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
  ipv4: (text) =>
    text.split(".").length === 4 && text.split(".").every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256),
  email: (text) => /^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$/.test(text),
};
const type_of = (value: Json): string => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function pointed(ref: string, root: JsonSchema): JsonSchema {
  const keys = ref === "#" ? [] : decodeURIComponent(ref.slice(2)).split("/");
  let at = root as { [key: string]: JsonSchema };
  for (const key of keys) at = at[key.replaceAll("~1", "/")] as typeof at;
  return at;
}

export function valid(value: Json, schema: JsonSchema, root: JsonSchema = schema): boolean {
  if (typeof schema === "boolean") return schema;
  // biome-ignore lint/suspicious/noExplicitAny: keywords of all types
  const s = schema as any;
  const check = (one: Json, sub: JsonSchema) => valid(one, sub, root);
  if (s.$ref !== undefined && !check(value, pointed(s.$ref, root))) return false;
  if (s.type !== undefined) {
    const types = [s.type].flat();
    const fits = types.includes(type_of(value)) || (types.includes("integer") && Number.isInteger(value));
    if (!fits) return false;
  }
  if (s.const !== undefined && !same(value, s.const)) return false;
  if (s.enum && !s.enum.some((one: Json) => same(one, value))) return false;
  if (s.allOf && !s.allOf.every((one: JsonSchema) => check(value, one))) return false;
  if (s.anyOf && !s.anyOf.some((one: JsonSchema) => check(value, one))) return false;
  if (s.oneOf && s.oneOf.filter((one: JsonSchema) => check(value, one)).length !== 1) return false;
  if (typeof value === "number") {
    if (value < (s.minimum ?? -Infinity) || value > (s.maximum ?? Infinity)) return false;
    if (value <= (s.exclusiveMinimum ?? -Infinity) || value >= (s.exclusiveMaximum ?? Infinity)) return false;
  }
  if (typeof value === "string") {
    const length = Array.from(value).length;
    if (length < (s.minLength ?? 0) || length > (s.maxLength ?? Infinity)) return false;
    if (s.pattern && !new RegExp(s.pattern, "u").test(value)) return false;
    if (s.format && !FORMATS[s.format](value)) return false;
  }
  if (Array.isArray(value)) {
    if (value.length < (s.minItems ?? 0) || value.length > (s.maxItems ?? Infinity)) return false;
    const first: JsonSchema[] = s.prefixItems ?? [];
    if (!value.every((one, i) => check(one, first[i] ?? s.items ?? true))) return false;
  }
  if (type_of(value) === "object") {
    const object = value as { [key: string]: Json };
    const names = Object.keys(object);
    if ((s.required ?? []).some((name: string) => !Object.hasOwn(object, name))) return false;
    if (names.length < (s.minProperties ?? 0) || names.length > (s.maxProperties ?? Infinity)) return false;
    for (const name of names) {
      if (s.propertyNames && !check(name, s.propertyNames)) return false;
      const patterns = Object.entries(s.patternProperties ?? {}).filter(([pattern]) =>
        new RegExp(pattern, "u").test(name),
      );
      const own = Object.hasOwn(s.properties ?? {}, name) ? [s.properties[name]] : [];
      const schemas = [...own, ...patterns.map(([, sub]) => sub)] as JsonSchema[];
      if (schemas.length === 0) schemas.push(s.additionalProperties ?? true);
      if (!schemas.every((sub) => check(object[name], sub))) return false;
    }
  }
  return true;
}
