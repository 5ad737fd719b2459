import { closeSync, openSync, readSync } from "node:fs";
import { expected, TransformersError, warn_once } from "../errors.js";
import type { AddedTokenSpec, NativeTokenizer, TrainerSpec } from "../native.js";
import { AddedToken } from "./added_token.js";
import { flag, length, list, optional, options, text } from "./arguments.js";
import { engine, guarded, type Spec } from "./component.js";

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

const WORD_LEVEL = ["vocabSize", "minFrequency", "specialTokens", "showProgress"] as const;
const WORD_PIECE = [
  ...WORD_LEVEL,
  "limitAlphabet",
  "initialAlphabet",
  "continuingSubwordPrefix",
  "endOfWordSuffix",
] as const;
const KNOWN = { BPE: [...WORD_PIECE, "maxTokenLength"], WordPiece: WORD_PIECE, WordLevel: WORD_LEVEL } as const;
type Trainable = keyof typeof KNOWN;

/** For this package's own files. */
export let plan_of: (trainer: Trainer) => { type: Trainable; spec: TrainerSpec; special_tokens: AddedTokenSpec[] };

/** How a model's vocabulary is made from texts: bpeTrainer() and the others make one. */
export class Trainer {
  readonly #plan: ReturnType<typeof plan_of>;

  static {
    plan_of = (trainer) => trainer.#plan;
  }

  constructor(type: Trainable, given?: BpeTrainerOptions | null) {
    if (!Object.hasOwn(KNOWN, type)) throw expected(`one of ${Object.keys(KNOWN).join(", ")}`, "type", type);
    const read: BpeTrainerOptions = options(given, KNOWN[type]);
    if (optional(read.showProgress, "showProgress", flag, false)) warn_once("Trainers draw no progress bar");
    const special_tokens = list(read.specialTokens ?? [], "specialTokens").map(special_token);
    const spec = {
      vocab_size: optional(read.vocabSize, "vocabSize", length, 30000),
      special_tokens: special_tokens.map(({ content }) => content),
      min_frequency: optional(read.minFrequency, "minFrequency", length, 0),
      limit_alphabet: optional(read.limitAlphabet, "limitAlphabet", length, undefined),
      max_token_length: optional(read.maxTokenLength, "maxTokenLength", length, undefined),
      initial_alphabet: optional(read.initialAlphabet, "initialAlphabet", alphabet, undefined),
      continuing_subword_prefix: optional(
        read.continuingSubwordPrefix,
        "continuingSubwordPrefix",
        text,
        type === "WordPiece" ? "##" : undefined,
      ),
      end_of_word_suffix: optional(read.endOfWordSuffix, "endOfWordSuffix", text, undefined),
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

function special_token(token: unknown): AddedTokenSpec {
  const added = typeof token === "string" ? new AddedToken(token, true) : token;
  if (added instanceof AddedToken) return added.toJSON();
  throw expected("strings or AddedTokens", "specialTokens", token);
}

function alphabet(value: unknown, name: string): string {
  const characters = list(value, name, "a list of characters");
  return characters.map((item) => [...text(item, name, "characters")][0] ?? "").join("");
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
        rest = parts.pop() ?? "";
        if (rest.endsWith("\n")) parts.push(rest);
        if (rest.endsWith("\n")) rest = "";
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
  readonly #trainer: ReturnType<typeof plan_of>;
  readonly #counter: NativeTokenizer;
  readonly #model: Spec;

  /** `parts`: the tokenizer.json of the tokenizer that learns. */
  constructor(trainer: Trainer, parts: { model: Spec }) {
    this.#trainer = plan_of(trainer);
    const { type } = this.#trainer;
    if (parts.model.type !== type)
      throw new TypeError(`A trainer for ${type} cannot train a model of the type ${parts.model.type}`);
    this.#model = { ...parts.model, vocab: {}, ...(type === "BPE" && { merges: [] }) };
    this.#counter = engine({ ...parts, model: this.#model });
  }

  /** A text or a list of them. */
  count(item: unknown): void {
    for (const sequence of Array.isArray(item) ? item : [item])
      guarded(() => this.#counter.count_words(text(sequence, "iterator", "strings or lists of strings")));
  }

  finish(): { model: string; special_tokens: AddedTokenSpec[] } {
    const { type, spec, special_tokens } = this.#trainer;
    const given = Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined));
    const { vocab, merges } = JSON.parse(guarded(() => this.#counter.train(type, given as unknown as TrainerSpec)));
    const model: Spec = { ...this.#model, vocab, ...(type === "BPE" && { merges }) };
    if (type !== "WordLevel") model["continuing_subword_prefix"] = spec.continuing_subword_prefix ?? null;
    if (type === "BPE") model["end_of_word_suffix"] = spec.end_of_word_suffix ?? null;
    return { model: JSON.stringify(model), special_tokens };
  }
}
