import type { NativeTokenizer } from "../native.js";

/** A part of a tokenizer.json, such as `{ type: "ByteLevel", … }`. */
export type Component = { type: string; [key: string]: unknown };

/** Everything in a tokenizer.json but the model and the added tokens, which are large and belong to the engine. */
export interface TokenizerHeader {
  truncation: { max_length: number; stride: number; strategy: string; direction: "Left" | "Right" } | null;
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

export const NO_PARTS: Readonly<TokenizerHeader> = Object.freeze({
  truncation: null,
  padding: null,
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
});

/** The small parts of what the engine has read, with every option that the file left to its default. */
export function read_header(engine: NativeTokenizer): TokenizerHeader {
  const all = JSON.parse(engine.to_json(false, false)) as TokenizerHeader;
  const parts = Object.keys(NO_PARTS) as (keyof TokenizerHeader)[];
  return Object.fromEntries(parts.map((part) => [part, all[part]])) as unknown as TokenizerHeader;
}
