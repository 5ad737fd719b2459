import { closeSync, openSync, readSync } from "node:fs";
import { expected, TransformersError, warn_once } from "../errors.js";
import type { AddedTokenSpec, NativeTokenizer, TrainerSpec, UnigramTrainerSpec } from "../native.js";
import { blank_model, type Model, trained_model } from "../tokenization/trained_model.js";
import { AddedToken } from "./added_token.js";
import { flag, length, list, optional, options, text } from "./arguments.js";
import { engine, guarded } from "./component.js";

export interface WordLevelTrainerOptions {
  /** The number of tokens, the special ones included. Default: 30000. */
  vocabSize?: number;
  /** How often a pair or word must be there to get a token. Default: 0. */
  minFrequency?: number;
  /** The first tokens, in this order. */
  specialTokens?: readonly (string | AddedToken)[];
  showProgress?: boolean;
}

export interface WordPieceTrainerOptions extends WordLevelTrainerOptions {
  /** How many different characters to keep. */
  limitAlphabet?: number;
  /** Characters to keep whatever the texts have, such as byteLevelAlphabet(). */
  initialAlphabet?: readonly string[];
  /** Default: "##" for WordPiece, none for BPE. */
  continuingSubwordPrefix?: string;
  endOfWordSuffix?: string;
}

export interface BpeTrainerOptions extends WordPieceTrainerOptions {
  /** In characters. */
  maxTokenLength?: number;
}

export interface UnigramTrainerOptions {
  /** The number of tokens, the special ones included. Default: 8000. */
  vocabSize?: number;
  /** The first tokens, in this order. */
  specialTokens?: readonly (string | AddedToken)[];
  showProgress?: boolean;
  /** Characters to keep whatever the texts have. */
  initialAlphabet?: readonly string[];
  /** What stands for unknown characters. Default: nothing does. */
  unkToken?: string;
  /** The share of the pieces that each pruning leaves, between 0 and 1. Default: 0.75. */
  shrinkingFactor?: number;
  /** Rounds of expectation maximisation before each pruning. Default: 2. */
  nSubIterations?: number;
  /** In characters. Default: 16. */
  maxPieceLength?: number;
  /** How many pieces to begin with. Default: 1,000,000. */
  seedSize?: number;
}

export type TrainerOptions = BpeTrainerOptions & UnigramTrainerOptions;

const COMMON = ["vocabSize", "specialTokens", "showProgress"] as const;
const SUBWORDS = ["limitAlphabet", "initialAlphabet", "continuingSubwordPrefix", "endOfWordSuffix"] as const;
const UNIGRAM = ["unkToken", "shrinkingFactor", "nSubIterations", "maxPieceLength", "seedSize"] as const;
const KNOWN = {
  BPE: [...COMMON, "minFrequency", ...SUBWORDS, "maxTokenLength"],
  WordPiece: [...COMMON, "minFrequency", ...SUBWORDS],
  WordLevel: [...COMMON, "minFrequency"],
  Unigram: [...COMMON, "initialAlphabet", ...UNIGRAM],
} as const satisfies Record<string, readonly (keyof TrainerOptions)[]>;
type Trainable = keyof typeof KNOWN;

const READERS = {
  vocabSize: length,
  minFrequency: length,
  limitAlphabet: length,
  maxTokenLength: length,
  initialAlphabet: alphabet,
  continuingSubwordPrefix: text,
  endOfWordSuffix: text,
  unkToken: text,
  shrinkingFactor: share,
  nSubIterations: length,
  maxPieceLength: length,
  seedSize: length,
} as const;

const snake_case = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

interface Plan {
  type: Trainable;
  spec: TrainerSpec | UnigramTrainerSpec;
  special_tokens: AddedTokenSpec[];
}

/** For this package's own files. */
export let plan_of: (trainer: Trainer) => Plan;

/** How a model's vocabulary is made from texts: bpeTrainer() and the others make one. */
export class Trainer {
  readonly #plan: Plan;

  static {
    plan_of = (trainer) => trainer.#plan;
  }

