// Tokenizers of speech models that spell phonemes or letters, which Python has only in Python: VITS, Wav2Vec2Phoneme.
// Python turns texts into phonemes with the package phonemizer: here they must be phonemes already.
import { TransformersError, warn_once } from "../errors.js";
import { dump_json } from "../python_json.js";
import { AddedToken, type Token } from "./added_token.js";
import type { DecodeOptions, Ids } from "./base.js";
import { clean_up_tokenization } from "./clean_up.js";
import { strip } from "./python_text.js";
import { ordered_vocabulary, PreTrainedTokenizer, type Vocabulary } from "./slow.js";
import { to_lists } from "./tensors.js";
import { type CharOffset, runs_of } from "./wav2vec2.js";

type Keywords = Record<string, unknown>;

const vocabulary_files = (vocabulary: Vocabulary) => {
  const json = dump_json(Object.fromEntries(vocabulary), { indent: 2, sort_keys: true, ensure_ascii: false });
  return { "vocab.json": `${json}\n` };
};
const no_phonemes = (class_name: string) =>
  new TransformersError(
    `${class_name}: texts become phonemes by the Python package phonemizer, which has no counterpart here. Load the` +
      " tokenizer with { phonemize: false } (Wav2Vec2Phoneme: { do_phonemize: false }) and give it phonemes",
    "not_supported",
  );

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/vits/tokenization_vits.py */
export class VitsTokenizer extends PreTrainedTokenizer {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names = { vocab_file: "vocab.json" };
  static override readonly keywords = {
    pad_token: "<pad>",
    unk_token: "<unk>",
    language: null,
    add_blank: true,
    normalize: true,
    phonemize: true,
    is_uroman: false,
  };

  readonly language: string | null;
  /** A token with id 0 before, between and behind the characters. */
  add_blank: boolean;
  /** Lower case, and only characters of the vocabulary. */
  normalize: boolean;
  phonemize: boolean;
  is_uroman: boolean;

  constructor({ vocab_file, ...keywords }: Keywords) {
    const kwargs: Keywords = { ...VitsTokenizer.keywords, ...keywords };
    super(kwargs, ordered_vocabulary(vocab_file, "vocab_file"));
    this.language = kwargs["language"] as string | null;
    this.add_blank = Boolean(kwargs["add_blank"]);
    this.normalize = Boolean(kwargs["normalize"]);
    this.phonemize = Boolean(kwargs["phonemize"]);
    this.is_uroman = Boolean(kwargs["is_uroman"]);
  }

  /** Lower case, except in tokens of the vocabulary; the first of those that fit. */
  normalize_text(text: string): string {
    const tokens = [...this.encoder.keys(), ...Object.keys(this.added_tokens_encoder)].filter((token) => token !== "");
    let result = "";
    for (let at = 0; at < text.length; ) {
      const token = tokens.find((token) => text.startsWith(token, at));
      const part = token ?? String.fromCodePoint(text.codePointAt(at)!);
      result += token ?? part.toLowerCase();
      at += part.length;
    }
    return result;
  }

  protected override prepare_for_tokenization(given: string): string {
    const normalized = this.normalize ? this.normalize_text(given) : given;
    const text = this.language === "ron" ? normalized.replaceAll("ț", "ţ") : normalized;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
    if (this.is_uroman && /[^\x00-\x7F]/.test(text)) {
      warn_once(
        "Text to the tokenizer contains non-Roman characters. Apply the `uroman` Romanizer manually as per the" +
          " instructions: https://github.com/isi-nlp/uroman",
      );
    }
    if (this.phonemize) throw no_phonemes("VitsTokenizer");
    if (!this.normalize) return text;
    return strip(
      Array.from(text)
        .filter((character) => this.encoder.has(character))
        .join(""),
    );
  }
  protected override _tokenize(text: string): string[] {
    const tokens = Array.from(text);
    if (!this.add_blank) return tokens;
    const blank = this.convert_id_to_token(0)!;
    return [blank, ...tokens.flatMap((token) => [token, blank])];
  }
  protected override convert_id_to_token(id: number): string | null {
    return this.decoder.get(id) ?? null;
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return tokens.filter((_, i) => !this.add_blank || tokens.length < 2 || i % 2 === 1).join("");
  }
  override vocabulary_files(): Record<string, string> {
    return vocabulary_files(this.encoder);
  }
}

