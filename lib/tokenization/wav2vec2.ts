// https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/wav2vec2/tokenization_wav2vec2.py
import { dump_json } from "../python_json.js";
import { AddedToken, type Token } from "./added_token.js";
import type { DecodeOptions, Ids } from "./base.js";
import { clean_up_tokenization } from "./clean_up.js";
import { strip } from "./python_text.js";
import { inverse, PreTrainedTokenizer, vocabulary } from "./slow.js";
import { read_vocab_file } from "./slow_parts.js";
import { to_lists } from "./tensors.js";

export interface CharOffset {
  char: string;
  /** In frames; the end is exclusive. */
  start_offset: number;
  end_offset: number;
}
export interface WordOffset {
  word: string;
  start_offset: number;
  end_offset: number;
}
/** The text, with the offsets that were asked for. */
export interface Wav2Vec2CTCTokenizerOutput {
  text: string;
  char_offsets?: CharOffset[];
  word_offsets?: WordOffset[];
}
/** The same of a batch: each field a list. */
export type Wav2Vec2CTCTokenizerBatchOutput = {
  [K in keyof Wav2Vec2CTCTokenizerOutput]: NonNullable<Wav2Vec2CTCTokenizerOutput[K]>[];
};

export interface CTCDecodeOptions extends DecodeOptions {
  /** One token of a run of equal ones. Default: true. */
  group_tokens?: boolean;
  /** Default: false. */
  spaces_between_special_tokens?: boolean;
  output_char_offsets?: boolean;
  output_word_offsets?: boolean;
}
type WithOffsets = CTCDecodeOptions & ({ output_char_offsets: true } | { output_word_offsets: true });

/** Letters of a speech model: a call spells a text, `decode` reads the frames' best tokens (CTC). */
export class Wav2Vec2CTCTokenizer extends PreTrainedTokenizer {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names = { vocab_file: "vocab.json" };
  static override readonly keywords = {
    bos_token: "<s>",
    eos_token: "</s>",
    unk_token: "<unk>",
    pad_token: "<pad>",
    word_delimiter_token: "|",
    replace_word_delimiter_char: " ",
    do_lower_case: false,
    target_lang: null,
  };

  word_delimiter_token: string;
  replace_word_delimiter_char: string;
  do_lower_case: boolean;
  target_lang: string | null;
  /** The content of vocab.json: one vocabulary, or one for each language. */
  readonly #file: Record<string, unknown>;

  /** Takes the path of vocab.json as `vocab_file`; with `target_lang`, it holds a vocabulary for each language. */
  constructor(keywords: Record<string, unknown>) {
    const { vocab_file, ...given } = keywords;
    const kwargs = { ...Wav2Vec2CTCTokenizer.keywords, ...given };
    const file = read_vocab_file(vocab_file, "vocab_file");
    super(kwargs, vocabulary(kwargs.target_lang === null ? file : language(file, kwargs.target_lang), "vocab.json"));
    this.#file = file;
    this.word_delimiter_token = String(kwargs.word_delimiter_token);
    this.replace_word_delimiter_char = String(kwargs.replace_word_delimiter_char);
    this.do_lower_case = kwargs.do_lower_case;
    this.target_lang = kwargs.target_lang;
    this.#keep_whole();
  }

