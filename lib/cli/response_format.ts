// The options that say what a text must look like, for `generate`.
import { readFileSync } from "node:fs";
import type { ResponseFormat } from "../generation/response_format.js";
import { type Options, UsageError, type Values } from "./arguments.js";

export const FORMAT_OPTIONS = {
  "json-schema": { type: "text", value: "FILE", help: "the text is JSON that fulfils the schema in the file" },
  grammar: { type: "text", value: "FILE", help: "the text is one of the grammar (GBNF) in the file" },
  regex: { type: "text", value: "PATTERN", help: "the whole text matches the regular expression" },
} satisfies Options;

/** @throws UsageError for several of them, and for files that cannot be read. */
export function response_format(values: Values<typeof FORMAT_OPTIONS>): ResponseFormat | undefined {
  const { "json-schema": schema, grammar, regex } = values;
  if ([schema, grammar, regex].filter((value) => value !== undefined).length > 1)
    throw new UsageError("--json-schema, --grammar and --regex exclude each other");
  if (regex !== undefined) return { type: "regex", regex };
  if (grammar !== undefined) return { type: "grammar", grammar: read("--grammar", grammar) };
  if (schema === undefined) return undefined;
  const text = read("--json-schema", schema);
  try {
    return { type: "json_schema", json_schema: { schema: JSON.parse(text) as object } };
  } catch (error) {
    throw new UsageError(`--json-schema ${schema}: not JSON: ${(error as Error).message}`);
  }
}

function read(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${option}: cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
}
