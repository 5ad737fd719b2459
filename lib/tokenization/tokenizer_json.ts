import { TransformersError } from "../errors.js";

/** A part of a tokenizer.json, such as `{ type: "ByteLevel", … }`. */
export type Component = { type: string; [key: string]: unknown };

/** Everything in a tokenizer.json but the model and the added tokens, which are large and belong to the engine. */
export interface TokenizerHeader {
  truncation: { max_length: number; stride: number; strategy: string; direction?: "Left" | "Right" } | null;
  padding: {
    strategy: "BatchLongest" | { Fixed: number };
    direction: "Left" | "Right";
    pad_to_multiple_of: number | null;
    pad_id: number;
    pad_type_id: number;
    pad_token: string;
  } | null;
  normalizer: Component | null;
  pre_tokenizer: Component | null;
  post_processor: Component | null;
  decoder: Component | null;
}

const PARTS = ["truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder"] as const;

/** The small parts of a tokenizer.json that has an empty vocabulary. */
export function parse_header(json: string): TokenizerHeader {
  const all = JSON.parse(json) as Record<string, unknown>;
  return Object.fromEntries(PARTS.map((part) => [part, all[part] ?? null])) as unknown as TokenizerHeader;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const is_space = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/**
 * Reads the small parts without parsing the vocabulary, which is hundreds of times their size: finds the top-level values
 * by their brackets, and stops when all are found. The engine has the last word on whether the file is well-formed.
 */
export function read_header(json: Uint8Array): TokenizerHeader {
  const header: Record<string, unknown> = Object.fromEntries(PARTS.map((part) => [part, null]));
  const missing = new Set<string>(PARTS);
  const text = new TextDecoder();
  let at = 0;
  const skip_space = () => {
    while (at < json.length && is_space(json[at]!)) at++;
  };
  const skip_string = () => {
    for (at++; at < json.length && json[at] !== QUOTE; at++) if (json[at] === BACKSLASH) at++;
    at++;
  };
  const skip_value = () => {
    let depth = 0;
    do {
      skip_space();
      const byte = json[at]!;
      if (byte === QUOTE) skip_string();
      else if (byte === 0x7b || byte === 0x5b) {
        depth++;
        at++;
      } else if (byte === 0x7d || byte === 0x5d) {
        depth--;
        at++;
      } else if (byte === 0x2c || byte === 0x3a) at++;
      else while (at < json.length && !is_space(json[at]!) && !",:]}".includes(String.fromCharCode(json[at]!))) at++;
    } while (depth > 0 && at < json.length);
  };
  skip_space();
  if (json[at] !== 0x7b) throw new TransformersError("A tokenizer.json must hold a JSON object", "tokenizer_invalid");
  at++;
  while (missing.size > 0 && at < json.length) {
    skip_space();
    if (json[at] !== QUOTE) break;
    const key_start = at;
    skip_string();
    const key = json.subarray(key_start + 1, at - 1);
    skip_space();
    at++; // the colon
    skip_space();
    const start = at;
    skip_value();
    const name = key.length < 20 ? text.decode(key) : "";
    if (missing.delete(name)) header[name] = parse(text.decode(json.subarray(start, at)), name);
    skip_space();
    at++; // the comma
  }
  return header as unknown as TokenizerHeader;
}

function parse(json: string, part: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new TransformersError(`The ${part} of the tokenizer.json is not JSON`, "tokenizer_invalid", cause);
  }
}
