// Tokenizers to compare: those of the fixtures, and variants of them with other components.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const read = (path) => JSON.parse(readFileSync(fileURLToPath(new URL(`../fixtures/${path}`, import.meta.url)), "utf8"));
const fixture = (name) => read(`tokenizers/${name}/tokenizer.json`);

const split = (regex, behavior = "Isolated", invert = false) => ({ type: "Split", pattern: { Regex: regex }, behavior, invert });
const byte_level = (use_regex, add_prefix_space = false) => ({ type: "ByteLevel", add_prefix_space, trim_offsets: true, use_regex });
const after = (...pretokenizers) => ({ type: "Sequence", pretokenizers: [...pretokenizers, byte_level(false)] });

export const PATTERNS = {
  gpt2: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  cl100k:
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+",
  llama3:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  qwen2:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  qwen35:
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  o200k:
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  tekken:
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
};

const DEEPSEEK_V3 = [
  split("\\p{N}{1,3}"),
  split("[一-龥぀-ゟ゠-ヿ]+"),
  split(
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
  ),
];
const DEEPSEEK_LLM = [
  split("[\r\n]"),
  split("\\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-\u1f7dᾀ-ᾴᾶ-ᾼ\u1fbeῂ-ῄῆ-ῌῐ-\u1fd3ῖ-\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+"),
  split("\\s?[!-/:-~！-／：-～‘-‟　-。]+"),
  split("\\s+$"),
  split("[一-龥ࠀ-一가-퟿]+"),
  { type: "Digits", individual_digits: true },
];

// What the hand-written scanners do not know: possessive quantifiers, look-around, options, classes, back references.
export const OTHER_PATTERNS = [
  "\\w+|[^\\w\\s]+", "(?<=\\s)\\S+", "(?<![a-z])\\d+", "[^\\s]++", "(?>a+)b?", "(a|ab)(c|bcd)*", "^\\s+|\\s+$", "\\s*$", "^", "(?i)hello|ΣΊΣυφος|[k-s]+",
  "(.)\\1", "[[:alpha:]&&[^aeiou]]+", "\\p{Han}+|\\p{^L}", "\\X*?"
    .replace("\\X", "."), "a{2,3}", "a{2,}?", "(?m:.+)", "\\b\\w", "[\\x{4e00}-\\x{9fff}]", "(?<q>['\"]).*?\\k<q>", "\\R", "\\h+", "[\\p{Lu}&&\\p{Latin}]", "",
]; // biome-ignore format: a table

