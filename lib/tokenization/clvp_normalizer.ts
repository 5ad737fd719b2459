// English texts as CLVP reads them aloud: ASCII in lower case, numbers and short forms as words.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/clvp/number_normalizer.py
import { SPACE } from "./python_text.js";

const SHORT_FORMS = Object.entries({
  mrs: "misess", mr: "mister", dr: "doctor", st: "saint", co: "company", jr: "junior", maj: "major", gen: "general",
  drs: "doctors", rev: "reverend", lt: "lieutenant", hon: "honorable", sgt: "sergeant", capt: "captain", esq: "esquire",
  ltd: "limited", col: "colonel", ft: "fort",
}).map(([form, word]) => [new RegExp(`\\b${form}\\.`, "g"), word] as const); // biome-ignore format: a table
const ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(" "); // biome-ignore format: a table
const TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
const GROUPS = ["thousand", "million", "billion", "trillion", "quadrillion"];
const SPACES = new RegExp(`[${SPACE}]+`, "g");

/** 0 or more, as words. */
function words_of_number(n: bigint): string {
  if (n < 20n) return ONES[Number(n)]!;
  const with_rest = (head: string, glue: string, rest: bigint) =>
    rest === 0n ? head : `${head}${glue}${words_of_number(rest)}`;
  if (n < 100n) return with_rest(TENS[Number(n / 10n)]!, "-", n % 10n);
  if (n < 1000n) return with_rest(`${ONES[Number(n / 100n)]} hundred`, " ", n % 100n);
  let unit = 1000n;
  for (const name of GROUPS) {
    if (n < unit * 1000n) return with_rest(`${words_of_number(n / unit)} ${name}`, ", ", n % unit);
    unit *= 1000n;
  }
  return "number out of range";
}

function dollars(amount: string): string {
  const parts = amount.split(".");
  if (parts.length > 2) return `${amount} dollars`;
  const [whole, cents] = [BigInt(parts[0] || 0), BigInt(parts[1] || 0)];
  const named = (n: bigint, unit: string) => `${n} ${n === 1n ? unit : `${unit}s`}`;
  const said = [...(whole ? [named(whole, "dollar")] : []), ...(cents ? [named(cents, "cent")] : [])];
  return said.join(", ") || "zero dollars";
}

function ordinal(digits: string): string {
  const n = BigInt(digits);
  const is_teen = n % 100n >= 10n && n % 100n <= 20n;
  const suffix = is_teen ? "th" : (["th", "st", "nd", "rd"][Number(n % 10n)] ?? "th");
  return `${words_of_number(n)}${suffix}`;
}

/** Years are read in hundreds. */
function number(digits: string): string {
  const n = BigInt(digits);
  if (n <= 1000n || n >= 3000n || n === 2000n) return words_of_number(n);
  if (n > 2000n && n < 2010n) return `two thousand ${words_of_number(n % 100n)}`;
  return n % 100n === 0n ? `${words_of_number(n / 100n)} hundred` : words_of_number(n);
}

export function normalize_english(given: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  let text = given.replace(/[^\x00-\x7f]/g, "").toLowerCase();
  text = text.replace(/[0-9][0-9,]+[0-9]/g, (match) => match.replaceAll(",", ""));
  text = text.replace(/£([0-9,]*[0-9])/g, "$1 pounds");
  text = text.replace(/\$([0-9.,]*[0-9])/g, (_, amount: string) => dollars(amount));
  text = text.replace(/[0-9]+\.[0-9]+/g, (match) => match.replace(".", " point "));
  text = text.replace(/([0-9]+)(?:st|nd|rd|th)/g, (_, digits: string) => ordinal(digits));
  text = text.replace(/[0-9]+/g, number);
  for (const [form, word] of SHORT_FORMS) text = text.replace(form, word);
  return text.replace(SPACES, " ").replaceAll('"', "");
}
