// Tokenizers of words that Python has only in Python: ESM, CTRL, BlenderbotSmall, Speech2Text2, PhoBERT, ProphetNet.

import { readFileSync } from "node:fs";
import { expected, from_native, TransformersError, warn_once } from "../errors.js";
import { type NativeTokenizer, native } from "../native.js";
import { dump_json } from "../python_json.js";
import type { MaskOptions } from "./base.js";
import { SENTENCE } from "./layout.js";
import { SPACE, strip, words_of } from "./python_text.js";
import { ordered_vocabulary, type Vocabulary } from "./slow.js";
import { type Ends, TokenizerWithEnds } from "./slow_ends.js";
import { invalid, lines } from "./slow_parts.js";
import { normalize_tweet } from "./tweets.js";

type Keywords = Record<string, unknown>;

const WORD = new RegExp(`[^${SPACE}]+\\n?`, "gu");
const NON_SPACE = new RegExp(`[^${SPACE}]+`, "gu");
/** The same for Python's package `regex`, which knows only Unicode's white space. */
const REGEX_WORD = /\P{White_Space}+\n?/gu;

function read_lines(path: unknown, argument: string): string[] {
  if (typeof path !== "string") throw expected("the path of a vocabulary", argument, path);
  const all = lines(readFileSync(path, "utf8"));
  if (all.at(-1) === "") all.pop();
  return all;
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/esm/tokenization_esm.py */
export class EsmTokenizer extends TokenizerWithEnds {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names = { vocab_file: "vocab.txt" };
  static override readonly keywords = {
    unk_token: "<unk>",
    cls_token: "<cls>",
    pad_token: "<pad>",
    mask_token: "<mask>",
    eos_token: "<eos>",
  };

  readonly #tokens: readonly string[];

  constructor({ vocab_file, ...keywords }: Keywords) {
    const tokens = read_lines(vocab_file, "vocab_file").map(strip);
    super({ ...EsmTokenizer.keywords, ...keywords }, new Map(tokens.map((token, id) => [token, id])));
    this.decoder = new Map(tokens.map((token, id) => [id, token]));
    this.#tokens = tokens;
  }

  override get vocab_size(): number {
    return this.#tokens.length;
  }
  /** Every token of the vocabulary is found within a text. */
  protected override unsplit_tokens(): readonly string[] {
    return [...super.unsplit_tokens(), ...this.#tokens.filter((token) => token !== "")];
  }
  protected override _ends(has_pair: boolean): Ends {
    const [cls, eos] = [this.cls_token_id!, this.eos_token_id];
    if (eos !== null) return { first: [cls], between: [eos], last: [eos] };
    if (!has_pair) return { first: [cls], between: null, last: [] };
    throw new TransformersError("Cannot tokenize multiple sequences when EOS token is not set!", "not_supported");
  }
  /** As in Python, with a 1 at the end where there is no eos_token too. */
  override get_special_tokens_mask(ids: readonly number[], options: MaskOptions = {}): number[] {
    const mask = super.get_special_tokens_mask(ids, options);
    return options.already_has_special_tokens || this.eos_token_id !== null ? mask : [...mask, 1];
  }
  protected override _tokenize(text: string): string[] {
    return words_of(text);
  }
  override vocabulary_files(): Record<string, string> {
    return { "vocab.txt": this.#tokens.join("\n") };
  }
}

/** BPE of words whose pieces but the last end with "@@". */
abstract class MergedWordsTokenizer extends TokenizerWithEnds {
  readonly #ranks: ReadonlyMap<string, number>;
  readonly #cache = new Map<string, string[]>();
  protected readonly word: RegExp = REGEX_WORD;

  /** `merges`: pairs of pieces, best first. */
  constructor(keywords: Keywords, vocabulary: Vocabulary, merges: readonly string[][]) {
    super(keywords, vocabulary);
    this.#ranks = new Map(merges.map((pair, rank) => [pair.join(" "), rank]));
  }

  protected override _ends(): Ends {
    return { first: [], between: null, last: [] };
  }

  protected pieces_of(word: string): string[] {
    const known = this.#cache.get(word);
    if (known) return known;
    let pieces = Array.from(word);
    if (pieces.length < 2) return [word];
    pieces[pieces.length - 1] += "</w>";
    while (pieces.length > 1) {
      let best = Number.POSITIVE_INFINITY;
      let pair = -1;
      for (let i = 0; i + 1 < pieces.length; i++) {
        const rank = this.#ranks.get(`${pieces[i]} ${pieces[i + 1]}`) ?? Number.POSITIVE_INFINITY;
        if (rank < best) [best, pair] = [rank, i];
      }
      if (pair < 0) break;
      pieces = merged(pieces, pieces[pair]!, pieces[pair + 1]!);
    }
    // Its end is no part of the last piece's name.
    const last = pieces.length - 1;
    const named = pieces.map((piece, i) => (i < last ? `${piece}@@` : piece.slice(0, -"</w>".length)));
    this.#cache.set(word, named);
    return named;
  }

  protected override _tokenize(text: string): string[] {
    return (text.match(this.word) ?? []).flatMap((word) => this.pieces_of(word));
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return strip(tokens.join(" ").replaceAll("@@ ", ""));
  }
  protected get merges(): string[] {
    return [...this.#ranks].sort(([, a], [, b]) => a - b).map(([pair]) => pair);
  }
  override vocabulary_files(): Record<string, string | { copy: string }> {
    const vocab = dump_json(Object.fromEntries(this.encoder), { indent: 2, sort_keys: true, ensure_ascii: false });
    return {
      "vocab.json": `${vocab}\n`,
      "merges.txt": `#version: 0.2\n${this.merges.map((pair) => `${pair}\n`).join("")}`,
    };
  }
}

/** All places of the pair become one piece. */
function merged(pieces: readonly string[], first: string, second: string): string[] {
  const result: string[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const joins = pieces[i] === first && pieces[i + 1] === second;
    result.push(joins ? first + second : pieces[i]!);
    if (joins) i++;
  }
  return result;
}

const MERGES = { vocab_file: "vocab.json", merges_file: "merges.txt" };
const merges_of = (path: unknown) => read_lines(path, "merges_file").slice(1).map(words_of);

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/ctrl/tokenization_ctrl.py */
export class CTRLTokenizer extends MergedWordsTokenizer {
  static override readonly vocab_files_names = MERGES;
  static override readonly keywords = { unk_token: "<unk>" };

  constructor({ vocab_file, merges_file, ...keywords }: Keywords) {
    const vocabulary = ordered_vocabulary(vocab_file, "vocab_file");
    super({ ...CTRLTokenizer.keywords, ...keywords }, vocabulary, merges_of(merges_file));
  }
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/blenderbot_small/tokenization_blenderbot_small.py */
export class BlenderbotSmallTokenizer extends MergedWordsTokenizer {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names = MERGES;
  static override readonly keywords = {
    bos_token: "__start__",
    eos_token: "__end__",
    unk_token: "__unk__",
    pad_token: "__null__",
  };

  constructor({ vocab_file, merges_file, ...keywords }: Keywords) {
    const vocabulary = ordered_vocabulary(vocab_file, "vocab_file");
    super({ ...BlenderbotSmallTokenizer.keywords, ...keywords }, vocabulary, merges_of(merges_file));
  }

  /** Punctuation stands alone, and so does the end of a line. */
  protected override pieces_of(word: string): string[] {
    const apart = word.replace(/([.,!?()])/g, " $1").replace(/(')/g, " $1 ");
    const parts = apart
      .replace(/\p{White_Space}{2,}/gu, " ")
      .replaceAll("\n", " __newln__")
      .split(" ");
    return parts.filter((part) => part !== "").flatMap((part) => super.pieces_of(part.toLowerCase()));
  }
  protected override convert_token_to_id(token: string): number | null {
    return super.convert_token_to_id(token.toLowerCase());
  }
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/deprecated/speech_to_text_2/tokenization_speech_to_text_2.py */
export class Speech2Text2Tokenizer extends MergedWordsTokenizer {
  protected override readonly word = NON_SPACE;
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names = MERGES;
  static override readonly optional_files = ["merges_file"];
  static override readonly keywords = {
    bos_token: "<s>",
    pad_token: "<pad>",
    eos_token: "</s>",
    unk_token: "<unk>",
    do_lower_case: false,
  };

  readonly #only_decodes: boolean;

  constructor({ vocab_file, merges_file, ...keywords }: Keywords) {
    const only_decodes = merges_file === undefined || merges_file === null;
    const merges = only_decodes ? [] : read_lines(merges_file, "merges_file").map((line) => words_of(line).slice(0, 2));
    super(
      { ...Speech2Text2Tokenizer.keywords, ...keywords },
      ordered_vocabulary(vocab_file, "vocab_file"),
      merges.filter((pair) => pair.length === 2),
    );
    this.#only_decodes = only_decodes;
  }

  override get vocab_size(): number {
    return this.decoder.size;
  }
  protected override _tokenize(text: string): string[] {
    if (!this.#only_decodes) return super._tokenize(text);
    throw new TypeError(
      "This tokenizer was instantiated without a `merges.txt` file, so that it can only be used for decoding, not for" +
        " encoding. Make sure to provide `merges.txt` file at instantiation to enable encoding.",
    );
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return tokens.join(" ").replaceAll("@@ ", "");
  }
  override vocabulary_files(): Record<string, string | { copy: string }> {
    const { "vocab.json": vocab } = super.vocabulary_files() as { "vocab.json": string };
    return {
      "vocab.json": vocab,
      ...(!this.#only_decodes && { "merges.txt": this.merges.map((pair) => `${pair}\n`).join("") }),
    };
  }
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/phobert/tokenization_phobert.py */
export class PhobertTokenizer extends MergedWordsTokenizer {
  protected override readonly word = WORD;
  static override readonly types_are_zero = true;
  static override readonly vocab_files_names = { vocab_file: "vocab.txt", merges_file: "bpe.codes" };
  static override readonly keywords = {
    ...SENTENCE,
  };

  readonly #files: Record<string, string>;

  constructor({ vocab_file, merges_file, ...keywords }: Keywords) {
    const kwargs: Keywords = { ...PhobertTokenizer.keywords, ...keywords };
    const first = [kwargs["bos_token"], kwargs["pad_token"], kwargs["eos_token"], kwargs["unk_token"]];
    const vocabulary = new Map(first.map((token, id) => [String(token), id]));
    for (const line of read_lines(vocab_file, "vocab_file").map(strip)) {
      const end = line.lastIndexOf(" ");
      if (end < 0) throw invalid("Incorrect dictionary format, expected '<token> <cnt>'");
      vocabulary.set(line.slice(0, end), vocabulary.size);
    }
    // The last number of a line is how often the pair was there.
    const merges = read_lines(merges_file, "merges_file").map((line) => words_of(line).slice(0, -1));
    super(kwargs, vocabulary, merges);
    this.#files = { "vocab.txt": String(vocab_file), "bpe.codes": String(merges_file) };
  }

  protected override _ends(): Ends {
    const [cls, sep] = [this.cls_token_id!, this.sep_token_id!];
    return { first: [cls], between: [sep, sep], last: [sep] };
  }
  override vocabulary_files(): Record<string, { copy: string }> {
    return Object.fromEntries(Object.entries(this.#files).map(([name, path]) => [name, { copy: path }]));
  }
}

/** PhoBERT's form for tweets: https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/bertweet/tokenization_bertweet.py */
export class BertweetTokenizer extends PhobertTokenizer {
  static override readonly keywords = { normalization: false, ...PhobertTokenizer.keywords };

  constructor(keywords: Keywords) {
    super({ ...BertweetTokenizer.keywords, ...keywords });
    warn_once("emoji is not installed, thus not converting emoticons or emojis into text.");
  }

  protected override _tokenize(text: string): string[] {
    return super._tokenize(this.init_kwargs["normalization"] ? normalize_tweet(text) : text);
  }
}

/** BERT's way to split texts, in Python. */
export abstract class WordPieceTokenizer extends TokenizerWithEnds {
  readonly #engine: NativeTokenizer;

  constructor(vocab_file: unknown, kwargs: Keywords) {
    const vocabulary = new Map(read_lines(vocab_file, "vocab_file").map((token, id) => [token, id]));
    super(kwargs, vocabulary);
    this.#engine = word_piece(kwargs, vocabulary);
  }

  /** Texts are put in lower case before added tokens are found. */
  protected override get lowers(): boolean {
    return Boolean(this.init_kwargs["do_basic_tokenize"]) && super.lowers;
  }
  protected override _tokenize(given: string): string[] {
    // Rust leaves what Unicode has not assigned.
    const text = given.replace(/(?![\t\n\r])\p{C}|\ufffd/gu, "");
    const pieces_of = (part: string) => this.#engine.encode(part, null, { add_special_tokens: false }).tokens;
    const special = new Set(this.all_special_tokens);
    const words = words_of(text);
    if (!words.some((word) => special.has(word))) return pieces_of(text);
    // Special tokens that are left in a text are words as they stand.
    return words.flatMap((word) =>
      special.has(word) ? [this.encoder.has(word) ? word : this.unk_token!] : pieces_of(word),
    );
  }
  override convert_tokens_to_string(tokens: readonly string[]): string {
    return strip(tokens.join(" ").replaceAll(" ##", ""));
  }
  protected vocabulary_lines(): string {
    return [...this.encoder.keys()].map((token) => `${token}\n`).join("");
  }
}

/** https://github.com/huggingface/transformers/blob/v4.57.6/src/transformers/models/prophetnet/tokenization_prophetnet.py */
export class ProphetNetTokenizer extends WordPieceTokenizer {
  static override readonly model_input_names = ["input_ids", "attention_mask"];
  static override readonly vocab_files_names = { vocab_file: "prophetnet.tokenizer" };
  static override readonly keywords = {
    do_lower_case: true,
    do_basic_tokenize: true,
    never_split: null,
    unk_token: "[UNK]",
    sep_token: "[SEP]",
    x_sep_token: "[X_SEP]",
    pad_token: "[PAD]",
    mask_token: "[MASK]",
    tokenize_chinese_chars: true,
    strip_accents: null,
    clean_up_tokenization_spaces: true,
  };

  constructor({ vocab_file, ...keywords }: Keywords) {
    super(vocab_file, { ...ProphetNetTokenizer.keywords, ...keywords });
  }

  /** Only within what is split. */
  protected override get lowers(): boolean {
    return false;
  }
  protected override _ends(): Ends {
    return { first: [], between: [this.sep_token_id!], last: [this.sep_token_id!] };
  }
  override vocabulary_files(): Record<string, string> {
    return { "prophetnet.tokenizer": this.vocabulary_lines() };
  }
}

/** BERT's way to split texts, by the engine. */
function word_piece(kwargs: Keywords, vocabulary: Vocabulary): NativeTokenizer {
  const basic = Boolean(kwargs["do_basic_tokenize"]);
  const bert = {
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: kwargs["tokenize_chinese_chars"],
    strip_accents: kwargs["strip_accents"],
    lowercase: kwargs["do_lower_case"],
  };
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: basic ? { type: "Sequence", normalizers: [{ type: "NFC" }, bert] } : null,
    pre_tokenizer: { type: basic ? "BertPreTokenizer" : "WhitespaceSplit" },
    post_processor: null,
    decoder: null,
    model: {
      type: "WordPiece",
      unk_token: String(kwargs["unk_token"]),
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary),
    },
  };
  try {
    return new (native().Tokenizer)(JSON.stringify(tokenizer));
  } catch (error) {
    throw from_native(error);
  }
}
