// What each token of a vocabulary adds to a text: what stop strings are matched with.
import { type NativeTokenStrings, native } from "../native.js";

/** What this file needs of a tokenizer. */
interface Tokenizer {
  get_vocab(): Record<string, number>;
  tokenize(text: string): string[];
  convert_tokens_to_string(tokens: string[]): string;
}

/** A text that no tokenizer strips, so that the token after it keeps its leading space. */
const PREFIX = "abcdef";

const known = new WeakMap<Tokenizer, { size: number; strings: NativeTokenStrings }>();

/** Made once for each tokenizer and size of its vocabulary. Reference: StopStringCriteria.clean_tokenizer_vocab. */
export function token_strings(tokenizer: Tokenizer): NativeTokenStrings {
  const vocab = Object.entries(tokenizer.get_vocab());
  const last = known.get(tokenizer);
  if (last?.size === vocab.length) return last.strings;
  const base = tokenizer.tokenize(PREFIX);
  const texts: (string | null)[] = [];
  for (const [token, id] of vocab) {
    const text = tokenizer.convert_tokens_to_string([...base, token]);
    texts[id] = text.slice(text.indexOf(PREFIX) + PREFIX.length);
  }
  const strings = new (native().TokenStrings)(Array.from(texts, (text) => text ?? null));
  known.set(tokenizer, { size: vocab.length, strings });
  return strings;
}
