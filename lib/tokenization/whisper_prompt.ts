// The tokens before the text of a transcript, which tell Whisper what to do.
// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/whisper/tokenization_whisper.py

/** In the order of their tokens' ids. */
const LANGUAGES = (
  "en english, zh chinese, de german, es spanish, ru russian, ko korean, fr french, ja japanese, pt portuguese, " +
  "tr turkish, pl polish, ca catalan, nl dutch, ar arabic, sv swedish, it italian, id indonesian, hi hindi, fi " +
  "finnish, vi vietnamese, he hebrew, uk ukrainian, el greek, ms malay, cs czech, ro romanian, da danish, hu " +
  "hungarian, ta tamil, no norwegian, th thai, ur urdu, hr croatian, bg bulgarian, lt lithuanian, la latin, mi " +
  "maori, ml malayalam, cy welsh, sk slovak, te telugu, fa persian, lv latvian, bn bengali, sr serbian, az " +
  "azerbaijani, sl slovenian, kn kannada, et estonian, mk macedonian, br breton, eu basque, is icelandic, hy " +
  "armenian, ne nepali, mn mongolian, bs bosnian, kk kazakh, sq albanian, sw swahili, gl galician, mr marathi, " +
  "pa punjabi, si sinhala, km khmer, sn shona, yo yoruba, so somali, af afrikaans, oc occitan, ka georgian, be " +
  "belarusian, tg tajik, sd sindhi, gu gujarati, am amharic, yi yiddish, lo lao, uz uzbek, fo faroese, ht " +
  "haitian creole, ps pashto, tk turkmen, nn nynorsk, mt maltese, sa sanskrit, lb luxembourgish, my myanmar, bo " +
  "tibetan, tl tagalog, mg malagasy, as assamese, tt tatar, haw hawaiian, ln lingala, ha hausa, ba bashkir, jw " +
  "javanese, su sundanese, yue cantonese"
)
  .split(", ")
  .map((entry) => [entry.slice(0, entry.indexOf(" ")), entry.slice(entry.indexOf(" ") + 1)] as const);

/** English names by code. */
export const LANGUAGE_NAMES: ReadonlyMap<string, string> = new Map(LANGUAGES);

const CODES = new Map<string, string>([
  ...LANGUAGES.map(([code, name]) => [name, code] as const),
  ["burmese", "my"],
  ["valencian", "ca"],
  ["flemish", "nl"],
  ["haitian", "ht"],
  ["letzeburgesch", "lb"],
  ["pushto", "ps"],
  ["panjabi", "pa"],
  ["moldavian", "ro"],
  ["moldovan", "ro"],
  ["sinhalese", "si"],
  ["castilian", "es"],
  ["mandarin", "zh"],
]);
const TASKS = ["translate", "transcribe"];

export interface WhisperPrompt {
  /** A name such as "spanish" or a code such as "es". */
  language: string | null;
  task: string | null;
  predict_timestamps: boolean;
}

function language_code(language: string): string {
  const lower = language.toLowerCase();
  const code = CODES.get(lower) ?? (LANGUAGES.some(([code]) => code === lower) ? lower : undefined);
  if (code !== undefined) return code;
  const known = lower.length === 2 ? [...CODES.values()] : [...CODES.keys()];
  throw new RangeError(`Unsupported language: ${lower}. Language should be one of: ${known.join(", ")}.`);
}

/** The ids of the prompt. `id_of` gives those of tokens, languages follow the first. */
export function prompt_ids({ language, task, predict_timestamps }: WhisperPrompt, id_of: (token: string) => number) {
  if (task !== null && !TASKS.includes(task))
    throw new RangeError(`Unsupported task: ${task}. Task should be in: ${TASKS.join(", ")}`);
  const start = id_of("<|startoftranscript|>");
  const ids = [start];
  if (language !== null) {
    const code = language_code(language);
    ids.push(start + 1 + LANGUAGES.findIndex(([other]) => other === code));
  }
  if (task !== null) ids.push(id_of(`<|${task}|>`));
  if (!predict_timestamps) ids.push(id_of("<|notimestamps|>"));
  return ids;
}