  /** `type`: that of the model. An option that its trainer does not know is said once. */
  constructor(type: Trainable, given?: TrainerOptions | null) {
    if (!Object.hasOwn(KNOWN, type)) throw expected(`one of ${Object.keys(KNOWN).join(", ")}`, "type", type);
    const known: TrainerOptions = options(given, KNOWN[type]);
    if (optional(known.showProgress, "showProgress", flag, false)) warn_once("Trainers draw no progress bar");
    const special_tokens = list(known.specialTokens ?? [], "specialTokens").map(special_token);
    const read = KNOWN[type].flatMap((name) => {
      if (!(name in READERS) || known[name] === undefined || known[name] === null) return [];
      return [[snake_case(name), READERS[name as keyof typeof READERS](known[name], name)]];
    });
    const spec = {
      vocab_size: type === "Unigram" ? 8000 : 30000,
      special_tokens: special_tokens.map(({ content }) => content),
      ...(type === "WordPiece" && { continuing_subword_prefix: "##" }),
      ...Object.fromEntries(read),
    };
    this.#plan = { type, spec, special_tokens };
  }
}

/** Trains BPE: the most frequent pairs of tokens become tokens. */
export function bpeTrainer(given?: BpeTrainerOptions | null): Trainer {
  return new Trainer("BPE", given);
}

/** Trains WordPiece: the tokens that BPE makes. */
export function wordPieceTrainer(given?: WordPieceTrainerOptions | null): Trainer {
  return new Trainer("WordPiece", given);
}

/** Trains WordLevel: the most frequent words. */
export function wordLevelTrainer(given?: WordLevelTrainerOptions | null): Trainer {
  return new Trainer("WordLevel", given);
}

/** Trains Unigram: the pieces that make the texts most probable. */
export function unigramTrainer(given?: UnigramTrainerOptions | null): Trainer {
  return new Trainer("Unigram", given);
}

/** Special whatever it says, as in Python. */
function special_token(token: unknown): AddedTokenSpec {
  const added = typeof token === "string" ? new AddedToken(token, true) : token;
  if (added instanceof AddedToken) return { ...added.toJSON(), special: true };
  throw expected("strings or AddedTokens", "specialTokens", token);
}

function alphabet(value: unknown, name: string): string {
  const characters = list(value, name, "a list of characters");
  return characters.map((item) => [...text(item, name, "characters")][0] ?? "").join("");
}

function share(value: unknown, name: string): number {
  if (typeof value === "number" && value > 0 && value < 1) return value;
  throw expected("a number between 0 and 1", name, value);
}

/** The lines of files, with their ends, as Rust's trainers read them. */
export function* lines_of(files: readonly string[]): Generator<string> {
  for (const path of files) {
    const file = open(path);
    try {
      const decoder = new TextDecoder();
      const bytes = new Uint8Array(1 << 20);
      let rest = "";
      for (let n = readSync(file, bytes); n > 0; n = readSync(file, bytes)) {
        const parts = (rest + decoder.decode(bytes.subarray(0, n), { stream: true })).split(/(?<=\n)/);
        rest = parts.at(-1)!.endsWith("\n") ? "" : parts.pop()!;
        yield* parts;
      }
      rest += decoder.decode();
      if (rest) yield rest;
    } finally {
      closeSync(file);
    }
  }
}

function open(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    throw new TransformersError(`Cannot read ${path}: ${(cause as Error).message}`, "file_not_found", cause);
  }
}

/** Counts words, and makes of them the JSON of a tokenizer.json's model. */
export class Training {
  readonly #plan: Plan;
  readonly #counter: NativeTokenizer;
  readonly #blank: Model;

  /** `parts`: the tokenizer.json of the tokenizer that learns. */
  constructor(trainer: Trainer, parts: { model: Model }) {
    this.#plan = plan_of(trainer);
    const { type } = parts.model;
    if (this.#plan.type !== type)
      throw new TypeError(`A trainer of ${this.#plan.type} cannot train a model of the type ${type}`);
    this.#blank = blank_model(parts.model);
    this.#counter = engine({ ...parts, model: this.#blank });
  }

  /** A text or a list of them. */
  count(item: unknown): void {
    for (const sequence of Array.isArray(item) ? item : [item])
      guarded(() => this.#counter.count_words(text(sequence, "iterator", "strings or lists of strings")));
  }

  finish(): { model: string; special_tokens: AddedTokenSpec[] } {
    const { type, spec, special_tokens } = this.#plan;
    const trained = JSON.parse(guarded(() => this.#counter.train(type, spec)));
    return { model: JSON.stringify(trained_model(this.#blank, trained, spec)), special_tokens };
  }
}
