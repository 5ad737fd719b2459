// Which pre-tokenizer a GGUF file means by `tokenizer.ggml.pre`. The names are llama.cpp's (llama-vocab.cpp); the regular
// expressions are those of the original tokenizer.json files.
import type { Component } from "./tokenizer_json.js";

export interface GgufPreTokenizer {
  pre_tokenizer: Component;
  normalizer?: Component;
  ignore_merges?: boolean;
  add_bos_token?: boolean;
}

export const split = (Regex: string): Component => ({
  type: "Split",
  pattern: { Regex },
  behavior: "Isolated",
  invert: false,
});
export const byte_level = (use_regex: boolean): Component => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: false,
  use_regex,
});
const sequence = (...pretokenizers: Component[]): Component => ({ type: "Sequence", pretokenizers });
/** Splits one inside the other, then bytes. */
const splits = (...regexes: string[]): Component => sequence(...regexes.map(split), byte_level(false));
const digits: Component = { type: "Digits", individual_digits: true };

const SHORT_FORMS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const LINES = "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/** The family of cl100k: Llama 3, Qwen and many others differ in how many digits go together. */
const cl100k = (numbers: string): string =>
  `${SHORT_FORMS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|${LINES}`;
const QWEN35 = `${SHORT_FORMS}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|${LINES}`;
/** The family of o200k splits at changes of case. */
const o200k = (short_forms: string, numbers: string): string =>
  `[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+${short_forms}` +
  `|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*${short_forms}` +
  `|${numbers}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|${LINES}`;

// The letters of DeepSeek's first tokenizers: the cased ones of an older Unicode.
const CASED =
  "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛ" +
  "ὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗ" +
  "Ａ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃";

const GPT2 = sequence(byte_level(true));
const NFC: Component = { type: "NFC" };

/** Names of pre-tokenizers, separated by spaces. */
const TABLE: [names: string, GgufPreTokenizer][] = [
  [
    "gpt-2 phi-2 jina-es jina-de gigachat jina-v1-en jina-v2-es jina-v2-de jina-v2-code a.x-4.0 mellum modern-bert mpt olmo" +
      " jais trillion granite-docling exaone4 roberta-bpe",
    { pre_tokenizer: GPT2 },
  ],
  [
    "starcoder refact command-r smollm codeshell exaone minerva-7b mellum2",
    { pre_tokenizer: sequence(digits, byte_level(true)) },
  ],
  [
    "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
    { pre_tokenizer: splits(cl100k("\\p{N}{1,3}")), ignore_merges: true, add_bos_token: true },
  ],
  ["dbrx smaug-bpe glm4 chatglm-bpe", { pre_tokenizer: splits(cl100k("\\p{N}{1,3}")) }],
  [
    "qwen2 deepseek-r1-qwen kormo f2llmv2 stablelm2 megrez hunyuan solar-open grok-2",
    { pre_tokenizer: splits(cl100k("\\p{N}")), normalizer: NFC },
  ],
  ["qwen35", { pre_tokenizer: splits(QWEN35) }],
  ["tekken", { pre_tokenizer: splits(o200k("", "\\p{N}")), ignore_merges: true, add_bos_token: true }],
  ["gpt-4o llama4 kanana2 talkie minimax-m2", { pre_tokenizer: splits(o200k(`${SHORT_FORMS}?`, "\\p{N}{1,3}")) }],
  [
    "deepseek-llm",
    {
      pre_tokenizer: sequence(
        ...["[\r\n]", `\\s?[${CASED}]+`, "\\s?[!-/:-~！-／：-～‘-‟　-。]+", "\\s+$", "[一-龥ࠀ-一가-퟿]+"].map(split),
        digits,
        byte_level(false),
      ),
    },
  ],
  [
    "deepseek-coder",
    {
      pre_tokenizer: sequence(
        ...["[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+", "[一-龥ࠀ-一가-퟿]+"].map(split),
        digits,
        byte_level(false),
      ),
    },
  ],
  [
    "deepseek-v3 hunyuan-dense joyai-llm hy_v4",
    {
      pre_tokenizer: splits(
        "\\p{N}{1,3}",
        "[一-龥぀-ゟ゠-ヿ]+",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
      ),
    },
  ],
  [
    "falcon",
    {
      pre_tokenizer: sequence(
        { type: "Punctuation", behavior: "Contiguous" },
        byte_level(true),
        { type: "Digits", individual_digits: false },
        split("[0-9][0-9][0-9]"),
      ),
    },
  ],
];

const PRE_TOKENIZERS = new Map(
  TABLE.flatMap(([names, value]) => names.split(" ").map((name) => [name, value] as const)),
);

/** The pre-tokenizer of this name; undefined for one that is not known. */
export function gguf_pre_tokenizer(name: string): GgufPreTokenizer | undefined {
  return PRE_TOKENIZERS.get(name);
}

/** The steps of a pre-tokenizer in a form to compare: what splits, and how. */
function steps(component: Component | null): string[] {
  if (!component) return [];
  if (component.type === "Sequence") return (component["pretokenizers"] as Component[]).flatMap(steps);
  if (component.type === "ByteLevel") return [`bytes ${component["use_regex"] !== false}`];
  const { type, pattern, behavior, individual_digits } = component;
  return [JSON.stringify([type, pattern, type === "Split" ? null : behavior, individual_digits])];
}

/** llama.cpp's name for a tokenizer.json's pre-tokenizer; "default" for one that it has no name for. */
export function gguf_pre_tokenizer_name(pre_tokenizer: Component | null, normalizer: Component | null): string {
  const wanted = steps(pre_tokenizer).join();
  const found = TABLE.filter(([, value]) => steps(value.pre_tokenizer).join() === wanted);
  const exact = found.find(([, value]) => value.normalizer?.type === normalizer?.type) ?? found[0];
  return exact?.[0].split(" ")[0] ?? "default";
}
