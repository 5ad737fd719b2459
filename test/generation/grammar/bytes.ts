// A grammar over a vocabulary of single bytes, and some longer tokens.
import { json_schema_to_grammar, type ResponseFormat, response_format_to_grammar } from "../../../lib/index.js";
import { type NativeGrammar, native } from "../../../lib/native.js";

export const BYTES = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
const encoder = new TextEncoder();

/** Ids 0 to 255 are the bytes; then come `texts`; `special` are among the ids. */
export function grammar_of(text: string, texts: (string | Uint8Array)[] = [], special: number[] = []): NativeGrammar {
  const tokens = [...BYTES, ...texts.map((one) => (typeof one === "string" ? encoder.encode(one) : one))];
  let end = 0;
  const ends = Uint32Array.from(tokens, (token) => (end += token.length));
  const bytes = new Uint8Array(end);
  tokens.forEach((token, i) => {
    bytes.set(token, ends[i] - token.length);
  });
  return new (native().Grammar)(text, new (native().GrammarVocabulary)(bytes, ends, special));
}

export const grammar_of_schema = (schema: object | boolean): NativeGrammar =>
  grammar_of(json_schema_to_grammar(schema));
export const grammar_of_format = (format: ResponseFormat): NativeGrammar =>
  grammar_of(response_format_to_grammar(format) as string);
