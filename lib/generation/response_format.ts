// The option `response_format`: what an answer must look like.
import { expected, from_native, out_of_range } from "../errors.js";
import { type NativeGrammar, type NativeGrammarVocabulary, type NativeTokenizer, native } from "../native.js";
import { json_object_grammar, json_schema_to_grammar } from "./grammar/json_schema.js";
import { parse_regex } from "./grammar/regex.js";
import { regex_to_gbnf } from "./grammar/regex_to_gbnf.js";
import type { Schema } from "./grammar/schema_merge.js";

/** As in OpenAI's API, and beyond it a regular expression or a grammar for the whole answer. */
export type ResponseFormat =
  | { type: "text" }
  | { type: "json_object" }
  | { type: "json_schema"; json_schema: { schema: object | boolean; [field: string]: unknown } }
  | { type: "regex"; regex: string | RegExp }
  | { type: "regex"; pattern: string | RegExp }
  /** In llama.cpp's notation (GBNF), from the rule `root`. */
  | { type: "grammar"; grammar: string };

const ARGUMENT = "response_format";
const TYPES = "an object with the type text, json_object, json_schema, regex or grammar";

/** The grammar (GBNF) of a response format; null for any text. @throws TypeError, RangeError that name what is wrong. */
export function response_format_to_grammar(format: ResponseFormat): string | null {
  if (typeof format !== "object" || format === null) throw expected(TYPES, ARGUMENT, format);
  const fields = format as { type: unknown; [field: string]: unknown };
  switch (fields.type) {
    case "text":
      return null;
    case "json_object":
      return json_object_grammar();
    case "json_schema": {
      // OpenAI's two forms: under `json_schema`, or beside the type.
      const holder = (fields["json_schema"] ?? fields) as { schema?: unknown } | null;
      const schema = holder?.schema;
      if (typeof schema !== "boolean" && (typeof schema !== "object" || schema === null))
        throw expected("a JSON schema", `${ARGUMENT}.json_schema.schema`, schema);
      return json_schema_to_grammar(schema as Schema, ARGUMENT);
    }
    case "regex":
      return regex_grammar(fields["regex"] ?? fields["pattern"]);
    case "grammar":
      if (typeof fields["grammar"] !== "string")
        throw expected("a grammar as a string", `${ARGUMENT}.grammar`, fields["grammar"]);
      return fields["grammar"];
    default:
      throw out_of_range(TYPES, ARGUMENT, fields.type);
  }
}

function regex_grammar(regex: unknown): string {
  const argument = `${ARGUMENT}.regex`;
  if (typeof regex !== "string" && !(regex instanceof RegExp))
    throw expected("a regular expression (a string or a RegExp)", argument, regex);
  const flags = typeof regex === "string" ? "" : regex.flags;
  if (/[mvy]/.test(flags)) throw out_of_range("a regular expression without the flags m, v and y", argument, regex);
  const pattern = typeof regex === "string" ? regex : regex.source;
  const tree = parse_regex(pattern, argument, { ignore_case: flags.includes("i"), dot_all: flags.includes("s") });
  return `root ::= ${regex_to_gbnf(tree, { argument, pattern, json: false, search: false })}\n`;
}

/** What is needed of a tokenizer. */
interface Vocabulary {
  /** Tokens, added ones included. */
  readonly length: number;
  readonly all_special_ids: readonly number[];
  readonly added_tokens_decoder?: Record<number, { special: boolean }>;
  get_vocab(): Record<string, number>;
  convert_tokens_to_string(tokens: string[]): string;
  tokenize(text: string): string[];
  /** The C++ engine, where there is one. */
  readonly _tokenizer?: Pick<NativeTokenizer, "token_bytes">;
}

interface Compiled {
  length: number;
  vocabulary: NativeGrammarVocabulary;
  /** The last ones used, by their text. */
  grammars: Map<string, NativeGrammar>;
}

const KEPT_GRAMMARS = 16;
const compiled = new WeakMap<object, Compiled>();

/** The bytes that each token adds to a text behind others; made once for each tokenizer, and anew when tokens were added. */
function compile(tokenizer: unknown): Compiled {
  const vocabulary = tokenizer as Vocabulary;
  if (typeof vocabulary?.get_vocab !== "function") throw expected("the model's tokenizer", "tokenizer", tokenizer);
  const known = compiled.get(vocabulary);
  if (known?.length === vocabulary.length) return known;
  const special = new Set(vocabulary.all_special_ids);
  for (const [id, token] of Object.entries(vocabulary.added_tokens_decoder ?? {}))
    if (token.special) special.add(Number(id));
  // A grammar names control tokens by what they are called.
  const { bytes, ends } = vocabulary._tokenizer?.token_bytes([...special]) ?? token_bytes(vocabulary, special);
  const result = {
    length: vocabulary.length,
    vocabulary: new (native().GrammarVocabulary)(bytes, ends, [...special]),
    grammars: new Map<string, NativeGrammar>(),
  };
  compiled.set(vocabulary, result);
  return result;
}

/** What `NativeTokenizer.token_bytes` gives, of a tokenizer that is written in JavaScript. */
function token_bytes(vocabulary: Vocabulary, special: ReadonlySet<number>): ReturnType<NativeTokenizer["token_bytes"]> {
  const encoder = new TextEncoder();
  const before = vocabulary.tokenize("a");
  const prefix = vocabulary.convert_tokens_to_string(before);
  const texts: Uint8Array[] = [];
  for (const [token, id] of Object.entries(vocabulary.get_vocab())) {
    const text = special.has(id) ? token : vocabulary.convert_tokens_to_string([...before, token]).slice(prefix.length);
    texts[id] = encoder.encode(text);
  }
  const ends = new Uint32Array(texts.length);
  let end = 0;
  for (let id = 0; id < texts.length; id++) ends[id] = end += texts[id]?.length ?? 0;
  const bytes = new Uint8Array(end);
  texts.forEach((text, id) => {
    bytes.set(text, ends[id] - text.length);
  });
  return { bytes, ends };
}

/**
 * The grammar that keeps generation to `format`; undefined if there is nothing to keep to.
 * @throws TypeError, RangeError that name what is wrong.
 */
export function response_grammar(format: unknown, tokenizer: unknown): NativeGrammar | undefined {
  if (format === undefined || format === null) return undefined;
  const text = response_format_to_grammar(format as ResponseFormat);
  if (text === null) return undefined;
  if (tokenizer === undefined || tokenizer === null)
    throw new TypeError(
      "Expected the model's tokenizer for the argument `tokenizer`, which response_format needs, but received none",
    );
  const { grammars, vocabulary } = compile(tokenizer);
  let grammar = grammars.get(text);
  if (!grammar) {
    try {
      grammar = new (native().Grammar)(text, vocabulary);
    } catch (error) {
      throw from_native(error);
    }
  }
  grammars.delete(text);
  grammars.set(text, grammar);
  if (grammars.size > KEPT_GRAMMARS) grammars.delete(grammars.keys().next().value as string);
  return grammar;
}
