// biome-ignore lint/suspicious/noExplicitAny: a tokenizer.json is what it is
export type TokenizerJson = Record<string, any>;
export function families(): Record<string, TokenizerJson>;
export function embedded(json: TokenizerJson): string[];
export const PATTERNS: Record<string, string>;
export const OTHER_PATTERNS: string[];