export interface PhonemeDecodeOptions extends DecodeOptions {
  /** One token of a run of equal ones. Default: true. */
  group_tokens?: boolean;
  /** Default: true. */
  filter_word_delimiter_token?: boolean;
  output_char_offsets?: boolean;
}
export interface Wav2Vec2PhonemeCTCTokenizerOutput {
  text: string;
  char_offsets: CharOffset[];
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/wav2vec2_phoneme/tokenization_wav2vec2_phoneme.py */
export class Wav2Vec2PhonemeCTCTokenizer extends PreTrainedTokenizer {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names = { vocab_file: "vocab.json" };
  static override readonly keywords = {
    bos_token: "<s>",
    eos_token: "</s>",
    unk_token: "<unk>",
    pad_token: "<pad>",
    phone_delimiter_token: " ",
    word_delimiter_token: null,
    do_phonemize: true,
    phonemizer_lang: "en-us",
    phonemizer_backend: "espeak",
  };

  word_delimiter_token: string | null;
  phone_delimiter_token: string | null;
  /** True: texts cannot be encoded. Frames are decoded all the same. */
  do_phonemize: boolean;

  constructor({ vocab_file, ...keywords }: Keywords) {
    const kwargs: Keywords = { ...Wav2Vec2PhonemeCTCTokenizer.keywords, ...keywords };
    super(kwargs, ordered_vocabulary(vocab_file, "vocab_file"));
    this.word_delimiter_token = kwargs["word_delimiter_token"] as string | null;
    this.phone_delimiter_token = kwargs["phone_delimiter_token"] as string | null;
    this.do_phonemize = Boolean(kwargs["do_phonemize"]);
  }

  override get vocab_size(): number {
    return this.decoder.size;
  }
  override add_tokens(tokens: Token | readonly Token[], options: { special_tokens?: boolean } = {}): number {
    const list = (Array.isArray(tokens) ? tokens : [tokens]) as readonly Token[];
    const flags = { normalized: true, special: options.special_tokens ?? false };
    return super.add_tokens(
      list.map((token) => (typeof token === "string" ? new AddedToken(token, flags) : token)),
      options,
    );
  }
  protected override prepare_for_tokenization(text: string, is_split_into_words: boolean): string {
    return is_split_into_words ? ` ${text}` : text;
  }
  protected override _tokenize(text: string): string[] {
    if (this.do_phonemize) throw no_phonemes("Wav2Vec2PhonemeCTCTokenizer");
    return strip(text)
      .split(" ")
      .filter((token) => strip(token) !== "");
  }

  /** Frames to phonemes; with offsets on request, counted in frames. */
  override decode(
    token_ids: Ids,
    options: PhonemeDecodeOptions & { output_char_offsets: true },
  ): Wav2Vec2PhonemeCTCTokenizerOutput;
  override decode(token_ids: Ids, options?: PhonemeDecodeOptions): string;
  override decode(token_ids: Ids, options: PhonemeDecodeOptions = {}): unknown {
    if (!options.output_char_offsets) return super.decode(token_ids, options);
    const output = this.#read(to_lists(token_ids) as number[], options);
    const clean = options.clean_up_tokenization_spaces ?? this.clean_up_tokenization_spaces;
    return clean ? { ...output, text: clean_up_tokenization(output.text) } : output;
  }
  override batch_decode(sequences: readonly Ids[] | object, options: PhonemeDecodeOptions = {}): string[] {
    const rows = super.batch_decode(sequences, options) as unknown[];
    if (!options.output_char_offsets) return rows as string[];
    const outputs = rows as Wav2Vec2PhonemeCTCTokenizerOutput[];
    const fields = { text: outputs.map(({ text }) => text), char_offsets: outputs.map((row) => row.char_offsets) };
    return fields as unknown as string[];
  }

  protected override _decode(ids: number[], options: PhonemeDecodeOptions): string {
    return this.#read(ids, options).text;
  }
  #read(ids: number[], options: PhonemeDecodeOptions): Wav2Vec2PhonemeCTCTokenizerOutput {
    const { skip_special_tokens = false, group_tokens = true, filter_word_delimiter_token: filter = true } = options;
    const tokens = this.convert_ids_to_tokens(ids, { skip_special_tokens }) as string[];
    const chars = runs_of(tokens, group_tokens).filter(
      ({ char }) => char !== this.pad_token && !(filter && char === this.word_delimiter_token),
    );
    return { text: strip(chars.map(({ char }) => char).join(" ")), char_offsets: chars };
  }
  override vocabulary_files(): Record<string, string> {
    return vocabulary_files(this.encoder);
  }
}