  /** Tokens of several characters are not spelled. */
  #keep_whole(): void {
    const long = [...this.encoder.keys()].filter((token) => Array.from(token).length > 1);
    this.add_tokens(long.map((token) => new AddedToken(token, { rstrip: true, lstrip: true, normalized: false })));
  }

  /** Those that are there already get the flags that they are added with now. */
  override add_tokens(tokens: Token | readonly Token[], options: { special_tokens?: boolean } = {}): number {
    const list = (Array.isArray(tokens) ? tokens : [tokens]) as readonly Token[];
    const as_added = (token: Token) =>
      typeof token === "string" ? new AddedToken(token, { normalized: false }) : token;
    return super.add_tokens(list.map(as_added), options);
  }

  get word_delimiter_token_id(): number | null {
    return this.convert_tokens_to_ids(this.word_delimiter_token);
  }

  /** Takes another language's vocabulary of the same file. */
  set_target_lang(target_lang: string): void {
    if (this.target_lang === null) {
      throw new TypeError("The vocabulary is not a multi-lingual, nested one. Cannot set target language.");
    }
    this.encoder = vocabulary(language(this.#file, target_lang), "vocab.json");
    this.decoder = inverse(this.encoder);
    this.target_lang = this.init_kwargs["target_lang"] = target_lang;
    this.#keep_whole();
  }

  override get vocab_size(): number {
    return this.decoder.size;
  }

  protected override prepare_for_tokenization(text: string, is_split_into_words: boolean): string {
    return is_split_into_words ? ` ${text}` : text;
  }

  protected override _tokenize(text: string): string[] {
    const upper = this.do_lower_case ? text.toUpperCase() : text;
    return Array.from(upper.replaceAll(" ", this.word_delimiter_token));
  }

  /** Frames to text; with offsets on request, counted in frames. */
  override decode(token_ids: Ids, options: WithOffsets): Wav2Vec2CTCTokenizerOutput;
  override decode(token_ids: Ids, options?: CTCDecodeOptions): string;
  override decode(token_ids: Ids, options: CTCDecodeOptions = {}): unknown {
    const { output_char_offsets, output_word_offsets } = options;
    if (!output_char_offsets && !output_word_offsets) return super.decode(token_ids, options);
    const output = this.#read(to_lists(token_ids) as number[], options);
    const clean = options.clean_up_tokenization_spaces ?? this.clean_up_tokenization_spaces;
    return clean ? { ...output, text: clean_up_tokenization(output.text) } : output;
  }

  override batch_decode(sequences: readonly Ids[] | object, options: WithOffsets): Wav2Vec2CTCTokenizerBatchOutput;
  override batch_decode(sequences: readonly Ids[] | object, options?: CTCDecodeOptions): string[];
  override batch_decode(sequences: readonly Ids[] | object, options: CTCDecodeOptions = {}): unknown {
    const rows = super.batch_decode(sequences, options) as unknown[];
    if (!options.output_char_offsets && !options.output_word_offsets) return rows;
    const outputs = rows as Record<string, unknown>[];
    return Object.fromEntries(Object.keys(outputs[0] ?? {}).map((key) => [key, outputs.map((output) => output[key])]));
  }

  protected override _decode(ids: number[], options: CTCDecodeOptions): string {
    return this.#read(ids, options).text;
  }

  #read(ids: number[], options: CTCDecodeOptions): Wav2Vec2CTCTokenizerOutput {
    const skip = options.skip_special_tokens ?? false;
    const special = new Set(this.all_special_tokens);
    const tokens = (this.convert_ids_to_tokens(ids, { skip_special_tokens: skip }) as string[]).filter(
      (token) => !(skip && token !== this.pad_token && special.has(token)),
    );
    return this.#read_tokens(tokens, options);
  }

  #read_tokens(tokens: readonly string[], options: CTCDecodeOptions): Wav2Vec2CTCTokenizerOutput {
    if (tokens.length === 0) return { text: "", char_offsets: [], word_offsets: [] };
    const runs = runs_of(tokens, options.group_tokens ?? true).filter(({ char }) => char !== this.pad_token);
    const space = this.replace_word_delimiter_char;
    const chars = runs.map((run) => ({ ...run, char: run.char === this.word_delimiter_token ? space : run.char }));
    const text = strip(chars.map(({ char }) => char).join(options.spaces_between_special_tokens ? " " : ""));
    return {
      text: this.do_lower_case ? text.toLowerCase() : text,
      ...(options.output_char_offsets && { char_offsets: chars }),
      ...(options.output_word_offsets && { word_offsets: words_of(chars, space) }),
    };
  }

  /** As in Python, which has an object here: the text, and null for the offsets that were not asked for. */
  // biome-ignore lint/suspicious/noExplicitAny: other tokenizers return the text alone
  override convert_tokens_to_string(tokens: readonly string[], options: CTCDecodeOptions = {}): any {
    return { char_offsets: null, word_offsets: null, ...this.#read_tokens(tokens, options) };
  }

  override vocabulary_files(): Record<string, string> {
    const json = dump_json(this.#file, { indent: 2, sort_keys: true, ensure_ascii: false });
    return { "vocab.json": `${json}\n` };
  }
}

function language(file: Record<string, unknown>, target_lang: string): object {
  const vocab = Object.hasOwn(file, target_lang) ? file[target_lang] : undefined;
  if (typeof vocab === "object" && vocab !== null) return vocab;
  throw new RangeError(`${target_lang} does not exist. Choose one of ${Object.keys(file).join(", ")}.`);
}

/** Runs of equal tokens, or each token, with the frames that they cover. */
export function runs_of(tokens: readonly string[], group: boolean): CharOffset[] {
  const runs: CharOffset[] = [];
  tokens.forEach((char, i) => {
    const last = runs.at(-1);
    if (group && last?.char === char) last.end_offset = i + 1;
    else runs.push({ char, start_offset: i, end_offset: i + 1 });
  });
  return runs;
}

/** Words between spaces. */
function words_of(chars: readonly CharOffset[], space: string): WordOffset[] {
  const words: WordOffset[] = [];
  let within = false;
  for (const { char, start_offset, end_offset } of chars) {
    const is_word = char !== space;
    if (is_word && within) {
      const word = words.at(-1)!;
      word.word += char;
      word.end_offset = end_offset;
    } else if (is_word) words.push({ word: char, start_offset, end_offset });
    within = is_word;
  }
  return words;
}
