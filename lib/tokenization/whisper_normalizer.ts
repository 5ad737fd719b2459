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

/**
 * A text for comparing transcripts: in lower case, without punctuation, symbols and what is in brackets.
 * https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/whisper/english_normalizer.py
 * (BasicTextNormalizer)
 */
export function basic_normalize(text: string, remove_diacritics = false): string {
  const words = text.toLowerCase().replace(BRACKETS, "").replace(PARENTHESES, "");
  const clean = remove_diacritics
    ? Array.from(words.normalize("NFKD"), (c) => LETTERS[c] ?? c)
        .join("")
        .replace(/\p{Mn}/gu, "")
        .replace(SYMBOLS, " ")
    : words.normalize("NFKC").replace(SYMBOLS, " ");
  return clean.toLowerCase().replace(/\s+/g, " ");
}
