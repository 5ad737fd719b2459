import type { NativeTokenizer } from "../../lib/native.js";

interface Difference {
  name: string;
  ours: unknown;
  rust: unknown;
}
export function differences(ours: NativeTokenizer, rust: unknown, text: string, pair?: string | null): Promise<Difference[]>;
export function both(
  Tokenizer: new (content: string | Uint8Array) => NativeTokenizer,
  json: object,
  compiled?: boolean,
): { ours: NativeTokenizer; rust: unknown };
