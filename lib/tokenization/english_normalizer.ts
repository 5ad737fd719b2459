// Whisper's normalizer of English transcripts, for comparing them word by word.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/whisper/english_normalizer.py
import { english_numbers } from "./english_numbers.js";
import { SPACE } from "./python_text.js";
import { letters_without_marks } from "./whisper_normalizer.js";

/** Patterns and what they become, in this order. */
const CONTRACTIONS: readonly (readonly [pattern: string, text: string])[] = [
  ["won't", "will not"],
  ["can't", "can not"],
  ["let's", "let us"],
  ["ain't", "aint"],
  ["y'all", "you all"],
  ["wanna", "want to"],
  ["gotta", "got to"],
  ["gonna", "going to"],
  ["i'ma", "i am going to"],
  ["imma", "i am going to"],
  ["woulda", "would have"],
  ["coulda", "could have"],
  ["shoulda", "should have"],
  ["ma'am", "madam"],
  ["mr", "mister "],
  ["mrs", "missus "],
  ["st", "saint "],
  ["dr", "doctor "],
  ["prof", "professor "],
  ["capt", "captain "],
  ["gov", "governor "],
  ["ald", "alderman "],
  ["gen", "general "],
  ["sen", "senator "],
  ["rep", "representative "],
  ["pres", "president "],
  ["rev", "reverend "],
  ["hon", "honorable "],
  ["asst", "assistant "],
  ["assoc", "associate "],
  ["lt", "lieutenant "],
  ["col", "colonel "],
  ["jr", "junior "],
  ["sr", "senior "],
  ["esq", "esquire "],
].map(([word, text]) => [`${BOUNDARY()}${word}${BOUNDARY()}`, text!] as const);
const ENDINGS: readonly (readonly [pattern: string, text: string])[] = [
  ["'d been", " had been"],
  ["'s been", " has been"],
  ["'d gone", " had gone"],
  ["'s gone", " has gone"],
  ["'d done", " had done"],
  ["'s got", " has got"],
  ["n't", " not"],
  ["'re", " are"],
  ["'s", " is"],
  ["'d", " would"],
  ["'ll", " will"],
  ["'t", " not"],
  ["'ve", " have"],
  ["'m", " am"],
].map(([ending, text]) => [`${ending}${BOUNDARY()}`, text!] as const);

/** Python's \b, which goes by letters and digits of all scripts. */
function BOUNDARY(): string {
  const word = "[\\p{L}\\p{N}_]";
  return `(?:(?<=${word})(?!${word})|(?<!${word})(?=${word}))`;
}

const REPLACERS = [...CONTRACTIONS, ...ENDINGS].map(([pattern, text]) => [new RegExp(pattern, "gu"), text] as const);
const FILLERS = new RegExp(`${BOUNDARY()}(hmm|mm|mhm|mmm|uh|um)${BOUNDARY()}`, "gu");
const SPACES = new RegExp(`[${SPACE}]+`, "gu");
const SPACES_BEFORE_APOSTROPHE = new RegExp(`[${SPACE}]+'`, "gu");
const KEPT = ".%$¢€£";

/** The text in one spelling: lower case, no fillers, contractions and numbers written one way. */
export function english_normalize(text: string, spellings: Readonly<Record<string, string>>): string {
  let s = text
    .toLowerCase()
    .replace(/[<[][^>\]]*[>\]]/g, "")
    .replace(/\(([^)]+?)\)/g, "")
    .replace(FILLERS, "")
    .replace(SPACES_BEFORE_APOSTROPHE, "'");
  for (const [pattern, replacement] of REPLACERS) s = s.replace(pattern, replacement);
  s = s.replace(/(\p{Nd}),(\p{Nd})/gu, "$1$2").replace(/\.([^0-9]|$)/gu, " $1");
  s = letters_without_marks(s, KEPT);
  s = english_numbers(s);
  const words = s.split(SPACES).filter((word) => word !== "");
  s = words.map((word) => (Object.hasOwn(spellings, word) ? spellings[word] : word)).join(" ");
  return s
    .replace(/[.$¢€£]([^0-9])/gu, " $1")
    .replace(/([^0-9])%/gu, "$1 ")
    .replace(SPACES, " ");
}