/** All tokenizers by name. */
export function families() {
  const [gpt2, legacy, metaspace, llama3, qwen2] = ["gpt2", "llama2-legacy", "llama2-metaspace", "llama3", "qwen2"].map(fixture);
  const all = { gpt2, "llama2-legacy": legacy, "llama2-metaspace": metaspace, llama3, qwen2 };
  for (const [name, regex] of Object.entries(PATTERNS)) all[`pattern ${name}`] = { ...gpt2, pre_tokenizer: after(split(regex)) };
  all["deepseek v3"] = { ...gpt2, pre_tokenizer: after(...DEEPSEEK_V3) };
  all["deepseek llm"] = { ...gpt2, pre_tokenizer: after(...DEEPSEEK_LLM) };
  for (const regex of OTHER_PATTERNS) all[`regex ${regex}`] = { ...gpt2, pre_tokenizer: after(split(regex, "Removed"), split(regex, "MergedWithPrevious", true)) };
  for (const type of ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt"]) {
    all[`normalizer ${type}`] = { ...legacy, normalizer: { type: "Sequence", normalizers: [{ type }, ...legacy.normalizer.normalizers] } };
  }
  const normalizers = {
    strip: { type: "Strip", strip_left: true, strip_right: true },
    "strip left": { type: "Strip", strip_left: true, strip_right: false },
    "strip right": { type: "Strip", strip_left: false, strip_right: true },
    bert: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    "replace regex": { type: "Replace", pattern: { Regex: "\\s{2,}" }, content: "_" },
    "replace anchor": { type: "Replace", pattern: { Regex: "^" }, content: "ab" },
    "byte level": { type: "ByteLevel" },
    precompiled: { type: "Precompiled", precompiled_charsmap: read("slow_tokenizers/precompiled.json").rules },
  };
  for (const [name, normalizer] of Object.entries(normalizers)) all[`normalizer ${name}`] = { ...metaspace, normalizer };
  all["normalizer byte level, gpt2"] = { ...gpt2, normalizer: { type: "ByteLevel" }, pre_tokenizer: null };
  const behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"];
  const pre_tokenizers = {
    Whitespace: { type: "Whitespace" },
    WhitespaceSplit: { type: "WhitespaceSplit" },
    BertPreTokenizer: { type: "BertPreTokenizer" },
    digits: { type: "Digits", individual_digits: false },
    "individual digits": { type: "Digits", individual_digits: true },
    UnicodeScripts: { type: "UnicodeScripts" },
    FixedLength: { type: "FixedLength", length: 3 },
    delimiter: { type: "CharDelimiterSplit", delimiter: "▁" },
    "byte level twice": { type: "Sequence", pretokenizers: [byte_level(true), byte_level(true, true)] },
  };
  for (const behavior of behaviors) {
    pre_tokenizers[`punctuation ${behavior}`] = { type: "Punctuation", behavior };
    for (const invert of [false, true]) pre_tokenizers[`split ${behavior} ${invert}`] = { type: "Split", pattern: { String: "a" }, behavior, invert };
  }
  for (const scheme of ["first", "never", "always"]) {
    for (const divided of [false, true]) {
      pre_tokenizers[`metaspace ${scheme} ${divided}`] = { type: "Metaspace", replacement: "▁", prepend_scheme: scheme, split: divided };
    }
  }
  for (const [name, pre_tokenizer] of Object.entries(pre_tokenizers)) all[`pre-tokenizer ${name}`] = { ...metaspace, pre_tokenizer };
  const decoders = {
    "word piece": { type: "WordPiece", prefix: "▁", cleanup: false },
    metaspace: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
    "metaspace never": { type: "Metaspace", replacement: "▁", prepend_scheme: "never", split: true },
    bpe: { type: "BPEDecoder", suffix: "e" },
    ctc: { type: "CTC", pad_token: "<s>", word_delimiter_token: "▁", cleanup: true },
    "replace regex": { type: "Replace", pattern: { Regex: "[aeiou]" }, content: "*" },
    fallback: { type: "Sequence", decoders: [{ type: "ByteFallback" }, { type: "Strip", content: "▁", start: 2, stop: 0 }, { type: "Fuse" }] },
  };
  for (const [name, decoder] of Object.entries(decoders)) all[`decoder ${name}`] = { ...metaspace, decoder };
  all["no decoder"] = { ...metaspace, decoder: null };
  all["no post-processor"] = { ...metaspace, post_processor: null };
  all["pre-tokenizer prefix space"] = { ...gpt2, pre_tokenizer: byte_level(true, true), post_processor: byte_level(true, true) };
  const options = (model, changes) => ({ ...model, model: { ...model.model, ...changes } });
  const few = (json, keep) => {
    const vocab = Object.fromEntries(Object.entries(json.model.vocab).filter(([token]) => keep(token)));
    const merges = json.model.merges.filter((merge) => {
      const [a, b] = typeof merge === "string" ? merge.split(" ") : merge;
      return a in vocab && b in vocab && a + b in vocab;
    });
    return options(json, { vocab, merges });
  };
  all["unk fused"] = options(legacy, { byte_fallback: false, fuse_unk: true });
  all["unk not fused"] = options(legacy, { byte_fallback: false, fuse_unk: false });
  all["no unk"] = options(legacy, { byte_fallback: false, unk_token: null });
  all["some bytes"] = few(options(legacy, { fuse_unk: true }), (token) => !/^<0x[89A-F]/.test(token));
  all["byte level with gaps"] = few(gpt2, (token) => [...token].length > 1 || !/[a-fà-ÿ]/.test(token));
  const words = Object.keys(metaspace.model.vocab);
  const numbered = (tokens) => Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id]));
  all["word level"] = { ...metaspace, pre_tokenizer: { type: "Whitespace" }, model: { type: "WordLevel", vocab: numbered(words), unk_token: "<unk>" } };
  const plain = Object.keys(gpt2.model.vocab).map((token) => token.replaceAll("Ġ", "").toLowerCase()).filter((token) => token !== "");
  const parts = numbered(["[UNK]", "[CLS]", "[SEP]", ...plain, ...plain.map((token) => `##${token}`), "##", "中", "##界"]);
  const token = (name) => [name, parts[name]];
  all["word piece"] = {
    ...gpt2,
    added_tokens: [],
    normalizer: normalizers.bert,
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: { type: "BertProcessing", sep: token("[SEP]"), cls: token("[CLS]") },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 20, vocab: parts },
  };
  all["word piece, roberta"] = {
    ...all["word piece"],
    post_processor: { type: "RobertaProcessing", sep: token("[SEP]"), cls: token("[CLS]"), trim_offsets: true, add_prefix_space: false },
  };
  const scored = words.map((word, id) => [word, -((id * 7919) % 97) / 8 - 1 / [...word].length]);
  for (const byte_fallback of [false, true]) {
    all[`unigram ${byte_fallback}`] = { ...metaspace, model: { type: "Unigram", unk_id: 0, vocab: scored, byte_fallback } };
  }
  all["unigram without splitting"] = { ...legacy, model: { type: "Unigram", unk_id: 0, vocab: scored, byte_fallback: false } };
  // What Python makes of SentencePiece models, and what stands in older files.
  const sequence = (...normalizers) => ({ type: "Sequence", normalizers });
  const replaced = (pattern, content) => ({ type: "Replace", pattern, content });
  const metaspaced = (prepend_scheme, split = true) => ({ type: "Metaspace", replacement: "▁", prepend_scheme, split });
  const after_spaces = (item) => ({ type: "Sequence", pretokenizers: [{ type: "WhitespaceSplit" }, item] });
  const strip_right = normalizers["strip right"];
  const charsmap = normalizers.precompiled;
  const joined = replaced({ Regex: " {2,}" }, "▁");
  const chains = {
    "precompiled, strip, join": [sequence(charsmap, strip_right, joined), metaspaced("always")],
    "precompiled, first": [charsmap, metaspaced("first")],
    "precompiled, words": [charsmap, after_spaces(metaspaced("always"))],
    "precompiled, first word": [charsmap, after_spaces(metaspaced("first", false))],
    "quotes, accents, case": [
      sequence(replaced({ String: "''" }, '"'), { type: "NFKD" }, { type: "StripAccents" }, { type: "Lowercase" }, charsmap, replaced({ Regex: " {2,}" }, " ")),
      metaspaced("always"),
    ],
    "nmt, never": [sequence({ type: "Nmt" }, { type: "NFKC" }), metaspaced("never")],
    "spaces from letters": [sequence(replaced({ String: "e" }, " "), replaced({ String: "a" }, "bcd"), replaced({ String: "t" }, ""), joined), metaspaced("first")],
  };
  for (const [name, [normalizer, pre_tokenizer]] of Object.entries(chains)) {
    all[`unigram, ${name}`] = { ...metaspace, normalizer, pre_tokenizer, model: { type: "Unigram", unk_id: 0, vocab: scored, byte_fallback: false } };
    all[`bpe, ${name}`] = { ...metaspace, normalizer, pre_tokenizer };
  }
  const marked = replaced({ String: " " }, "▁");
  all["bpe, split at spaces that are gone"] = { ...legacy, normalizer: marked, pre_tokenizer: { type: "Split", pattern: { String: " " }, behavior: "MergedWithPrevious", invert: false } };
  all["bpe, strip and prepend"] = { ...legacy, normalizer: sequence(strip_right, { type: "Prepend", prepend: "▁" }, marked) };
  all["bpe, prepend twice"] = { ...legacy, normalizer: sequence({ type: "Prepend", prepend: "ab" }, { type: "Prepend", prepend: "▁" }, marked) };
  all["ignore merges"] = options(llama3, { ignore_merges: true });
  return all;
}

/** Texts to embed in random strings: the added tokens and some more of the vocabulary. */
export function embedded(json) {
  return (json.added_tokens ?? []).map((token) => token.content);
}
