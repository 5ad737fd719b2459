// The words that Whisper's tokens spell, for their times.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/whisper/tokenization_whisper.py (_combine_tokens_into_words)
import { strip } from "./python_text.js";
import type { WhisperTokenizerFast } from "./whisper.js";

/** A word and the places of its tokens. */
export interface Word {
  text: string;
  indices: number[];
}

const WITHOUT_SPACES = new Set(["chinese", "japanese", "thai", "lao", "myanmar", "cantonese"]);
const PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
const BEFORE = "\"'“¡¿([{-";
const BEHIND = "\"'.。,，!！?？:：”)]}、";
const BROKEN = "\ufffd";

/** The smallest runs of tokens that are whole characters. */
function split_on_characters(tokenizer: WhisperTokenizerFast, tokens: readonly number[]): Word[] {
  const text_of = (ids: readonly number[]) => tokenizer.decode(ids, { decode_with_timestamps: true });
  const whole = Array.from(text_of(tokens));
  const words: Word[] = [];
  let indices: number[] = [];
  let offset = 0;
  tokens.forEach((_, i) => {
    indices.push(i);
    const text = text_of(tokens.slice(indices[0]!, i + 1));
    const characters = Array.from(text);
    const broken = characters.indexOf(BROKEN);
    // A sign of a broken character that the whole text has too is one.
    if (broken >= 0 && whole[offset + broken] !== BROKEN) return;
    words.push({ text, indices });
    indices = [];
    offset += characters.length;
  });
  return words;
}

function join_words(words: readonly Word[], is_start: (word: Word) => boolean): Word[] {
  const joined: Word[] = [];
  for (const word of words) {
    if (joined.length === 0 || is_start(word)) joined.push({ text: word.text, indices: [...word.indices] });
    else {
      joined.at(-1)!.text += word.text;
      joined.at(-1)!.indices.push(...word.indices);
    }
  }
  return joined;
}

/** Punctuation goes to the word that it opens or closes. */
function merge_punctuation(words: Word[]): Word[] {
  const put = (target: Word, source: Word, before: boolean) => {
    target.text = before ? source.text + target.text : target.text + source.text;
    target.indices = before ? [...source.indices, ...target.indices] : [...target.indices, ...source.indices];
    source.text = "";
    source.indices = [];
  };
  for (let i = words.length - 2, j = words.length - 1; i >= 0; i--) {
    const { text } = words[i]!;
    if (text.startsWith(" ") && BEFORE.includes(strip(text))) put(words[j]!, words[i]!, true);
    else j = i;
  }
  for (let i = 0, j = 1; j < words.length; j++) {
    if (!words[i]!.text.endsWith(" ") && BEHIND.includes(words[j]!.text)) put(words[i]!, words[j]!, false);
    else i = j;
  }
  return words.filter((word) => word.text !== "");
}

/** The words of a text in `language`, by default the tokenizer's or else English. */
export function words_of_tokens(
  tokenizer: WhisperTokenizerFast,
  tokens: readonly number[],
  language: string | null,
): Word[] {
  const parts = split_on_characters(tokenizer, tokens);
  if (WITHOUT_SPACES.has(language ?? tokenizer.language ?? "english")) return merge_punctuation(parts);
  const eos = tokenizer.eos_token_id!;
  const is_start = ({ text, indices }: Word) =>
    tokens[indices[0]!]! >= eos || text.startsWith(" ") || PUNCTUATION.includes(strip(text));
  return merge_punctuation(join_words(parts, is_start));
}
