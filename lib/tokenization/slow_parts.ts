// What the readers of Python's slow tokenizers' files share.
import { readFileSync } from "node:fs";
import { expected, TransformersError } from "../errors.js";

export const invalid = (what: string, cause?: unknown) => new TransformersError(what, "tokenizer_invalid", cause);
/** Python's lines of a text file: \r\n and \r end a line too. */
export const lines = (text: string) => text.replace(/\r\n?/g, "\n").split("\n");
export const family_of = (class_name: string) => class_name.replace(/Tokenizer(Fast)?$/, "");

export function not_supported(class_name: string, files: string): TransformersError {
  return new TransformersError(
    `Making a ${class_name} from ${files} is not supported: it needs a tokenizer.json`,
    "not_supported",
  );
}

export function no_token(token: unknown): TransformersError {
  return invalid(`The vocabulary has no token "${String(token)}", which the tokenizer needs`);
}

export const empty_parts = { version: "1.0", truncation: null, padding: null, added_tokens: [] };

/** The JSON of a vocabulary's file. Throws TransformersError{tokenizer_not_found | tokenizer_invalid}. */
export function read_vocab_file(path: unknown, argument: string): Record<string, unknown> {
  if (typeof path !== "string") throw expected("the path of a vocabulary", argument, path);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new TransformersError(`${path} is not valid JSON: ${(cause as Error).message}`, "tokenizer_invalid", cause);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TransformersError(`${path} must hold an object of tokens and their ids`, "tokenizer_invalid");
}
