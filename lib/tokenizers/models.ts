import { readFile } from "node:fs/promises";
import { expected, TransformersError, warn_once } from "../errors.js";
import { flag, list, natural, optional, options, text } from "./arguments.js";
import { engine, type Spec } from "./component.js";

/** The text of `toJSON()`, for this package's own files. */
export let json_of: (model: Model) => string;

/** What turns pieces of text into tokens. */
export class Model {
  readonly #json: string;

  /** `spec` is the model's JSON in a tokenizer.json, so any can be made. */
  constructor(spec: Spec) {
    if (typeof spec !== "object" || spec === null) throw expected("the JSON of a model", "spec", spec);
    engine({ model: spec });
    this.#json = JSON.stringify(spec);
  }

  /** The model as a tokenizer.json has it. */
  toJSON(): Spec {
    return JSON.parse(this.#json);
  }

  static {
    json_of = (model) => model.#json;
  }
}

/** Tokens with their ids. */
export type Vocab = Readonly<Record<string, number>>;
/** Pairs of tokens that become one, the most urgent first. */
export type Merges = readonly (readonly [string, string])[];

function vocab_of(value: unknown): Vocab {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Vocab;
  throw expected("an object of tokens and ids", "vocab", value);
}

async function read(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause) => {
    throw new TransformersError(`Cannot read ${path}: ${cause.message}`, "file_not_found", cause);
  });
}

async function read_vocab(path: string): Promise<Vocab> {
  const content = await read(path);
  try {
    return vocab_of(JSON.parse(content));
  } catch (cause) {
    throw new TransformersError(`Expected a JSON object of tokens and ids in ${path}`, "tokenizer_invalid", cause);
  }
}

/** The lines of a file, as Rust's `lines()`. */
function lines(content: string): string[] {
  const result = content.split(/\r?\n/);
  if (result.at(-1) === "") result.pop();
  return result;
}

export interface BpeOptions {
  /** How many words to remember; our cache chooses its size itself. */
  cacheCapacity?: number;
  /** From 0 to 1: how often a merge is left out. */
  dropout?: number;
  unkToken?: string;
  continuingSubwordPrefix?: string;
  endOfWordSuffix?: string;
  fuseUnk?: boolean;
  byteFallback?: boolean;
}

function bpe(vocab: Vocab, merges: Merges, given: BpeOptions): BPE {
  const { cacheCapacity, dropout, unkToken, continuingSubwordPrefix, endOfWordSuffix, fuseUnk, byteFallback } = given;
  if (optional(cacheCapacity, "cacheCapacity", natural, null) !== null)
    warn_once("cacheCapacity does nothing: the cache chooses its size itself");
  return new BPE({
    type: "BPE",
    dropout: dropout ?? null,
    unk_token: optional(unkToken, "unkToken", text, null),
    continuing_subword_prefix: optional(continuingSubwordPrefix, "continuingSubwordPrefix", text, null),
    end_of_word_suffix: optional(endOfWordSuffix, "endOfWordSuffix", text, null),
    fuse_unk: optional(fuseUnk, "fuseUnk", flag, false),
    byte_fallback: optional(byteFallback, "byteFallback", flag, false),
    ignore_merges: false,
    vocab,
    merges,
  });
}

const BPE_OPTIONS = [
  "cacheCapacity",
  "dropout",
  "unkToken",
  "continuingSubwordPrefix",
  "endOfWordSuffix",
  "fuseUnk",
  "byteFallback",
] as const;

/** Byte-pair encoding. */
export class BPE extends Model {
  static empty(): BPE {
    return bpe({}, [], {});
  }

  static init(vocab: Vocab, merges: Merges, given?: BpeOptions | null): BPE {
    return bpe(vocab_of(vocab), list(merges, "merges") as Merges, options(given, BPE_OPTIONS));
  }

  /** From the paths of a `vocab.json` and a `merges.txt`. */
  static fromFile(vocab: string, merges: string, given?: BpeOptions | null): Promise<BPE> {
    text(vocab, "vocab");
    text(merges, "merges");
    const known = options(given, BPE_OPTIONS);
    return (async () => bpe(await read_vocab(vocab), merges_of(await read(merges), merges), known))();
  }
}

