// What each token adds to a text, for `stop_strings`.
import { expected } from "../errors.js";
import { type NativeTokenizer, type NativeTokenStrings, native } from "../native.js";

/** What is needed of a tokenizer. */
interface Vocabulary {
  /** Tokens, added ones included. */
  readonly length: number;
  get_vocab(): Record<string, number>;
  tokenize(text: string): string[];
  convert_tokens_to_string(tokens: string[]): string;
  /** The C++ engine, where there is one. */
  readonly _tokenizer?: Pick<NativeTokenizer, "token_texts">;
}

const PREFIX = "abcdef";
const made = new WeakMap<object, { length: number; strings: NativeTokenStrings }>();

/**
 * One string for each id: what decoding adds for the token after other text. Made once for each tokenizer, and anew when tokens were added.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/generation/stopping_criteria.py `clean_tokenizer_vocab`
 */
export function token_strings(tokenizer: unknown): NativeTokenStrings {
  const vocabulary = tokenizer as Vocabulary;
  if (typeof vocabulary?.get_vocab !== "function") throw expected("the model's tokenizer", "tokenizer", tokenizer);
  const known = made.get(vocabulary);
  if (known?.length === vocabulary.length) return known.strings;
  const before = vocabulary.tokenize(PREFIX);
  const texts = vocabulary._tokenizer?.token_texts(before, PREFIX) ?? texts_of(vocabulary, before);
  const strings = new (native().TokenStrings)(texts);
  made.set(vocabulary, { length: vocabulary.length, strings });
  return strings;
}

/** The same of a tokenizer that is written in JavaScript. */
function texts_of(vocabulary: Vocabulary, before: string[]): (string | null)[] {
  const strings: (string | null)[] = [];
  for (const [token, id] of Object.entries(vocabulary.get_vocab())) {
    const text = vocabulary.convert_tokens_to_string([...before, token]);
    while (strings.length <= id) strings.push(null);
    strings[id] = text.slice(text.indexOf(PREFIX) + PREFIX.length);
  }
  return strings;
}
