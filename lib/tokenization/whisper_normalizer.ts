const BRACKETS = /[<[][^>\]]*[>\]]/g;
const PARENTHESES = /\([^)]+?\)/g;
const SYMBOLS = /[\p{M}\p{S}\p{P}]/gu;
/** Letters that normalisation does not take apart. */
const LETTERS: Record<string, string> = {
  œ: "oe",
  Œ: "OE",
  ø: "o",
  Ø: "O",
  æ: "ae",
  Æ: "AE",
  ß: "ss",
  ẞ: "SS",
  đ: "d",
  Đ: "D",
  ð: "d",
  Ð: "D",
  þ: "th",
  Þ: "th",
  ł: "l",
  Ł: "L",
};

/** Letters without their marks, and a space for every symbol that is not in `kept`. */
export function letters_without_marks(text: string, kept = ""): string {
  return Array.from(text.normalize("NFKD"), (c) => {
    if (kept.includes(c)) return c;
    return (LETTERS[c] ?? c).replace(/\p{Mn}/gu, "").replace(SYMBOLS, " ");
  }).join("");
}

/**
 * A text for comparing transcripts: in lower case, without punctuation, symbols and what is in brackets.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/whisper/english_normalizer.py
 * (BasicTextNormalizer)
 */
export function basic_normalize(text: string, remove_diacritics = false): string {
  const words = text.toLowerCase().replace(BRACKETS, "").replace(PARENTHESES, "");
  const clean = remove_diacritics ? letters_without_marks(words) : words.normalize("NFKC").replace(SYMBOLS, " ");
  return clean.toLowerCase().replace(/\s+/g, " ");
}