function merges_of(content: string, path: string): Merges {
  return lines(content)
    .filter((line) => !line.startsWith("#version"))
    .map((line, i): [string, string] => {
      const [left, right, ...more] = line.split(" ");
      if (left !== undefined && right !== undefined && more.length === 0) return [left, right];
      throw new TransformersError(
        `Expected two tokens in merge ${i + 1} of ${path} but received "${line}"`,
        "tokenizer_invalid",
      );
    });
}

export interface WordPieceOptions {
  /** Default: "[UNK]". */
  unkToken?: string;
  /** Default: "##". */
  continuingSubwordPrefix?: string;
  /** Words of more characters are unknown. Default: 100. */
  maxInputCharsPerWord?: number;
}

function word_piece(vocab: Vocab, given: WordPieceOptions): WordPiece {
  const { unkToken, continuingSubwordPrefix, maxInputCharsPerWord } = given;
  return new WordPiece({
    type: "WordPiece",
    unk_token: optional(unkToken, "unkToken", text, "[UNK]"),
    continuing_subword_prefix: optional(continuingSubwordPrefix, "continuingSubwordPrefix", text, "##"),
    max_input_chars_per_word: optional(maxInputCharsPerWord, "maxInputCharsPerWord", natural, 100),
    vocab,
  });
}

const WORD_PIECE_OPTIONS = ["unkToken", "continuingSubwordPrefix", "maxInputCharsPerWord"] as const;

/** The longest known start of a word, and so on: BERT's. */
export class WordPiece extends Model {
  static empty(): WordPiece {
    return word_piece({}, {});
  }

  static init(vocab: Vocab, given?: WordPieceOptions | null): WordPiece {
    return word_piece(vocab_of(vocab), options(given, WORD_PIECE_OPTIONS));
  }

  /** From the path of a `vocab.txt`: a token a line. */
  static fromFile(vocab: string, given?: WordPieceOptions | null): Promise<WordPiece> {
    text(vocab, "vocab");
    const known = options(given, WORD_PIECE_OPTIONS);
    return (async () => {
      const tokens = lines(await read(vocab)).map((line, id) => [line.trimEnd(), id]);
      return word_piece(Object.fromEntries(tokens), known);
    })();
  }
}

export interface WordLevelOptions {
  /** Default: "<unk>". */
  unkToken?: string;
}

function word_level(vocab: Vocab, given: WordLevelOptions): WordLevel {
  return new WordLevel({ type: "WordLevel", vocab, unk_token: optional(given.unkToken, "unkToken", text, "<unk>") });
}

/** Whole words. */
export class WordLevel extends Model {
  static empty(): WordLevel {
    return word_level({}, {});
  }

  static init(vocab: Vocab, given?: WordLevelOptions | null): WordLevel {
    return word_level(vocab_of(vocab), options(given, ["unkToken"]));
  }

  /** From the path of a `vocab.json`. */
  static fromFile(vocab: string, given?: WordLevelOptions | null): Promise<WordLevel> {
    text(vocab, "vocab");
    const known = options(given, ["unkToken"]);
    return (async () => word_level(await read_vocab(vocab), known))();
  }
}

export interface UnigramOptions {
  /** The token for what no other has. */
  unkId?: number;
  byteFallback?: boolean;
}

/** The most probable split: SentencePiece's. */
export class Unigram extends Model {
  static empty(): Unigram {
    return Unigram.init([["<unk>", 0]], { unkId: 0 });
  }

  /** `vocab`: tokens with the logarithms of their probabilities, in the order of their ids. */
  static init(vocab: readonly (readonly [string, number])[], given?: UnigramOptions | null): Unigram {
    const { unkId, byteFallback } = options(given, ["unkId", "byteFallback"]);
    return new Unigram({
      type: "Unigram",
      unk_id: optional(unkId, "unkId", natural, null),
      vocab: list(vocab, "vocab"),
      byte_fallback: optional(byteFallback, "byteFallback", flag, false),
    });
  }
}
