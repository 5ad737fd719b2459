// Tweets as BERTweet was trained on: NLTK's TweetTokenizer, and what BERTweet makes of its tokens.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/bertweet/tokenization_bertweet.py
import { HTML_ENTITIES } from "./html_entities.js";
import { words_of } from "./python_text.js";

// Classes of Python's package `regex`.
const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
const LETTER = `(?:(?![\\p{Nd}_])[${WORD}])`;
const SPACE = "\\p{White_Space}";
const MOUTH = String.raw`[)\](\[dDpP/:}{@|\\]`;
const NESTED = String.raw`\([^${SPACE}()]*?\([^${SPACE}()]+\)[^${SPACE}()]*?\)`;
const IN_BRACKETS = String.raw`\([^${SPACE}]+?\)`;

// The dotted and the dotless i are letters of ASCII for Python where case does not matter.
const AZ = "a-zİı";

const PATTERNS = [
  // An address with its protocol or a slash, and a domain alone.
  String.raw`(?:https?:(?:/{1,3}|[${AZ}0-9%])|[${AZ}0-9.\-]+[.](?:[${AZ}]{2,13})/)` +
    String.raw`(?:[^${SPACE}()<>{}\[\]]+|${NESTED}|${IN_BRACKETS})+` +
    String.raw`(?:${NESTED}|${IN_BRACKETS}|[^${SPACE}\x60!()\[\]{};:'".,<>?«»“”‘’])`,
  String.raw`(?<!@)[${AZ}0-9]+(?:[.\-][${AZ}0-9]+)*[.](?:[${AZ}]{2,13})(?![${WORD}])/?(?!@)`,
  // A number of a telephone.
  String.raw`(?:\+?[01][ *\-.)]*)?(?:[(]?\p{Nd}{3}[ *\-.)]*)?\p{Nd}{3}[ *\-.)]*\p{Nd}{4}`,
  // Emoticons.
  String.raw`[<>]?[:;=8][\-o*']?${MOUTH}|${MOUTH}[\-o*']?[:;=8][<>]?|<3`,
  // Tags, arrows, users, topics, e-mail addresses.
  `<[^>${SPACE}]+>`,
  String.raw`[\-]+>|<[\-]+`,
  `@[${WORD}]+`,
  String.raw`#+[${WORD}]+[${WORD}'\-]*[${WORD}]+`,
  String.raw`[${WORD}.+\-]+@[${WORD}\-]+\.(?:[${WORD}\-]\.?)+[${WORD}\-]`,
  // Words with apostrophes and hyphens, numbers, other words, dots, what is left.
  String.raw`${LETTER}(?:${LETTER}|['\-_])+${LETTER}`,
  String.raw`[+\-]?\p{Nd}+[,/.:\-]\p{Nd}+[+\-]?`,
  `[${WORD}]+`,
  String.raw`\.(?:${`[${SPACE}]`}*\.)+`,
  `[^${SPACE}]`,
];
const TOKEN = new RegExp(PATTERNS.join("|"), "giu");
const LONG_RUN = /([^a-zA-Z0-9])\1{3,}/gu;
const ENTITY = /&(#?(x?))([^&;\p{White_Space}]+);/gu;
/** What Windows-1252 has for the bytes from 0x80 to 0x9f; a space where it has nothing. */
const WINDOWS = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

function entity(_match: string, numeric: string, hexadecimal: string, body: string): string {
  if (!numeric) return String.fromCodePoint(...([HTML_ENTITIES.get(body)].filter(Boolean) as number[]));
  const code = (hexadecimal ? /^[0-9a-f]+$/i : /^[0-9]+$/).test(body)
    ? Number.parseInt(body, hexadecimal ? 16 : 10)
    : -1;
  if (code >= 0x80 && code <= 0x9f) return WINDOWS[code - 0x80]!.trim();
  return code >= 0 && code < 0x110000 ? String.fromCodePoint(code) : "";
}

const PUNCTUATION: Record<string, string> = { "’": "'", "…": "..." };

function normalized_token(token: string): string {
  const lower = token.toLowerCase();
  if (token.startsWith("@")) return "@USER";
  return lower.startsWith("http") || lower.startsWith("www") ? "HTTPURL" : (PUNCTUATION[token] ?? token);
}

/** In this order, each everywhere. */
const SHORT_FORMS: readonly (readonly [string, string])[] = [
  ["cannot ", "can not "],
  ["n't ", " n't "],
  ["n 't ", " n't "],
  ["ca n't", "can't"],
  ["ai n't", "ain't"],
  ...["'m ", "'re ", "'s ", "'ll ", "'d ", "'ve "].map((form) => [form, ` ${form}`] as const),
  [" p . m .", "  p.m."],
  [" p . m ", " p.m "],
  [" a . m .", " a.m."],
  [" a . m ", " a.m "],
];

/** NLTK's tokens of a tweet. */
export function tweet_tokens(text: string): string[] {
  return text.replace(ENTITY, entity).replace(LONG_RUN, "$1$1$1").match(TOKEN) ?? [];
}

/** Users become `@USER`, addresses `HTTPURL`, short forms two words. Emoji stay: Python names them only with `emoji`. */
export function normalize_tweet(tweet: string): string {
  const plain = tweet.replaceAll("’", "'").replaceAll("…", "...");
  let text = tweet_tokens(plain).map(normalized_token).join(" ");
  for (const [from, to] of SHORT_FORMS) text = text.replaceAll(from, to);
  return words_of(text).join(" ");
}
